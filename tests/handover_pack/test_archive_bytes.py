"""The container byte by byte, in this process: what is written is read back, and nothing else is."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest

from exivity_audit.handover import archive
from exivity_audit.handover.archive import LARGEST, LARGEST_MEMBER, LONGEST_NAME, Damaged, build, open_pack
from tests.handover_pack import hostile
from tests.handover_pack.hostile import HARMLESS, container

MEMBERS = {"manifest.json": b"{}", "seal.json": b"", "evidence/a-b_c.1": bytes(range(256)), "evidence/x/y.z": b"\0" * 1000}
GOOD = build(MEMBERS)


def said(content: bytes) -> str:
    with pytest.raises(Damaged) as raised:
        open_pack(content)
    return str(raised.value)


def test_what_is_written_is_read_back_in_its_order() -> None:
    found = open_pack(GOOD)
    assert {name: bytes(view) for name, view in found.items()} == MEMBERS
    assert list(found) == list(MEMBERS)
    assert open_pack(build(dict(reversed(MEMBERS.items())))).keys() == MEMBERS.keys()
    assert list(open_pack(build({"b": b"1", "a": b"2"}))) == ["b", "a"]


def test_any_zip_program_opens_it_and_finds_it_whole() -> None:
    with zipfile.ZipFile(io.BytesIO(GOOD)) as opened:
        assert opened.testzip() is None
        assert opened.namelist() == list(MEMBERS)
        for info in opened.infolist():
            assert opened.read(info) == MEMBERS[info.filename]
            assert (info.compress_type, info.date_time[:3], info.external_attr >> 16, info.flag_bits, info.extra) == (
                0,
                (1980, 1, 1),
                0o100644,
                0,
                b"",
            )
            assert zlib.crc32(MEMBERS[info.filename]) == info.CRC


def test_the_first_byte_that_differs_refuses_all_of_it() -> None:
    for place in range(len(GOOD)):
        changed = bytearray(GOOD)
        changed[place] ^= 0x41
        assert said(bytes(changed)), place


def test_cuts_and_additions() -> None:
    for end in range(len(GOOD)):
        assert said(GOOD[:end])
    for more in (b"\0", b"PK", GOOD, b"PK\x05\x06" + bytes(18)):
        assert said(GOOD + more)
        assert said(more + GOOD)
    assert "no archive" in said(b"")
    assert "no archive" in said(b"PK\x05\x06" + bytes(18))
    assert "cut short" in said(GOOD[:20])
    assert "cut short" in said(archive.START)
    assert "table of contents" in said(GOOD[:-1])
    assert "table of contents" in said(GOOD + b"x")


def test_hostile_ones_say_what_is_wrong() -> None:
    count = 0
    for name, content in hostile.archives(GOOD):
        if name.startswith("a manifest"):  # the container is sound, what is in it is another's to judge
            continue
        count += 1
        assert said(content), name
    assert count > 50


@pytest.mark.parametrize(
    ("name", "word"),
    [(b"", "no pack holds"), (b"a/", "no pack holds"), (b".a", "no pack holds"), (b"-a", "no pack holds"), (b"a//b", "no pack holds"), (b"a" * 256, "longer than 255"),
     (b"../x", "no pack holds"), ("ü".encode(), "no pack holds"), (b"MANIFEST.json", "stands twice"), (b"seal.json", "stands twice")],
)  # fmt: skip
def test_names(name: bytes, word: str) -> None:
    assert word in said(container([*HARMLESS, (name, b"x")]))


def test_limits_to_the_byte() -> None:
    longest = b"a" * LONGEST_NAME
    assert longest.decode() in open_pack(container([(longest, b"x")]))
    assert len(open_pack(container([(b"a", bytes(LARGEST_MEMBER))]))["a"]) == LARGEST_MEMBER
    assert "larger than 50 MiB" in said(container([(b"a", bytes(LARGEST_MEMBER + 1))]))
    with pytest.raises(Damaged, match="larger than 50 MiB"):
        build({"a": bytes(LARGEST_MEMBER + 1)})
    around = len(build({"a": b"", "b": b""}))
    fits = build({"a": bytes(LARGEST_MEMBER), "b": bytes(LARGEST - LARGEST_MEMBER - around)})
    assert len(fits) == LARGEST
    assert len(open_pack(fits)) == 2
    with pytest.raises(Damaged, match="would be larger than 64 MiB"):
        build({"a": bytes(LARGEST_MEMBER), "b": bytes(LARGEST - LARGEST_MEMBER - around + 1)})
    assert "larger than 64 MiB" in said(fits + b"x")
    some = {f"m{number}": b"" for number in range(archive.MOST_MEMBERS)}
    assert len(open_pack(build(some))) == archive.MOST_MEMBERS
    with pytest.raises(Damaged, match="more than 20000 members"):
        build({**some, "one": b""})


def test_a_header_that_says_another_size() -> None:
    assert "cut short" in said(GOOD[:18] + struct.pack("<II", 2**20, 2**20) + GOOD[26:])
    assert "was changed" in said(GOOD[:14] + bytes(4) + GOOD[18:])
    assert "manifest.json" in said(GOOD[:14] + bytes(4) + GOOD[18:])
