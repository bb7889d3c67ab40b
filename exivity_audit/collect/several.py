"""Several sites read at once: each in a thread of its own, within one deadline, and what befalls one is kept from the others."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct, field

from exivity_audit.collect.deadline import Deadline
from exivity_audit.collect.gathered import Gathered
from exivity_audit.collect.place import Read
from exivity_audit.collect.release import NoAnswer
from exivity_audit.collect.session import Access, Session, open_session
from exivity_audit.collect.stats import Stats
from exivity_audit.discreet import Discreet
from exivity_audit.errors import AuditError, Unreachable, UsageError

GRACE = 3.0  # seconds after the deadline in which the requests that were cut off come home
Step = Callable[[str, int, int, str], None]
LATE = Unreachable("The time for the whole run was up before the site was read.", "Give more time with --deadline.")


class Visit(Discreet, Struct):
    """One site of a run: what was read there, or why nothing could be."""

    unprinted = ("session",)

    access: Access
    gathered: Gathered | None = None
    error: AuditError | None = None
    notes: list[str] = field(default_factory=list)
    stats: Stats = field(default_factory=Stats)
    session: Session | None = None

    @property
    def name(self) -> str:
        """The site's name."""
        return self.access.site


def visit_all(accesses: Sequence[Access], reads: Iterable[Read], wanted: Iterable[str], deadline: Deadline, step: Step) -> list[Visit]:
    """Read every site at once; a visit without ``gathered`` is a site that could not be reached.

    Raises UsageError for what the operator has to correct (no such release, several of them): it ends the run for all sites.
    """
    table, names = tuple(reads), tuple(wanted)
    visits = [Visit(access) for access in accesses]
    home: queue.SimpleQueue[Visit] = queue.SimpleQueue()
    for one in visits:
        threading.Thread(target=_visit, args=(one, table, names, deadline, step, home), name=f"site {one.name}", daemon=True).start()
    away = {one.name for one in visits}
    try:
        while away:
            try:
                back = home.get(timeout=deadline.remaining() + GRACE)
            except queue.Empty:
                break
            away.discard(back.name)
            if isinstance(back.error, UsageError) and not isinstance(back.error, NoAnswer):
                raise type(back.error)(f"site {back.name}: {back.error.message}", back.error.hint)
    finally:
        for one in visits:
            if one.session is not None:
                one.session.close()
    return [Visit(one.access, error=LATE, stats=one.stats) if one.name in away else one for one in visits]


def _visit(visit: Visit, reads: Sequence[Read], wanted: Sequence[str], deadline: Deadline, step: Step, home: queue.SimpleQueue[Visit]) -> None:
    try:
        visit.session = open_session(visit.access, deadline, visit.stats)
        visit.gathered = visit.session.gather(reads, wanted, lambda done, total, what: step(visit.name, done, total, what))
        visit.notes = list(visit.session.notes)
    except AuditError as error:
        visit.error = error
    except Exception as error:  # a bug of this tool, or of the way to one cluster: it must not cost the other sites their audit
        visit.gathered, visit.error = None, Unreachable(f"This tool broke while reading it: {type(error).__name__}.", "Report it with the version.")
    finally:
        home.put(visit)
