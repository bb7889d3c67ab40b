"""Certificates and keys as their public fields, whatever stands in the file."""

from __future__ import annotations

import base64
import ipaddress
import warnings
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from exivity_audit.collect.pem import MOST_CERTIFICATES, describe_certificates, describe_key_pair

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


@cache
def key(kind: str) -> Any:
    made = {"rsa": lambda: rsa.generate_private_key(65537, 2048), "ed": ed25519.Ed25519PrivateKey.generate}
    return made[kind]() if kind in made else ec.generate_private_key(ec.SECP384R1() if kind == "ec384" else ec.SECP256R1())


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)] if text else [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "ACME")])


def certificate(kind: str = "ec", subject: str = "exivity.acme.eu", names: tuple[Any, ...] = (), authority: bool | None = None) -> bytes:
    builder = x509.CertificateBuilder(name("ACME CA"), name(subject), key(kind).public_key(), 7, START, END)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if authority is not None:
        builder = builder.add_extension(x509.BasicConstraints(authority, None), critical=True)
    return builder.sign(key(kind), None if kind == "ed" else hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def private(kind: str = "ec", password: bytes | None = None) -> bytes:
    locked = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    found: bytes = key(kind).private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
    return found


def test_what_is_kept_of_a_certificate() -> None:
    names = x509.DNSName("exivity.acme.eu"), x509.DNSName("*.acme.eu"), x509.IPAddress(ipaddress.ip_address("10.0.0.1"))
    assert describe_certificates(certificate(names=names, authority=True)) == {"certificates": [{
        "subject": "exivity.acme.eu", "subject_name": "CN=exivity.acme.eu", "issuer": "ACME CA", "issuer_name": "CN=ACME CA",
        "hosts": ["exivity.acme.eu", "*.acme.eu", "10.0.0.1"], "authority": True, "not_before": START.isoformat(), "not_after": END.isoformat(),
        "signature": "sha256", "key_type": "EC", "key_bits": 256,
    }]}  # fmt: skip


def test_what_a_certificate_lacks_is_empty() -> None:
    found = describe_certificates(certificate("ed", subject=""))["certificates"][0]
    assert (found["subject"], found["subject_name"], found["hosts"], found["authority"], found["signature"]) == ("", "O=ACME", [], False, None)
    assert describe_certificates(certificate(authority=False))["certificates"][0]["authority"] is False


@pytest.mark.parametrize(("kind", "expected"), [("rsa", ("RSA", 2048)), ("ec384", ("EC", 384)), ("ed", ("Ed25519", 256))])
def test_keys_by_type_and_size(kind: str, expected: tuple[str, int]) -> None:
    found = describe_key_pair(certificate(kind), private(kind))
    assert (found["chain"]["certificates"][0]["key_type"], found["chain"]["certificates"][0]["key_bits"]) == expected
    assert found["key"] == {"type": expected[0], "bits": expected[1], "matches": True}


def test_names_are_cut() -> None:
    with pytest.warns(UserWarning, match="length"):  # as it stands, of the library that makes it
        long = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a" * 300, _validate=False)])
    signed = x509.CertificateBuilder(long, long, key("ec").public_key(), 7, START, END).sign(key("ec"), hashes.SHA256())
    found = describe_certificates(signed.public_bytes(serialization.Encoding.PEM))["certificates"][0]
    assert (len(found["subject"]), len(found["issuer"])) == (253, 253)
    names = tuple(x509.DNSName(f"{number}.{'a' * 300}.eu") for number in range(201))
    found = describe_certificates(certificate(names=names))["certificates"][0]
    assert len(found["hosts"]) == 200
    assert {len(host) for host in found["hosts"]} == {253}
    units = x509.Name([x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, f"{number}{'u' * 60}") for number in range(20)])
    builder = x509.CertificateBuilder(units, units, key("ec").public_key(), 7, START, END)
    found = describe_certificates(builder.sign(key("ec"), hashes.SHA256()).public_bytes(serialization.Encoding.PEM))["certificates"][0]
    assert (len(found["subject_name"]), len(found["issuer_name"])) == (512, 512)


def test_a_chain_is_told_in_its_order_and_cut_where_it_never_ends() -> None:
    first, second = certificate(subject="a"), certificate(subject="b")
    assert [one["subject"] for one in describe_certificates(b"text before\n" + first + second)["certificates"]] == ["a", "b"]
    assert len(describe_certificates(first * MOST_CERTIFICATES)["certificates"]) == MOST_CERTIFICATES
    assert len(describe_certificates(first * (MOST_CERTIFICATES + 5))["certificates"]) == MOST_CERTIFICATES


def test_an_odd_certificate_is_read_without_a_warning() -> None:
    """One with a negative serial number, which no authority should give: a warning would stand in the middle of the report."""
    content = (
        x509.load_pem_x509_certificate(certificate(subject="odd"))
        .public_bytes(serialization.Encoding.DER)
        .replace(b"\x02\x01\x07", b"\x02\x01\x87", 1)
    )
    chain = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(content) + b"-----END CERTIFICATE-----\n"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert describe_certificates(chain)["certificates"][0]["subject"] == "odd"


def test_a_certificate_that_is_not_readable_hides_no_other() -> None:
    broken = b"-----BEGIN CERTIFICATE-----\ns3cr3t\n-----END CERTIFICATE-----\n"
    found = describe_certificates(broken + certificate(subject="b"))["certificates"]
    assert found[0] == {"malformed": "ValueError"}
    assert found[1]["subject"] == "b"
    for text in (b"", b"s3cr3t", private()):
        assert describe_certificates(text) == {"malformed": "pem"}


@pytest.mark.parametrize(
    ("chain", "content", "expected"),
    [
        (None, None, (None, None)),
        (b"", b"", (None, None)),
        (b"s3cr3t", b"s3cr3t", ({"malformed": "pem"}, {"malformed": "ValueError"})),
        (None, private(), (None, {"type": "EC", "bits": 256, "matches": False})),
        (b"-----BEGIN CERTIFICATE-----\nx", private(), (..., {"type": "EC", "bits": 256, "matches": False})),
        (certificate("ec384"), private(), (..., {"type": "EC", "bits": 256, "matches": False})),
        (certificate("ec384") + certificate(), private(), (..., {"type": "EC", "bits": 256, "matches": False})),
        (certificate() + certificate("ec384"), private(), (..., {"type": "EC", "bits": 256, "matches": True})),
        (None, private(password=b"s3cr3t"), (None, {"malformed": "TypeError"})),
    ],
)
def test_a_key_belongs_to_the_first_certificate_or_to_none(chain: bytes | None, content: bytes | None, expected: tuple[Any, Any]) -> None:
    found = describe_key_pair(chain, content)
    assert found["key"] == expected[1]
    assert expected[0] is ... or found["chain"] == expected[0]


def written(**changed: int) -> bytes:
    """An RSA key as PEM, with some of its numbers replaced."""
    numbers = key("rsa").private_numbers()
    parts = {
        "n": numbers.public_numbers.n, "e": numbers.public_numbers.e, "d": numbers.d, "p": numbers.p, "q": numbers.q,
        "dmp1": numbers.dmp1, "dmq1": numbers.dmq1, "iqmp": numbers.iqmp,
    }  # fmt: skip
    encoded = b"".join(_der(2, number.to_bytes(number.bit_length() // 8 + 1)) for number in (0, *(parts | changed).values()))
    text = base64.encodebytes(_der(0x30, encoded))
    return b"-----BEGIN RSA PRIVATE KEY-----\n" + text + b"-----END RSA PRIVATE KEY-----\n"


def _der(tag: int, content: bytes) -> bytes:
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8)
    return bytes([tag, *(() if len(content) < 128 else (0x80 + len(length),)), *length]) + content


def test_a_key_whose_numbers_do_not_fit_each_other_is_none() -> None:
    numbers, whole = key("rsa").private_numbers(), key("rsa").public_key().public_numbers().n
    assert describe_key_pair(certificate("rsa"), written())["key"] == {"type": "RSA", "bits": 2048, "matches": True}
    spoilt = [{part: getattr(numbers, part) + 2} for part in ("d", "p", "q", "dmp1", "dmq1", "iqmp")]
    spoilt += [{"p": numbers.p + 2, "q": numbers.q + 2}, {"p": 1, "q": whole}, {"q": 1, "p": whole}, {"dmp1": numbers.dmp1 + numbers.p - 1}]
    for changes in spoilt:
        assert describe_key_pair(certificate("rsa"), written(**changes))["key"] == {"malformed": "ValueError"}, list(changes)
