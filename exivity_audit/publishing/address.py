"""Addresses of destinations: what is no plain URL is refused before anything is read, and never shown."""

from __future__ import annotations

from urllib.parse import urlsplit

from exivity_audit.errors import UsageError

_HERE = ("localhost", "127.0.0.1", "::1")


def in_the_clear(url: str) -> bool:
    """Whether what is sent there could be read on the way: plain HTTP that leaves this machine."""
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname not in _HERE


def address(text: str, what: str, example: str, *, clear: str = "") -> str:
    """A URL without its last slash. ``clear`` says why plain HTTP is refused; empty: it is not. Raises UsageError."""
    given = text.strip()
    try:
        parts = urlsplit(given)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if (
        parts.scheme not in ("http", "https")
        or not host
        or not given.isascii()
        or not given.isprintable()
        or any(mark in given for mark in ' "<>\\^`{|}')
    ):
        raise UsageError(f"{what} is no URL like {example}", "correct it")
    if parts.username is not None or parts.password is not None:
        raise UsageError(f"{what} holds a user name or password, which would stand in logs and reports", "give credentials by environment or file")
    if parts.query or parts.fragment:
        raise UsageError(f"{what} holds a query or fragment", f"write it like {example}")
    if clear and in_the_clear(given):
        raise UsageError(f"{what} is http, and {clear}", "use an https URL")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port else "") + parts.path.rstrip("/")


def place(url: str) -> str:
    """Scheme, host and port of a URL: what messages show of it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
