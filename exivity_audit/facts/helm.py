"""Helm's stored revisions of the release, with the values that users gave."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Any

from msgspec import Struct

from exivity_audit.document import Document, Malformed, parse_time
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, fact
from exivity_audit.facts.secrets import Description, description
from exivity_audit.subject import Subject


class Revision(Struct, frozen=True):
    """One stored revision of the Helm release."""

    subject: Subject
    source: Source
    number: int
    status: str
    chart: str
    chart_version: str
    deployed: datetime | None
    apply_method: str | None  # set by Helm 4
    values: dict[str, Any]  # allow-listed user values by path; secrets are descriptions


@fact
def revisions(helm_releases: Objects[Document], release: Any) -> Objects[Revision]:
    """The stored revisions, newest first; empty for a release that Helm did not install."""

    def build(item: Document) -> Revision:
        content = item.mapping("data.release")
        number = content.get("version")
        if not isinstance(number, int) or isinstance(number, bool):
            raise Malformed("data.release", "Helm release", number)
        values, info, metadata = (_object(content.get(key)) for key in ("values", "info", "chart"))
        return Revision(
            subject=release.subject, source=item.source, number=number, status=_text(info.get("status")), chart=_text(metadata.get("name")),
            chart_version=_text(metadata.get("version")), deployed=_time(info.get("last_deployed")),
            apply_method=_text(content.get("apply_method")) or None, values=values,
        )  # fmt: skip

    found = helm_releases.each(build)
    return Objects(sorted(found, key=lambda one: -one.number), installed=found.installed, unreadable=found.unreadable, partial=found.partial)


def chart_change(found: Objects[Revision]) -> tuple[Revision, Revision] | None:
    """The last stored change of the chart's version: the revision that made it, and the one before; None where none is stored."""
    named = [one for one in found if one.chart_version]
    return next(((newer, older) for newer, older in pairwise(named) if newer.chart_version != older.chart_version), None)


def secret_value(revision: Revision, path: str) -> Description | None:
    """A secret the user gave at a path, as its description; None where the user gave none or an empty one."""
    try:
        found = description(revision.values.get(path), path)
    except Malformed:
        return None
    return None if found is None or found.known == "empty" else found


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _time(text: Any) -> datetime | None:
    if not isinstance(text, str) or text.startswith("0001-"):
        return None
    try:
        return parse_time(text)
    except (ValueError, OverflowError):
        return None


def value(revision: Revision, path: str) -> Any:
    """A user value at a dotted path; None where the user gave none."""
    for kept, content in revision.values.items():
        if path == kept:
            return content
        if path.startswith(kept + "."):
            found = content
            for step in path[len(kept) + 1 :].split("."):
                found = found.get(step) if isinstance(found, dict) else None
            return found
    return None
