"""CronJobs that copy a database, recognised by their programs, image or name."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from msgspec import Struct

from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, fact, maybe
from exivity_audit.facts.middleware import widened
from exivity_audit.subject import Subject

_SPEC = "spec.jobTemplate.spec.template.spec"
_DATABASE = re.compile(r"(?:^|[/._-])(?:pg|postgres|postgresql|psql|db|database)(?:$|[/._:-])")
_COPY = re.compile(r"dump|backup|bkp")
_TOOLS = re.compile(r"pg_?dump|pgbackrest|pg_?basebackup|wal-g|barman")


class DumpJob(Struct, frozen=True):
    """A CronJob that copies a database, by its programs, image or name."""

    subject: Subject
    source: Source
    name: str
    namespace: str
    schedule: str
    suspended: bool
    last_success: datetime | None
    last_run: datetime | None
    claims: tuple[str, ...]


def copies_database(item: Document) -> bool:
    """Whether a CronJob copies a database. Raises Malformed."""
    containers = [*item.items(f"{_SPEC}.containers"), *item.items(f"{_SPEC}.initContainers")]
    tools = [tool for one in containers for tool in (*one.strings("command"), *one.strings("args"))]
    texts = (item.name, *((one.text("image") or "").partition("@")[0] for one in containers))
    return bool(tools) or any(_TOOLS.search(text) or (_DATABASE.search(text) and _COPY.search(text)) is not None for text in texts)


@fact
def dump_jobs(cronjobs: Any = maybe, middleware_cronjobs: Any = maybe) -> Objects[DumpJob]:
    """CronJobs of the release's namespace and of its middleware's that copy a database."""

    def build(item: Document) -> DumpJob | None:
        if not copies_database(item):
            return None
        claims = {name for volume in item.items(f"{_SPEC}.volumes") if (name := volume.text("persistentVolumeClaim.claimName"))}
        return DumpJob(
            item.subject, item.source, item.name, item.namespace or "", item.text("spec.schedule") or "", item.boolean("spec.suspend") or False,
            item.time("status.lastSuccessfulTime"), item.time("status.lastScheduleTime"), tuple(sorted(claims)),
        )  # fmt: skip

    return widened(cronjobs, middleware_cronjobs).each(build)
