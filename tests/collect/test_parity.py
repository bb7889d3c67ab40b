"""The parity key: made once or of a passphrase, read back, and what it adds to a description."""

from __future__ import annotations

import hashlib
import hmac
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from exivity_audit.cli.parity_key_command import command
from exivity_audit.collect.describe import Vault, settle
from exivity_audit.collect.parity import ParityKey, from_passphrase, read_parity_key
from exivity_audit.errors import UsageError

WORDS = "correct horse battery staple"


def test_a_key_is_random_private_and_never_written_over(tmp_path: Path) -> None:
    first, second = tmp_path / "one.key", tmp_path / "two.key"
    for path in (first, second):
        assert CliRunner().invoke(command, ["-o", str(path)], standalone_mode=False).return_value == 0
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert first.read_text() != second.read_text()
    before = first.read_bytes()
    found = CliRunner().invoke(command, ["-o", str(first)], standalone_mode=False)
    assert isinstance(found.exception, UsageError)
    assert first.read_bytes() == before
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert isinstance(CliRunner().invoke(command, ["-o", str(tmp_path / "link")], standalone_mode=False).exception, UsageError)


def test_what_is_said_tells_nothing_of_the_key(tmp_path: Path) -> None:
    path = tmp_path / "k"
    said = CliRunner().invoke(command, ["-o", str(path)], standalone_mode=False).output
    key, _ = read_parity_key(path)
    assert key.check in said
    assert path.read_text().strip() not in said
    assert key.content.hex() not in repr(key)


def test_the_same_words_are_the_same_key_however_they_are_typed(tmp_path: Path) -> None:
    typed = CliRunner().invoke(command, ["--passphrase", "-o", str(tmp_path / "k")], input=f"  {WORDS} \n", standalone_mode=False)
    assert typed.return_value == 0
    assert read_parity_key(tmp_path / "k")[0].content == from_passphrase(WORDS)
    assert from_passphrase("fünf zufällige Wörter") == from_passphrase("fu\u0308nf zufa\u0308llige Wo\u0308rter")
    assert from_passphrase(WORDS) != from_passphrase(WORDS.upper())


@pytest.mark.parametrize("words", ["", "short", "fifteen letters", "a" * 40, "ab" * 20, " " * 30])
def test_a_short_passphrase_is_refused(words: str) -> None:
    with pytest.raises(UsageError, match="too short"):
        from_passphrase(words)


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"0" * 64, b"a password of mine", b"\0" * 32, b"0123456789abcdef" * 5])
def test_what_is_no_key_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "k").write_bytes(content)
    with pytest.raises(UsageError, match="holds no parity key"):
        read_parity_key(tmp_path / "k")


def test_raw_bytes_are_a_key_too_and_a_shared_file_is_noted(tmp_path: Path) -> None:
    path = tmp_path / "k"
    path.write_bytes(bytes(range(32)))
    path.chmod(0o644)
    key, note = read_parity_key(path)
    assert key.content == bytes(range(32))
    assert "may be read by others" in note
    path.chmod(0o600)
    assert read_parity_key(path)[1] == ""


def test_a_missing_key_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read the parity key"):
        read_parity_key(tmp_path / "nowhere")


def test_the_mark_is_an_hmac_over_purpose_and_value() -> None:
    key = ParityKey(bytes(range(32)))
    assert key.mark("app_key:data.KEY", "v") == hmac.new(bytes(range(32)), b"app_key:data.KEY|v", hashlib.sha256).hexdigest()
    assert key.mark("other", "v") != key.mark("app_key:data.KEY", "v")
    key.mark("p", "\udcff\ud800")  # what no UTF-8 is, is described all the same
    assert ParityKey(b"a" * 32).check != key.check
    assert len(key.check) == 16


def test_groups_run_over_all_sites_and_hashes_come_with_a_key_alone() -> None:
    vaults = [Vault(), Vault()]
    for one in vaults:
        one.identity("host", "db.corp" if one is vaults[0] else "other.corp")
    bodies = [
        [one.describe(value)["secret"] for value in values]
        for one, values in zip(vaults, (("same", "db.corp"), ("new", "same", "db.corp")), strict=True)
    ]
    settle([(one, [("read:path", body) for body in found]) for one, found in zip(vaults, bodies, strict=True)])
    assert [[body["group"] for body in found] for found in bodies] == [[1, 2], [3, 1, 2]]
    assert [body["equals"] for found in bodies for body in found] == [[], ["host"], [], [], []], "what a secret must not equal is its own site's"
    assert not any("parity" in body for found in bodies for body in found)
    assert not any(one.entries or one.identities for one in vaults)
    vault = Vault()
    body = vault.describe("same")["secret"]
    settle([(vault, [("read:path", body)])], ParityKey(bytes(range(32))))
    assert body["parity"] == ParityKey(bytes(range(32))).mark("read:path", "same")
