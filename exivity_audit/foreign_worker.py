"""The child that judges checks of other packs (``foreign.py``): it takes a job from standard input and says one line a check.

A check opens no connection and starts no program: an audit hook refuses both. That holds back what is done by mistake, or by habit; it is no
sandbox, for native code and ``ctypes`` pass it by.
"""

from __future__ import annotations

import os
import resource
import selectors
import signal
import sys
import time
from typing import NoReturn

import msgspec

from exivity_audit.check import Check
from exivity_audit.document import parse_time
from exivity_audit.evaluate import verdicts_at
from exivity_audit.foreign import Job, Told
from exivity_audit.pack import merged_pack
from exivity_audit.scenario import ScenarioUsed
from exivity_audit.sites import Site, places_of, prepared_sites


def main() -> NoReturn:
    """Judge every place of a job, each in a process of its own."""
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    channel = _quiet()
    _limit(job.memory)
    pack = merged_pack(job.packs)
    used, sites = prepared_sites(job.snapshot, pack, job.config, thresholds=job.thresholds, lifecycle=job.lifecycle, now=parse_time(job.now))
    sys.addaudithook(_refuse)
    checks = {check.id: check for check in pack.checks}
    for check, site in job.places:
        its = dict(places_of(checks[check], sites))[site]
        said = _judged(checks[check], site, its, used, job)
        _write(channel, said if _is_of(said, check, site) else msgspec.json.encode(Told(check, site, failed="it says something else than verdicts")))
    os._exit(0)


_REFUSED = frozenset({
    "socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr",
    "socket.getnameinfo", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "pty.spawn",
})  # fmt: skip


class Refused(PermissionError):
    """A check reached for the network or another program."""


def _refuse(event: str, arguments: object) -> None:
    """An audit hook, which nothing takes away again: what it raises ends the call. A fork is let be: what it leaves is killed with the check."""
    if event in _REFUSED:
        raise Refused(event)


def _quiet() -> int:
    """Keep the way to the parent for ourselves: what a check prints or reads goes nowhere."""
    channel, nowhere = os.dup(1), os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    return channel


def _limit(memory: int) -> None:
    for kind, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_NOFILE, 64)):
        _, hard = resource.getrlimit(kind)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writing a file fails instead


def _judged(check: Check, site: str, sites: list[Site], used: ScenarioUsed, job: Job) -> bytes:
    """One line on one check, judged in a fork."""
    readable, writable = os.pipe()
    process = os.fork()
    if process == 0:
        os.setpgid(0, 0)
        os.close(readable)
        _write(writable, _said(check, site, sites, used, job.largest))
        os._exit(0)
    os.close(writable)
    try:
        line = _read(readable, job.seconds, job.largest)
    finally:
        os.close(readable)
        for target in (-process, process):
            try:
                os.kill(target, signal.SIGKILL)
            except OSError:
                continue
        os.waitpid(process, 0)
    if line is None:
        return msgspec.json.encode(Told(check.id, site, failed=f"it took longer than {job.seconds:g} seconds"))
    return line if line.endswith(b"\n") else msgspec.json.encode(Told(check.id, site, failed="its process ended before it gave a verdict"))


def _said(check: Check, site: str, sites: list[Site], used: ScenarioUsed, largest: int) -> bytes:
    try:
        line = msgspec.json.encode(Told(check.id, site, verdicts_at(check, sites, used)))
    except BaseException as error:  # SystemExit and MemoryError too; the text may quote the cluster, so the type alone is told
        return msgspec.json.encode(Told(check.id, site, failed=type(error).__name__))
    return line if len(line) < largest else msgspec.json.encode(Told(check.id, site, failed="it says too much"))


def _read(descriptor: int, seconds: float, largest: int) -> bytes | None:
    """A line; a part of one where the process ended, None where the time is up."""
    end, found = time.monotonic() + seconds, bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while not found.endswith(b"\n") and len(found) <= largest:
            if not selector.select(max(0.0, end - time.monotonic())):
                return None
            piece = os.read(descriptor, 2**16)
            if not piece:
                break
            found += piece
    return bytes(found)


def _is_of(line: bytes, check: str, site: str) -> bool:
    try:
        told = msgspec.json.decode(line, type=Told)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, ValueError):
        return False
    return (told.check, told.site) == (check, site)


def _write(descriptor: int, line: bytes) -> None:
    rest = memoryview(line.rstrip(b"\n") + b"\n")
    while rest:
        rest = rest[os.write(descriptor, rest) :]
