"""What a login to the broker adds to what the cluster shows of it: whether it answers, as whom, over what, and what it holds."""

from __future__ import annotations

from exivity_audit import (
    NEW_SECRET,
    SERVER_TLS,
    Duration,
    Status,
    at_least,
    fail,
    ok,
    one_of,
    print_duration,
    print_size,
    replace,
    seen,
    skip,
    task,
    unknown,
    wanted,
    warn,
)
from exivity_audit.facts.broker_probe import OPEN
from exivity_audit.facts.broker_probe import probe_of as look_at
from exivity_audit.quantity import duration

TLS = "rabbitmq/tls"
ANSWER = wanted("a broker that takes a connection and its jobs")
LET_IN = wanted("a login that the broker takes")
OUT = wanted("shipped logins refused")
HOLDS = wanted("a certificate that is valid for the host")
USER, PASSWORD = "rabbitmq.auth.username", "rabbitmq.auth.password"
PAIRS = {"guest": "guest with RabbitMQ's own password", "user": "user with the chart's password"}
NO_VHOST = {"no-vhost": "has no virtual host of that name", "vhost-down": "has that virtual host, which is down"}
# What broke on the way: it holds for the product only where its own way was taken.
NO_WAY = {
    "timeout": "it stops answering during the login", "closed": "it breaks the connection off", "broken-off": "it breaks the connection off",
    "protocol": "what answers is no RabbitMQ", "tls": "the TLS handshake fails",
}  # fmt: skip
NOT_SENT = "the way is open to others and its TLS does not hold, so the password was not sent"


def probe_of(broker, broker_probes):
    """What the probe saw of a broker; None where the run did not ask it."""
    return look_at(broker, broker_probes) if seen(broker_probes) else None


def place(probe, path, value):
    """A thing that the probe saw, as evidence."""
    return [(probe, path, value)]


def answering(verdict, broker, probe):
    """The verdict on the way to the broker: a connection decides where one was tried, and what the cluster shows stands beside it."""
    if probe is None or verdict.status not in (Status.PASS, Status.MANUAL):
        return verdict
    if probe.way.failure or (probe.state in NO_WAY and not probe.answered):
        return _no_way(verdict, broker, probe)
    if probe.state == "no-tls":
        return skip(broker, f"{broker.server} speaks plaintext, where TLS is asked for", follows=TLS) if not broker.inside else verdict
    at = [*place(probe, "login.state", probe.state), *_figures(probe)]
    if probe.state in NO_VHOST:
        fix = task(f"Create the virtual host {broker.vhost} on the broker with rights for its user, or correct `rabbitmq.vhost`")
        return fail(broker, probe.state, seen=f"{broker.server} {NO_VHOST[probe.state]}: {broker.vhost}", wanted=ANSWER, at=at, fix=fix)
    alarms = probe.management.alarms if probe.management is not None else ()
    if alarms:
        fix = task("Free memory or disk of the broker, or raise its limits: while an alarm is set it takes no job and gives no error")
        return fail(broker, alarms, seen=f"{broker.server} is blocked by an alarm: {', '.join(alarms)}", wanted=ANSWER, at=at, fix=fix)
    if not probe.answered:
        return verdict
    version = f" {probe.version}" if probe.version else ""
    text = f"RabbitMQ{version} {'opens a channel' if probe.state == OPEN else 'answers'} {probe.way.words}"
    if verdict.status is Status.PASS:
        found = replace(verdict, seen=f"{verdict.measured_text}; {text}").with_evidence(ok(broker, probe.state, at=at))
    else:
        found = ok(broker, OPEN if probe.state == OPEN else "answers", seen=f"{broker.server}: {text}", at=at)
    critical = probe.management is not None and probe.management.quorum_critical
    return found.with_remark("a queue has no replica to spare: the next node that stops takes it along") if critical else found


def _no_way(verdict, broker, probe):
    """The verdict on a server that gave no connection: a finding only by a way that the product takes too."""
    why = probe.way.reason if probe.way.failure else NO_WAY[probe.state]
    text = f"no connection to {broker.server} {probe.way.words}: {why}"
    if not (probe.way.proves if probe.way.failure else probe.way.decides):
        return verdict.with_remark(text) if verdict.status is Status.PASS else replace(verdict, why=f"{verdict.why}; {text}")
    fix = task(f"Start the broker behind {broker.host}, and open the way from the cluster to its port")
    path, value = ("failure.kind", probe.way.failure) if probe.way.failure else ("login.state", probe.state)
    return fail(broker, value, seen=text, wanted=ANSWER, at=place(probe, path, value), fix=fix)


def _figures(probe):
    """What the management API says of queues, memory, disk and connections, as evidence."""
    told = probe.management
    if told is None or told.state != OPEN:
        return [(probe, "management.state", told.state)] if told is not None else []
    found = [(probe, "management.connections", told.connections), (probe, "management.messages", told.messages)]
    for one in told.nodes:
        for name, amount, limit in (("memory", one.memory, one.memory_limit), ("disk", one.disk, one.disk_limit)):
            if amount is not None:
                beside = f" of {print_size(limit)}" if limit is not None and name == "memory" else f", limit {print_size(limit)}" if limit else ""
                found.append((probe, f"management.nodes[].{name}", f"{print_size(amount)}{beside}"))
    return [(one, path, value if isinstance(value, str) else "unknown" if value is None else int(value)) for one, path, value in found]


def logged_in(verdict, broker, probe):
    """The verdict on the product's login, where a probe tried it; the shipped value of a pair is a finding of its own."""
    if probe is None or verdict.status is not Status.PASS:
        return verdict
    at = place(probe, "login.state", probe.state)
    fill = (USER, PASSWORD)
    if probe.state == "login":
        fix = task(f"Set `{USER}` and `{PASSWORD}` to the login as the broker has it, upgrade, and restart the services", fill=fill, needs=NEW_SECRET)
        return fail(verdict.subject, "refused", seen=f"{broker.server} refuses the login of {broker.user}", wanted=LET_IN, at=at, fix=fix)
    if probe.state == "no-right":
        grant = f'`rabbitmqctl set_permissions -p {broker.vhost} {broker.user} ".*" ".*" ".*"`'
        text = f"{broker.server} lets {broker.user} in, but not into its virtual host {broker.vhost}"
        return fail(verdict.subject, "no right", seen=text, wanted=LET_IN, at=at, fix=task(f"Give the user its rights: {grant}"))
    if probe.state == "not-sent":
        return verdict.with_remark(f"not tried: {NOT_SENT}")
    if probe.state == "mechanism":
        return verdict.with_remark(f"not tried: {broker.server} takes no password over AMQP")
    if probe.state != OPEN:
        return verdict
    found = replace(verdict, seen=f"{verdict.measured_text}; {broker.server} takes it {probe.way.words}")
    return found.with_evidence(ok(verdict.subject, OPEN, at=at))


def shipped(release, broker, probe, own):
    """A verdict on each shipped pair that was tried and is not the product's own login, which has its finding already."""
    for name, state in sorted(probe.defaults.items()) if probe is not None else ():
        about, at = release.subject.at(f"{broker.server} {name}"), place(probe, f"defaults.{name}", state)
        if name in own:
            yield skip(about, "the product logs in with it, which its own finding says")
        elif state == "refused":
            yield ok(about, "refused", seen=f"{broker.server} refuses {PAIRS[name]}", at=at)
        elif state == "accepted" and name == "guest" and probe.way.path == "port-forward":
            text = f"{broker.server} takes {PAIRS[name]} from its own loopback, where a port-forward enters; from the network it may refuse it"
            yield unknown(about, text, needs=("--probe-default-logins from inside the cluster",), at=at)
        elif state == "accepted":
            fix = task(f"Delete the user {name} on the broker, or give it another password: `rabbitmqctl delete_user {name}`")
            yield fail(about, "accepted", seen=f"{broker.server} takes {PAIRS[name]}", wanted=OUT, at=at, fix=fix)
        else:
            yield unknown(about, f"whether {broker.server} takes {PAIRS[name]} was not seen: {state}", needs=(), at=at)


def encrypted(verdict, broker, probe, now, thresholds):
    """The verdict on TLS: what the product asks for, and the handshake that the broker makes."""
    if probe is None or probe.way.failure or not broker.secure or verdict.status not in (Status.PASS, Status.WARN):
        return verdict
    found = probe.tls
    if probe.state == "no-tls":
        fix = task("Turn TLS on at the broker, or set `rabbitmq.port` to its TLS port", fill="rabbitmq.port", needs=SERVER_TLS)
        at = place(probe, "login.state", probe.state)
        return fail(broker, "plaintext", seen=f"TLS asked for on {broker.server}, which speaks plaintext", wanted=HOLDS, at=at, fix=fix)
    if not found.protocol:
        return verdict
    at = place(probe, "tls.protocol", found.protocol)
    left = Duration((found.until - now).total_seconds()) if found.until is not None else None
    limit = duration(f"{thresholds['certificate.days']}d")
    renew = task("Renew the certificate of the broker, and have it renewed by itself: cert-manager and `spec.tls.secretName`")
    text = f"{found.protocol} to {broker.server}"
    if left is not None and left <= 0:
        at.append((probe, "tls.certificate.not_after", f"{found.until:%Y-%m-%d}"))
        return fail(broker, left, seen=f"{text}, its certificate ended on {found.until:%Y-%m-%d}", wanted=HOLDS, at=at, fix=renew)
    if left is not None and left <= limit:
        return warn(broker, left, seen=f"{text}, its certificate ends in {print_duration(left)}", wanted=at_least(limit), at=at, fix=renew)
    held = f", its certificate holds until {found.until:%Y-%m-%d}" if found.verified and found.until else ""
    remark = "" if found.verified else f"its certificate could not be verified, so nobody knows who answers: {found.why}"
    if verdict.status is Status.WARN:  # the port that usually speaks plaintext speaks TLS after all
        return ok(broker, broker.port, seen=f"{text}{held}", at=at, remark=remark)
    result = replace(verdict, seen=f"{text}{held}").with_evidence(ok(broker, found.protocol, at=at))
    return result.with_remark(remark) if remark else result


def queue_types(verdict, subject, broker, probe, advice):
    """The verdict on the queues that are there, where the management API lists them."""
    told = probe.management.queues if probe is not None and probe.management is not None else None
    if told is None:
        return verdict
    at = [(probe, f"management.queues.{kind}", getattr(told, kind)) for kind in ("classic", "quorum", "stream")]
    text = f"{told.count} queues in {broker.vhost}"
    if told.classic:
        names = ", ".join(told.classic_names)
        return warn(subject, "classic", seen=f"{text}, {told.classic} of them classic: {names}", wanted=one_of("quorum"), at=at, fix=task(advice))
    if told.unknown or not told.whole:
        return verdict.with_remark(f"{text}, not all of which say their type")
    if not told.count:
        return verdict.with_remark(f"no queue in {broker.vhost} yet")
    if verdict.status is Status.WARN:
        return verdict.with_remark(f"{text}, all of them quorum queues or streams")
    return ok(subject, "quorum", seen=f"{text}, all of them quorum queues or streams", at=at)
