"""The history of a run: the folder it reads, the report it adds, and which of its own it takes away again."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec import Struct

from exivity_audit.cli import saying
from exivity_audit.config import Config
from exivity_audit.errors import UsageError
from exivity_audit.past_report import NAME, PastReport, decoded, file_name, mark_of
from exivity_audit.reports.json_report import json_report
from exivity_audit.reports.run_info import RunInfo
from exivity_audit.score import Scorecard
from exivity_audit.snapshot import SiteSnapshot, Snapshot, write_whole


class Keeping(Struct, frozen=True):
    """A folder of past reports, and how many of a run's own stay there: by number, by days, or all."""

    folder: Path
    keep: int | None
    age: int | None


def keeping(flags: dict[str, Any], config: Config) -> Keeping | None:
    """The history that flags and config name, its folder made where it is missing. Raises UsageError, before anything is read."""
    declared = config.history
    folder = flags.get("history") or (Path(declared.folder) if declared else None)
    found: dict[str, int | None] = {}
    for key in ("keep", "age"):
        given: int | None = flags.get(f"history_{key}")
        number = found[key] = given if given is not None else getattr(declared, key) if declared else None
        if number is not None and number < 1:
            raise UsageError(f"--history-{key} {number} keeps nothing", "write 1 or more, or leave it out to keep all")
        if given is not None and folder is None:
            raise UsageError(f"--history-{key}: no history is named", "name its folder with --history DIR")
    if folder is None:
        return None
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise UsageError(f"--history {folder}: {error.strerror}", "name a folder that exists and may be written to") from error
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise UsageError(f"--history {folder} is no folder that may be read and written", "choose another folder")
    return Keeping(folder, **found)


def with_history(snapshot: Snapshot, folder: Path | None) -> Snapshot:
    """A snapshot with the past reports of a folder, where it holds none of its own; what is odd in the folder is said on standard error."""
    if folder is None:
        return snapshot
    from exivity_audit.collect.history import NAME as READ
    from exivity_audit.collect.history import told
    from exivity_audit.collect.reads import BY_NAME

    found, notes = told(snapshot, folder, BY_NAME[READ])
    for note in notes:
        saying.note(note)
    return found


def add_report(history: Keeping, card: Scorecard, run: RunInfo) -> None:
    """Write the run's report into its history, and take away those of the same release that are too many or too old. Raises UsageError."""
    judgement = card.judgement
    sites = judgement.snapshot.sites
    site = next((one for one in sites if not one.unreached), sites[0])  # the UID of another is not known, and the name of the file follows from it
    path = history.folder / file_name(judgement.now, site.cluster, site.namespace, site.release)
    write_whole(path, json_report(card, run))
    if history.keep is None and history.age is None:
        return
    own = sorted(_own(history.folder, site), key=lambda found: (found[0], found[1].name), reverse=True)
    today = min(judgement.now, datetime.now(UTC))  # a later --now does not make reports older than they are
    for number, (when, file) in enumerate(own):
        late = history.age is not None and today - when > timedelta(days=history.age)
        if file != path and (late or (history.keep is not None and number >= history.keep)):
            try:
                file.unlink(missing_ok=True)
            except OSError as error:
                saying.note(f"history: {file.name} could not be taken away: {error.strerror}")


def _own(folder: Path, site: SiteSnapshot) -> list[tuple[datetime, Path]]:
    """The reports that runs on this release wrote there themselves: by their name, and by what is in them."""
    mark = mark_of(site.cluster, site.namespace, site.release)
    found = []
    for file in folder.iterdir():
        named = NAME.fullmatch(file.name)
        if named is None or named["mark"] != mark or file.is_symlink() or not file.is_file():
            continue
        report = _report(file)
        if report is not None and report.tells_of(site.cluster, site.namespace, site.release):
            found.append((report.when, file))
    return found


def _report(file: Path) -> PastReport | None:
    from exivity_audit.collect.history import LARGEST

    try:
        with file.open("rb") as opened:
            return decoded(opened.read(LARGEST + 1))
    except (OSError, ValueError):
        return None
