"""Helm's own record of the release: its revisions with the values that users gave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from exivity_audit.document import Document, Malformed, parse_time
from exivity_audit.fact import Objects, fact
from exivity_audit.subject import Subject
from exivity_audit.verdict import Source


@dataclass(frozen=True)
class Revision:
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
        values, info, chart = content.get("values"), content.get("info"), content.get("chart")
        last = info.get("last_deployed") if isinstance(info, dict) else None
        return Revision(
            subject=release.subject, source=item.source, number=number, status=str((info or {}).get("status") or ""), chart=str((chart or {}).get("name") or ""),
            chart_version=str((chart or {}).get("version") or ""), deployed=_time(last), apply_method=content.get("apply_method"),
            values=values if isinstance(values, dict) else {},
        )  # fmt: skip

    found = helm_releases.each(build)
    return Objects(sorted(found, key=lambda one: -one.number), installed=found.installed, unreadable=found.unreadable, partial=found.partial)


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
