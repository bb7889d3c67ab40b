"""Turns what goes wrong on the way to the server into failures in plain words; the text of a library's exception is never shown."""

from __future__ import annotations

import ssl

import urllib3
from urllib3 import exceptions as wrong

from exivity_audit.collect.answer import Failure

_EXPIRED, _NOT_YET, _HOST = {10}, {9}, {62, 64}
_SELF_SIGNED, _UNKNOWN = {18, 19}, {2, 20, 21, 27}
_CA = "Check certificate-authority(-data) of the kubeconfig; fetch the cluster's kubeconfig again if its authority was renewed."


class NameTimeout(Exception):
    """The name of the server was not resolved in time."""


def from_exception(error: BaseException, *, insecure: bool) -> tuple[Failure, bool]:
    """Return the failure an exception of a request means, and whether asking again may help."""
    chain = list(_chain(error))
    for cause in chain:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _certificate(cause), False
    for cause in chain:
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError) and "timed out" not in str(cause):
            return _handshake(cause), False
    if any(isinstance(cause, NameTimeout | wrong.NameResolutionError) for cause in chain):
        return Failure("connection", None, "the server's name cannot be resolved", "Check the server in the kubeconfig, DNS and VPN."), False
    proxy = any(isinstance(cause, wrong.ProxyError) for cause in chain)
    # NewConnectionError is a ConnectTimeoutError to urllib3, although it also means refused.
    if any(isinstance(cause, wrong.ConnectTimeoutError) and not isinstance(cause, wrong.NewConnectionError) for cause in chain):
        what = "the proxy" if proxy else "the server"
        return Failure("timeout", None, f"no connection to {what} came about in time", "Check the address, VPN, firewall and proxy settings."), False
    if any(isinstance(cause, wrong.ReadTimeoutError | TimeoutError) for cause in chain):
        return Failure("timeout", None, "the server did not finish its answer in time", "Try again, or with a longer --deadline."), False
    if proxy:
        return Failure("connection", None, "the proxy did not let the connection through", "Check proxy-url, HTTPS_PROXY and NO_PROXY."), False
    if any(isinstance(cause, ConnectionRefusedError) for cause in chain):
        return Failure(
            "connection", None, "the connection was refused", "Check that the server runs and that its port in the kubeconfig is right."
        ), True
    if any(isinstance(cause, ConnectionError | wrong.ProtocolError | ssl.SSLError) for cause in chain):
        return Failure("connection", None, "the connection was broken off", "Try again; check load balancers and proxies on the way."), True
    if any(isinstance(cause, OSError | urllib3.exceptions.HTTPError) for cause in chain):
        return Failure(
            "connection", None, "no connection to the server came about", "Check the address, the route to it and the proxy settings."
        ), True
    raise error


def _chain(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    queue: list[object] = [error]
    while queue:
        cause = queue.pop(0)
        if isinstance(cause, BaseException) and cause not in found:
            found.append(cause)
            queue += [cause.__cause__, cause.__context__, getattr(cause, "original_error", None), getattr(cause, "reason", None), *cause.args]
    return found


def _certificate(error: ssl.SSLCertVerificationError) -> Failure:
    code = error.verify_code
    if code in _EXPIRED:
        return Failure("tls", None, "the server's certificate has expired", "Have it renewed, and check this machine's clock.")
    if code in _NOT_YET:
        return Failure("tls", None, "the server's certificate is not valid yet", "Check this machine's clock.")
    if code in _HOST:
        return Failure(
            "tls",
            None,
            "the server's certificate is for another host name",
            "Use a name the certificate holds, or set tls-server-name in the kubeconfig.",
        )
    if code in _SELF_SIGNED:
        return Failure("tls", None, "the server's certificate or its authority is self-signed and not the one the kubeconfig trusts", _CA)
    if code in _UNKNOWN:
        return Failure("tls", None, "the server's certificate is signed by an unknown authority", _CA)
    return Failure("tls", None, f"the server's certificate is not accepted (OpenSSL verify code {code})", _CA)


def _handshake(error: ssl.SSLError) -> Failure:
    reason = error.reason or str(error.args[-1] if error.args else "")
    for marks, said, hint in (
        (
            ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"),
            "the server does not speak TLS on this port",
            "Check the port and scheme of the server in the kubeconfig.",
        ),
        (("PROTOCOL", "VERSION"), "the server offers no TLS version from 1.2 on", "Have TLS 1.2 or newer enabled on the server."),
        (
            ("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE", "BAD_CERTIFICATE", "UNKNOWN_CA", "CERTIFICATE_UNKNOWN"),
            "the server refuses the client certificate, or wants one",
            "Check client-certificate(-data) of the kubeconfig.",
        ),
    ):
        if any(mark in reason for mark in marks):
            return Failure("tls", None, said, hint)
    return Failure("tls", None, "the TLS handshake failed", "Check the server's address and what stands between it and here.")
