"""Auditing a running cluster in tests: in this process, or through the command as an operator runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exivity_audit.attestation import Attestation
from exivity_audit.collect.reads import READS
from exivity_audit.collect.session import Access, open_session
from exivity_audit.config import Config, thresholds_of
from exivity_audit.evaluate import Judgement, Outcome, evaluate
from exivity_audit.evidence import BESIDE_THE_API
from exivity_audit.lifecycle import load_lifecycle
from exivity_audit.pack import Pack, own_pack
from exivity_audit.selection import reads_needed
from exivity_audit.snapshot import Outcome as Read
from exivity_audit.snapshot import SiteSnapshot, Snapshot, Tool
from exivity_audit.verdict import Status
from tests.world import NOW

from .controlplane import Cluster, Object

PACK: Pack = own_pack()
BUILT = frozenset(check.id for check in PACK.checks if check.built)
REPOSITORY = Path(__file__).resolve().parents[2]


def audited(
    cluster: Cluster, *, kubeconfig: Path | None = None, config: Config | None = None, attestations: tuple[Attestation, ...] = (), **where: Any
) -> Judgement:
    """Every check on what the real collector reads from a running cluster, judged as of the day that the test objects are made for."""
    config = config or Config()
    site = collected(Access(kubeconfig=kubeconfig or cluster.kubeconfig, **where))
    snapshot = Snapshot("exivity-audit/snapshot", 1, Tool("exivity-audit", "0.1.0"), site.now, site.now, (site,))
    return evaluate(
        snapshot,
        PACK,
        config,
        attestations=attestations,
        thresholds=thresholds_of(config, PACK.thresholds, None),
        lifecycle=load_lifecycle(None),
        now=NOW,
    )


def collected(access: Access, *, attempts: int = 3) -> SiteSnapshot:
    """What every read sees. Where the API server gave no answer in time the cluster is read anew: a stalled machine is no finding."""
    for _ in range(attempts):
        session = open_session(access)
        try:
            site = session.collect(READS, reads_needed(PACK, None))
        finally:
            session.close()
        if not any(record.outcome is Read.FAILED and not record.resource.startswith(BESIDE_THE_API) for record in site.reads):
            break
    return site


def built(judgement: Judgement) -> dict[str, Outcome]:
    """The outcomes of checks that have code, by check."""
    return {outcome.check.id: outcome for outcome in judgement.outcomes if outcome.check.id in BUILT}


def statuses(judgement: Judgement) -> dict[str, Status]:
    """Status of every built check."""
    return {check: outcome.status for check, outcome in built(judgement).items()}


def wrong(judgement: Judgement, *kinds: Status) -> dict[str, list[str]]:
    """What the built checks of these statuses say: the message of a failed assertion."""
    return {
        check: [f"{verdict.subject}: {verdict.status}: {verdict.message}" for verdict in outcome.verdicts if verdict.status in kinds]
        for check, outcome in built(judgement).items()
        if outcome.status in kinds
    }


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    output: str
    errors: str
    report: Object

    @property
    def statuses(self) -> dict[str, str]:
        """The worst status of every built check in the JSON report."""
        found: dict[str, str] = {}
        for result in self.report["results"]:
            known = found.get(result["id"])
            if result["id"] in BUILT and (known is None or Status(result["status"]).urgency < Status(known).urgency):
                found[result["id"]] = result["status"]
        return found


def run(cluster: Cluster | None, *arguments: str, kubeconfig: Path | None = None, folder: Path, command: str = "run", timeout: float = 300) -> Ran:
    """`python -m exivity_audit COMMAND …` in an empty folder, with a JSON report where the command writes one."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("KUBE", "EXIVITY_AUDIT_"))}
    environment["PYTHONPATH"] = str(REPOSITORY)
    report = folder / "report.json"
    report.unlink(missing_ok=True)
    path = kubeconfig or (cluster.kubeconfig if cluster else None)
    access = ["--kubeconfig", str(path)] if path else []
    outputs = ["-o", f"json={report}", "--now", NOW.strftime("%Y-%m-%dT%H:%M:%SZ")] if command == "run" else []
    done = subprocess.run(
        [sys.executable, "-m", "exivity_audit", command, *access, *outputs, *arguments],
        cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip
    return Ran(done.returncode, done.stdout, done.stderr, json.loads(report.read_text()) if report.exists() else {})
