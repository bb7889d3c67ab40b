"""A Prometheus that the config names: volume and node figures by instant queries of its HTTP API, and those of a week ago."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from exivity_audit.collect import tls
from exivity_audit.collect.answer import Failure
from exivity_audit.collect.beside import Client, Told, amount, proxied
from exivity_audit.collect.connection import Connection
from exivity_audit.collect.credentials import Anonymous, Credentials, Fixed, TokenFile, basic
from exivity_audit.collect.deadline import Deadline
from exivity_audit.collect.stats import Stats
from exivity_audit.discreet import Discreet
from exivity_audit.document import Malformed
from exivity_audit.errors import AuditError, UsageError
from exivity_audit.fact import Unreadable
from exivity_audit.snapshot import Place

EARLIER = "7d"
SECONDS_EARLIER = 7 * 86400
VOLUME_METRICS = {
    "used": "kubelet_volume_stats_used_bytes",
    "capacity": "kubelet_volume_stats_capacity_bytes",
    "available": "kubelet_volume_stats_available_bytes",
    "inodes": "kubelet_volume_stats_inodes",
    "inodesUsed": "kubelet_volume_stats_inodes_used",
}
NEEDED = ("used", "capacity", "available")
CLAIM = "persistentvolumeclaim"
NAMESPACE_LABELS = ("namespace", "exported_namespace")  # the second where the scrape does not honour the kubelet's labels
NODE_LABELS = ("node", "nodename", "kubernetes_node", "instance")
NO_DISK = "tmpfs|ramfs|overlay|squashfs|iso9660|autofs|nsfs|proc|sysfs|devtmpfs|fuse.*|nfs.*|cifs"
PODS_MOUNTS = re.compile(r"/(var/lib/kubelet|var/lib/docker|var/lib/containerd|run|proc|sys|dev)/.+")
MOST_MOUNTS = 50
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


class Server(Discreet, Struct, frozen=True):
    """Where a Prometheus is, and how it is asked; the URL holds no user info."""

    unprinted = ("user",)

    url: str
    token_file: Path | None = None
    ca_file: Path | None = None
    user: tuple[str, str] | None = None


def server_of(url: str, token_file: str | None, ca_file: str | None) -> Server:
    """The server that the config names. Raises UsageError, which never shows the URL: it may hold a password."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment or not url.isprintable() or " " in url.strip():
        raise UsageError("prometheus.url in the config is no URL like https://prometheus.corp:9090", "correct it")
    user = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    if user is not None and token_file is not None:
        raise UsageError("prometheus: the URL holds a user name, and token_file names a token", "keep one of them")
    if (user or token_file) and parts.scheme == "http" and host not in ("localhost", "127.0.0.1", "::1"):
        raise UsageError("prometheus.url is http, and neither a token nor a password is sent in the clear", "use an https URL")
    shown = f"[{host}]" if ":" in host else host
    place = f"{parts.scheme}://{shown}:{port or (443 if parts.scheme == 'https' else 80)}{parts.path.rstrip('/')}"
    return Server(place, Path(token_file) if token_file else None, Path(ca_file) if ca_file else None, user)


class _Odd(Exception):
    """An answer that is none of Prometheus."""


Sample = tuple[dict[str, str], float, float]  # labels, time, value


class Prometheus:
    """Asks one Prometheus; its token is read when the run collects, and held by nothing but the connection."""

    def __init__(self, server: Server, deadline: Deadline, stats: Stats, seconds: float) -> None:
        self._url = f"{server.url}/api/v1/query"
        self._client: Client | None = None
        self._failure: Told | None = None
        try:
            authority = tls.read(server.ca_file, "certificate authority") if server.ca_file else None
            context = tls.context(authority, insecure=False) if server.url.startswith("https:") else None
            self._client = Client(Connection(server.url, context, _credentials(server), proxy=proxied(server.url)), deadline, stats, seconds=seconds)
        except AuditError:
            which = " or ".join(name for name, file in (("token_file", server.token_file), ("ca_file", server.ca_file)) if file) or "proxy"
            failure = Failure("connection", None, f"the {which} of the config cannot be used")
            self._failure = Told(failure=failure, helps=f"a readable prometheus.{which}" if which != "proxy" else "another HTTPS_PROXY")

    def volumes(self, place: Place, known: Mapping[str, Any]) -> Told:
        """The figures of the claims of one namespace."""
        return self._told(lambda: _claims(place.namespace or "", self._ask))

    def nodes(self, place: Place, known: Mapping[str, Any]) -> Told:
        """The file systems of the nodes that the product's pods run on."""
        wanted = frozenset(place.name.split(",")) if place.name else None
        return self._told(lambda: _nodes(_addresses(known["nodes"]), wanted, self._ask))

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()

    def _told(self, build: Callable[[], list[Any]]) -> Told:
        if self._failure is not None:
            return self._failure
        try:
            return Told(tuple(build()))
        except _Failed as error:
            return error.told
        except _Odd as error:
            return Told(failure=Failure("malformed", 200, f"the answer is none of Prometheus: {error}"), helps="a right prometheus.url in the config")

    def _ask(self, query: str) -> list[Sample]:
        assert self._client is not None
        reply = self._client.get(self._url, (("query", query),))
        if reply.failure is None:
            return _vector(reply.body)
        reason = reply.failure.reason.replace(" and not the one the kubeconfig trusts", " and not trusted here")
        helps = {
            "unauthorized": "a prometheus.token_file with a token that it accepts",
            "forbidden": "a prometheus.token_file whose account may query it",
            "tls": "its authority under prometheus.ca_file",
            "not-found": "a right prometheus.url in the config",
            "malformed": "a right prometheus.url in the config",
        }
        raise _Failed(Told(failure=Failure(reply.failure.kind, reply.failure.status, reason), helps=helps.get(reply.failure.kind, "")))


class _Failed(Exception):
    def __init__(self, told: Told) -> None:
        super().__init__()
        self.told = told


def _credentials(server: Server) -> Credentials:
    """Who we are to it. Raises Unreachable for a token file that cannot be read."""
    if server.token_file is not None:
        return Fixed(TokenFile(server.token_file).authorization() or "")
    return basic(*server.user) if server.user else Anonymous()


def _vector(body: Mapping[str, Any]) -> list[Sample]:
    """The samples of an instant vector; one that is no number is left out."""
    data = body.get("data")
    result = data.get("result") if isinstance(data, dict) and data.get("resultType") == "vector" else None
    if body.get("status") != "success" or not isinstance(result, list):
        raise _Odd("no instant vector")
    found: list[Sample] = []
    for series in result:
        labels, value = (series.get("metric"), series.get("value")) if isinstance(series, dict) else (None, None)
        if not isinstance(labels, dict) or not isinstance(value, list) or len(value) != 2:
            raise _Odd("a series without labels or value")
        plain = {key: text for key, text in labels.items() if isinstance(text, str) and key != "__name__"}
        try:
            sample = (plain, float(value[0]), float(value[1]))
        except (TypeError, ValueError):
            raise _Odd("a value that is no number") from None
        if amount(sample[1]) is not None and amount(sample[2]) is not None:  # NaN and the infinities say nothing
            found.append(sample)
    return found


Ask = Callable[[str], list[Sample]]


def _claims(namespace: str, ask: Ask) -> list[Any]:
    """One object for each claim of a namespace."""
    if not _NAME.fullmatch(namespace):
        return []
    label, used = NAMESPACE_LABELS[0], ask(f'{VOLUME_METRICS["used"]}{{namespace="{namespace}"}}')
    if not used:
        label = NAMESPACE_LABELS[1]
        used = ask(f'{VOLUME_METRICS["used"]}{{{label}="{namespace}"}}')
    if not used:
        return []
    fits = f'{{{label}="{namespace}"}}'
    others = {name: _by_series(ask(f"{metric}{fits}")) for name, metric in VOLUME_METRICS.items() if name != "used"}
    earlier: dict[str, Sample] = {}
    for sample in ask(f"{VOLUME_METRICS['used']}{fits} offset {EARLIER}"):
        claim = sample[0].get(CLAIM, "")
        if claim not in earlier or sample[2] > earlier[claim][2]:  # of another node, where the pod moved since
            earlier[claim] = sample
    by_claim: dict[str, list[Sample]] = {}
    for sample in used:
        if claim := sample[0].get(CLAIM, ""):
            by_claim.setdefault(claim, []).append(sample)
    return [_claim(namespace, claim, samples, others, earlier.get(claim)) for claim, samples in sorted(by_claim.items())]


def _claim(namespace: str, claim: str, samples: list[Sample], others: Mapping[str, Mapping[Any, Sample]], earlier: Sample | None) -> Any:
    clusters = {sample[0]["cluster"] for sample in samples if "cluster" in sample[0]}
    found: dict[str, Any] = {"metadata": {"namespace": namespace, "name": claim}, "clusters": max(1, len(clusters))}
    if len(clusters) > 1:  # one Prometheus for several clusters, each with this claim: no figure is surely ours
        return found
    labels, when, value = max(samples, key=lambda sample: sample[2])  # a shared claim comes once for each node that mounts it
    found |= {"used": int(value), "time": _stamp(when)}
    found |= {name: int(series[_key(labels)][2]) for name, series in others.items() if _key(labels) in series}
    if earlier is not None:
        found["earlier"] = {"used": int(earlier[2]), "seconds": SECONDS_EARLIER}
    return found


def _key(labels: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset(labels.items())


def _by_series(samples: Iterable[Sample]) -> dict[frozenset[tuple[str, str]], Sample]:
    return {_key(sample[0]): sample for sample in samples}


def _stamp(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        raise _Odd("a time out of range") from None


def _addresses(nodes: Any) -> dict[str, str]:
    """The names of the nodes by their names and addresses, as a series may carry them."""
    found: dict[str, str] = {}
    for node in () if isinstance(nodes, Unreadable) else nodes:
        found[node.name] = node.name
        try:
            found.update({entry.text("address") or "": node.name for entry in node.items("status.addresses")})
        except Malformed:
            continue
    return found


def _nodes(names: Mapping[str, str], wanted: frozenset[str] | None, ask: Ask) -> list[Any]:
    """One object for each wanted node, with its file systems."""
    fits = f'{{fstype!~"{NO_DISK}",mountpoint!=""}}'
    free = _by_series(ask(f"node_filesystem_avail_bytes{fits}"))
    earlier = _by_series(ask(f"node_filesystem_avail_bytes{fits} offset {EARLIER}"))
    found: dict[str, dict[str, Any]] = {}
    doubled: set[str] = set()
    for labels, when, size in ask(f"node_filesystem_size_bytes{fits}"):
        name, mount = _node_of(labels, names), labels.get("mountpoint", "")
        key = _key(labels)
        ours = name is not None and (wanted is None or name in wanted)
        if not ours or not mount.startswith("/") or PODS_MOUNTS.fullmatch(mount) or key not in free:
            continue
        one: dict[str, Any] = {"mountpoint": mount[:200], "capacity": int(size), "available": int(free[key][2]), "time": _stamp(when)}
        if key in earlier:
            one["earlier"] = {"available": int(earlier[key][2]), "seconds": SECONDS_EARLIER}
        mounts = found.setdefault(str(name), {})
        if mount in mounts and mounts[mount]["capacity"] != one["capacity"]:
            doubled.add(str(name))  # another cluster's node of the same name or address
        mounts.setdefault(mount, one)
    return [
        {"metadata": {"name": name}, "filesystems": [mounts[mount] for mount in sorted(mounts)[:MOST_MOUNTS]]}
        for name, mounts in sorted(found.items())
        if name not in doubled
    ]


def _node_of(labels: Mapping[str, str], names: Mapping[str, str]) -> str | None:
    for label in NODE_LABELS:
        text = labels.get(label, "")
        host = text.rsplit(":", 1)[0].strip("[]") if label == "instance" and ":" in text else text
        if text in names or host in names:
            return names.get(text) or names[host]
    return None
