"""Everything that is wrong with the waivers of a config: alone, against the config's sites, and against a snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exivity_audit.cli.preparation import Preparation, moment, prepare
from exivity_audit.config import DEFAULT_NAME, Config, Waiver
from exivity_audit.errors import UsageError
from exivity_audit.nearest import nearest
from exivity_audit.pack import own_pack
from exivity_audit.subject import matches
from exivity_audit.waiver import examine
from exivity_audit.yaml_file import Entry, read_entries

if TYPE_CHECKING:
    from exivity_audit.evaluate import Judgement


def waiver_problems(snapshots: Sequence[str], flags: dict[str, Any]) -> tuple[Path, int, list[UsageError]]:
    """The config's path, the number of its waivers, and what is wrong with them. Raises UsageError for anything else that is wrong."""
    path = flags["config_file"] or Path(DEFAULT_NAME)
    if not path.is_file():
        raise UsageError(f"{path} is no file", "name the config with --config")
    entries = read_entries(path, "waivers", Waiver, Config)
    if any(entry.error is not None for entry in entries):
        return path, len(entries), examine(path, {check.id: check for check in own_pack().checks}, moment(flags["now"]) or datetime.now(UTC))
    prepared = prepare(flags | {"config_file": path}, waivers_refused=False)
    checks = {check.id: check for check in prepared.pack.checks}
    sites = [site.name for site in prepared.config.sites]
    if not snapshots:
        problems = examine(path, checks, moment(flags["now"]) or datetime.now(UTC))
        return path, len(entries), problems + [wrong for entry in entries if sites and (wrong := _wrong_site(path, entry, sites))]
    judgement = _judged(snapshots, prepared, flags)
    problems = examine(path, checks, judgement.now)
    for entry in entries:
        problems += _unfit(path, entry, judgement)
    return path, len(entries), problems


def _judged(snapshots: Sequence[str], prepared: Preparation, flags: dict[str, Any]) -> Judgement:
    from exivity_audit.cli.judging import evaluated
    from exivity_audit.cli.obtaining import obtain

    return evaluated(obtain(prepared, flags, snapshots).snapshot, prepared, flags)


def _wrong_site(path: Path, entry: Entry[Waiver], sites: list[str]) -> UsageError | None:
    waiver = entry.value
    if waiver is None or waiver.site is None or waiver.site in (*sites, "*"):
        return None
    text = f"{path}:{entry.line('site')}: waiver for {waiver.check}: no site is named {waiver.site!r}{nearest(waiver.site, sites)}"
    return UsageError(text, f"the sites are {', '.join(sites)}")


def _unfit(path: Path, entry: Entry[Waiver], judgement: Judgement) -> Iterator[UsageError]:
    """What a snapshot says against a waiver that is sound in itself."""
    waiver = entry.value
    assert waiver is not None
    wrong = _wrong_site(path, entry, [site.name for site in judgement.snapshot.sites])
    if wrong is not None:
        yield wrong
        return
    outcomes = [one for one in judgement.outcomes if one.check.id == waiver.check and waiver.site in (None, one.site)]
    found = judgement.fate(waiver)
    where = f"waiver for {waiver.check}"
    if found.state == "void":
        yield UsageError(f"{path}:{entry.line('accepts')}: {where}: void: {found.why}", "mend the finding, or agree on another value")
    if found.state != "unused" or not outcomes:
        return
    subjects = sorted({str(verdict.subject or "") for one in outcomes for verdict in one.verdicts} - {""})
    if waiver.subject is not None and not any(matches(waiver.subject, verdict.subject) for one in outcomes for verdict in one.verdicts):
        some = f"its subjects are {', '.join(subjects[:5])}{f' and {len(subjects) - 5} more' if len(subjects) > 5 else ''}" if subjects else ""
        text = f"no finding of this check has the subject {waiver.subject!r}{nearest(waiver.subject, subjects)}"
        yield UsageError(f"{path}:{entry.line('subject')}: {where}: {text}", some or "the check has no subject here: remove the waiver")
        return
    statuses = ", ".join(dict.fromkeys(str(one.status) for one in outcomes))
    text = f"unused: the check has no fail and no warn here that it covers ({statuses})"
    yield UsageError(f"{path}:{entry.line()}: {where}: {text}", "remove it: a waiver never covers unknown, error or manual")
