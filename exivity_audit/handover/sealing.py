"""Making a pack: reports, snapshot, papers and manifest of one judgement, in one order, with the same bytes for the same content."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from exivity_audit.collect.net import strained
from exivity_audit.errors import UsageError
from exivity_audit.handover import manifest as shape
from exivity_audit.handover.archive import Damaged, build
from exivity_audit.handover.paper_files import Paper
from exivity_audit.reports import figures
from exivity_audit.reports.json_report import json_report
from exivity_audit.reports.run_info import RunInfo
from exivity_audit.score import Scorecard
from exivity_audit.snapshot import Snapshot, encode, walking

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

NO_PAGE = "report.html is left out: this version writes no HTML"


def strained_snapshot(snapshot: Snapshot) -> Snapshot:
    """A snapshot with the net drawn through it once more: a file may have been changed since it was collected. Raises UsageError."""
    with walking():
        sites = [
            msgspec.structs.replace(
                site,
                reads=tuple(
                    msgspec.structs.replace(record, objects=strained(record.objects), reason=strained(record.reason)) for record in site.reads
                ),
                unreached=strained(site.unreached),
            )
            for site in snapshot.sites
        ]
    return msgspec.structs.replace(snapshot, sites=tuple(sites))


def pack(
    card: Scorecard,
    run: RunInfo,
    page: bytes | None,
    papers: Iterable[Paper],
    *,
    by: str | None = None,
    key: Ed25519PrivateKey | None = None,
) -> bytes:
    """The whole archive. Raises UsageError where it would be larger than a pack may be."""
    files = [Paper(shape.REPORT, "report", json_report(card, run))]
    files += [Paper(shape.PAGE, "report to read and to print", page)] if page is not None else []
    snapshot = gzip.compress(encode(card.judgement.snapshot), mtime=0)
    files += [Paper(shape.SNAPSHOT, "what was read of the cluster, redacted", snapshot), *papers]
    files.sort(key=lambda paper: paper.name)
    listed = [shape.File(paper.name, paper.what, len(paper.content), shape.sha256(paper.content), paper.origin) for paper in files]
    notes = [f"site {site.name} was not reached: {site.unreached}" for site in card.judgement.snapshot.sites if site.unreached]
    content = shape.written(_manifest(card, run, listed, by, [*notes, *([] if page is not None else [NO_PAGE])]))
    signature = None
    if key is not None:
        from exivity_audit.handover.signature import sign

        signature = sign(content, key)
    seal = shape.written(shape.Seal(shape.sha256(content), signature))
    try:
        return build({shape.MANIFEST: content, shape.SEAL: seal, **{paper.name: paper.content for paper in files}})
    except Damaged as error:
        raise UsageError(f"no pack can be made of this: {error}", "attach shorter extracts as artefacts") from error


def _manifest(card: Scorecard, run: RunInfo, files: list[shape.File], by: str | None, notes: list[str]) -> shape.Manifest:
    judgement, cover = card.judgement, card.coverage
    used = judgement.scenario.used
    return shape.Manifest(
        format="exivity-audit/handover",
        version=1,
        versions=shape.Versions(run.tool_version, judgement.pack.checklist.version),
        by=by,
        sites=[
            shape.Site(site.name, site.cluster.name, site.cluster.uid, site.cluster.version, site.namespace, site.release)
            for site in judgement.snapshot.sites
        ],
        scenario=str(used) if used else None,
        purpose=str(judgement.purpose),
        started=run.started,
        finished=run.finished,
        judged=judgement.now.isoformat().replace("+00:00", "Z"),
        result=shape.Result(
            str(card.gate) if card.gate else None, card.grade, figures.tenths(card.score), cover.decided_checks, cover.applicable_checks
        ),
        files=files,
        notes=notes,
    )
