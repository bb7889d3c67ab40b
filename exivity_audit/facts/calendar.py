"""The cluster's part of the calendar: certificates that end, and releases that leave support."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from exivity_audit.calendar import Due, due
from exivity_audit.fact import NotSeen, Objects, Reason, Unread, fact, maybe, reasons_of
from exivity_audit.lifecycle import Lifecycle
from exivity_audit.subject import Subject


class Builder:
    """Gathers the lines of what could be seen, and the reasons why the rest could not."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.lines: set[Due] = set()
        self.reasons: set[Reason] = set()
        self.odd: set[Unread] = set()

    def look(self, at: Callable[..., Iterator[Due]], *seen_or_not: Any) -> None:
        """Add what a source tells; an alternate that was not seen, or is seen in part, is told instead."""
        hidden = [reason for value in seen_or_not for reason in reasons_of(value)]
        if hidden:
            self.reasons.update(hidden)
            return
        for value in seen_or_not:
            if isinstance(value, Objects):
                self.reasons.update(value.partial)
                self.odd.update(value.unreadable)
        try:
            self.lines.update(at(*seen_or_not, self.now))
        except NotSeen as error:
            self.reasons.update(error.reasons)

    @property
    def calendar(self) -> Objects[Due]:
        """The lines in their order, with what is missing from them."""
        return Objects(sorted(self.lines), unreadable=tuple(sorted(self.odd, key=str)), partial=tuple(sorted(self.reasons)))


def certificates(secrets: Objects[Any], now: datetime) -> Iterator[Due]:
    """The first certificate of each chain that ends: the others are no use without it."""
    for secret in secrets:
        if secret.chain:
            first = min(secret.chain, key=lambda one: one.not_after)
            name = first.common_name or ", ".join(first.hosts[:1])
            renewed = ", unless cert-manager renews it" if secret.managed else ""
            yield due(first.not_after, "certificate", f"certificate {name} ends{renewed}", str(secret.subject), now)


def kept_certificates(kept: Objects[Any], seen_already: set[str | None], now: datetime) -> Iterator[Due]:
    """The certificates that cert-manager keeps in Secrets which were not read themselves."""
    for one in kept:
        if one.not_after is not None and str(Subject("Secret", one.secret, one.namespace)) not in seen_already:
            name = one.hosts[0] if one.hosts else one.name
            yield due(one.not_after, "certificate", f"certificate {name} ends, unless cert-manager renews it", str(one.subject), now)


def database_certificates(database: Any, now: datetime) -> Iterator[Due]:
    """The certificates of a CloudNativePG cluster that the product uses; the operator renews those it made itself."""
    for name, end in database.cluster.certificate_expirations if database.cluster is not None else ():
        yield due(end, "certificate", f"certificate {name} ends, unless the operator renews it", str(database.cluster.subject), now)


def support(lifecycle: Lifecycle) -> dict[str, Callable[..., Iterator[Due]]]:
    """For each product, how its release leads to the last day of its support; one that the table does not hold gives no line."""

    def kubernetes(version: Any, now: datetime) -> Iterator[Due]:
        last = lifecycle.kubernetes.get(version.release)
        if last is not None:
            yield due(last, "support", f"Kubernetes {version.release} leaves upstream support", "Cluster", now)

    def longhorn(settings: Objects[Any], now: datetime) -> Iterator[Due]:
        for setting in settings:
            if setting.name == "current-longhorn-version":
                release = ".".join(setting.value.lstrip("v").split(".")[:2])
                if (last := lifecycle.longhorn.get(release)) is not None:
                    yield due(last, "support", f"Longhorn {release} leaves support", str(setting.subject), now)

    def ingress(attendance: Any, now: datetime) -> Iterator[Due]:
        for controller in attendance.takers:
            last = lifecycle.controller(controller.product, controller.version)
            if last is not None:
                yield due(last, "support", f"{controller.product} leaves support", str(controller.subject), now)

    def postgresql(database: Any, now: datetime) -> Iterator[Due]:
        last = lifecycle.postgresql.get(str(database.major))
        if last is not None:
            yield due(last, "support", f"PostgreSQL {database.major} leaves support", str(database.subject), now)

    def rabbitmq(brokers: Objects[Any], now: datetime) -> Iterator[Due]:
        for broker in brokers:
            if broker.version is not None and (last := lifecycle.rabbitmq.get(broker.version.release)) is not None:
                yield due(last, "support", f"RabbitMQ {broker.version.release} leaves support", str(broker.subject), now)

    return {"kubernetes": kubernetes, "longhorn": longhorn, "ingress": ingress, "postgresql": postgresql, "rabbitmq": rabbitmq}


@fact
def calendar(
    now: Any,
    lifecycle: Any,
    server_version: Any = maybe,
    ingress_secrets: Any = maybe,
    default_secrets: Any = maybe,
    attendance: Any = maybe,
    managed_certificates: Any = maybe,
    storage_settings: Any = maybe,
    database: Any = maybe,
    brokers: Any = maybe,
) -> Objects[Due]:
    """What the cluster holds that ends on a known day, sorted; what could not be seen stands in ``partial``."""
    found, ends = Builder(now), support(lifecycle)
    for secrets in (ingress_secrets, default_secrets):
        found.look(certificates, secrets)
    secret_names = {row.subject for row in found.lines}
    found.look(lambda kept, today: kept_certificates(kept, secret_names, today), managed_certificates)
    found.look(ends["kubernetes"], server_version)
    found.look(ends["ingress"], attendance)
    found.look(ends["longhorn"], storage_settings)
    found.look(database_certificates, database)
    found.look(ends["postgresql"], database)
    found.look(ends["rabbitmq"], brokers)
    return found.calendar
