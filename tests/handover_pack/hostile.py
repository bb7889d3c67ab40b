"""Archives that somebody made to harm who reads them: forty and more, each a file's bytes."""

from __future__ import annotations

import gzip
import io
import json
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator

from exivity_audit.handover import archive
from exivity_audit.handover.manifest import MANIFEST, SEAL, sha256

Members = list[tuple[bytes, bytes]]
SLIPS = ("../x", "/etc/x", "C:\\x", "..\\x", "a/../../x", "\\\\host\\x", "a//b", "./a", "a/.", "~/x", "evidence/../../x", "evidence/-rf", ".ssh")
HARMLESS: Members = [(MANIFEST.encode(), b"{}"), (SEAL.encode(), b"{}")]


def container(members: Members) -> bytes:
    """The one form of a container, with members that the writer refuses."""
    parts: list[bytes] = []
    entries: list[archive.Entry] = []
    offset = 0
    for name, content in members:
        entries.append((name, zlib.crc32(content), len(content), offset))
        parts += [archive._local(name, zlib.crc32(content), len(content)), content]
        offset += len(parts[-2]) + len(content)
    return b"".join([*parts, archive._ending(entries, offset)])


def zipped(fill: Callable[[zipfile.ZipFile], None], compression: int = zipfile.ZIP_STORED) -> bytes:
    """A zip as another program makes it."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", compression) as found:
        fill(found)
    return made.getvalue()


def linked(name: str, target: str, mode: int = 0o120777) -> bytes:
    """A zip with a member that is no regular file."""

    def fill(found: zipfile.ZipFile) -> None:
        info = zipfile.ZipInfo(name)
        info.create_system, info.external_attr = 3, mode << 16
        found.writestr(info, target)

    return zipped(fill)


def tarred(kind: bytes, name: str = MANIFEST, target: str = "", **pax: str) -> bytes:
    """A tar.gz with one member of a kind."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz", format=tarfile.PAX_FORMAT) as found:
        info = tarfile.TarInfo(name)
        info.type, info.linkname, info.pax_headers = kind, target, pax
        found.addfile(info)
    return made.getvalue()


def sealed(manifest: bytes) -> bytes:
    """A pack whose seal fits a manifest that is none."""
    seal = json.dumps({"manifest_sha256": sha256(manifest), "signature": None}).encode()
    return container([(MANIFEST.encode(), manifest), (SEAL.encode(), seal)])


def local(content: bytes, place: int, value: bytes) -> bytes:
    """A container with some bytes of its first header changed, and of its table of contents likewise where that says the same."""
    return content[:place] + value + content[place + len(value) :]


def archives(good: bytes) -> Iterator[tuple[str, bytes]]:
    """Each by a name; made when asked for, so that one at a time is held."""
    for slip in SLIPS:
        yield f"slip {slip}", container([*HARMLESS, (slip.encode(), b"x")])
    yield "slip by another program", zipped(lambda found: found.writestr("../../x", "x"))
    for target in ("/etc/passwd", "../../etc/shadow", "manifest.json", "/proc/self/mem"):
        yield f"link to {target}", linked("manifest.json", target)
    for kind, word in ((tarfile.SYMTYPE, "symbolic link"), (tarfile.LNKTYPE, "hard link"), (tarfile.CHRTYPE, "character device"),
                       (tarfile.BLKTYPE, "block device"), (tarfile.FIFOTYPE, "pipe"), (tarfile.GNUTYPE_SPARSE, "sparse file"),
                       (tarfile.DIRTYPE, "folder")):  # fmt: skip
        yield f"tar with a {word}", tarred(kind, target="/etc/passwd")
    yield "tar with pax headers", tarred(tarfile.REGTYPE, path="../../x", size="99999999999")
    for mode, word in ((0o020666, "device"), (0o010666, "pipe"), (0o040755, "folder"), (0o104755, "setuid")):
        yield f"zip with a {word}", linked("evidence/x", "", mode)
    yield "bomb: flat", zipped(lambda found: found.writestr(MANIFEST, bytes(200 * 2**20)), zipfile.ZIP_DEFLATED)
    inner = zipped(lambda found: found.writestr("a", bytes(20 * 2**20)), zipfile.ZIP_DEFLATED)
    yield "bomb: nested", zipped(lambda found: [found.writestr(f"{number}.zip", inner) for number in range(100)] and None, zipfile.ZIP_DEFLATED)
    yield "bomb: gzip", gzip.compress(bytes(64 * 2**20), mtime=0)
    yield "bomb: a size that is not there", local(good, 18, struct.pack("<II", 2**32 - 1, 2**32 - 1))
    yield "overlapping members", container(HARMLESS)[: -22 - 2 * 46] + container(HARMLESS)[-22 - 46 :]
    yield "larger than any pack", good + bytes(64 * 2**20)
    yield "a member larger than any", container([*HARMLESS, (b"report.json", bytes(51 * 2**20))])
    yield "more members than any", container([*HARMLESS, *((b"evidence/%d" % number, b"") for number in range(20_001))])
    yield "the same name twice", container([*HARMLESS, HARMLESS[0]])
    yield "a name twice but for its case", container([*HARMLESS, (b"Manifest.JSON", b"{}")])
    yield "a name that is too long", container([*HARMLESS, (b"evidence/" + b"a" * 300, b"")])
    yield "a name with a zero byte", container([*HARMLESS, (b"report.json\0.exe", b"")])
    yield "a name that is no ASCII", container([*HARMLESS, ("evidence/\u202egnp.exe".encode(), b"")])
    yield "a name that is empty", container([*HARMLESS, (b"", b"")])
    yield "wrong CRC", local(good, 14, b"\0\0\0\0")
    yield "encrypted", local(good, 6, b"\x01\0")
    yield "compressed", local(good, 8, b"\x08\0")
    yield "trailing data", good + b"\0"
    yield "a pack behind a pack", good + good
    yield "leading data", b"MZ" + good
    yield "a comment", good[:-2] + b"\x01\0x"
    yield "no table of contents", good[: good.rindex(b"PK\x05\x06")]
    yield "cut short", good[: len(good) // 2]
    yield "empty", b""
    yield "a manifest that is none", sealed(b"[]")
    yield "a manifest as deep as a well", sealed(b"[" * 4_000_000)
    yield "a manifest of a later version", sealed(b'{"format": "exivity-audit/handover", "version": 2}')
    yield "a manifest that is too large", sealed(b" " * (9 * 2**20))
    yield "a manifest that is no text", sealed(b"\xff\xfe\0\0")
