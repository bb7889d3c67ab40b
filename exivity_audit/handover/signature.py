"""Ed25519 keys in PEM files, as ``openssl genpkey -algorithm ed25519`` makes them; signing and verifying a manifest."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from exivity_audit.errors import UsageError
from exivity_audit.handover.manifest import Signature

LARGEST_KEY = 16 * 1024
MAKE = "make one with `openssl genpkey -algorithm ed25519 -out seal.key`"
PUBLIC = "make its public half with `openssl pkey -in seal.key -pubout -out seal.pub`"


def private_key(path: Path) -> Ed25519PrivateKey:
    """The key to sign with. Raises UsageError, which shows nothing of the file."""
    try:
        found = load_pem_private_key(_content(path, MAKE), None)
    except TypeError as error:
        raise UsageError(f"the key {path} is locked by a passphrase", "give a key without one, such as from a secret store") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError(f"{path} holds no private key in PEM", MAKE) from error
    if not isinstance(found, Ed25519PrivateKey):
        raise UsageError(f"{path} is no Ed25519 key", MAKE)
    return found


def public_key(path: Path) -> Ed25519PublicKey:
    """The key to verify by. Raises UsageError."""
    try:
        found = load_pem_public_key(_content(path, PUBLIC))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError(f"{path} holds no public key in PEM", PUBLIC) from error
    if not isinstance(found, Ed25519PublicKey):
        raise UsageError(f"{path} is no Ed25519 key", PUBLIC)
    return found


def _content(path: Path, hint: str) -> bytes:
    try:
        if not path.is_file():
            raise UsageError(f"{path} is no file", hint)
        with path.open("rb") as file:
            return file.read(LARGEST_KEY)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", hint) from error


def sign(content: bytes, key: Ed25519PrivateKey) -> Signature:
    """A signature over some bytes, with the public key beside it."""
    public = key.public_key().public_bytes_raw()
    return Signature("ed25519", base64.b64encode(public).decode(), base64.b64encode(key.sign(content)).decode())


def verified_key(content: bytes | memoryview, signature: Signature) -> Ed25519PublicKey | None:
    """The key that the signature names, where it did sign the bytes; None where it did not."""
    try:
        key = Ed25519PublicKey.from_public_bytes(_exact(signature.public_key))
        key.verify(_exact(signature.value), bytes(content))
    except (InvalidSignature, ValueError):
        return None
    return key


def _exact(text: str) -> bytes:
    """The bytes that a text in base64 stands for; one spelling of them only. Raises ValueError."""
    found = base64.b64decode(text, validate=True)
    if base64.b64encode(found).decode() != text:
        raise ValueError("another spelling of the same bytes")
    return found


def name_of(key: Ed25519PublicKey) -> str:
    """A key's name to compare by eye: ``SHA256:`` and the hash of its 32 bytes, as ssh writes them."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key.public_bytes_raw()).digest()).decode().rstrip("=")


def same(one: Ed25519PublicKey, other: Ed25519PublicKey) -> bool:
    """Whether two keys are the same."""
    return one.public_bytes_raw() == other.public_bytes_raw()
