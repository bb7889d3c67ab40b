"""Reads of the probes of the database and the broker: what a login to each configured server shows, asked only where the run says so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from exivity_audit.collect.place import MissingRead, Read, paths
from exivity_audit.collect.reads.probing import ATTEMPT
from exivity_audit.fact import Unreadable
from exivity_audit.facts.configuration import cluster_service, first_server, two_labels
from exivity_audit.quantity import whole
from exivity_audit.snapshot import Place

MOST_SERVERS = 8
_CERTIFICATE = " ".join(
    f"tls.certificate.{leaf}" for leaf in ("subject", "issuer", "hosts", "not_before", "not_after", "signature", "key_type", "key_bits")
)
_TLS = f"tls.protocol tls.verified tls.trouble {_CERTIFICATE}"
_STANDBY = " ".join(f"standbys.rows[].{leaf}" for leaf in ("state", "sync", "replays", "bytes", "seconds"))
_RECEIVER = " ".join(f"receiver.{leaf}" for leaf in ("running", "state", "bytes", "seconds", "heard", "refused"))
_ARCHIVER = " ".join(f"archiver.{leaf}" for leaf in ("archived", "failed", "archived_ago", "failed_ago", "failing", "refused"))
_NODE = " ".join(
    f"management.nodes[].{leaf}"
    for leaf in ("name", "memory", "memory_limit", "disk", "disk_limit", "running", "memory_alarm", "disk_alarm", "partitions")
)
_QUEUES = " ".join(
    f"management.queues.{leaf}" for leaf in ("count", "whole", "unknown", "classic", "quorum", "stream", "classic_names", "deepest", "silent")
)
POSTGRESQL = (
    f"{ATTEMPT} sslmode ended tls.offered {_TLS} login.state login.seconds login.encrypted login.pooled monitor.state monitor.seconds"
    f" monitor.encrypted monitor.pooled server.version server.recovery server.archive_mode server.refused latency.trips latency.median latency.p95"
    f" latency.least latency.refused rights.statistics platform.name identity.system encryption.server {_STANDBY} standbys.refused {_RECEIVER} {_ARCHIVER}"
    " sizes.database sizes.databases sizes.unseen sizes.refused log.size log.refused"
)
RABBITMQ = (
    f"{ATTEMPT} secure {_TLS} login.state server.product server.version server.mechanisms defaults.guest defaults.user management.state"
    f" management.version management.connections management.messages management.alarm management.quorum_critical {_NODE} {_QUEUES}"
)


def _home(host: str, host_namespaces: Any, release: Any) -> str | None:
    """The namespace of the Service that a host names; None for a server elsewhere."""
    service = cluster_service(host, release.namespace)
    if service is not None:
        return service[1]
    second = two_labels(host)
    known = () if isinstance(host_namespaces, Unreadable) else host_namespaces
    return second if second is not None and any(one.name == second for one in known) else None


def _contents(service_configs: Any, key: str) -> Iterator[dict[str, Any]]:
    for item in () if isinstance(service_configs, Unreadable) else service_configs:
        data = item.value.get("data")
        content = data.get("config.json") if isinstance(data, dict) else None
        part = content.get(key) if isinstance(content, dict) else None
        if isinstance(part, dict):
            yield part


def _text(value: Any) -> str:
    return "" if value is None or isinstance(value, dict | list) else str(value)


def _database(postgres_config: Any, service_configs: Any, host_namespaces: Any, release: Any, secrets: str) -> Iterable[Place]:
    """The database of the release, as ``FN-postgres-config`` names it, else the first ``config.json``."""
    if isinstance(postgres_config, Unreadable) and isinstance(service_configs, Unreadable):
        raise MissingRead(postgres_config)
    tables = () if isinstance(postgres_config, Unreadable) else postgres_config
    data = [found for item in tables if isinstance(found := item.value.get("data"), dict)]
    named = [(one.get("POSTGRES_HOST"), one.get("POSTGRES_PORT")) for one in data]
    named += [(one.get("host"), one.get("port")) for one in _contents(service_configs, "db")]
    for host, port in named:
        name, number = first_server(_text(host), _text(port), "5432")
        if name and whole(number) is not None:
            yield Place(_home(name, host_namespaces, release), f"{name}:{number}")
            return


def _brokers(service_configs: Any, host_namespaces: Any, release: Any) -> Iterable[Place]:
    """Every distinct broker of the configuration; the scheme says whether the product asks for TLS."""
    if isinstance(service_configs, Unreadable):
        raise MissingRead(service_configs)
    found: dict[str, Place] = {}
    for part in _contents(service_configs, "mq"):
        servers = part.get("servers")
        for one in servers if isinstance(servers, list) else ():
            if isinstance(one, dict):
                name, number = first_server(_text(one.get("host")), _text(one.get("port")), "5672")
                place = f"{'amqps' if one.get('secure') in (True, 'true') else 'amqp'}://{name}:{number}"
                if name and whole(number) is not None:
                    found.setdefault(place, Place(_home(name, host_namespaces, release), place))
    yield from list(found.values())[:MOST_SERVERS]


READS: tuple[Read, ...] = (
    Read("probe_postgresql", "probe/postgresql", _database, paths(POSTGRESQL), "PostgresqlProbe", opt_in="--probe postgresql"),
    Read("probe_rabbitmq", "probe/rabbitmq", _brokers, paths(RABBITMQ), "RabbitmqProbe", opt_in="--probe rabbitmq"),
)
