"""A past JSON report as the history keeps it: when, of which release, how it ended, how full the volumes were; nothing else of it."""

from __future__ import annotations

import hashlib
import math
import re
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from exivity_audit.document import parse_time
from exivity_audit.score import Gate
from exivity_audit.snapshot import Cluster

NAME = re.compile(r"exivity-audit-\d{8}T\d{6}Z-[A-Za-z0-9.-]{1,80}-(?P<mark>[0-9a-f]{8})\.json")
MOST_VOLUMES = 500
_SUBJECT = re.compile(r"[ -~]{1,600}")
_READ = re.compile(r"[a-z_]{1,60}")


class _Tool(msgspec.Struct):
    name: Literal["exivity-audit"]


class _Cluster(msgspec.Struct):
    name: str
    uid: str | None


class _Site(msgspec.Struct):
    name: str
    cluster: _Cluster
    namespace: str
    release: str


class _Run(msgspec.Struct):
    now: str


class _Checklist(msgspec.Struct):
    version: str


class _Coverage(msgspec.Struct):
    ratio: float | None


class _Summary(msgspec.Struct):
    gate: Gate | None
    grade: Literal["A", "B", "C", "D", "F"] | None
    score: float | None
    coverage: _Coverage


class _Volume(msgspec.Struct):
    subject: str
    used: int
    capacity: int
    read: str
    site: str | None = None


class _Tables(msgspec.Struct):
    volumes: list[_Volume] | None = None


class PastReport(msgspec.Struct):
    """The few keys of a report that are read; all others are passed over."""

    schema_version: Literal[1]
    tool: _Tool
    checklist: _Checklist
    run: _Run
    sites: list[_Site]
    summary: _Summary
    tables: _Tables

    @property
    def when(self) -> datetime:
        """The time that was judged as of. Raises ValueError."""
        return parse_time(self.run.now)

    def tells_of(self, cluster: Cluster, namespace: str, release: str) -> bool:
        """Whether it is of this release of this cluster, among others perhaps."""
        return bool(self.sites_of(cluster, namespace, release))

    def sites_of(self, cluster: Cluster, namespace: str, release: str) -> set[str]:
        """The names under which it tells of this release of this cluster; the cluster's UID decides where both know it."""
        return {
            site.name
            for site in self.sites
            if (site.cluster.uid == cluster.uid if site.cluster.uid and cluster.uid else site.cluster.name == cluster.name)
            and (site.namespace, site.release) == (namespace, release)
        }


def decoded(content: bytes) -> PastReport:
    """The past report in a file's content. Raises ValueError."""
    try:
        found = msgspec.json.decode(content, type=PastReport)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ValueError("no report of this tool") from error
    _ = found.when
    return found


def kept(report: PastReport, sites: set[str]) -> dict[str, Any]:
    """A past report as an object of a read, with the volumes of some of its sites; what is no figure of its kind is left out."""
    date, score = report.when.strftime("%Y-%m-%dT%H:%M:%SZ"), report.summary.score
    ratio = report.summary.coverage.ratio
    volumes = [
        {"subject": one.subject, "used": one.used, "capacity": one.capacity, "read": one.read}
        for one in (report.tables.volumes or [])[:MOST_VOLUMES]
        if one.site in (None, *sites)
        and _SUBJECT.fullmatch(one.subject)
        and _READ.fullmatch(one.read)
        and 0 <= one.used < 2**63
        and 0 < one.capacity < 2**63
    ]
    return {
        "metadata": {"name": date},
        "date": date,
        "score": score if score is not None and math.isfinite(score) and 0 <= score <= 100 else None,
        "grade": report.summary.grade,
        "gate": str(report.summary.gate) if report.summary.gate else None,
        "coverage": ratio if ratio is not None and math.isfinite(ratio) and 0 <= ratio <= 1 else None,
        "checklist": report.checklist.version[:40] if report.checklist.version.isprintable() else None,
        "volumes": volumes,
    }


def file_name(when: datetime, cluster: Cluster, namespace: str, release: str) -> str:
    """The name a run gives its report: UTC time and cluster; the mark tells releases and clusters of one name apart."""
    shown = re.sub(r"[^A-Za-z0-9.-]+", "-", cluster.name).strip("-.")[:80] or "cluster"
    return f"exivity-audit-{when.astimezone(UTC):%Y%m%dT%H%M%SZ}-{shown}-{mark_of(cluster, namespace, release)}.json"


def mark_of(cluster: Cluster, namespace: str, release: str) -> str:
    """Eight characters for a release of a cluster."""
    return hashlib.sha256("|".join((cluster.uid or cluster.name, namespace, release)).encode("utf-8", "replace")).hexdigest()[:8]
