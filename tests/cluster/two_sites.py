"""Two real control planes with the real chart: an active and a standby site, behind one kubeconfig."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from exivity_audit.attestation import Attestation
from exivity_audit.collect.deadline import Deadline
from exivity_audit.collect.gathered import settled
from exivity_audit.collect.reads import READS
from exivity_audit.collect.session import Access
from exivity_audit.collect.several import visit_all
from exivity_audit.config import Config, thresholds_of
from exivity_audit.evaluate import Judgement, evaluate
from exivity_audit.lifecycle import load_lifecycle
from exivity_audit.selection import reads_needed
from exivity_audit.snapshot import Snapshot, Tool
from tests.products import gitops, two_sites
from tests.world import NOW

from . import conforming, variants
from .auditing import PACK
from .controlplane import Cluster, ControlPlane, write_private
from .live_cluster import LiveCluster

ROLES = {two_sites.ACTIVE: "active", two_sites.PASSIVE: "passive"}


@dataclass
class Pair:
    """The two sites, each on a control plane of its own, and the kubeconfig with a context for each."""

    sites: dict[str, LiveCluster]
    planes: dict[str, ControlPlane]
    kubeconfig: Path

    @property
    def flags(self) -> tuple[str, ...]:
        """The sites as flags of the command."""
        return tuple(word for name, role in ROLES.items() for word in ("--site", f"{name}={name}:{role}"))

    def settle(self, *names: str) -> None:
        """Waits until the controllers of these sites have answered what was changed, and the copies of each service are spread."""
        for name in names:
            live = self.sites[name]
            live.settle(120)
            while conforming.spread_again(live.cluster, live.namespace):
                live.wait_until_ready(120)

    def stop(self) -> None:
        """Ends both control planes."""
        for plane in self.planes.values():
            plane.stop()


def start(binaries: Path, directory: Path) -> Pair:
    """Starts both control planes and makes each a site of the conforming pair; no fixture is needed.

    Whatever goes wrong, no process is left behind.
    """
    planes: dict[str, ControlPlane] = {}
    try:
        # Processes end with the thread that started them: this one. What is put on them takes long and is done at once.
        for name in ROLES:
            planes[name] = ControlPlane.start(binaries, directory / name)
        with ThreadPoolExecutor(len(planes)) as builders:
            sites = dict(zip(planes, builders.map(site, planes, planes.values()), strict=True))
        return Pair(sites, planes, kubeconfig(directory / "pair.kubeconfig", planes))
    except BaseException:
        for plane in planes.values():
            plane.stop()
        raise


def site(name: str, plane: ControlPlane) -> LiveCluster:
    """One site: the chart as Argo CD applies it, at the standby with no copy asked for, and what `tests.products.two_sites` puts beside it."""
    passive = ROLES[name] == "passive"
    live = conforming.multi_node(plane, by="template", standing_by=passive)
    variants.with_apis(live, (*gitops.ARGO, *gitops.KEDA, *two_sites.ARGO, *two_sites.LINKS))
    two_sites.at_home(live, two_sites.REGIONS[name])
    if passive:
        two_sites.unmounted(live, live.namespace)
        two_sites.follow(live)
    live.add(variants.application(live), *two_sites.workflows(runs=passive))
    live.settle()
    live.forget()
    return live


def kubeconfig(path: Path, clusters: dict[str, ControlPlane] | dict[str, Cluster], user: str = "admin") -> Path:
    """One kubeconfig with a context, cluster and user for each control plane, named as the sites are."""
    merged: dict[str, object] = {"apiVersion": "v1", "kind": "Config", "current-context": next(iter(clusters))}
    parts: dict[str, list[object]] = {"clusters": [], "users": [], "contexts": []}
    for name, cluster in clusters.items():
        alone = json.loads(cluster.kubeconfig_for(cluster.tokens[user], path.with_name(f"{name}.kubeconfig")).read_text())
        parts["clusters"].append({**alone["clusters"][0], "name": name})
        parts["users"].append({**alone["users"][0], "name": name})
        parts["contexts"].append({"name": name, "context": {"cluster": name, "user": name}})
    write_private(path, json.dumps(merged | parts, indent=2) + "\n")
    return path


def audited_pair(
    pair: Pair, *, checks: frozenset[str] | None = None, roles: Mapping[str, str | None] | None = None, config: Config | None = None,
    attestations: tuple[Attestation, ...] = (), seconds: float = 120,
) -> Judgement:  # fmt: skip
    """Every check, or some, on what the real collector reads of both sites at once, judged as of the day that the test objects are made for."""
    config = config or Config()
    named = {**ROLES, **(roles or {})}
    accesses = [Access(kubeconfig=pair.kubeconfig, context=name, site=name, role=role) for name, role in named.items()]
    visits = visit_all(accesses, READS, reads_needed(PACK, checks), Deadline(seconds), lambda *_: None)
    lost = {one.name: str(one.error) for one in visits if one.gathered is None}
    assert not lost, lost
    sites = settled([one.gathered for one in visits if one.gathered is not None])
    snapshot = Snapshot("exivity-audit/snapshot", 1, Tool("exivity-audit", "0.1.0"), sites[0].now, sites[0].now, sites)
    return evaluate(
        snapshot, PACK, config, selected=checks, attestations=attestations, thresholds=thresholds_of(config, PACK.thresholds, None),
        lifecycle=load_lifecycle(None), now=NOW,
    )  # fmt: skip
