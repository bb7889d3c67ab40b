"""The pack's container: a zip of stored members that has one form only, so that reading it is comparing it with what would be written.

Members lie in the order given, uncompressed, with one date, one mode and no extra fields. What is read is never unpacked to a disk, never
decompressed, and refused whole at the first byte that the writer would have written otherwise.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Mapping

LARGEST = 64 * 2**20  # the archive, and, as nothing is compressed, what is in it
LARGEST_MEMBER = 50 * 2**20
MOST_MEMBERS = 20_000
LONGEST_NAME = 255
NAME = re.compile(rb"[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
START = b"PK\x03\x04"
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
_VERSION, _UNIX, _DATE, _MODE = 20, 0x0314, 0x21, 0o100644 << 16  # 2.0, made on Unix, 1 January 1980, a regular file

Entry = tuple[bytes, int, int, int]  # name, CRC-32, size, offset


class Damaged(Exception):
    """The archive is not what this tool writes; the text says where."""


def build(members: Mapping[str, bytes]) -> bytes:
    """The archive of some members, in their order. Raises Damaged for what could not be read back."""
    parts: list[bytes] = []
    entries: list[Entry] = []
    known: set[bytes] = set()
    offset = 0
    for text, content in members.items():
        name = _checked(text.encode("utf-8", "surrogatepass"), len(content), known)
        entries.append((name, zlib.crc32(content), len(content), offset))
        parts += [_local(name, zlib.crc32(content), len(content)), content]
        offset += len(parts[-2]) + len(content)
    parts.append(_ending(entries, offset))
    if offset + len(parts[-1]) > LARGEST:
        raise Damaged(f"the pack would be larger than {LARGEST >> 20} MiB")
    return b"".join(parts)


def open_pack(content: bytes) -> dict[str, memoryview]:
    """The members of an archive by name, in its order, as views of its bytes. Raises Damaged."""
    if len(content) > LARGEST:
        raise Damaged(f"it is larger than {LARGEST >> 20} MiB")
    if not content.startswith(START):
        raise Damaged("it is no archive of this tool")
    view, offset = memoryview(content), 0
    entries: list[Entry] = []
    known: set[bytes] = set()
    members: dict[str, memoryview] = {}
    while content.startswith(START, offset):
        if len(content) - offset < _LOCAL.size:
            raise Damaged("it is cut short")
        head = _LOCAL.unpack_from(content, offset)
        size, length = head[8], head[9]
        start = offset + _LOCAL.size
        if length > LONGEST_NAME:
            raise Damaged(f"a name is longer than {LONGEST_NAME} bytes")
        name = _checked(bytes(view[start : start + length]), size, known)
        data = view[start + length : start + length + size]
        if len(data) < size:
            raise Damaged("it is cut short")
        crc = zlib.crc32(data)
        if view[offset : start + length] != _local(name, crc, size):
            raise Damaged(f"the member {name.decode()} or what is said of it was changed")
        entries.append((name, crc, size, offset))
        members[name.decode()] = data
        offset = start + length + size
    if view[offset:] != _ending(entries, offset):
        raise Damaged("its table of contents does not fit its members, or something follows it")
    return members


def _checked(name: bytes, size: int, known: set[bytes]) -> bytes:
    """A name that may stand in a pack beside those before it, and now is one of them. Raises Damaged."""
    if not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise Damaged("a member has a name that no pack holds")
    if name.lower() in known:
        raise Damaged(f"the member {name.decode()} stands twice")
    if len(known) >= MOST_MEMBERS:
        raise Damaged(f"it has more than {MOST_MEMBERS} members")
    if size > LARGEST_MEMBER:
        raise Damaged(f"the member {name.decode()} is larger than {LARGEST_MEMBER >> 20} MiB")
    known.add(name.lower())
    return name


def _local(name: bytes, crc: int, size: int) -> bytes:
    return _LOCAL.pack(START, _VERSION, 0, 0, 0, _DATE, crc, size, size, len(name), 0) + name


def _ending(entries: list[Entry], offset: int) -> bytes:
    """The table of contents and the end of the archive."""
    table = b"".join(
        _CENTRAL.pack(b"PK\x01\x02", _UNIX, _VERSION, 0, 0, 0, _DATE, crc, size, size, len(name), 0, 0, 0, 0, _MODE, start) + name
        for name, crc, size, start in entries
    )
    return table + _END.pack(b"PK\x05\x06", 0, 0, len(entries), len(entries), len(table), offset, 0)
