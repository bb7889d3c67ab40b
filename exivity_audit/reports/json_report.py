"""The JSON report, schema 1, and the JSON Schema generated from the same types."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, cast

import msgspec

from exivity_audit.acceptance import Fate
from exivity_audit.actions import Patch, Register, register
from exivity_audit.attestation import Attestation
from exivity_audit.baseline import Baseline
from exivity_audit.calendar import due_by_site
from exivity_audit.comparison import Difference
from exivity_audit.config import Waiver
from exivity_audit.evaluate import Judgement, Outcome, results
from exivity_audit.keeping import Keeper
from exivity_audit.reading import reason_of
from exivity_audit.remedy import Fix, FixKind
from exivity_audit.reports import figures, tables_shape
from exivity_audit.reports import json_shape as shape
from exivity_audit.reports.action_shape import ActionShape, ActionsShape, KeeperShape, PatchShape, SettingShape
from exivity_audit.reports.run_info import RunInfo
from exivity_audit.reports.text import encodable, json_text
from exivity_audit.reports.trend import trend_rows
from exivity_audit.scenario import Role
from exivity_audit.score import Coverage, Remedy, Scorecard
from exivity_audit.snapshot import Cluster, Record, SiteSnapshot
from exivity_audit.snapshot import Outcome as ReadOutcome
from exivity_audit.subject import Subject, fingerprint
from exivity_audit.verdict import Status, Verdict

TOOL = "exivity-audit"
BROKEN = (Status.FAIL, Status.WARN)
USED = Fate("used")


def json_report(scorecard: Scorecard, run: RunInfo) -> bytes:
    """The report as indented UTF-8 JSON; same snapshot, same bytes, but for ``run``."""
    return (json_text(msgspec.to_builtins(report_shape(scorecard, run))) + "\n").encode()


def json_schema() -> bytes:
    """The JSON Schema (draft 2020-12) of the report as this version writes it: every key is there, also those that older reports lack."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(shape.ReportShape)}
    for one in schema["$defs"].values():
        if "properties" in one:
            one["required"] = list(one["properties"])
    return (json_text(schema) + "\n").encode()


def report_shape(card: Scorecard, run: RunInfo) -> shape.ReportShape:
    """Everything a report says, as values: what the machine formats are written from."""
    judgement = card.judgement
    first, checklist, scenario = judgement.snapshot.sites[0], judgement.pack.checklist, judgement.scenario
    now = judgement.now.isoformat().replace("+00:00", "Z")
    return shape.ReportShape(
        schema_version=1,
        tool=shape.ToolShape(TOOL, run.tool_version),
        checklist=shape.ChecklistShape(checklist.name, checklist.version),
        run=shape.RunShape(run.started, run.finished, now, first.namespace, first.release, list(run.flags), run.exit_code),
        cluster=_cluster(first.cluster),
        sites=[_site(site, card) for site in judgement.snapshot.sites],
        scenario=shape.ScenarioShape(scenario.declared, scenario.detected, scenario.used, judgement.purpose),
        summary=_summary(card),
        rows=[
            shape.RowShape(
                row.row.id,
                row.row.title,
                row.row.phase,
                row.verdict,
                figures.tenths(row.score),
                _coverage(row.coverage),
                _counts(row.counts),
                row.row.weight_in(scenario.used),
            )
            for row in card.rows
        ],
        results=[_result(outcome, verdict) for outcome, verdict in results(judgement.outcomes)],
        tables=_tables(judgement.tables),
        unread=[_unread(site, record) for site, record in judgement.unread],
        fixes=[_gain(remedy) for remedy in card.remedies],
        attestations=[_attestation(item, judgement.fate(item)) for item in judgement.attestations],
        waivers=[_waiver(item, judgement.fate(item)) for item in judgement.config.waivers],
        lifecycle=_lifecycle(judgement),
        actions=_actions(register(card)),
        baseline=_baseline(run.baseline) if run.baseline is not None else None,
    )


def _baseline(found: Baseline) -> shape.BaselineShape:
    old = found.old
    counts = shape.ChangeCountsShape(**{str(change): count for change, count in found.counts})
    changes = [_changed(one) for one in found.differences]
    return shape.BaselineShape(
        found.file,
        old.run.now,
        old.checklist.version,
        old.summary.gate,
        found.why.before,
        dict(found.why.shares),
        list(found.remarks),
        counts,
        changes,
    )


def _changed(one: Difference) -> shape.ChangeShape:
    result, before, after = one.result, one.before, one.after
    return shape.ChangeShape(
        change=cast(Any, str(one.change)),
        fingerprint=result.fingerprint,
        id=result.id,
        site=result.site,
        title=result.title,
        severity=result.severity,
        subject=result.subject,
        before=before.status if before else None,
        after=after.status if after else None,
        message=result.message,
        why=one.why,
    )


def _actions(found: Register) -> ActionsShape:
    return ActionsShape(
        [
            ActionShape(
                one.number, one.kind, one.text, one.severity, figures.points(one.gain), one.needs, list(one.sites), list(one.checks),
                _fingerprints(one.findings), list(one.fill), [_patch(patch) for patch in one.patches],
            )
            for one in found.actions
        ],
        [
            SettingShape(one.site, one.path, _plain(one.value), one.state, one.needs, _plain(one.others), _fingerprints(one.findings))
            for one in found.settings
        ],
        [_keeper(one) for one in found.keepers.values()],
    )  # fmt: skip


def _patch(one: Patch) -> PatchShape:
    return PatchShape(one.site, str(one.target), _plain(one.body), one.kubectl, _keeper(one.keeper) if one.keeper is not None else None)


def _keeper(one: Keeper) -> KeeperShape:
    return KeeperShape(one.site, one.tool, one.object, one.repository or None, one.advice)


def _fingerprints(findings: Iterable[tuple[Outcome, Verdict]]) -> list[str]:
    return [_fingerprint(outcome, verdict) for outcome, verdict in findings]


def _lifecycle(judgement: Judgement) -> shape.LifecycleShape | None:
    table = judgement.lifecycle
    return shape.LifecycleShape(table.date.isoformat(), table.stale(judgement.now), judgement.config.lifecycle) if table is not None else None


def _tables(tables: Mapping[str, Mapping[str, Any]]) -> tables_shape.TablesShape:
    volumes, past, failover = _table(tables, "volume_figures"), trend_rows(tables), _table(tables, "failover")
    return tables_shape.TablesShape(
        node_loss=_table(tables, "node_loss"),
        copies=_copies(tables),
        calendar=_calendar(tables),
        volumes=None if volumes is None else [tables_shape.VolumeShape(**row) for row in volumes],
        failover=None if failover is None else [tables_shape.FailoverShape(**row) for row in failover],
        trend=None if past is None else [tables_shape.TrendShape(**msgspec.structs.asdict(row)) for row in past],
    )


def _calendar(tables: Mapping[str, Mapping[str, Any]]) -> list[tables_shape.DueShape] | None:
    """The calendar over all sites, the nearest day first; None where no site has one."""
    rows = due_by_site(tables)
    return None if rows is None else [tables_shape.DueShape(site, row.date, row.kind, row.what, row.subject, row.days_left) for site, row in rows]


def _cluster(cluster: Cluster) -> shape.ClusterShape:
    return shape.ClusterShape(cluster.name, cluster.uid, cluster.version)


def _site(site: SiteSnapshot, card: Scorecard) -> shape.SiteShape:
    ends = [record.outcome for record in site.reads]
    reads = shape.ReadsShape(**{outcome.value.replace("-", "_"): ends.count(outcome) for outcome in ReadOutcome})
    return shape.SiteShape(
        site.name, Role(site.role) if site.role else None, _cluster(site.cluster), site.namespace, site.release, reads, site.insecure,
        site.now, _coverage(figures.site_coverage(card, site.name)), site.unreached or None,
    )  # fmt: skip


def _coverage(cover: Coverage) -> shape.CoverageShape:
    return shape.CoverageShape(cover.decided, cover.applicable, None if cover.ratio is None else round(float(cover.ratio), 4))


def _counts(counts: Mapping[Status, int]) -> shape.CountsShape:
    return shape.CountsShape(*(counts[status] for status in Status))


def _summary(card: Scorecard) -> shape.SummaryShape:
    return shape.SummaryShape(
        gate=card.gate,
        remarks=card.remarks,
        waivers=card.waivers,
        grade=cast(Any, card.grade),
        score=figures.tenths(card.score),
        score_without_waivers=figures.tenths(card.score_without_waivers),
        coverage=_coverage(card.coverage),
        counts=_counts(card.counts),
    )


def _result(outcome: Outcome, verdict: Verdict) -> shape.ResultShape:
    check, subject, want = outcome.check, verdict.subject, verdict.wanted
    return shape.ResultShape(
        id=check.id,
        row=check.row,
        site=outcome.site,
        fingerprint=_fingerprint(outcome, verdict),
        title=check.title,
        severity=outcome.severity,
        status=verdict.status,
        underlying=verdict.underlying,
        remark=verdict.remark,
        subject=shape.SubjectShape(subject.kind, subject.namespace, subject.name, subject.part) if subject else None,
        message=verdict.message,
        measured=_plain(verdict.measured),
        unit=verdict.unit,
        wanted=shape.WantedShape(cast(Any, want.operator), _plain(want.value), want.unit, want.note) if want else None,
        evidence=[shape.EvidenceShape(item.read, item.object, item.path, _plain(item.value), item.kubectl) for item in verdict.evidence],
        clauses=list(check.clauses),
        fix=_fix_of(outcome, verdict),
        needs=list(verdict.needs),
        follows=verdict.follows,
        waiver=_waiver(verdict.waiver, USED) if verdict.waiver else None,
        attestation=_attestation(verdict.attestation, USED) if verdict.attestation else None,
    )


def _fingerprint(outcome: Outcome, verdict: Verdict) -> str:
    """The finding's fingerprint; a name that is no Unicode text (a lone surrogate) has one too."""
    one = verdict.subject
    if one is not None:
        name, namespace, part = (None if text is None else encodable(text) for text in (one.name, one.namespace, one.part))
        one = Subject(encodable(one.kind), name, namespace, part)
    return fingerprint(encodable(outcome.check.id), encodable(outcome.site), one)


def _fix_of(outcome: Outcome, verdict: Verdict) -> shape.FixShape | None:
    if verdict.fix is not None:
        return _fix(verdict.fix)
    general = {Status.MANUAL: outcome.check.attest, **dict.fromkeys((*BROKEN, Status.WAIVED), outcome.check.fix)}.get(verdict.status)
    return shape.FixShape(general, FixKind.TASK, None, None, None, []) if general else None


def _fix(fix: Fix) -> shape.FixShape:
    chart_values = {path: _plain(value) for path, value in fix.values} or None
    return shape.FixShape(fix.text, fix.kind, chart_values, _plain(fix.patch) if fix.patch is not None else None, fix.needs, list(fix.fill))


def _gain(remedy: Remedy) -> shape.GainShape:
    fix = next((verdict.fix for _, verdict in remedy.findings if verdict.fix), None)
    own = _fix(fix) if fix else shape.FixShape(remedy.text, FixKind.TASK, None, None, None, [])
    return shape.GainShape(figures.gain(remedy), own, _fingerprints(remedy.findings))


def _waiver(item: Waiver, found: Fate) -> shape.WaiverShape:
    accepts = _plain(item.accepts)
    return shape.WaiverShape(item.check, item.subject, item.site, item.reason, item.owner, item.expires, item.ticket, accepts, found.state, found.why)


def _attestation(item: Attestation, found: Fate) -> shape.AttestationShape:
    context = _plain(dict(item.context))
    return shape.AttestationShape(
        item.check, item.subject, item.site, item.statement, item.by, item.date, item.expires, item.artefact, context, found.state, found.why
    )


def _unread(site: str, record: Record) -> shape.UnreadShape:
    place = shape.PlaceShape(record.place.namespace, record.place.name, record.place.labels)
    reason = reason_of(record)
    return shape.UnreadShape(site, record.name, place, record.outcome, reason.text, reason.rule or None)


def _table(tables: Mapping[str, Mapping[str, Any]], name: str) -> list[dict[str, Any]] | None:
    """The rows of a table over all sites; None where no site has it."""
    found: list[dict[str, Any]] | None = None
    for site, one in tables.items():
        rows = one.get(name)
        if isinstance(rows, tuple | list):
            found = found or []
            found += [{"site": site, **_plain(msgspec.structs.asdict(row))} for row in rows]
    return found


def _copies(tables: Mapping[str, Mapping[str, Any]]) -> list[tables_shape.CopyShape] | None:
    rows = _table(tables, "copies")
    return None if rows is None else [tables_shape.CopyShape(**row) for row in rows]


def _plain(value: Any) -> Any:
    """The value in JSON's own types; what JSON has no word for becomes text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return str(value)
