"""Checks of other packs: judged in a child that has the redacted snapshot and nothing else; what it says is read as data.

The child (``foreign_worker.py``) has no environment, no open file of ours and limits of its own, and forks once more for each check, so that
none can change what another one sees. Whatever a check does, others keep their verdicts and it ends as an error.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import msgspec

from exivity_audit.acceptance import ALL_SITES
from exivity_audit.check import Check
from exivity_audit.config import Config
from exivity_audit.errors import one_line
from exivity_audit.lifecycle import Lifecycle
from exivity_audit.pack import Pack, Sources
from exivity_audit.snapshot import Snapshot
from exivity_audit.subject import release_subject
from exivity_audit.verdict import Status, Verdict

SECONDS = 10.0  # a check
MEMORY = 2**30
LARGEST_RESULT = 8 * 2**20
_START = 60.0  # for the imports of the packs
_GRACE = 5.0  # what the child needs besides to tell of a check that took too long
_PROGRAM = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from exivity_audit.foreign_worker import main; main()"
Place = tuple[str, str]  # check and site


class Job(msgspec.Struct, frozen=True):
    """All that the child gets to know."""

    packs: Sources
    snapshot: Snapshot
    config: Config
    thresholds: dict[str, Any]
    lifecycle: Lifecycle
    now: str
    places: tuple[Place, ...] = ()
    seconds: float = SECONDS
    memory: int = MEMORY
    largest: int = LARGEST_RESULT


class Told(msgspec.Struct, frozen=True):
    """What the child says of one check at one site: its verdicts, or why there are none."""

    check: str
    site: str
    verdicts: tuple[Verdict, ...] = ()
    failed: str = ""


def verdicts(job: Job, pack: Pack, selected: frozenset[str] | None) -> dict[Place, tuple[Verdict, ...]]:
    """The verdicts of every selected check of other packs, by check and site; a check that breaks out of its bounds is an error."""
    site = job.snapshot.sites[0]
    subject = release_subject(site.namespace, site.release)
    found: dict[Place, tuple[Verdict, ...]] = {}
    waiting = [place for check in pack.checks if check.foreign and (selected is None or check.id in selected) for place in _places(check, job)]
    while waiting:
        for told in _asked(msgspec.structs.replace(job, places=tuple(waiting), seconds=SECONDS, memory=MEMORY, largest=LARGEST_RESULT)):
            place = waiting.pop(0)
            fits = told is not None and (told.check, told.site) == place
            failed = (told.failed if fits and told is not None else "") or ("" if fits else "it ended the process that judges")
            error = Verdict(Status.ERROR, subject, why=f"the check broke: {one_line(failed, 200)}")
            found[place] = (error,) if failed or told is None else told.verdicts
            if not fits:
                break  # the child is not to be trusted any more: another one goes on with the next check
    return found


def _places(check: Check, job: Job) -> list[Place]:
    over_all = "sites" in (*check.needs, *check.alternates)
    return [(check.id, ALL_SITES)] if over_all else [(check.id, site.name) for site in job.snapshot.sites]


def _asked(job: Job) -> Iterator[Told | None]:
    """What a new child says of each place in turn; None, once, when it says nothing more or something else."""
    child = subprocess.Popen(
        [sys.executable, "-I", "-X", "utf8", "-c", _PROGRAM, json.dumps(sys.path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={}, cwd="/", start_new_session=True,
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(msgspec.json.encode(job))
            child.stdin.close()
        rest, limit = b"", _START
        for _ in job.places:
            line, rest = _line(child.stdout.fileno(), rest, limit + job.seconds + _GRACE, 2 * job.largest)
            limit = 0.0
            told = _decoded(line)
            yield told
            if told is None:
                return
    finally:
        with contextlib.suppress(OSError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()


def _line(descriptor: int, rest: bytes, seconds: float, largest: int) -> tuple[bytes, bytes]:
    """The next line and what follows it; empty where none comes in time or it is too long."""
    end = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while b"\n" not in rest:
            if len(rest) > largest or not selector.select(max(0.0, end - time.monotonic())):
                return b"", b""
            piece = os.read(descriptor, 2**16)
            if not piece:
                return b"", b""
            rest += piece
    line, _, rest = rest.partition(b"\n")
    return line, rest


def _decoded(line: bytes) -> Told | None:
    try:
        return msgspec.json.decode(line, type=Told)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, ValueError):
        return None
