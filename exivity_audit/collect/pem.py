"""Certificates and private keys of a TLS Secret as their public fields."""

from __future__ import annotations

import warnings
from typing import Any

BEGIN = b"-----BEGIN CERTIFICATE-----"
MOST_CERTIFICATES = 20


def describe_certificates(chain: bytes) -> dict[str, Any]:
    """``{"certificates": [...]}`` in the order of the file, or ``{"malformed": "pem"}``."""
    from cryptography import x509

    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for part in chain.split(BEGIN)[1 : MOST_CERTIFICATES + 1]:
            try:
                found.append(_certificate(x509.load_pem_x509_certificate(BEGIN + part)))
            except Exception as error:  # hostile DER may raise anything; the entry says that it is not readable
                found.append({"malformed": type(error).__name__})
    return {"certificates": found} if found else {"malformed": "pem"}


def _certificate(certificate: Any) -> dict[str, Any]:
    from cryptography import x509

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        hosts = [*names.get_values_for_type(x509.DNSName), *(str(ip) for ip in names.get_values_for_type(x509.IPAddress))]
    except x509.ExtensionNotFound:
        hosts = []
    try:
        authority = bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except x509.ExtensionNotFound:
        authority = False
    digest = certificate.signature_hash_algorithm
    return {
        "subject": _common_name(certificate.subject), "subject_name": certificate.subject.rfc4514_string()[:512],
        "issuer": _common_name(certificate.issuer), "issuer_name": certificate.issuer.rfc4514_string()[:512],
        "hosts": [str(host)[:253] for host in hosts][:200], "authority": authority,
        "not_before": certificate.not_valid_before_utc.isoformat(), "not_after": certificate.not_valid_after_utc.isoformat(),
        "signature": digest.name if digest else None, **_key(certificate.public_key()),
    }  # fmt: skip


def _common_name(name: Any) -> str:
    from cryptography.x509.oid import NameOID

    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value)[:253] if found else ""


def _key(key: Any) -> dict[str, Any]:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if isinstance(key, rsa.RSAPublicKey | rsa.RSAPrivateKey):
        return {"key_type": "RSA", "key_bits": key.key_size}
    if isinstance(key, ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey):
        return {"key_type": "EC", "key_bits": key.curve.key_size}
    return {"key_type": type(key).__name__.removesuffix("PublicKey").removesuffix("PrivateKey").strip("_"), "key_bits": 256}


def describe_key_pair(chain: bytes | None, key: bytes | None) -> dict[str, Any]:
    """The chain's public fields, and of the key its type, size and whether it belongs to the first certificate."""
    found: dict[str, Any] = {"chain": describe_certificates(chain) if chain else None, "key": None}
    if key:
        found["key"] = _private_key(chain, key)
    return found


def _sound(private: Any) -> bool:
    """Whether the parts of an RSA key fit each other; whether its primes are prime takes OpenSSL 50 ms to say, and is not asked."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    if not isinstance(private, rsa.RSAPrivateKey):
        return True
    numbers = private.private_numbers()
    p, q, d, public = numbers.p, numbers.q, numbers.d, numbers.public_numbers
    if p < 3 or q < 3 or p * q != public.n or numbers.iqmp * q % p != 1:
        return False
    return all((d * public.e - 1) % (prime - 1) == 0 and part == d % (prime - 1) for prime, part in ((p, numbers.dmp1), (q, numbers.dmq1)))


def _private_key(chain: bytes | None, key: bytes) -> dict[str, Any]:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

    try:
        private: Any = load_pem_private_key(key, password=None, unsafe_skip_rsa_key_validation=True)  # nothing is done with it, see _sound
        sound = _sound(private)
    except Exception as error:  # not a key, or an encrypted one: said by its type alone, the text may quote it
        return {"malformed": type(error).__name__}
    if not sound:
        return {"malformed": "ValueError"}
    try:
        first = BEGIN + (chain or b"").split(BEGIN)[1]
        public = x509.load_pem_x509_certificate(first).public_key()
        shape = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        matches = public.public_bytes(*shape) == private.public_key().public_bytes(*shape)
    except Exception:  # no readable certificate: nothing the key could match
        matches = False
    return {"type": _key(private)["key_type"], "bits": _key(private)["key_bits"], "matches": matches}
