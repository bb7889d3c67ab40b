"""``exivity-audit seal``: judge a cluster or a snapshot, and put all that a handover rests on into one archive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from exivity_audit.cli.options import ACCESS, FILE, HISTORY, JUDGING, SNAPSHOTS, Grouped, add

if TYPE_CHECKING:
    from exivity_audit.cli.preparation import Preparation
    from exivity_audit.handover.paper_files import Paper
    from exivity_audit.reports.run_info import RunInfo
    from exivity_audit.score import Scorecard
    from exivity_audit.snapshot import Snapshot


@click.command("seal", cls=Grouped, context_settings={"max_content_width": 110})
@click.option("-o", "--output", "file", type=FILE, required=True, help="Archive to write, such as handover.zip.")
@click.option("--force", is_flag=True, help="Write over a file that exists.")
@click.option("--key", "key_file", type=FILE, envvar="EXIVITY_AUDIT_SEAL_KEY", help="Sign with this Ed25519 private key (PEM, without passphrase).")
@click.option("--by", metavar="NAME", help="Who seals it; the manifest says so.")
@add(SNAPSHOTS, HISTORY, ACCESS, JUDGING)
def command(file: Path, force: bool, key_file: Path | None, by: str | None, snapshots: tuple[str, ...], **flags: Any) -> int:
    """Audit, and seal reports, snapshot, config and evidence with its artefacts in one archive with a manifest.

    A key is made by `openssl genpkey -algorithm ed25519 -out seal.key`, and its public half for those who verify by
    `openssl pkey -in seal.key -pubout -out seal.pub`. Without one the pack is unsigned, and `verify` says so.
    Exit codes: 0 sealed, whatever the gate is; 2 usage, 4 no cluster.
    """
    from exivity_audit.cli.filling import must_be_free
    from exivity_audit.cli.preparation import prepare
    from exivity_audit.errors import UsageError

    must_be_free(file, force)
    if by is not None and (not by.strip() or len(by) > 200 or not by.isprintable()):
        raise UsageError("--by names nobody", "write the name of who seals the pack")
    key = None
    if key_file is not None:
        from exivity_audit.handover.signature import private_key

        key = private_key(key_file)
    prepared = prepare(flags)
    papers = _papers(prepared, flags)
    snapshot = _snapshot(snapshots, prepared, flags)
    from exivity_audit.handover.sealing import pack
    from exivity_audit.snapshot import write_whole

    card, run = _judged(snapshot, prepared, flags)
    content = pack(card, run, _page(card, run), papers, by=by, key=key)
    write_whole(file, content)
    count = f"{len(papers)} {'paper' if len(papers) == 1 else 'papers'}"
    how = "signed" if key is not None else "unsigned"
    click.echo(f"{file}: {card.gate or 'no gate (evaluation)'}, {how}, {len(content)} bytes, with {count} beside the reports and the snapshot")
    return 0


def _papers(prepared: Preparation, flags: dict[str, Any]) -> list[Paper]:
    """Config and evidence, read before the cluster is."""
    from exivity_audit.handover.paper_files import config_paper, evidence_papers

    found = [config_paper(prepared.config_path)] if prepared.config_path is not None else []
    return found + (evidence_papers(flags["evidence"]) if flags.get("evidence") else [])


def _snapshot(snapshots: tuple[str, ...], prepared: Preparation, flags: dict[str, Any]) -> Snapshot:
    from exivity_audit.cli.obtaining import obtain
    from exivity_audit.handover.sealing import strained_snapshot

    declared = prepared.config.history
    folder = flags.get("history") or (Path(declared.folder) if declared else None)
    found = obtain(prepared, flags, snapshots, folder).snapshot
    return strained_snapshot(found) if snapshots else found


def _judged(snapshot: Snapshot, prepared: Preparation, flags: dict[str, Any]) -> tuple[Scorecard, RunInfo]:
    """The judgement, and the run as its reports tell it: the same for the same content, so nothing of this process."""
    from msgspec.structs import replace

    from exivity_audit.cli.judging import evaluated
    from exivity_audit.exit_code import Limit, exit_code
    from exivity_audit.reports.run_info import RunInfo
    from exivity_audit.score import scorecard
    from exivity_audit.version import version

    card = scorecard(evaluated(snapshot, prepared, flags))
    site = snapshot.sites[0]
    run = RunInfo(version(), snapshot.started, snapshot.finished, (), None, None, None, 0, site.identity, "snapshot.json.gz", 0, "")
    code, reason = exit_code(card, Limit())
    return card, replace(run, exit_code=code, exit_reason=reason)


def _page(card: Scorecard, run: RunInfo) -> bytes | None:
    """The HTML report, where this version writes one."""
    from exivity_audit.cli.output import FORMATS, Output, Style, content_of

    return content_of(card, run, Output("html", Path("report.html")), Style()) if "html" in FORMATS else None
