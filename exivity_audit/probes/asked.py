"""What a run asks of the probes: which, for how long, from where, as whom."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, field

from exivity_audit.config import ProbeLogin, Probes
from exivity_audit.discreet import Discreet
from exivity_audit.errors import UsageError
from exivity_audit.nearest import nearest

NAMES = ("dns", "tls", "http", "postgresql", "rabbitmq")
ALL = "all"
SECONDS = 60.0  # for all probes together
LARGEST_PASSWORD = 4096
_PLACE = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253}):(?P<port>\d{1,5})")


class Login(Discreet, Struct, frozen=True):
    """A monitoring user of a server that the config names, in place of the product's own."""

    unprinted = ("user", "password")

    user: str
    password: str


class Asked(Discreet, Struct, frozen=True):
    """Which probes run, and what they may use. Holds passwords; none of them is in its repr."""

    unprinted = ("postgresql", "rabbitmq")

    names: frozenset[str]
    seconds: float = SECONDS
    port_forward: bool = False
    default_logins: bool = False
    ca_file: Path | None = None
    connect: Mapping[tuple[str, int], tuple[str, int]] = field(default_factory=dict)
    postgresql: Login | None = None
    rabbitmq: Login | None = None
    management: str | None = None


def names_of(text: str) -> frozenset[str]:
    """The probes that ``--probe`` names, with commas; ``all`` for every one. Raises UsageError."""
    found = [part.strip().lower() for part in text.split(",") if part.strip()]
    for name in found:
        if name not in (*NAMES, ALL):
            raise UsageError(f"--probe: no probe is named {name[:40]!r}{nearest(name, NAMES)}", f"the names are {', '.join(NAMES)}")
    if not found:
        raise UsageError("--probe names nothing", f"write --probe alone for all, or some of {', '.join(NAMES)}")
    return frozenset(NAMES) if ALL in found else frozenset(found)


def asked_of(
    names: str | None, seconds: float, config: Probes, *, port_forward: bool, default_logins: bool, environment: Mapping[str, str] | None = None
) -> Asked | None:
    """What flags and config ask for; None without ``--probe``. Raises UsageError, which never shows a password."""
    if names is None:
        for given, flag in ((port_forward, "--probe-port-forward"), (default_logins, "--probe-default-logins")):
            if given:
                raise UsageError(f"{flag} says nothing without --probe", "add --probe, or leave it out")
        return None
    chosen = names_of(names)
    variables = os.environ if environment is None else environment
    return Asked(
        chosen,
        seconds,
        port_forward,
        default_logins,
        Path(config.ca_file) if config.ca_file else None,
        {_place(key, "probes.connect"): _place(value, "probes.connect") for key, value in config.connect.items()},
        _login(config.postgresql, "probes.postgresql", variables) if "postgresql" in chosen else None,
        _login(config.rabbitmq, "probes.rabbitmq", variables) if "rabbitmq" in chosen else None,
        config.rabbitmq.management,
    )


def place_of(text: str) -> tuple[str, int] | None:
    """Host and port of ``host:port``, the host without brackets and in lower case; None for anything else."""
    found = _PLACE.fullmatch(text.strip())
    return (found["host"].strip("[]").lower(), int(found["port"])) if found and 0 < int(found["port"]) < 65536 else None


def _place(text: str, where: str) -> tuple[str, int]:
    found = place_of(text)
    if found is None:
        raise UsageError(f"{where} in the config: {text[:80]!r} is no host with its port", "write it as exivity.corp:443: 10.0.0.7:8443")
    return found


def _login(declared: ProbeLogin, where: str, variables: Mapping[str, str]) -> Login | None:
    """The monitoring user; its password comes from a file or a variable, never from the config itself. Raises UsageError."""
    given = [name for name in (declared.password_file, declared.password_variable) if name]
    if declared.user is None and not given:
        return None
    if declared.user is None or len(given) != 1:
        raise UsageError(f"{where} in the config needs `user` and one of `password_file` and `password_variable`", "correct it, or leave it out")
    if declared.password_variable:
        password = variables.get(declared.password_variable, "")
    else:
        try:
            with Path(str(declared.password_file)).open(encoding="utf-8") as file:
                password = file.read(LARGEST_PASSWORD).strip("\r\n")
        except (OSError, ValueError):
            raise UsageError(f"{where}.password_file in the config cannot be read", "name a file with the password alone in it") from None
    if not password:
        raise UsageError(f"{where}: the password is empty", "set its file or variable")
    return Login(declared.user, password)
