"""What is kept of a value that is meant to be public but may carry a secret: a host, a name, options, arguments, an image.

Each function keeps what fits its form and drops the rest; a text of which nothing fits is named malformed, never copied.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from exivity_audit import chart
from exivity_audit.quantity import quantity

LONGEST_TEXT = 253
OTHER = "other"
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
RESOURCES = ("cpu", "memory", "ephemeral-storage")
OPTIONS_WITH_VALUE = ("vers", "nfsvers", "minorversion", "local_lock", "proto", "timeo", "retrans")
OPTIONS = (
    "nolock", "lock", "hard", "soft", "softerr", "ro", "rw", "sync", "async", "noatime", "relatime", "nodiratime", "intr", "nointr", "noresvport",
    "resvport", "tcp", "udp", "bg", "fg", "ac", "noac", "nosuid", "nodev", "noexec", "discard", "nosharecache", "noserverino", "mfsymlinks", "nobrl",
)  # fmt: skip
OPTION_NAMES = (
    "username", "user", "password", "pass", "password2", "credentials", "cred", "domain", "dom", "uid", "gid", "file_mode", "dir_mode", "cache",
    "actimeo", "rsize", "wsize", "sec", "port", "nconnect", "mountport", "lookupcache", "iocharset",
    "acregmin", "acregmax", "acdirmin", "acdirmax", "addr", "clientaddr", "fsc",
)  # fmt: skip
_PARAMETER = re.compile(r"[?#;&,\s][^@]*=")
_QUERY = re.compile(r"[?#;&\s,=]")
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.%]+\](?::\d{1,5})?|[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*|[\w.*-]+(?::\d{1,5})?)")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+-]{0,15})://")
_PATH = re.compile(r"[\w./~-]*")
_PORTS = re.compile(r"\d{1,5}(?:,\d{1,5})*")
_WORD = re.compile(r"[A-Za-z][A-Za-z-]*")
_NFS_VERSION = re.compile(r"v\d(?:\.\d)?")
_OPTION_VALUE = re.compile(r"\d{1,6}(?:\.\d{1,2}){0,2}|all|none|flock|posix|(?:tcp|udp|rdma)6?|default")
_IMAGE = re.compile(r"[\w./:-]*")
_TAG = re.compile(r"[\w.-]{1,128}")
_REPOSITORY_SCHEME = re.compile(r"(?:https?|ssh|git|oci|s3|file)://", re.IGNORECASE)
_LOCATION = re.compile(r"(?:\$?[\w.~%+-]+|\[[0-9A-Fa-f:.%]+\])(?::\d{1,5}(?=/|$))?(?:[:/][\w./~%+-]*)?")
_DIGEST = re.compile(r"@(sha\d+:[0-9a-fA-F]+)$")


def plain(value: Any) -> Any:
    """A scalar as it is, a text only up to 253 characters and without user info of a URL."""
    if isinstance(value, str):
        return value.rpartition("@")[2][:LONGEST_TEXT]
    return value if isinstance(value, bool | int | float) or value is None else malformed(value)


def malformed(value: Any) -> dict[str, str]:
    """What stands in for a value of the wrong type or form."""
    return {"malformed": type(value).__name__}


def count(value: Any) -> Any:
    """How many a list has; what they are stays behind."""
    return len(value) if isinstance(value, list) else None if value is None else malformed(value)


def given(value: Any) -> bool:
    """Whether something is given; what it is stays behind."""
    return value not in (None, "", {}, [])


def _without_user(value: str) -> str | None:
    """A URL or address without scheme and user info; None where an ``@`` may belong to a parameter."""
    before, found, after = value.rpartition("@")
    if found and _PARAMETER.search(before):
        return None
    return after.partition("://")[2] if "://" in after else after


def host(value: Any) -> Any:
    """One or several hosts, each with its port at most: no scheme, user info, path or parameters."""
    if not isinstance(value, str) or not value:
        return plain(value)
    rest = _without_user(value.strip())
    kept: list[str] = []
    for part in (rest or "").split(","):
        found = _HOST.match(part)
        if found is None or part[found.end() : found.end() + 1] in ("=", "@"):
            break
        kept.append(found[0])
        if found.end() != len(part):
            break
    return ",".join(kept)[:LONGEST_TEXT] if kept else malformed(value)


def store_url(value: Any) -> Any:
    """Where backups go, as scheme, host or bucket, and path; no user info, parameters or signature."""
    if not isinstance(value, str) or not value:
        return plain(value)
    text = value.strip()
    scheme = _SCHEME.match(text)
    rest = _without_user(text) if scheme else None
    address = (rest or "").partition("/")[0]
    if scheme is None or not _HOST.fullmatch(address):
        return malformed(value)
    path = _PATH.match((rest or "")[len(address) :])
    return f"{scheme[1]}://{address}{path[0] if path else ''}"[: 2 * LONGEST_TEXT]


def server(value: Any) -> str:
    """The server a class's parameters name; empty where none can be told."""
    found = host(value)
    return found if isinstance(found, str) else ""


def port(value: Any) -> Any:
    """A port number, or several."""
    if not isinstance(value, str) or not value:
        return plain(value)
    found = _PORTS.match(value.strip())
    return found[0] if found else malformed(value)


def name(value: Any) -> Any:
    """The name of a database, virtual host or share: without user info and without what follows as parameters."""
    if not isinstance(value, str):
        return plain(value)
    rest = _without_user(value)
    return malformed(value) if rest is None else _QUERY.split(rest, maxsplit=1)[0][:LONGEST_TEXT]


def login(value: Any) -> Any:
    """A user name, which may hold an ``@``; what follows a colon or slash is a password or a path."""
    if not isinstance(value, str):
        return plain(value)
    return re.split(r"[:/?#;&\s,=]", value.rpartition("://")[2], maxsplit=1)[0][:LONGEST_TEXT]


def flag(value: Any) -> Any:
    """A switch: a boolean, or the text of one."""
    if isinstance(value, str):
        return value if value.lower() in ("true", "false", "") else OTHER
    return plain(value)


def repository(value: Any) -> Any:
    """The address of a repository or server: scheme, host and path, never user info or parameters.

    ``https://github.com/acme/gitops``, ``github.com:acme/gitops.git`` (of ``git@github.com:…``), ``oci://registry.acme.eu/charts``.
    """
    if not isinstance(value, str) or not value:
        return plain(value)
    text = _DIGEST.sub("", value.strip())
    scheme = _REPOSITORY_SCHEME.match(text)
    rest = _without_user(text[scheme.end() :] if scheme else text)
    found = _LOCATION.match(rest or "")
    if found is None or (rest or "")[found.end() : found.end() + 1] in ("=", ":"):
        return malformed(value)
    return f"{scheme[0] if scheme else ''}{found[0]}"[: 2 * LONGEST_TEXT]


def ssl_mode(value: Any) -> Any:
    """A libpq sslmode; any other word is ``other``."""
    if not isinstance(value, str) or not value:
        return plain(value)
    found = _WORD.match(value.strip())
    return found[0] if found and found[0] in SSL_MODES else OTHER


def addresses(value: Any) -> Any:
    """A list of addresses and ranges as text; an item that is neither keeps its host alone."""
    if not isinstance(value, str):
        return plain(value)
    kept = [part if part == "*" or _network(part) else _odd_address(part) for part in re.split(r"[,\s]+", value) if part]
    return ", ".join(kept)[: 16 * LONGEST_TEXT]


def _network(text: str) -> bool:
    try:
        return bool(ipaddress.ip_network(text, strict=False))
    except ValueError:
        return False


def _odd_address(text: str) -> str:
    if re.fullmatch(r"[\w.:-]+/\d{1,3}", text) and ":" not in text:
        return text
    found = host(text)
    return found if isinstance(found, str) and found else "(unreadable)"


def image(value: Any) -> Any:
    """A container image with registry, tag and digest; no user info, scheme or parameters."""
    if not isinstance(value, str) or not value:
        return plain(value)
    digest = _DIGEST.search(value)
    rest = _without_user(value[: digest.start()] if digest else value)
    found = _IMAGE.match(rest or "")
    if not found or not found[0]:
        return malformed(value)
    registry, slash, path = found[0].partition("/")
    if slash and ":" in registry and not registry.partition(":")[2].isdigit():
        registry = registry.partition(":")[0]
    text = f"{registry}{slash}{path}"[: 2 * LONGEST_TEXT]
    return f"{text}@{digest[1]}" if digest and found.end() == len(rest or "") else text


def tag(value: Any) -> Any:
    """An image's tag, with a digest where it has one."""
    if not isinstance(value, str) or not value:
        return plain(value)
    digest = _DIGEST.search(value)
    found = _TAG.match(value)
    return malformed(value) if not found else f"{found[0]}@{digest[1]}" if digest and digest.start() == found.end() else found[0]


def amount(value: Any) -> Any:
    """A quantity; empty and null stay."""
    if value is None or value == "":
        return value
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        try:
            quantity(value)
        except ValueError:
            return {"malformed": "quantity"}
        return value
    return malformed(value)


def amounts(value: Any) -> Any:
    """CPU, memory and ephemeral storage of a resource list."""
    if not isinstance(value, dict):
        return None if value is None else malformed(value)
    return {key: amount(value[key]) for key in RESOURCES if key in value}


def resources(value: Any) -> Any:
    """A container's requests and limits."""
    if not isinstance(value, dict):
        return None if value is None else malformed(value)
    return {key: amounts(value[key]) for key in ("requests", "limits") if key in value}


def claim_sizes(value: Any) -> Any:
    """``storage.pvcSizes``: the sizes of the chart's own claims."""
    if not isinstance(value, dict):
        return None if value is None else malformed(value)
    kept: dict[str, Any] = {}
    for group, members in chart.SIZED_CLAIMS.items():
        found = value.get(group)
        if isinstance(found, dict):
            kept[group] = {key: amount(found[key]) for key in members if key in found}
        elif found is not None:
            kept[group] = malformed(found)
    return kept


def mount_options(value: Any) -> Any:
    """Mount options: those that say how NFS is spoken as they are, others by name alone, unknown ones as ``other``."""
    if isinstance(value, str):
        return ",".join(_option(part.strip()) for part in value.split(",") if part.strip())
    if not isinstance(value, list):
        return None if value is None else malformed(value)
    return [mount_options(item) if isinstance(item, str) else malformed(item) for item in value]


def _option(text: str) -> str:
    key, equals, content = text.partition("=")
    lowered = key.lower()
    if equals and lowered in OPTIONS_WITH_VALUE and _OPTION_VALUE.fullmatch(content):
        return text
    if not equals and (lowered in OPTIONS or _NFS_VERSION.fullmatch(lowered)):
        return text
    return key if lowered in (*OPTIONS, *OPTIONS_WITH_VALUE, *OPTION_NAMES) else OTHER


def backup_tools(value: Any) -> Any:
    """Of a container's command and arguments, the names of the programs that copy a database; nothing else."""
    parts = [item for item in value if isinstance(item, str)] if isinstance(value, list) else [value] if isinstance(value, str) else []
    words = {word for part in parts for word in re.findall(r"[A-Za-z][\w-]*", part)}
    return [tool for tool in chart.BACKUP_TOOLS if tool in words]


def controller_args(value: Any) -> Any:
    """An ingress controller's arguments: those of the allow-list, a value in the next element joined; of their families the name alone."""
    if not isinstance(value, list) or any(not isinstance(item, str) for item in value):
        return None if value is None else malformed(value)  # what is missed may be what matters
    kept = []
    for number, item in enumerate(value):
        if not item.startswith("-"):
            continue
        argument, equals, _ = item.partition("=")
        lowered = argument.lstrip("-").lower()
        if _wanted(lowered):
            following = value[number + 1] if number + 1 < len(value) else None
            joined = not equals and not _switch(lowered) and isinstance(following, str) and not following.startswith("-")
            kept.append(f"{item}={following}" if joined else item)
        elif any(lowered.startswith(family) for family in chart.CONTROLLER_FAMILIES):
            kept.append(argument)
    return kept


def _wanted(argument: str) -> bool:
    if argument in chart.CONTROLLER_ARGUMENTS:
        return True
    point, _, leaf = argument.removeprefix("entrypoints.").partition(".")
    return argument.startswith("entrypoints.") and bool(point) and any(leaf == one or leaf.startswith(f"{one}.") for one in chart.ENTRY_POINT_LEAVES)


def _switch(argument: str) -> bool:
    """Whether an argument takes no value from the next element."""
    provider = argument.startswith("providers.") and argument.count(".") == 1
    return provider or any(argument == one or argument.endswith(f".{one}") for one in chart.CONTROLLER_SWITCHES)


def keys(value: Any) -> Any:
    """The names in a map, without their values."""
    if not isinstance(value, dict):
        return None if value is None else malformed(value)
    return sorted(str(key)[:LONGEST_TEXT] for key in value)
