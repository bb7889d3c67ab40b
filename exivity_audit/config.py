"""The config file ``exivity-audit.yaml``: what a site declares about itself, thresholds, waivers and packs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from exivity_audit.errors import UsageError
from exivity_audit.nearest import nearest
from exivity_audit.quantity import duration, size
from exivity_audit.yaml_file import Entry, read_entries, read_yaml

DEFAULT_NAME = "exivity-audit.yaml"
FAILOVER_ACTIONS = 8  # of the vendor's failover pattern
SITE_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A mapping that refuses unknown keys."""


class SiteConfig(_Strict, frozen=True):
    """One site of a run."""

    name: str
    context: str | None = None
    role: Literal["active", "passive"] | None = None
    namespace: str | None = None
    release: str | None = None
    snapshot: str | None = None


class BrokerIntent(_Strict, frozen=True):
    """What the site says of its RabbitMQ: managed by the platform, clustered on purpose."""

    managed: bool = False
    clustered: bool = False


class IngressIntent(_Strict, frozen=True):
    """Where TLS ends, and which addresses are published in front of the cluster."""

    tls: Literal["ingress", "upstream"] = "ingress"
    addresses: tuple[str, ...] = ()


class Failover(_Strict, frozen=True):
    """The failover workflow and which of its steps does what."""

    workflow: str | None = None
    steps: dict[str, int] = {}


class Declare(_Strict, frozen=True):
    """What no cluster shows and the site declares of itself."""

    ha_control_plane: bool = False
    large: bool = False
    restricted: bool = False
    registries: tuple[str, ...] = ()
    rabbitmq: BrokerIntent = BrokerIntent()
    ingress: IngressIntent = IngressIntent()
    topology_key: str = "topology.kubernetes.io/zone"
    node_disk: str | None = None
    database_disk: str | None = None  # the disk of a database outside the cluster
    rpo: str = "24h"
    failover: Failover = Failover()


class Provisioner(_Strict, frozen=True):
    """What a storage provisioner can do that our table does not know."""

    rwx: bool | None = None
    enforced: bool | None = None
    local: bool | None = None


class Prometheus(_Strict, frozen=True):
    """A Prometheus to ask for volume figures; its certificate is verified by ``ca_file``, else by the system's authorities."""

    url: str
    token_file: str | None = None
    ca_file: str | None = None


class ProbeLogin(_Strict, frozen=True):
    """A monitoring user for a probe, in place of the product's own; the password stands in a file or a variable."""

    user: str | None = None
    password_file: str | None = None
    password_variable: str | None = None


class BrokerProbe(ProbeLogin, frozen=True):
    """The same for RabbitMQ, and where its management API is (``https://host:15671``)."""

    management: str | None = None


class Probes(_Strict, frozen=True):
    """What the probes of ``--probe`` use: an authority beside the system's, and where a host is reached elsewhere than its name says."""

    ca_file: str | None = None
    connect: dict[str, str] = {}  # host:port → host:port
    postgresql: ProbeLogin = ProbeLogin()
    rabbitmq: BrokerProbe = BrokerProbe()


class History(_Strict, frozen=True):
    """A folder of past reports: where it is, and how many of its own, or how long, a run keeps there."""

    folder: str
    keep: int | None = None
    age: int | None = None  # days


class Waiver(_Strict, frozen=True):
    """A fail or warn that somebody accepts for a time (checks.md section 6)."""

    check: str
    reason: str
    owner: str
    expires: str
    subject: str | None = None
    site: str | None = None
    ticket: str | None = None
    accepts: str | int | float | bool | None = None


class Config(_Strict, frozen=True):
    """The whole file; every key may be absent."""

    scenario: Literal["auto", "single-node", "multi-node", "multi-site"] = "auto"
    purpose: Literal["production", "evaluation"] = "production"
    context: str | None = None
    namespace: str | None = None
    release: str | None = None
    sites: tuple[SiteConfig, ...] = ()
    declare: Declare = Declare()
    thresholds: dict[str, str | int | float] = {}
    provisioners: dict[str, Provisioner] = {}
    lifecycle: str | None = None
    packs: tuple[str, ...] = ()
    prometheus: Prometheus | None = None
    history: History | None = None
    probes: Probes = Probes()
    waivers: tuple[Waiver, ...] = ()


def load_config(path: Path | None) -> tuple[Config, Path | None]:
    """The config at a path, or ``exivity-audit.yaml`` in the working folder, or the defaults. Raises UsageError."""
    if path is None:
        path = Path(DEFAULT_NAME)
        if not path.is_file():
            return Config(), None
    found = read_yaml(path, Config)
    if found.sites:
        _check_sites(path)
        sites = tuple(
            msgspec.structs.replace(site, snapshot=str(path.parent / site.snapshot)) if site.snapshot is not None else site for site in found.sites
        )
        found = msgspec.structs.replace(found, sites=sites)
    if found.lifecycle is not None:
        found = msgspec.structs.replace(found, lifecycle=str(path.parent / found.lifecycle))
    if found.history is not None:
        found = msgspec.structs.replace(found, history=msgspec.structs.replace(found.history, folder=str(path.parent / found.history.folder)))
    if found.prometheus is not None:
        files = {key: str(path.parent / name) for key in ("token_file", "ca_file") if (name := getattr(found.prometheus, key)) is not None}
        found = msgspec.structs.replace(found, prometheus=msgspec.structs.replace(found.prometheus, **files))
    return msgspec.structs.replace(found, probes=_beside(found.probes, path.parent)), path


def _beside(probes: Probes, folder: Path) -> Probes:
    """The same with its files counted from the config's folder."""

    def login(one: Any) -> Any:
        return one if one.password_file is None else msgspec.structs.replace(one, password_file=str(folder / one.password_file))

    authority = str(folder / probes.ca_file) if probes.ca_file is not None else None
    return msgspec.structs.replace(probes, ca_file=authority, postgresql=login(probes.postgresql), rabbitmq=login(probes.rabbitmq))


def _check_sites(path: Path) -> None:
    """Refuse sites without a name of their own, and those that are said to be in two places. Raises UsageError with the line."""
    known: set[str] = set()
    for entry in read_entries(path, "sites", SiteConfig, Config):
        for field, text, hint in _site_problems(entry, known):
            raise UsageError(f"{path}:{entry.line(field)}: {text}", hint)
        if entry.value is not None:
            known.add(entry.value.name)


def refuse_placeless(path: Path, config: Config) -> None:
    """Refuse sites that are to be read at once, and of which one says not where it is. Raises UsageError with the line."""
    for entry in read_entries(path, "sites", SiteConfig, Config):
        site = entry.value
        if site is not None and not (site.context or site.snapshot or config.context):
            text = f"{path}:{entry.line()}: site {site.name} names neither a context nor a snapshot"
            raise UsageError(text, "write context: NAME, as `kubectl config get-contexts` lists them")


def _site_problems(entry: Entry[SiteConfig], known: set[str]) -> Iterator[tuple[str, str, str]]:
    """Field, what is wrong with it, and what to do."""
    if (site := entry.value) is None:
        return
    if not SITE_NAME.fullmatch(site.name):
        yield "name", f"{site.name[:80]!r} is no name that a site may have", "letters, digits, dots and dashes, as in ams or eu-west-1"
    if site.name in known:
        yield "name", f"two sites are named {site.name!r}", "give each a name of its own"
    if site.context is not None and site.snapshot is not None:
        yield "snapshot", f"site {site.name} has a context and a snapshot", "keep one of them: a site is read, or was saved"
    for field in ("namespace", "release"):
        value = getattr(site, field)
        if value is not None and site.snapshot is not None:
            yield field, f"site {site.name} is a snapshot, which has its {field} already", "take the key away"


def thresholds_of(config: Config, known: dict[str, Any], path: Path | None) -> dict[str, Any]:
    """The pack's thresholds with the site's own numbers; only known names may be set. Raises UsageError."""
    for name in config.thresholds:
        if name not in known:
            raise UsageError(f"{path or 'config'}: no threshold is named {name!r}{nearest(name, known)}", f"the names are {', '.join(sorted(known))}")
        _same_kind(config.thresholds[name], known[name].value, f"{path or 'config'}: threshold {name}")
    for key, text, parse in (
        ("node_disk", config.declare.node_disk, size),
        ("database_disk", config.declare.database_disk, size),
        ("rpo", config.declare.rpo, duration),
    ):
        if text is not None:
            try:
                parse(text)
            except ValueError as error:
                raise UsageError(f"{path or 'config'}: declare.{key}: {error}", "write for example 200Gi, or 24h") from error
    for step, number in config.declare.failover.steps.items():
        if not 1 <= number <= FAILOVER_ACTIONS:
            raise UsageError(
                f"{path or 'config'}: declare.failover.steps: {step[:40]!r} is mapped to {number}", f"the actions are 1 to {FAILOVER_ACTIONS}"
            )
    return {name: config.thresholds.get(name, one.value) for name, one in known.items()}


def _same_kind(given: str | int | float, usual: str | int | float, where: str) -> None:
    """A threshold is written as its usual value is (a size, a duration, a number) and is above zero. Raises UsageError."""
    for parse in (duration, size) if isinstance(usual, str) else ():
        try:
            parse(str(usual))
        except ValueError:
            continue
        try:
            amount: float = parse(str(given))
        except ValueError as error:
            raise UsageError(f"{where}: {error}", f"write it as {usual} is written") from error
        break
    else:
        if isinstance(given, str):
            raise UsageError(f"{where}: {given[:40]!r} is no number", f"write it as {usual} is written")
        amount = float(given)
    if not 0 < amount < float("inf"):
        raise UsageError(f"{where}: {given} is not above zero", f"write it as {usual} is written")
