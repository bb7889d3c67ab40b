"""The parity key: with it, and only with it, secrets of snapshots taken apart can be compared, by a keyed hash of each."""

from __future__ import annotations

import hashlib
import hmac
import re
import stat
import unicodedata
from pathlib import Path

from msgspec import Struct

from exivity_audit.discreet import Discreet
from exivity_audit.errors import UsageError

LENGTH = 32
SHORTEST = 16  # characters of a passphrase
_SALT = b"exivity-audit parity key v1"
_COST = 2**17  # with blocks of 8: 128 MiB and about half a second a guess
_TEXT = re.compile(rb"[0-9a-fA-F]{64}")
_HINT = "make one with `exivity-audit parity-key`, and use the same file at every site"


class ParityKey(Discreet, Struct, frozen=True):
    """32 secret bytes that the people at all sites share for the time of a comparison."""

    unprinted = ("content",)

    content: bytes

    def mark(self, purpose: str, value: str) -> str:
        """The keyed hash of a secret value. The purpose is part of it: one value used for two things has two marks."""
        return hmac.new(self.content, f"{purpose}|{value}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()

    @property
    def check(self) -> str:
        """What tells two keys apart without telling anything of them."""
        return hmac.new(self.content, b"exivity-audit parity key", hashlib.sha256).hexdigest()[:16]


def from_passphrase(passphrase: str) -> bytes:
    """The key that a passphrase stands for, by scrypt. Raises UsageError for one that is too short.

    The salt is fixed, because people at two sites who type the same words must get the same key without sending each other
    anything. So who holds a snapshot can try passphrases on it, at the cost of scrypt for each: random bytes are better.
    """
    words = " ".join(unicodedata.normalize("NFKC", passphrase).split())
    if len(words) < SHORTEST or len(set(words)) < SHORTEST // 2:
        raise UsageError(f"the passphrase is too short, or repeats itself: it needs {SHORTEST} characters or more", "take five or six random words")
    return hashlib.scrypt(words.encode("utf-8", "surrogatepass"), salt=_SALT, n=_COST, r=8, p=1, maxmem=2 * 128 * 8 * _COST, dklen=LENGTH)


def read_parity_key(path: Path) -> tuple[ParityKey, str]:
    """The key in a file, 64 hexadecimal digits or 32 bytes, and a note where others than its owner may read it. Raises UsageError."""
    try:
        content = path.read_bytes()[:1000]
        mode = path.stat().st_mode
    except OSError as error:
        raise UsageError(f"cannot read the parity key {path}: {error.strerror or error}", _HINT) from error
    if _TEXT.fullmatch(content.strip()):
        content = bytes.fromhex(content.strip().decode("ascii"))
    if len(content) != LENGTH or len(set(content)) < LENGTH // 4:
        raise UsageError(f"{path} holds no parity key: 64 hexadecimal digits, or {LENGTH} random bytes", _HINT)
    shared = stat.S_ISREG(mode) and mode & (stat.S_IRGRP | stat.S_IROTH)
    return ParityKey(content), f"{path} may be read by others; `chmod 600 {path}`" if shared else ""
