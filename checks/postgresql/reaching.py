"""Whether the configured host leads to a database that takes writes, the same from every service."""

from __future__ import annotations

from exivity_audit import CRITICAL, Role, at_least, check, exactly, fail, maybe, ok, one_of, task, to_attest, unknown, values
from exivity_audit.facts.database import DEFAULT_PORT

from .probing import answering, probe_of
from .shared import CNPG, EXTERNAL, MISSING, follows, host_at, restored_later

PRIMARY, SOME_DATABASE = exactly("the primary"), exactly("a database")


@check(
    "reachable", severity=CRITICAL, clauses=("K3",),
    attest="from a pod of the release, connect to the configured host and port with psql; attach the output of `select version()`",
)  # fmt: skip
def reachable(database, settings, release, database_addresses=maybe, database_probes=maybe):
    """The configured database host leads to a database.

    Without its database nothing of the product works, and a service that is configured for another host than its siblings writes elsewhere.

    Fix: set `postgresql.host` and `postgresql.port` to a Service with ready endpoints that leads to the primary.
    """
    later = restored_later(database, settings)
    if later is not None:
        yield later
        return
    yield answering(_leads(database, settings, release), database, probe_of(database_probes), settings)
    yield from _agreeing(database, database_addresses)


def _leads(database, settings, release):
    """Whether the host of the release leads to a database that takes writes."""
    host, at = database.config.host, [host_at(database)]
    if database.kind is MISSING:
        return _missing(database, release)
    if database.kind is EXTERNAL:
        return to_attest(database, f"{host} is outside this cluster: only a connection shows that a database answers", at=at)
    wrong = _not_primary(database, settings) or _other_port(database)
    if wrong is not None:
        return wrong
    name, namespace = database.location.named
    ready = sum(one.ready for one in database.endpoints)
    at += [(one, "endpoints", f"{one.ready} ready") for one in database.endpoints]
    if not ready:
        database.endpoints.surely()
        state = f"; the Cluster is {_state(database.cluster)}" if database.cluster is not None else ""
        text = f"the Service {name}.{namespace} has no ready endpoint{state}"
        fix = task(f"Read `kubectl get pods -n {namespace}` and the logs of the database's pods, and mend what keeps them from being ready")
        return fail(database, 0, seen=text, wanted=at_least(1, note="ready endpoint"), at=at, fix=fix)
    if database.kind is CNPG and not database.role:
        needs = tuple(need for reason in database.cluster_gap for need in reason.needs)
        return unknown(database, f"{host} leads to a Pooler whose object was not seen: it may serve reads alone", needs=needs, at=at)
    return ok(database, ready, seen=f"{host} → {name}.{namespace}, {ready} ready", at=at)


def _not_primary(database, settings):
    """The verdict where the host leads to an instance that takes no writes; None elsewhere."""
    host, at = database.config.host, [host_at(database)]
    if database.kind is CNPG and database.role in ("ro", "r"):
        words = "the standbys" if database.role == "ro" else "any instance"
        service = database.cluster.write_service if database.cluster is not None else f"{database.subject.name}-rw"
        fix = values("postgresql.host", f"{service}.{database.namespace}.svc")
        text = f"{host} leads to {words} of the Cluster {database.subject.name}: not all of them take writes"
        return fail(database, database.role, seen=text, wanted=PRIMARY, at=at, fix=fix)
    if follows(database) and settings.role is not Role.PASSIVE:
        fix = task("Promote the Cluster (`spec.replica`), or set `postgresql.host` to the primary cluster")
        text = f"{host} leads to a replica cluster, which takes no writes"
        return fail(database, "replica cluster", seen=text, wanted=PRIMARY, at=at, fix=fix)
    return None


def _other_port(database):
    """The verdict where the Service has no such port; None where it has, or was not seen."""
    service = database.location.service
    ports = [port.number for port in service.ports] if service is not None else []
    asked = (database.config.port or DEFAULT_PORT).partition(",")[0]
    if not ports or asked in map(str, ports):
        return None
    text = f"port {asked}, where the Service {service.name}.{service.namespace} has {', '.join(map(str, ports))}"
    at = [host_at(database), (service, "spec.ports[].port", ", ".join(map(str, ports)))]
    return fail(database, asked, seen=text, wanted=one_of(*map(str, ports)), at=at, fix=values("postgresql.port", ports[0]))


def _state(cluster):
    return "hibernated" if cluster.hibernated else cluster.phase or "without a phase"


def _missing(database, release):
    """The verdict where the host names no Service that exists."""
    host, named, at = database.config.host, database.location.named, [host_at(database)]
    if not host:
        return fail(
            database,
            "empty",
            seen="no database host is configured",
            wanted=SOME_DATABASE,
            at=at,
            fix=task("Set `postgresql.host`", fill="postgresql.host"),
        )
    text = f"{host} names a Service that does not exist"
    fix = task("Set `postgresql.host` to the Service of the database: `kubectl get services -A` lists them", fill="postgresql.host")
    if named is not None and named[0] == f"{release.fullname}-postgresql" and release.fullname != release.name:
        text += f": the chart names its own after the release, {release.name}, not after nameOverride"
        fix = values("postgresql.host", f"{release.name}-postgresql")
    return fail(database, "no such Service", seen=text, wanted=SOME_DATABASE, at=at, fix=fix)


def _agreeing(database, addresses):
    """A verdict for each ConfigMap that names another database than the first."""
    first = next((one for one in addresses if one.subject == database.config.subject), None)
    for one in addresses if first is not None else ():
        if one.place != first.place:
            text = f"{one.config.host or 'no host'}:{one.config.port}, where {first.subject.name} names {first.config.host}:{first.config.port}"
            at = [(one, "data[config.json]", one.config.host), host_at(database)]
            once = "Set `postgresql.host` and `postgresql.port` once in the values, upgrade, and restart the services"
            fix = task(once, fill=("postgresql.host", "postgresql.port"))
            yield fail(one, "another database", seen=text, wanted=exactly("the same in every place"), at=at, fix=fix)
    addresses.surely()
