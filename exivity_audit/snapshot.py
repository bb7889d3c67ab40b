"""The snapshot: what was read of one or more sites, cut and redacted, each read with its outcome; and its file."""

from __future__ import annotations

import enum
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from exivity_audit.document import parse_time
from exivity_audit.errors import UsageError

FORMAT = "exivity-audit/snapshot"
VERSION = 1
LARGEST_FILE = 64 * 2**20
LARGEST_TEXT = 512 * 2**20
LARGEST_RATIO = 200  # of unpacked to packed: a snapshot's is about 20
_PIECE = 2**16


class Outcome(enum.StrEnum):
    """How a read ended (contracts: reads)."""

    FOUND = "found"
    EMPTY = "empty"
    NOT_INSTALLED = "not-installed"
    FORBIDDEN = "forbidden"
    FAILED = "failed"
    NOT_ASKED = "not-asked"


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a read looked: a namespace (null: the whole cluster), a name (a get; null: a list), label and field selectors."""

    namespace: str | None = None
    name: str | None = None
    labels: str | None = None
    fields: str | None = None

    def __str__(self) -> str:
        text = self.name or "all"
        return f"{text} in {self.namespace}" if self.namespace else f"{text} (cluster)"


class Record(msgspec.Struct, frozen=True):
    """One read at one place."""

    name: str
    resource: str
    version: str | None
    kind: str
    place: Place
    outcome: Outcome
    status: int | None
    reason: str
    keep: tuple[str, ...]
    objects: tuple[Any, ...]


class Cluster(msgspec.Struct, frozen=True):
    """Which cluster it was; uid is null where ``kube-system`` could not be read."""

    name: str
    uid: str | None
    version: str | None


class SiteSnapshot(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that was read of one site.

    ``keyring`` says with which sites its groups of equal secrets may be compared: those of the same keyring (``keyring.comparable``).
    ``key_check`` tells which parity key described its secrets, empty where none did. ``unreached`` is why nobody could be asked
    there; all its reads failed then.
    """

    name: str
    role: Literal["active", "passive"] | None
    cluster: Cluster
    namespace: str
    release: str
    fullname: str | None  # the chart's FN as its objects carry it; null where none could be seen
    identity: str | None
    now: str
    insecure: bool
    reads: tuple[Record, ...]
    keyring: str = ""
    key_check: str = ""
    unreached: str = ""


class Tool(msgspec.Struct, frozen=True):
    """Which program wrote the file."""

    name: str
    version: str


class Snapshot(msgspec.Struct, frozen=True):
    """The file's content: one for all sites."""

    format: Literal["exivity-audit/snapshot"]
    version: int
    tool: Tool
    started: str
    finished: str
    sites: tuple[SiteSnapshot, ...]


def run_now(snapshot: Snapshot) -> datetime:
    """The time that a snapshot is judged as of: the server's at the first site that was reached."""
    return parse_time(next((site.now for site in snapshot.sites if not site.unreached), snapshot.sites[0].now))


@contextmanager
def walking() -> Iterator[None]:
    """Around what walks all of a snapshot: a file may be nested deeper than any that this tool writes. Raises UsageError."""
    try:
        yield
    except RecursionError as error:
        raise UsageError("a snapshot is nested deeper than any that this tool writes", "collect it again") from error


def encode(snapshot: Snapshot) -> bytes:
    """The file's bytes: JSON with sorted keys, the same for the same content."""
    return msgspec.json.format(msgspec.json.encode(snapshot, order="sorted"), indent=1) + b"\n"


def save(snapshot: Snapshot, path: Path) -> None:
    """Write the file whole or not at all; gzip where the name ends in ``.gz``. Raises UsageError."""
    content = encode(snapshot)
    if path.suffix == ".gz":
        import gzip

        content = gzip.compress(content, mtime=0)
    write_whole(path, content)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under another name beside it, then rename: a reader sees all of it or none. Raises UsageError."""
    import tempfile

    try:
        if path.exists() and not path.is_file():  # /dev/stdout, a pipe
            path.write_bytes(content)
            return
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            umask = os.umask(0)
            os.umask(umask)
            os.chmod(name, 0o666 & ~umask)
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}", "choose a folder that exists and may be written to") from error


def load(path: Path) -> Snapshot:
    """Read a snapshot file, plain or gzip, within 64 MiB packed and 512 MiB unpacked. Raises UsageError."""
    hint = "make one with `exivity-audit collect --output FILE`"
    try:
        with path.open("rb") as file:  # of a pipe or device the size is not known before
            content = file.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise UsageError(f"{path} is larger than {LARGEST_FILE >> 20} MiB: not a snapshot of this tool", hint)
        if content[:2] == b"\x1f\x8b":
            content = _unpacked(content, path, hint)
    except OSError as error:
        raise UsageError(f"cannot read the snapshot {path}: {error.strerror or error}", hint) from error
    except zlib.error as error:
        raise UsageError(f"{path} is no whole gzip file: {error}", hint) from error
    return decode(content, str(path))


def _unpacked(packed: bytes, path: Path, hint: str) -> bytes:
    """What one gzip file holds, refused as soon as it grows too large. Raises UsageError and zlib.error."""
    unpacker, found = zlib.decompressobj(wbits=31), bytearray()
    for start in range(0, len(packed), _PIECE):
        piece = packed[start : start + _PIECE]
        found += unpacker.decompress(piece, _PIECE * LARGEST_RATIO)
        if unpacker.unconsumed_tail or len(found) > max(LARGEST_RATIO * (start + len(piece)), _PIECE) or len(found) > LARGEST_TEXT:
            raise UsageError(f"{path} unpacks to more than {LARGEST_TEXT >> 20} MiB, or to more than {LARGEST_RATIO} times its size", hint)
        if unpacker.eof:
            if unpacker.unused_data or start + len(piece) < len(packed):
                raise UsageError(f"{path} holds something behind its gzip file", hint)
            return bytes(found)
    raise UsageError(f"{path} is cut short", hint)


def decode(content: bytes, name: str) -> Snapshot:
    """The snapshot in a file's bytes. Raises UsageError with what is wrong and where."""
    hint = "make one with `exivity-audit collect --output FILE`"
    try:
        head = msgspec.json.decode(content, type=_Head)
        if head.format != FORMAT:
            raise UsageError(f"{name} is no snapshot: its format is {head.format[:40]!r}", hint)
        if head.version != VERSION:
            raise UsageError(
                f"{name} has snapshot version {head.version}; this tool reads version {VERSION}", "use the release of exivity-audit that wrote it"
            )
        found = _decoded(content)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise UsageError(f"{name} is no snapshot: {error}", hint) from error
    if not found.sites:
        raise UsageError(f"{name} holds no site", hint)
    if len({site.name for site in found.sites}) < len(found.sites):
        raise UsageError(f"{name} holds two sites of one name", "give each site a name of its own")
    for site in found.sites:
        try:
            parse_time(site.now)
        except ValueError as error:
            raise UsageError(f"{name}: the time of site {site.name!r} is no timestamp: {site.now[:40]!r}", hint) from error
    return found


def _decoded(content: bytes) -> Snapshot:
    """The snapshot; of one that a newer version wrote, as far as this version understands it. Raises MsgspecError."""
    try:
        return msgspec.json.decode(content, type=Snapshot)
    except msgspec.ValidationError:
        raw = msgspec.json.decode(content)
        if not _made_plain(raw):
            raise
        return msgspec.convert(raw, Snapshot)


def _made_plain(raw: Any) -> bool:
    """Turn each read with an outcome or a narrower place that this version does not know into a failed one; whether there were any.

    What such a read saw may be a part of what this version takes it for, so nothing of it is kept.
    """
    changed = False
    outcomes, selectors = {str(outcome) for outcome in Outcome}, set(Place.__struct_fields__)
    for site in raw.get("sites") or () if isinstance(raw, dict) else ():
        for read in site.get("reads") or () if isinstance(site, dict) else ():
            place = read.get("place") if isinstance(read, dict) else None
            if not isinstance(place, dict):
                continue
            narrower = {key for key, value in place.items() if key not in selectors and value is not None}
            odd_outcome = isinstance(read.get("outcome"), str) and read["outcome"] not in outcomes
            read["place"] = {key: value for key, value in place.items() if key in selectors}
            changed = changed or odd_outcome or len(read["place"]) < len(place)
            if narrower or odd_outcome:
                read |= {"outcome": str(Outcome.FAILED), "reason": "read in a way that this version does not know", "objects": []}
    return changed


class _Head(msgspec.Struct):
    format: str
    version: int
