"""One side of a comparison: a JSON report read back, or a snapshot judged by the present checklist."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec.structs import replace

from exivity_audit.attestation import future
from exivity_audit.cli.judging import evaluated
from exivity_audit.cli.preparation import Preparation, moment
from exivity_audit.cli.site_plan import plan
from exivity_audit.errors import UsageError
from exivity_audit.reports.json_report import report_shape
from exivity_audit.reports.json_shape import ReportShape
from exivity_audit.reports.report_file import HINT, decode_report, is_snapshot, read_bytes
from exivity_audit.reports.run_info import RunInfo
from exivity_audit.score import scorecard
from exivity_audit.snapshot import Snapshot, run_now
from exivity_audit.version import version


def side(path: Path, prepared: Preparation, flags: dict[str, Any]) -> ReportShape:
    """The report in a file, or of a snapshot in it. Raises UsageError."""
    content = read_bytes(path)
    if is_snapshot(content):
        return judged_side(plan({"site_role": flags.get("site_role")}, prepared, [str(path)]).saved[0].snapshot, prepared, flags)
    found = decode_report(content, str(path))
    if not found.sites:
        raise UsageError(f"{path} is no report of this tool: it holds no site", HINT)
    return found


def judged_side(snapshot: Snapshot, prepared: Preparation, flags: dict[str, Any]) -> ReportShape:
    """A snapshot judged now. What was attested after it was taken says nothing of it and is left out, and so is what had ended."""
    today = moment(flags.get("now")) or run_now(snapshot)
    holding = tuple(one for one in prepared.attestations if not future(one.date, today) and not one.expired(today))
    card = scorecard(evaluated(snapshot, replace(prepared, attestations=holding), flags))
    run = RunInfo(version(), snapshot.started, snapshot.finished, (), None, None, None, 0, snapshot.sites[0].identity, None, 0, "")
    return report_shape(card, run)
