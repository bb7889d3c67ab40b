"""A private key is described by type, size and the certificate it belongs to; one whose parts do not fit is malformed."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from exivity_audit.collect.pem import describe_key_pair
from tests.builders import certificate


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def broken(part: str) -> bytes:
    """An RSA key of which one number is another."""
    numbers = rsa.generate_private_key(65537, 2048).private_numbers()
    parts = {name: getattr(numbers, name) for name in ("p", "q", "d", "dmp1", "dmq1", "iqmp")}
    parts[part] += 2
    return pem(rsa.RSAPrivateNumbers(**parts, public_numbers=numbers.public_numbers).private_key(unsafe_skip_rsa_key_validation=True))


def test_a_key_belongs_to_its_certificate_and_to_no_other() -> None:
    chain, key = certificate("exivity.acme.eu")
    assert describe_key_pair(chain, key)["key"]["matches"] is True
    other = describe_key_pair(chain, pem(rsa.generate_private_key(65537, 2048)))["key"]
    assert other == {"type": "RSA", "bits": 2048, "matches": False}
    assert describe_key_pair(chain, pem(ec.generate_private_key(ec.SECP256R1())))["key"] == {"type": "EC", "bits": 256, "matches": False}


@pytest.mark.parametrize("part", ["d", "dmp1", "dmq1", "iqmp"])
def test_a_key_whose_parts_do_not_fit_is_malformed(part: str) -> None:
    assert "malformed" in describe_key_pair(None, broken(part))["key"]
