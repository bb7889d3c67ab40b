"""Whether the product reaches its broker, as whom, and over what."""

from __future__ import annotations

from functools import reduce
from operator import and_

from exivity_audit import CRITICAL, HIGH, NEW_SECRET, SERVER_TLS, check, fail, maybe, ok, seen, skip, task, to_attest, unknown, values, wanted, warn
from exivity_audit.facts.broker import BrokerKind
from exivity_audit.facts.configuration import CONFIG
from exivity_audit.facts.middleware import endpoints_of
from exivity_audit.facts.rabbitmq import CONDITIONS
from exivity_audit.quantity import whole

from .probing import answering, logged_in, probe_of, shipped
from .probing import encrypted as handshaken
from .shared import REACHED, missing, none_named, plural

PLAIN_PORT, TLS_PORT = 5672, 5671
TRUSTED = "a certificate authority that the services trust"
PLAIN_NAMES = ("amqp",)  # as the operator and the chart name the Service port that speaks plaintext
GENERATED_USER = "default_user_"
OWN_LOGIN = wanted("a login of its own, with a random password")


@check(
    "connectivity", severity=CRITICAL, clauses=("K4",),
    attest="open a connection to the broker from a pod of the release and attach what it says, with host, port and time",
)  # fmt: skip
def connectivity(brokers, release, cluster_endpoints=maybe, broker_probes=maybe):
    """The configured broker host leads to a broker.

    Without a broker nothing is extracted, transformed or reported: every job waits in a service that cannot hand it over.

    Fix: name the broker's Service and port in `rabbitmq.host` and `rabbitmq.port`, and repair the broker until it is ready.
    """
    if not brokers:
        yield none_named(brokers, release)
    for broker in brokers:
        yield answering(reached(broker, cluster_endpoints), broker, probe_of(broker, broker_probes))


def reached(broker, cluster_endpoints):
    """The verdict on one configured server: that its Service has ready endpoints on the port, and that the operator is content."""
    want = wanted("a Service with ready endpoints on the configured port")
    if broker.kind is BrokerKind.EXTERNAL:
        return to_attest(broker, f"{broker.server} lies outside this cluster: open a connection, and record it in `evidence.yaml`", at=[broker.at])
    service = broker.location.service
    if service is None:
        text = "no host is configured" if not broker.host else f"{broker.host} is the pod itself"
        if broker.location.named is not None:
            text = "no Service {1}/{0}".format(*broker.location.named)
        named = "Set `rabbitmq.host` to the Service of the broker, as `NAME.NAMESPACE.svc`"
        fix = task(named, fill=("rabbitmq.host", "rabbitmq.port", "rabbitmq.secure"))
        return fail(broker, "no Service", seen=text, wanted=want, at=[broker.at], fix=fix)
    problem = port_problem(broker, service)
    if problem is not None:
        return problem
    ready, reason = ready_on(broker, service, cluster_endpoints)
    at = [broker.at, *((one, "endpoints[].conditions.ready", one.ready) for one in endpoints_of(broker.location, cluster_endpoints))]
    if not ready:
        cluster_endpoints.surely()
        fix = task(f"Bring a pod of {broker.home} to ready: `kubectl get pods -n {service.namespace}` names what is wrong")
        return fail(broker, 0, seen=f"{service.subject} has {reason}", wanted=want, at=[*at, (service, "spec.selector", "none ready")], fix=fix)
    return content(broker, plural(ready, "ready endpoint"), at)


def port_problem(broker, service):
    """The verdict where the configured port is none, or no port of the Service; None where it is one, or not consulted."""
    number = whole(broker.port)
    listed = ", ".join(f"{port.number} {port.name}".strip() for port in service.ports)
    if number is not None and (any(port.number == number for port in service.ports) or service.headless):
        return None
    text = f"port {broker.port or 'none'}, {service.subject} has {listed or 'no port'}"
    choice = next((port.number for port in service.ports if port.number == (TLS_PORT if broker.secure else PLAIN_PORT)), None)
    fix = values("rabbitmq.port", choice) if choice else task(f"Set `rabbitmq.port` to the AMQP port of {service.subject}", fill="rabbitmq.port")
    return fail(
        broker,
        broker.port or "none",
        seen=text,
        wanted=wanted(f"a port of {service.subject}"),
        at=[broker.at, (service, "spec.ports", listed)],
        fix=fix,
    )


def ready_on(broker, service, cluster_endpoints):
    """How many endpoints are ready on the configured port, and what to say where none is."""
    slices = endpoints_of(broker.location, cluster_endpoints)
    names = {port.name for port in service.ports if port.number == int(broker.port)}
    fitting = [one for one in slices if service.headless or any(name in names for name, _ in one.ports)]
    ready = sum(one.ready for one in fitting)
    return ready, "no endpoint" if not slices else f"no endpoint on port {broker.port}" if not fitting else "no ready endpoint"


def content(broker, text, at):
    """The verdict on a broker that answers: what its operator says of it."""
    cluster = broker.cluster
    if cluster is None:
        return ok(broker, text, seen=f"{broker.server}: {text}", at=at)
    conditions = [(kind, cluster.conditions.get(kind)) for kind in CONDITIONS]
    shown = [*at, *((cluster, f"status.conditions[{kind}]", one.status) for kind, one in conditions if one is not None)]
    broken = [
        f"{kind} {one.status}{f' ({one.reason})' if one.reason else ''}" for kind, one in conditions if one is not None and one.status == "False"
    ]
    if broken:
        fix = task(
            f"Repair {cluster.subject}: `kubectl describe rabbitmqcluster -n {cluster.namespace} {cluster.name}` says what the operator misses"
        )
        want = wanted(f"{', '.join(CONDITIONS)} True")
        return fail(broker, broken, seen=f"{text}, {', '.join(broken)}", wanted=want, at=shown, fix=fix)
    silent = [kind for kind, one in conditions if one is None or one.status != "True"]
    if silent:
        return unknown(broker, f"{text}; {cluster.subject} does not say {', '.join(silent)}", needs=("the status of the operator",), at=shown)
    remark = "" if cluster.observed else "the operator has not acted on the newest change of the spec yet"
    quorum = cluster.quorum_status
    if quorum and not quorum.startswith("ok"):
        remark = f"{remark}; quorum status: {quorum}" if remark else f"quorum status: {quorum}"
    return ok(broker, text, seen=f"{broker.server}: {text}, {', '.join(CONDITIONS)}", at=shown, remark=remark)


@check("authentication", severity=CRITICAL, clauses=("K4",))
def authentication(configs, release, brokers=maybe, broker_probes=maybe):
    """The broker login is no shipped default.

    The chart ships `user` with `pass`, and RabbitMQ itself `guest`. Whoever reaches the broker with them reads and queues every job.

    Fix: set `rabbitmq.auth.username` and `rabbitmq.auth.password` to a login of the product's own.
    """
    logins = {}
    for config in configs:
        if config.brokers:
            logins.setdefault(config.broker_user, []).append(config)
    if not logins:
        configs.surely()
        yield unknown(release.subject, "no `config.json` of the release names a broker login: a layout that is not known")
    for user, members in sorted(logins.items()):
        subject = release.subject if len(logins) == 1 else release.subject.at(f"login {user or 'none'}")
        yield tried(login_verdict(subject, user, members), user, brokers, broker_probes)
    for broker in brokers if seen(broker_probes) and seen(brokers) else ():
        yield from shipped(release, broker, probe_of(broker, broker_probes), logins_of(configs))


def tried(verdict, user, brokers, broker_probes):
    """The verdict on a login with what the brokers make of it, the first one that refuses it first."""
    if not seen(broker_probes) or not seen(brokers):
        return verdict
    found = [logged_in(verdict, broker, probe_of(broker, broker_probes)) for broker in brokers if broker.user == user]
    return min(found, key=lambda one: one.status.urgency, default=verdict)


def logins_of(configs):
    """The names of those shipped pairs that the product itself logs in with."""
    known = {config.broker_user for config in configs if config.broker_password is not None and config.broker_password.known is not None}
    return {name for name in ("guest", "user") if name in known}


def login_verdict(subject, user, members):
    """The verdict on one login, over every place that holds it."""
    at = [(one, CONFIG, f"user {user or 'none'}") for one in members]
    create = "Create a user for Exivity on the broker, and set `rabbitmq.auth.username` and `rabbitmq.auth.password` to it"
    fix = task(create, fill=("rabbitmq.auth.username", "rabbitmq.auth.password"), needs=NEW_SECRET)
    known = {one.broker_password.known for one in members if one.broker_password is not None}
    if not user:
        return fail(subject, "none", seen="no user name", wanted=OWN_LOGIN, at=at, fix=fix)
    if user == "guest":
        return fail(subject, user, seen="guest, which every RabbitMQ knows", wanted=OWN_LOGIN, at=at, fix=fix)
    if "chart-default" in known:
        return fail(subject, user, seen=f"{user} with the chart's default password", wanted=OWN_LOGIN, at=at, fix=fix)
    if any(one.broker_password is None for one in members):
        return fail(subject, user, seen=f"{user} without a password", wanted=OWN_LOGIN, at=at, fix=fix)
    remark = "user is the name that the chart ships; its password is another" if user == "user" else ""
    if user.startswith(GENERATED_USER):
        remark = "the operator's default user is an administrator of the broker: a user with rights on its own virtual host suffices"
    return ok(subject, user, seen=f"{user} with a password of its own", at=at, remark=remark)


@check("tls", severity=HIGH, clauses=("K4",))
def tls(brokers, release, thresholds, now, broker_probes=maybe):
    """Connections to the broker are encrypted.

    The login and every job cross the network in the clear otherwise. Inside one cluster that is what its own network guards; to a host outside
    anybody on the way may read along.

    Fix: set `spec.tls.secretName` on the RabbitmqCluster, `rabbitmq.secure: true` and `rabbitmq.port: 5671`.
    """
    if not brokers:
        yield none_named(brokers, release)
    for broker in brokers:
        if broker.kind is BrokerKind.MISSING:
            yield missing(broker)
        else:
            yield handshaken(encrypted(broker), broker, probe_of(broker, broker_probes), now, thresholds)


def encrypted(broker):
    """The verdict on one server: what the product asks for, and what the broker offers there."""
    cluster, number = broker.cluster, whole(broker.port)
    port = number if number is not None else broker.port or "none"
    at = [broker.at]
    if cluster is not None:
        at.append((cluster, "spec.tls.secretName", cluster.tls_secret or "none"))
    asked = ask_for_tls(broker)
    offered = task(f"Set `spec.tls.secretName` on {cluster.subject}, `rabbitmq.secure: true` and `rabbitmq.port: 5671`") if cluster else None
    want = wanted("TLS, on the broker's TLS port")
    if broker.inside and broker.location.service is not None and port_problem(broker, broker.location.service) is not None:
        return skip(broker, f"port {broker.port or 'none'} leads nowhere", follows=REACHED)
    if not broker.secure:
        fix = offered if cluster is not None and not cluster.tls_secret else asked
        if not broker.inside:
            return fail(broker, port, seen=f"plaintext to {broker.server}, outside this cluster", wanted=want, at=at, fix=fix)
        if cluster is not None and cluster.tls_alone:
            return fail(broker, port, seen=f"plaintext, while {cluster.subject} takes TLS alone", wanted=want, at=at, fix=asked)
        return warn(broker, port, seen=f"plaintext to {broker.server}, inside this cluster", wanted=want, at=at, fix=fix)
    if cluster is not None and not cluster.tls_secret:
        return fail(broker, port, seen=f"TLS asked for, while {cluster.subject} offers none", wanted=want, at=at, fix=offered)
    if speaks_plain(broker, port):
        text = f"TLS asked for on {broker.server}, which speaks plaintext"
        return fail(broker, port, seen=text, wanted=want, at=at, fix=values("rabbitmq.port", TLS_PORT, needs=tls_needs(broker)))
    if port == PLAIN_PORT:
        text = f"TLS asked for on {broker.server}, the port that usually speaks plaintext"
        return warn(broker, port, seen=text, wanted=want, at=at, fix=values("rabbitmq.port", TLS_PORT, needs=tls_needs(broker)))
    return ok(broker, port, seen=f"TLS to {broker.server}", at=at)


def tls_needs(broker):
    """What must be there before a client asks for TLS; None where the operator or the Service shows that it is offered."""
    service = broker.location.service
    listed = service is not None and any(port.number == TLS_PORT for port in service.ports)
    return None if listed or (broker.cluster is not None and broker.cluster.tls_secret) else SERVER_TLS


def ask_for_tls(broker):
    """The values that switch TLS on."""
    asked = values("rabbitmq.secure", True, needs=tls_needs(broker)) & values("rabbitmq.port", TLS_PORT)
    if broker.kind is not BrokerKind.EMBEDDED:
        return asked
    # The chart's broker asks its clients for a certificate, which the product has none of, unless it is told not to.
    served = [values("rabbitmq.auth.tls.enabled", True, needs=TRUSTED), values("rabbitmq.auth.tls.autoGenerated", True)]
    served += [values("rabbitmq.auth.tls.failIfNoPeerCert", False), values("rabbitmq.auth.tls.sslOptionsVerify", "verify_none")]
    return reduce(and_, [*served, values("rabbitmq.secure", True), values("rabbitmq.port", TLS_PORT)])


def speaks_plain(broker, port):
    """Whether the configured port is the one that the broker's Service names as plaintext."""
    service = broker.location.service
    return service is not None and any(one.number == port and one.name in PLAIN_NAMES for one in service.ports)
