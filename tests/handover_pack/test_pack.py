"""The pack: what is in it, that no byte of it changes unseen, that hostile ones are refused within bounds, and that it holds no secret."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import random
import struct
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from exivity_audit.handover import manifest as shape
from exivity_audit.handover.archive import LARGEST_MEMBER, Damaged, build, open_pack
from exivity_audit.handover.paper_files import Paper
from exivity_audit.handover.sealing import pack
from exivity_audit.handover.signature import name_of
from exivity_audit.handover.verifying import verify
from exivity_audit.score import scorecard
from exivity_audit.snapshot import decode, encode
from tests import builders
from tests.command import audit
from tests.handover_pack import hostile
from tests.judging import judged, site_of, snapshot_of
from tests.reports import sample_scorecard as sample
from tests.test_whole_run import clean

KEY, OTHER = Ed25519PrivateKey.from_private_bytes(b"k" * 32), Ed25519PrivateKey.from_private_bytes(b"o" * 32)
FLIPS = 10_000
CANARY = "cAnArY717hunter"


@cache
def made(signed: bool) -> bytes:
    papers = [
        Paper("evidence/evidence.yaml", "attestations", b"items: []\n"),
        Paper("evidence/restore.log", "artefact", b"restored\n", "restore.log"),
    ]
    return pack(scorecard(judged(builders.multi_node())), sample.run_info(), None, papers, by="J. Doe", key=KEY if signed else None)


def damaged(content: bytes, key: Ed25519PrivateKey | None = None) -> str:
    """Why a pack is refused; an empty text where it is not."""
    try:
        verify(content, key.public_key() if key else None)
    except Damaged as error:
        return str(error)
    return ""


def test_a_pack_is_the_same_for_the_same_content_and_is_a_zip_for_everybody(tmp_path: Path) -> None:
    content = made(True)
    made.cache_clear()
    assert made(True) == content
    (tmp_path / "p.zip").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "p.zip") as found:
        assert found.testzip() is None
        names = found.namelist()
        assert names[:2] == [shape.MANIFEST, shape.SEAL]
        assert names[2:] == sorted(names[2:])
        manifest = json.loads(found.read(shape.MANIFEST))
        for file in manifest["files"]:
            assert (file["size"], file["sha256"]) == (len(found.read(file["name"])), hashlib.sha256(found.read(file["name"])).hexdigest())
        assert [file["name"] for file in manifest["files"]] == names[2:]
        report = json.loads(found.read(shape.REPORT))
        assert (report["summary"]["gate"], report["summary"]["score"]) == (manifest["result"]["gate"], manifest["result"]["score"])
        KEY.public_key().verify(base64.b64decode(json.loads(found.read(shape.SEAL))["signature"]["value"]), found.read(shape.MANIFEST))


def test_a_page_is_packed_where_there_is_one_and_its_absence_is_told() -> None:
    card = scorecard(judged(builders.multi_node()))
    content = pack(card, sample.run_info(), b"<!doctype html>", [])
    assert bytes(open_pack(content)[shape.PAGE]) == b"<!doctype html>"
    assert verify(content).manifest.notes == []
    assert verify(pack(card, sample.run_info(), None, [])).manifest.notes == ["report.html is left out: this version writes no HTML"]


def test_who_signed_it() -> None:
    unsigned, signed = verify(made(False)), verify(made(True))
    assert (unsigned.signed_by, unsigned.trusted) == (None, False)
    assert (signed.signed_by, signed.trusted) == (name_of(KEY.public_key()), False)
    assert verify(made(True), KEY.public_key()).trusted
    assert "unsigned" in damaged(made(False), KEY)
    assert "another key" in damaged(made(True), OTHER)


@pytest.mark.parametrize("signed", [False, True])
def test_every_flip_of_a_byte_is_seen(signed: bool) -> None:
    content, chance = bytearray(made(signed)), random.Random(7)
    places = [*range(400), *range(len(content) - 400, len(content)), *(chance.randrange(len(content)) for _ in range(FLIPS))]
    missed = []
    for place in places:
        was = content[place]
        content[place] ^= chance.randrange(1, 256)
        if not damaged(bytes(content)):
            missed.append(place)
        content[place] = was
    assert missed == []
    assert not damaged(bytes(content))


def test_cuts_additions_and_another_order_are_seen() -> None:
    content, chance = made(True), random.Random(11)
    for _ in range(300):
        assert damaged(content[: chance.randrange(len(content))])
        assert damaged(content + chance.randbytes(chance.randrange(1, 40)))
    members = {name: bytes(view) for name, view in open_pack(content).items()}
    assert build(members) == content
    names = list(members)
    for change in (names[::-1], [names[1], names[0], *names[2:]], names[:-1], [*names[:2], *names[:1:-1]], names[:1], names[:2]):
        assert damaged(build({name: members[name] for name in change}))
    for name in names:
        assert damaged(build({**members, name: members[name] + b" "}))
    assert damaged(build({**members, "evidence/zzz": b"added"}))
    assert damaged(build({**members, "stranger": b"added"}))


def test_sealing_anew_is_seen_by_the_key() -> None:
    members = {name: bytes(view) for name, view in open_pack(made(True)).items()}
    forged = {**members, shape.REPORT: members[shape.REPORT].replace(b"NOT READY", b"READY    ").replace(b"UNVERIFIED", b"READY     ")}
    manifest = msgspec.json.decode(forged[shape.MANIFEST], type=shape.Manifest)
    files = [msgspec.structs.replace(one, sha256=shape.sha256(forged[one.name])) for one in manifest.files]
    forged[shape.MANIFEST] = shape.written(msgspec.structs.replace(manifest, files=files))
    seal = msgspec.json.decode(forged[shape.SEAL], type=shape.Seal)
    forged[shape.SEAL] = shape.written(msgspec.structs.replace(seal, manifest_sha256=shape.sha256(forged[shape.MANIFEST])))
    assert "signature" in damaged(build(forged))
    bare = {**forged, shape.SEAL: shape.written(shape.Seal(shape.sha256(forged[shape.MANIFEST]), None))}
    assert verify(build(bare)).signed_by is None
    assert damaged(build(bare), KEY)


CHILD = """
import json, sys, time
from pathlib import Path
from exivity_audit.handover.archive import Damaged
from exivity_audit.handover.verifying import read_pack, verify
for line in sys.stdin:
    began = time.perf_counter()
    try:
        verify(read_pack(Path(line.strip())))
        said = ""
    except Damaged as error:
        said = str(error)
    seconds = time.perf_counter() - began
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))  # its own: ru_maxrss is the parent's too
    print(json.dumps([said, seconds, int(peak.split()[1]) / 1024]), flush=True)
"""


def test_hostile_archives_are_refused_within_bounds(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
    assert child.stdin is not None
    assert child.stdout is not None
    count, file = 0, tmp_path / "hostile.zip"
    with child:
        for name, content in hostile.archives(made(False)):
            file.write_bytes(content)
            child.stdin.write(f"{file}\n")
            child.stdin.flush()
            said, seconds, size = json.loads(child.stdout.readline())
            count += 1
            assert said, f"{name} was taken"
            assert seconds < 5, f"{name}: {seconds:.1f} s"
            assert size < 150, f"{name}: {size:.0f} MiB"
        child.stdin.close()
    assert count >= 40
    assert [path.name for path in tmp_path.iterdir()] == ["hostile.zip"], "nothing was unpacked"


def test_the_writer_refuses_what_the_reader_would() -> None:
    for members in ({"../x": b""}, {"a": b"", "A": b""}, {"a" * 256: b""}, {"a": bytes(LARGEST_MEMBER + 1)}, {"\ud800": b""}):
        with pytest.raises(Damaged):
            build(members)
    with pytest.raises(Damaged):
        open_pack(struct.pack("<4s", b"PK\x03\x04"))


# The commands


def tool(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return audit(*words, env=clean(), cwd=folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A snapshot, a config, evidence with an artefact, and keys."""
    (tmp_path / "s.json").write_bytes(encode(snapshot_of(site_of(builders.multi_node()))))
    (tmp_path / "exivity-audit.yaml").write_text(
        f"# {CANARY} in a comment\nprometheus: {{url: 'https://joe:{CANARY}@prom.corp/x?token={CANARY}', token_file: {CANARY}.token}}\n"
    )
    (tmp_path / f"{CANARY}.token").write_text(f"{CANARY}-token")
    evidence(tmp_path, b"restored on the second\n")
    for name, key in (("seal", KEY), ("other", OTHER)):
        (tmp_path / f"{name}.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        (tmp_path / f"{name}.pub").write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return tmp_path


def evidence(folder: Path, proof: bytes, statement: str = "Values in git") -> None:
    (folder / "proof").mkdir(exist_ok=True)
    (folder / "proof" / "restore log.txt").write_bytes(proof)
    digest = hashlib.sha256(proof).hexdigest()
    item = f"check: upgrades/version-controlled, statement: '{statement}', by: J. Doe, date: 2026-11-02, valid_for: 180d"
    (folder / "evidence.yaml").write_text(f"items:\n  - {{{item}, artefact: {{path: proof/restore log.txt, sha256: {digest}}}}}\n")


def test_seal_and_verify(folder: Path) -> None:
    words = ("seal", "--snapshot", "s.json", "--evidence", "evidence.yaml", "--by", "J. Doe")
    assert tool(folder, *words, "-o", "p.zip", "--key", "seal.key").returncode == 0
    assert tool(folder, *words, "-o", "again.zip", "--key", "seal.key").returncode == 0
    assert (folder / "p.zip").read_bytes() == (folder / "again.zip").read_bytes()
    assert tool(folder, *words, "-o", "u.zip").returncode == 0
    for pack_file, key, code, said in (
        ("p.zip", "", 0, "by a key that you did not name"), ("p.zip", "seal.pub", 0, "signed by the key that was given"),
        ("p.zip", "other.pub", 1, "another key"), ("u.zip", "", 0, "unsigned"), ("u.zip", "seal.pub", 1, "unsigned"),
        ("p.zip", "seal.key", 2, "public key"), ("s.json", "", 1, "NOT AS SEALED"), ("missing.zip", "", 2, "no file"), (".", "", 2, ""),
    ):  # fmt: skip
        found = tool(folder, "verify", pack_file, *(("--key", key) if key else ()))
        assert (found.returncode, said in found.stdout + found.stderr) == (code, True), (pack_file, key, found)
        assert " ok" not in found.stdout.lower()
    members = open_pack((folder / "p.zip").read_bytes())
    assert "evidence/renamed/0001-restore-log.txt" in members
    assert tool(folder, *words, "-o", "p.zip").returncode == 2, "a pack is not written over"
    assert tool(folder, *words, "-o", "x.zip", "--key", "seal.pub").returncode == 2
    assert tool(folder, "verify", "p.zip", "--ascii").stdout.isascii()
    (folder / "unpacked.json.gz").write_bytes(members[shape.SNAPSHOT])
    assert tool(folder, "run", "--snapshot", "unpacked.json.gz", "-q").returncode in (1, 3)


def test_no_secret_is_in_a_pack(folder: Path) -> None:
    snapshot = decode((folder / "s.json").read_bytes(), "s.json")
    site = snapshot.sites[0]
    planted = [msgspec.structs.replace(record, reason=f"password={CANARY}") for record in site.reads]
    (folder / "s.json").write_bytes(encode(msgspec.structs.replace(snapshot, sites=(msgspec.structs.replace(site, reads=tuple(planted)),))))
    assert tool(folder, "seal", "--snapshot", "s.json", "-o", "p.zip", "--key", "seal.key").returncode == 0
    content = (folder / "p.zip").read_bytes()
    members = {name: bytes(view) for name, view in open_pack(content).items()}
    members["snapshot"] = gzip.decompress(members[shape.SNAPSHOT])
    assert all(CANARY.encode() not in member for member in (*members.values(), content))
    assert b"PRIVATE KEY" not in content
    assert KEY.private_bytes_raw() not in content
    assert b"https://prom.corp/x" in members[shape.CONFIG]


@pytest.mark.parametrize(
    ("proof", "statement"),
    [(f"PGPASSWORD={CANARY}\n".encode(), "x"), (b"x", f"with password={CANARY}"), (f"\ufeffpassword: 1\napi_key={CANARY}".encode("utf-16"), "x"),
     (gzip.compress(f"postgres://joe:{CANARY}@db/x".encode(), mtime=0), "x")],
)  # fmt: skip
def test_a_file_that_shows_a_secret_is_refused_and_not_quoted(folder: Path, proof: bytes, statement: str) -> None:
    evidence(folder, proof, statement)
    found = tool(folder, "seal", "--snapshot", "s.json", "--evidence", "evidence.yaml", "-o", "p.zip")
    assert found.returncode == 2, found
    assert "looks like a secret" in found.stderr
    assert CANARY not in found.stderr + found.stdout
    assert not (folder / "p.zip").exists()
