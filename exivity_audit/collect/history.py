"""The history: a folder of past reports, read at collection and kept in the snapshot, so that a trend is the same offline."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from exivity_audit.collect.answer import Failure
from exivity_audit.collect.beside import Told, reason_of
from exivity_audit.collect.net import caught, strained
from exivity_audit.collect.place import Read
from exivity_audit.document import parse_time
from exivity_audit.errors import one_line
from exivity_audit.past_report import PastReport, decoded, kept
from exivity_audit.snapshot import Cluster, Outcome, Place, Record, SiteSnapshot, Snapshot

NAME = "history_reports"
LARGEST = 64 * 2**20  # of one report
LARGEST_IN_ALL = 512 * 2**20
MOST_FILES = 2000  # that are looked at, the newest
MOST_KEPT = 200  # reports, the newest
SHOWN = 5  # files that are named


class History(Struct):
    """The past reports of one release in a folder; files that are none of them are left alone, and named once."""

    folder: Path
    cluster: Cluster
    namespace: str
    release: str
    now: datetime
    odd: dict[str, str] = field(default_factory=dict)  # file → why it was passed over
    remarks: list[str] = field(default_factory=list)

    def __call__(self, place: Place, known: Mapping[str, Any]) -> Told:
        """The past reports as the objects of a read."""
        try:
            found = self._reports()
        except OSError as error:
            return Told(failure=Failure("connection", None, f"the folder cannot be read: {error.strerror}"), helps="a readable --history DIR")
        by_date = {report.when: report for report in found if report.when < self.now}
        newest = [by_date[when] for when in sorted(by_date)[-MOST_KEPT:]]
        return Told(tuple(kept(report, report.sites_of(self.cluster, self.namespace, self.release)) for report in newest))

    def _reports(self) -> list[PastReport]:
        found, read = [], 0
        with os.scandir(self.folder) as entries:
            files = sorted((entry for entry in entries if not entry.name.startswith(".") and not entry.is_dir()), key=_age)
        if len(files) > MOST_FILES:
            self.remarks.append(f"the history holds {len(files)} files; the newest {MOST_FILES} were looked at")
        for entry in files[:MOST_FILES]:
            try:
                content = _content(entry)
                read += len(content)
                if read > LARGEST_IN_ALL:
                    self.remarks.append(f"the history holds more than {LARGEST_IN_ALL >> 20} MiB; only its newest files were read")
                    break
                report = decoded(content)
                if not report.tells_of(self.cluster, self.namespace, self.release):
                    raise ValueError("of another cluster or release")
            except ValueError as error:
                self.odd[entry.name] = str(error)
            except OSError as error:
                self.odd[entry.name] = error.strerror or "unreadable"
            else:
                found.append(report)
        return found

    def notes(self) -> list[str]:
        """What a person should know of the folder, in few lines."""
        if not self.odd:
            return self.remarks
        names = [f"{one_line(name, 80)} ({why})" for name, why in sorted(self.odd.items())]
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        return [*self.remarks, f"history: passed over and left alone: {', '.join(names[:SHOWN])}{more}"]


def _age(entry: os.DirEntry[str]) -> tuple[float, str]:
    """The newest first, whatever the files are called."""
    try:
        return -entry.stat().st_mtime, entry.name
    except OSError:
        return 0.0, entry.name


def _content(entry: os.DirEntry[str]) -> bytes:
    """A file of the folder. Raises ValueError and OSError."""
    if not entry.is_file():
        raise ValueError("no file")
    if not entry.name.endswith(".json"):
        raise ValueError("no .json")
    with open(entry.path, "rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError(f"larger than {LARGEST >> 20} MiB")
    return content


def told(snapshot: Snapshot, folder: Path, read: Read) -> tuple[Snapshot, list[str]]:
    """A snapshot with the history of a folder where it was collected without one, and what should be known of the folder."""
    sites, notes = [], []
    for site in snapshot.sites:
        if site.unreached:
            sites.append(site)
            continue
        history = History(folder, site.cluster, site.namespace, site.release, parse_time(site.now))
        answer = history(Place(site.namespace), {})
        notes += history.notes()
        sites.append(site if _asked(site) else _with(site, read, answer))
    return msgspec.structs.replace(snapshot, sites=tuple(sites)), list(dict.fromkeys(notes))


def _asked(site: SiteSnapshot) -> bool:
    return any(record.name == NAME and record.outcome in (Outcome.FOUND, Outcome.EMPTY) for record in site.reads)


def _with(site: SiteSnapshot, read: Read, answer: Told) -> SiteSnapshot:
    """The site with the record that a collector makes of the same answer."""
    outcome, status, reason = (Outcome.FOUND if answer.objects else Outcome.EMPTY, 200, "")
    if answer.failure is not None:
        outcome, status, reason = Outcome.FAILED, answer.failure.status, caught(reason_of(answer))  # type: ignore[assignment]
    objects = strained(answer.objects)
    record = Record(NAME, read.resource, None, read.kind, Place(site.namespace), outcome, status, reason, tuple(sorted(read.keep)), objects)
    others = [one for one in site.reads if one.name != NAME]
    return msgspec.structs.replace(site, reads=tuple(sorted((*others, record), key=lambda one: (one.name, str(one.place)))))
