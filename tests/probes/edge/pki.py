"""An authority with an intermediate one, and certificates of every kind that a server may send."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

HOST = "exivity.acme.eu"


@dataclass(frozen=True)
class Pair:
    """A chain as it is sent, and the key of its first certificate; both in PEM."""

    chain: bytes
    key: bytes


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _made(subject: str, issuer: str, public: Any, signer: Any, names: tuple[str, ...], begin: float, end: float, authority: bool) -> bytes:
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder(
            _name(issuer), _name(subject), public, x509.random_serial_number(), now + timedelta(days=begin), now + timedelta(days=end)
        )
        .add_extension(x509.BasicConstraints(authority, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if authority:
        built = built.add_extension(x509.KeyUsage(False, False, False, False, False, True, True, False, False), critical=True)
    if names:
        built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in names]), critical=False)
    return built.sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM)


@cache
def _authorities() -> tuple[Any, bytes, Any, bytes]:
    root, middle = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    return (
        root, _made("Test Root", "Test Root", root.public_key(), root, (), -400, 4000, True),
        middle, _made("Test Issuing", "Test Root", middle.public_key(), root, (), -400, 4000, True),
    )  # fmt: skip


def root() -> bytes:
    """The root, which clients trust where they are given it."""
    return _authorities()[1]


def issued(*names: str, begin: float = -100, end: float = 200, sent: str = "leaf intermediate", weak: bool = False) -> Pair:
    """A pair by the intermediate authority; ``sent`` says which certificates its chain holds."""
    _, top, signer, middle = _authorities()
    key: Any = rsa.generate_private_key(65537, 1024) if weak else ec.generate_private_key(ec.SECP256R1())
    leaf = _made((names or (HOST,))[0], "Test Issuing", key.public_key(), signer, names or (HOST,), begin, end, False)
    parts = {"leaf": leaf, "intermediate": middle, "root": top}
    return Pair(b"".join(parts[one] for one in sent.split()), _pem(key))


def self_signed(*names: str, issuer: str | None = None) -> Pair:
    """A pair that nobody vouches for; with ``issuer`` one whose authority is nowhere."""
    key, other = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    subject = (names or (HOST,))[0]
    signer = key if issuer is None else other
    return Pair(_made(subject, issuer or subject, key.public_key(), signer, names or (HOST,), -10, 200, False), _pem(key))


def _pem(key: Any) -> bytes:
    found: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return found
