"""Builds the TLS context; key material touches a file only for as long as OpenSSL needs to read it."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from exivity_audit.errors import Unreachable, one_line


def context(authority: bytes | None, *, insecure: bool) -> ssl.SSLContext:
    """Return a client context that trusts `authority` (PEM), or the system's authorities without one; `insecure` checks nothing.

    Not ssl.create_default_context: Python 3.13 made that refuse certificate authorities which kubectl accepts.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.hostname_checks_common_name = False
    made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # an intermediate or the server's own certificate may be what is trusted, as with kubectl
    if insecure:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
        return made
    if authority is None:
        made.load_default_certs()
        return made
    try:
        made.load_verify_locations(cadata=authority.decode("ascii"))
    except (ssl.SSLError, ValueError):
        raise Unreachable(
            "The kubeconfig's certificate authority is empty or not a PEM certificate.",
            "Fetch the cluster's kubeconfig again, or correct certificate-authority(-data).",
        ) from None
    return made


def read(path: Path, what: str) -> bytes:
    """Return the bytes of a certificate or key file, or say in a sentence why not."""
    try:
        return path.read_bytes()
    except OSError as error:
        why = error.strerror or "it cannot be read"
        raise Unreachable(
            f"The {what} file {one_line(path)} of the kubeconfig cannot be read: {why}.",
            "Correct its path, which counts from the kubeconfig's folder.",
        ) from None


def load_client_certificate(made: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Load a PEM pair; it goes through a file in memory, or through a private folder that is gone when this returns."""
    pair = certificate.rstrip() + b"\n" + key
    try:
        try:
            descriptor = os.memfd_create("pair", os.MFD_CLOEXEC)
        except (AttributeError, OSError):
            _load_from_folder(made, pair)
            return
        try:
            os.write(descriptor, pair)
            path = f"/proc/self/fd/{descriptor}"
            if os.path.exists(path):
                made.load_cert_chain(path, password=_no_password)
            else:
                _load_from_folder(made, pair)
        finally:
            os.close(descriptor)
    except (ssl.SSLError, ValueError, OSError):
        raise Unreachable(
            "The client certificate and key of the kubeconfig cannot be used: not PEM, not a pair, or locked by a passphrase.",
            "Fetch the kubeconfig again, or correct client-certificate(-data) and client-key(-data).",
        ) from None


def _load_from_folder(made: ssl.SSLContext, pair: bytes) -> None:
    from tempfile import TemporaryDirectory  # seldom needed

    with TemporaryDirectory(prefix="exivity-audit-") as folder:  # 0700
        path = Path(folder) / "pair.pem"
        path.touch(mode=0o600)
        path.write_bytes(pair)
        made.load_cert_chain(path, password=_no_password)


def _no_password() -> str:
    """Keep OpenSSL from asking for a passphrase on the terminal."""
    return ""
