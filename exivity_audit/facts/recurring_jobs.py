"""Longhorn's recurring jobs, and which of them reach which volume of the release."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from exivity_audit.cron import cron_interval
from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, fact, maybe, seen
from exivity_audit.facts.claims import Claim, StorageClass, class_of
from exivity_audit.facts.longhorn import LonghornVolume
from exivity_audit.quantity import Duration
from exivity_audit.subject import Subject

JOB, GROUP = "recurring-job.longhorn.io/", "recurring-job-group.longhorn.io/"
SOURCE = f"{JOB}source"
DEFAULT, ENABLED = "default", "enabled"
SNAPSHOT, BACKUP = "snapshot", "backup"
TASKS = {"snapshot": SNAPSHOT, "snapshot-force-create": SNAPSHOT, "backup": BACKUP, "backup-force-create": BACKUP}
"""Tasks that make a copy; the others tidy up or trim."""


class RecurringJob(Struct, frozen=True):
    """A job of Longhorn. ``makes`` is ``snapshot``, ``backup``, or empty for a task that copies nothing."""

    subject: Subject
    source: Source
    name: str
    task: str
    makes: str
    cron: str
    interval: Duration | None  # None: the cron expression is none
    groups: tuple[str, ...]
    retain: int | None


class DeclaredJobs(Struct, frozen=True):
    """What a claim's labels and its class ask for; Longhorn follows the labels of the volume alone."""

    claim: str
    by_claim: tuple[str, ...]  # labels of the claim that name a job or group
    followed: bool  # the claim carries the label that makes Longhorn copy them to the volume
    by_class: tuple[str, ...]


@fact
def recurring_jobs(longhorn_recurring_jobs: Objects[Document]) -> Objects[RecurringJob]:
    """Every recurring job of Longhorn."""

    def build(item: Document) -> RecurringJob:
        task, cron = item.text("spec.task") or "", item.text("spec.cron") or ""
        return RecurringJob(
            item.subject, item.source, item.name, task, TASKS.get(task, ""), cron, cron_interval(cron), item.strings("spec.groups"),
            item.integer("spec.retain"),
        )  # fmt: skip

    return longhorn_recurring_jobs.each(build)


def selected(labels: dict[str, str]) -> tuple[frozenset[str], frozenset[str]]:
    """Jobs and groups that a Longhorn volume's labels name; without any such label it belongs to the group ``default``."""
    mine = {key: value for key, value in labels.items() if key.startswith((JOB, GROUP)) and key != SOURCE}
    if not mine:
        return frozenset(), frozenset({DEFAULT})
    on = [key for key, value in mine.items() if value == ENABLED]
    jobs = frozenset(key.removeprefix(JOB) for key in on if key.startswith(JOB))
    return jobs, frozenset(key.removeprefix(GROUP) for key in on if key.startswith(GROUP))


def jobs_of(volume: LonghornVolume, jobs: Iterable[RecurringJob]) -> tuple[RecurringJob, ...]:
    """The jobs that reach a volume, whatever they do."""
    names, groups = selected(volume.labels)
    return tuple(job for job in jobs if job.name in names or groups & set(job.groups))


def quickest(jobs: Iterable[RecurringJob]) -> RecurringJob | None:
    """The job that runs most often; one without a schedule that can be read comes last."""
    return min(jobs, key=lambda job: (job.interval is None, job.interval or 0.0, job.name), default=None)


@fact
def declared_jobs(persistentvolumeclaims: Objects[Document], claims: Objects[Claim], storage_classes: Any = maybe) -> Objects[DeclaredJobs]:
    """What each claim of the release asks for by its labels and by its class."""
    ours = {claim.name: claim for claim in claims}

    def build(item: Document) -> DeclaredJobs | None:
        claim = ours.get(item.name)
        if claim is None:
            return None
        labels = item.labels()
        kind = class_of(claim, storage_classes) if seen(storage_classes) else None
        named = tuple(sorted(key for key, value in labels.items() if key.startswith((JOB, GROUP)) and key != SOURCE and value == ENABLED))
        return DeclaredJobs(claim.name, named, labels.get(SOURCE) == ENABLED, _by_class(kind))

    return Objects(persistentvolumeclaims.each(build))


def _by_class(kind: StorageClass | None) -> tuple[str, ...]:
    """The jobs and groups of a class's recurringJobSelector; empty where it has none that can be read."""
    import json

    text = kind.parameters.get("recurringJobSelector") if kind is not None else None
    try:
        found = json.loads(text) if isinstance(text, str) and len(text) < 10_000 else []
    except (ValueError, RecursionError):
        return ()
    listed = [one for one in found if isinstance(one, dict) and isinstance(one.get("name"), str)] if isinstance(found, list) else []
    return tuple(f"group {one['name']}" if one.get("isGroup") is True else one["name"] for one in listed)
