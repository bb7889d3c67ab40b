"""Describers: they turn a secret or a document with secrets into what may be kept; the only code that sees a value.

A described secret says length, character classes, strength, which shipped default it equals, and which other secrets of this
run it equals (by group number); never the value and never a hash of it.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

from msgspec import Struct, field

from exivity_audit import chart
from exivity_audit.collect import broker, public
from exivity_audit.collect.alertmanager import describe_config, describe_object
from exivity_audit.collect.chart_values import argo_helm, argo_resources, dig, given_values, user_values
from exivity_audit.collect.parity import ParityKey
from exivity_audit.collect.pem import describe_certificates, describe_key_pair
from exivity_audit.collect.targets import backup_url
from exivity_audit.collect.workflows import WORKFLOWS
from exivity_audit.discreet import Discreet

LARGEST_HELM = 16 * 2**20
CAP = 64
TLS_KEYS = ("ca.crt", "tls.crt", "tls.key")
PAIRED = {"<": ">", "${": "}", "{{": "}}"}  # a placeholder only where it also ends like one: a random value may start so
DATABASE: dict[str, Callable[[Any], Any]] = {"host": public.host, "port": public.port, "sslmode": public.ssl_mode, "dbname": public.name}
BROKER: dict[str, Callable[[Any], Any]] = {"host": public.host, "port": public.port, "secure": public.flag}
COMMON_WORDS = (
    "password", "passwort", "passw0rd", "p@ssw0rd", "exivity", "postgres", "rabbitmq", "admin", "secret", "welcome", "letmein", "qwerty", "changeme",
)  # fmt: skip


class Vault(Discreet, Struct):
    """Holds the secret values of one site in memory, for as long as it takes to tell which are equal."""

    unprinted = ("entries", "identities")

    entries: list[tuple[dict[str, Any], str]] = field(default_factory=list)
    identities: list[tuple[str, str]] = field(default_factory=list)
    reads: set[str] = field(default_factory=set)  # in whose objects the descriptions are
    read: str = ""

    def of(self, read: str) -> Vault:
        """The same vault, for the values of one read."""
        return Vault(self.entries, self.identities, self.reads, read)

    def describe(self, value: str) -> dict[str, Any]:
        """The description of one secret value; group and equals follow in ``settle``."""
        body: dict[str, Any] = {
            "group": 0, "length": len(value) if len(value) <= CAP else f"{CAP}+", "classes": classes(value),
            "strength": strength(value), "known": known(value), "equals": [],
        }  # fmt: skip
        self.entries.append((body, value))
        self.reads.add(self.read)
        return {"secret": body}

    def identity(self, what: str, value: Any) -> None:
        """Remember a public value that a secret must not equal: user name, host, release."""
        if isinstance(value, str) and value:
            self.identities.append((what, value))


def settle(vaults: Iterable[tuple[Vault, Iterable[tuple[str, dict[str, Any]]]]], key: ParityKey | None = None) -> None:
    """Number the groups of equal values over all sites of a run, in the order their descriptions stand in the snapshot, then forget the values.

    With each vault come the descriptions of its site, each behind its purpose. A key adds the keyed hash by which snapshots
    taken apart are compared.
    """
    groups: dict[str, int] = {}
    opened = list(vaults)
    for vault, ordered in opened:
        values = {id(body): value for body, value in vault.entries}
        for purpose, body in ordered:
            value = values.get(id(body))
            if value is None:
                continue
            body["group"] = groups.setdefault(value, len(groups) + 1)
            body["equals"] = sorted({what for what, other in vault.identities if other.casefold() == value.casefold()}) if value else []
            if key is not None:
                body["parity"] = key.mark(purpose, value)
    for vault, _ in opened:
        vault.entries.clear()
        vault.identities.clear()


def classes(value: str) -> list[str]:
    """Character classes of a text: digit, lower, other, upper; all that is not ASCII is other."""
    found = {
        "other" if not c.isascii() else "digit" if c.isdigit() else "lower" if c.islower() else "upper" if c.isupper() else "other" for c in value
    }
    return sorted(found)


def strength(value: str) -> str:
    """``empty``, ``weak``, ``fair`` or ``strong``.

    Weak: a shipped or common value, under 8 characters, under 5 distinct ones, under 12 of one class, a run such as
    ``abcdefgh``, or a common word with fewer than 8 other characters. Strong: 16 or more of two classes, or 12 or more of
    three, with 8 distinct ones. Fair: the rest.
    """
    if not value:
        return "empty"
    kinds, distinct = len(classes(value)), len(set(value))
    if known(value) or len(value) < 8 or distinct < 5 or (kinds == 1 and len(value) < 12) or _guessable(value):
        return "weak"
    if distinct >= 8 and ((len(value) >= 16 and kinds >= 2) or (len(value) >= 12 and kinds >= 3)):
        return "strong"
    return "fair"


def _guessable(value: str) -> bool:
    """Whether it is a run of neighbouring characters, or a common word with little around it."""
    lowered = value.lower()
    runs = sum(1 for one, following in pairwise(lowered) if abs(ord(following) - ord(one)) <= 1)
    rest = min((len(value) - len(word) for word in COMMON_WORDS if word in lowered), default=len(value))
    return runs >= 0.75 * (len(value) - 1) or rest < 8


def known(value: str) -> str | None:
    """Which shipped value it is: ``empty``, ``chart-default``, ``demo``, ``placeholder``; None for any other."""
    plain = value.strip()
    if not plain:
        return "empty"
    if plain in chart.DEFAULT_PASSWORDS:
        return "chart-default"
    if plain.lower() == chart.DEMO_LICENCE:
        return "demo"
    lowered = plain.lower()
    started = any(lowered.startswith(start) and lowered.endswith(PAIRED.get(start, "")) for start in chart.PLACEHOLDER_STARTS)
    return "placeholder" if started or lowered in chart.PLACEHOLDERS else None


def decoded(value: Any) -> bytes | None:
    """The bytes behind a base64 value of a Secret; None where it is none."""
    if not isinstance(value, str):
        return None
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None


def secret(value: Any, vault: Vault) -> Any:
    """A base64 value of a Secret as a description."""
    raw = decoded(value)
    return {"malformed": "base64"} if raw is None else vault.describe(raw.decode("utf-8", "surrogateescape"))


def certificates(value: Any, vault: Vault) -> Any:
    """A PEM chain in a Secret as its public fields."""
    raw = decoded(value)
    return {"malformed": "base64"} if raw is None else describe_certificates(raw)


def key_pair(value: Any, vault: Vault) -> Any:
    """The ``data`` of a TLS Secret: the chain's public fields, the key's type and size and whether they belong together."""
    if not isinstance(value, dict):
        return {"malformed": type(value).__name__}
    chain, key = decoded(value.get("tls.crt")), decoded(value.get("tls.key"))
    authority = decoded(value.get("ca.crt"))
    pair = describe_key_pair(chain, key)
    return {"keys": sorted(name for name in TLS_KEYS if name in value), "authority": describe_certificates(authority) if authority else None, **pair}


def receivers(value: Any, vault: Vault) -> Any:
    """An Alertmanager configuration in a Secret: its routes, and of its receivers the kinds of their integrations."""
    raw = decoded(value)
    return {"malformed": "base64"} if raw is None else describe_config(raw)


def route_tls(value: Any, vault: Vault) -> Any:
    """The ``tls`` of an OpenShift Route: how and where it ends, the Secret it names, and the pair that stands in it as ``key_pair`` does."""
    if not isinstance(value, dict):
        return None if value is None else {"malformed": type(value).__name__}
    certificate, key, authority = (value.get(name) for name in ("certificate", "key", "caCertificate"))
    chain = [part.strip().encode() for part in (certificate, authority) if isinstance(part, str) and part.strip()]
    private = key.encode() if isinstance(key, str) and key.strip() else None
    external = value.get("externalCertificate")
    return {
        "termination": public.plain(value.get("termination")), "insecure": public.plain(value.get("insecureEdgeTerminationPolicy")),
        "external": None if external is None else public.plain(external.get("name")) if isinstance(external, dict) else public.malformed(external),
        **describe_key_pair(b"\n".join(chain) if certificate and chain else None, private),
    }  # fmt: skip


def change_times(value: Any, vault: Vault) -> Any:
    """``managedFields`` as who changed the data when, without the fields themselves."""
    if not isinstance(value, list):
        return None
    return [
        {key: public.plain(item.get(key)) for key in ("manager", "operation", "time")}
        for item in value
        if isinstance(item, dict) and isinstance(fields := item.get("fieldsV1"), dict) and ("f:data" in fields or "f:stringData" in fields)
    ]


def _json_text(value: Any) -> Any:
    if not isinstance(value, str):
        return None
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def config_json(value: Any, vault: Vault) -> Any:
    """The product's ``config.json``: hosts, ports, names and both passwords described."""
    content = _json_text(value)
    if not isinstance(content, dict):
        return {"malformed": "json"}
    kept: dict[str, Any] = {}
    database = dig(content, "db", "parameters")
    if isinstance(database, dict):
        kept["db"] = {key: cut(database.get(key)) for key, cut in DATABASE.items()}
        kept["db"]["user"] = public.login(database.get("user"))
        kept["db"]["password"] = _described(database.get("password"), vault)
        vault.identity("user name", kept["db"]["user"])
        vault.identity("host", kept["db"]["host"])
    broker = content.get("mq")
    if isinstance(broker, dict):
        servers = broker.get("servers")
        kept["mq"] = {"user": public.login(broker.get("user")), "vhost": public.name(broker.get("vhost"))}
        kept["mq"]["servers"] = [
            {key: cut(item.get(key)) for key, cut in BROKER.items()} for item in servers if isinstance(item, dict)
        ] if isinstance(servers, list) else []  # fmt: skip
        kept["mq"]["password"] = _described(broker.get("password"), vault)
        vault.identity("user name", kept["mq"]["user"])
    return kept


def user_name(value: Any, vault: Vault) -> Any:
    """A user name as it is, remembered so that a secret equal to it is told."""
    kept = public.login(value)
    vault.identity("user name", kept)
    return kept


def host_name(value: Any, vault: Vault) -> Any:
    """A host as it is, without user info; remembered so that a secret equal to it is told."""
    kept = public.host(value)
    vault.identity("host", kept)
    return kept


def helm_values(value: Any, vault: Vault) -> Any:
    """A Helm release Secret: chart, status, times, and of the user's values those on the allow-list, secrets described."""
    raw = decoded(value)
    release = _helm_release(raw) if raw is not None else None
    if not isinstance(release, dict):
        return {"malformed": "helm release"}
    info, metadata = release.get("info"), dig(release, "chart", "metadata")
    values = release.get("config")
    return {
        **{key: public.plain(release.get(key)) for key in ("name", "namespace", "version", "apply_method")},
        "info": {key: public.plain(info.get(key)) for key in ("status", "first_deployed", "last_deployed")} if isinstance(info, dict) else {},
        "chart": {key: public.plain(metadata.get(key)) for key in ("name", "version", "appVersion")} if isinstance(metadata, dict) else {},
        "values": user_values(values, vault) if isinstance(values, dict) else {},
    }  # fmt: skip


def _helm_release(raw: bytes) -> Any:
    try:
        inner = base64.b64decode(raw, validate=True)
        if inner[:3] == b"\x1f\x8b\x08":
            unpacker = zlib.decompressobj(wbits=31)
            inner = unpacker.decompress(inner, LARGEST_HELM)
            if unpacker.unconsumed_tail:
                return None
        return json.loads(inner)
    except (binascii.Error, ValueError, zlib.error, RecursionError):
        return None


def _described(value: Any, vault: Vault) -> Any:
    return (
        vault.describe(str(value))
        if isinstance(value, str | int | float) and not isinstance(value, bool)
        else vault.describe("")
        if value is None
        else {"malformed": type(value).__name__}
    )


PUBLIC: dict[str, Callable[[Any], Any]] = {
    "controller_args": public.controller_args, "host": public.host, "server": public.server, "port": public.port, "name": public.name,
    "ssl_mode": public.ssl_mode, "addresses": public.addresses, "image": public.image, "amounts": public.amounts, "resources": public.resources,
    "count": public.count, "given": public.given, "alertmanager_config": describe_object,
    "mount_options": public.mount_options, "store_url": public.store_url, "backup_tools": public.backup_tools, "backup_url": backup_url,
    "broker_settings": broker.broker_settings, "broker_terms": broker.broker_terms, "broker_policy": broker.broker_policy,
    "queue_arguments": broker.queue_arguments,
    "keys": public.keys,
    "repository": public.repository,
}  # fmt: skip


def _alone(cut: Callable[[Any], Any]) -> Callable[[Any, Vault], Any]:
    return lambda value, vault: cut(value)


DESCRIBERS: dict[str, Callable[[Any, Vault], Any]] = {
    "secret": secret, "certificates": certificates, "key_pair": key_pair, "change_times": change_times, "config_json": config_json,
    "helm_values": helm_values, "user_name": user_name, "host_name": host_name, "receivers": receivers, "route_tls": route_tls,
    "given_values": given_values, "argo_helm": argo_helm, "argo_resources": argo_resources,
    **{name: _alone(cut) for name, cut in (PUBLIC | WORKFLOWS).items()},
}  # fmt: skip
