"""Which proxy, if any, stands between us and the API server."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from exivity_audit.discreet import Discreet
from exivity_audit.errors import UsageError
from exivity_audit.quantity import whole


class Proxy(Discreet, Struct, frozen=True):
    """A proxy without its password in the URL; `authorization` is the Proxy-Authorization header or empty."""

    unprinted = ("authorization", "userinfo")

    url: str
    authorization: str = ""
    userinfo: tuple[str, str] = ("", "")


def choose(server: str, configured: str, environment: Mapping[str, str]) -> Proxy | None:
    """Return the kubeconfig's `proxy-url` if any, else the environment's HTTPS_PROXY unless NO_PROXY excepts the server, as kubectl does."""
    if configured:
        return parse(configured, "proxy-url of the kubeconfig")
    parts = urlsplit(server)
    name = f"{parts.scheme}_proxy"
    value = environment.get(name.upper()) or environment.get(name) or ""
    if name == "http_proxy" and environment.get("REQUEST_METHOD"):
        value = ""  # set by a web server from a request header
    excepted = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
    if not value or excludes(excepted, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)):
        return None
    return parse(value if "://" in value else f"http://{value}", f"{name.upper()} environment variable")


def parse(url: str, where: str) -> Proxy:
    """Split the user name and password off a proxy URL; refuse what is not one, without showing it."""
    wrong = UsageError(f"The {where} is not a proxy URL.", "Write it as http://host:port, https://host:port or socks5://host:port.")
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme not in ("http", "https", "socks5", "socks5h") or not host:
        raise wrong
    shown = f"[{host}]" if ":" in host else host
    default = {"http": 80, "https": 443}.get(parts.scheme, 1080)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    header = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode() if user else ""
    return Proxy(f"{parts.scheme}://{shown}:{port or default}", header, (user, password))


def excludes(excepted: str, host: str, port: int) -> bool:
    """Whether NO_PROXY covers the host: names, .suffixes, addresses, networks (10.0.0.0/8), each with an optional port, or `*`.

    Loopback never goes through a proxy of the environment.
    """
    host = host.lower().rstrip(".")
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        return True
    entries = [part.strip().lower() for part in excepted.split(",")]
    return any(entry == "*" or (entry != "" and _covers(entry, host, port, address)) for entry in entries)


def _covers(entry: str, host: str, port: int, address: ipaddress.IPv4Address | ipaddress.IPv6Address | None) -> bool:
    if "/" in entry and address is not None:
        try:
            return address in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    if entry.count(":") == 1 or entry.startswith("["):
        name, _, wanted = entry.rpartition(":")
        if (number := whole(wanted)) is not None:
            if number != port:
                return False
            entry = name
        entry = entry.strip("[]")
    if address is not None:
        return _address(entry) == address
    entry = entry.removeprefix("*")
    return host.endswith(entry) if entry.startswith(".") else host == entry or host.endswith("." + entry)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
