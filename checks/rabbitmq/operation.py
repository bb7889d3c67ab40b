"""What the broker runs and how it is set: queue types, release, a second broker left behind, the consumer timeout."""

from __future__ import annotations

from exivity_audit import LOW, MEDIUM, RELAX, Duration, check, fail, maybe, ok, one_of, print_duration, skip, task, to_attest, unknown, wanted, warn
from exivity_audit.facts.broker import BrokerKind, broker_version
from exivity_audit.lifecycle import ended
from exivity_audit.quantity import whole

from .probing import probe_of
from .probing import queue_types as listed
from .shared import REACHED, by_home, none_named

QUORUM = "quorum"
DEFAULT_TIMEOUT = 1_800_000  # milliseconds
ANEW = "Set `default_queue_type = quorum` on the broker, delete the classic queues while the services stand still, and let them be made anew"
ELSEWHERE = "and record it in `evidence.yaml`"


@check(
    "queues", severity=LOW, clauses=("MQ5",),
    attest="list the queues of the broker with their types (`rabbitmqctl list_queues name type`) and attach the list",
)  # fmt: skip
def queues(brokers, release, broker_queues=maybe, broker_policies=maybe, broker_vhosts=maybe, broker_probes=maybe):
    """Queues are quorum queues.

    A quorum queue keeps its messages through a restart and a lost node; classic queues are no longer replicated from RabbitMQ 4.0 on.

    Fix: set `default_queue_type = quorum` in `spec.rabbitmq.additionalConfig` before the queues are made.
    """
    if not brokers:
        yield none_named(brokers, release)
    for subject, broker in by_home(brokers):
        if broker.cluster is None:
            text = f"nothing in this cluster shows the queue types of {broker.server}: list them, {ELSEWHERE}"
            found = to_attest(subject, text, at=[broker.at])
        else:
            found = queue_types(subject, broker, broker_queues, broker_policies, broker_vhosts)
        yield listed(found, subject, broker, probe_of(broker, broker_probes), ANEW)
    if brokers and not by_home(brokers):
        yield skip(release, "the configuration leads to no broker", follows=REACHED)


def queue_types(subject, broker, broker_queues, broker_policies, broker_vhosts):
    """The verdict on one RabbitmqCluster: what is declared for its virtual hosts, and its default."""
    cluster = broker.cluster
    ours = [[one for one in kind if one.on(cluster, broker.vhosts)] for kind in (broker_queues, broker_policies, broker_vhosts)]
    declared, policies, vhosts = ours
    default = next((one.queue_type for one in vhosts if one.queue_type), cluster.default_queue_type)
    at = [(cluster, "spec.rabbitmq.additionalConfig", default or "no default_queue_type")]
    at += [(one, "spec.defaultQueueType", one.queue_type) for one in vhosts if one.queue_type]
    at += [(one, "spec.type", one.queue_type or "default") for one in declared]
    at += [(one, "spec.applyTo", one.applies_to) for one in policies]
    classic = [f"{one.subject.kind} {one.subject.name}" for one in declared if (one.queue_type or default or "classic") == "classic"]
    classic += [f"{one.subject.kind} {one.subject.name}" for one in policies if one.mirrors or one.applies_to == "classic_queues"]
    want = one_of(QUORUM)
    fix = task(f"Set `default_queue_type = quorum` in `spec.rabbitmq.additionalConfig` of {subject}, and have the queues made anew")
    if classic:
        return warn(subject, "classic", seen=f"classic by {', '.join(classic)}", wanted=want, at=at, fix=fix)
    if default == "classic":
        return warn(subject, "classic", seen="classic is the default", wanted=want, at=at, fix=fix)
    for kind in (broker_queues, broker_policies, broker_vhosts):
        kind.surely()
    if default == QUORUM:
        return ok(subject, QUORUM, seen="quorum is the default", at=at)
    if declared and all(one.queue_type == QUORUM for one in declared):
        names = ", ".join(one.subject.name for one in declared)
        return ok(subject, QUORUM, seen=f"declared as quorum: {names}", at=at)
    if any(one.applies_to == "quorum_queues" for one in policies):
        names = ", ".join(one.subject.name for one in policies if one.applies_to == "quorum_queues")
        return ok(subject, QUORUM, seen=f"a policy for quorum queues: {names}", at=at)
    return to_attest(
        subject, f"no default_queue_type and no Queue says it, and the broker's own default is classic: list the queues, {ELSEWHERE}", at=at
    )


def day(date):
    """A date as the report prints it."""
    return f"{date.day} {date:%b %Y}"


def releases(table):
    """The table of releases with numbers as keys: ``4.2`` is (4, 2)."""
    found = {}
    for key, last in table.items():
        major, _, minor = str(key).partition(".")
        if major.isdigit() and (minor.isdigit() or not minor):
            found[int(major), int(minor or 0)] = last
    return found


@check(
    "version", severity=MEDIUM, clauses=("D5",), evaluation=RELAX,
    attest="attach the release of the broker and until when its provider supports it",
)  # fmt: skip
def supported_version(brokers, release, lifecycle, now, broker_probes=maybe):
    """RabbitMQ is a supported release.

    A release past its support gets no security fixes, and one that is several behind can only be reached step by step.

    Fix: upgrade the operator, or `spec.image` of the RabbitmqCluster, to a supported release, minor by minor.
    """
    if not brokers:
        yield none_named(brokers, release)
    for subject, broker in by_home(brokers):
        yield release_verdict(subject, broker, lifecycle, now, probe_of(broker, broker_probes))
    if brokers and not by_home(brokers):
        yield skip(release, "the configuration leads to no broker", follows=REACHED)


def release_verdict(subject, broker, lifecycle, now, probe=None):
    """The verdict on the release that the running image names, or the broker itself where no image does."""
    said = release_of(probe) if broker.kind is BrokerKind.EXTERNAL or broker.version is None else None
    if said is not None:
        return support(subject, said, lifecycle, now, [(probe, "server.version", said.text)])
    if broker.kind is BrokerKind.EXTERNAL:
        return to_attest(subject, f"nothing in this cluster shows the release of {broker.server}: name it, {ELSEWHERE}", at=[broker.at])
    place = next((pod for pod in broker.pods if pod.alive), None) or broker.workload
    if not broker.images:
        return skip(subject, "nothing of it runs", follows=REACHED)
    at, version = [(place, "spec.containers[].image", ", ".join(broker.images))], broker.version
    if version is None:
        return unknown(subject, f"{broker.image} does not name the release in its tag", needs=("an image tag that names the release",), at=at)
    return support(subject, version, lifecycle, now, at)


def release_of(probe):
    """The release that a broker says of itself; None where it says none."""
    return broker_version(f"rabbitmq:{probe.version}") if probe is not None and probe.answered else None


def support(subject, version, lifecycle, now, at):
    """The verdict on one release by the table."""
    table, number = releases(lifecycle.rabbitmq), (version.major, version.minor)
    if not table:
        return unknown(subject, f"{version.text}: no table of releases of RabbitMQ; name one under `lifecycle`", needs=("lifecycle",), at=at)
    open_ones = [f"{major}.{minor}" for (major, minor), last in sorted(table.items()) if not ended(last, now)]
    want = one_of(*open_ones) if open_ones else wanted(f"a release after {'.'.join(str(part) for part in max(table))}")
    fix = task(f"Upgrade {subject} from {version.release} minor by minor to a supported release of RabbitMQ")
    last = table.get(number)
    if last is not None and ended(last, now):
        return fail(subject, version.text, seen=f"{version.text}, support ended on {day(last)}", wanted=want, at=at, fix=fix)
    if number < min(table):
        return fail(subject, version.text, seen=f"{version.text}, support ended before {day(min(table.values()))}", wanted=want, at=at, fix=fix)
    if last is not None:
        return ok(subject, version.text, seen=f"{version.text}, supported until {day(last)}", at=at)
    # A release that came after the table's newest: its last day is not known, and the table's own day says that it had not come.
    if number < max(table) or lifecycle.stale(now):
        text = f"{version.text} is not in the table of {day(lifecycle.date)}; name a newer one under `lifecycle`"
        return unknown(subject, text, needs=("lifecycle",), at=at)
    remark = f"the table of {day(lifecycle.date)} knows no last day of {version.release}"
    return ok(subject, version.text, seen=f"{version.text}, newer than each release whose support has ended", at=at, remark=remark)


KINDS = ("rabbitmq-v4", "rabbitmq")


@check("leftover", severity=LOW, clauses=("X4",))
def leftover(brokers, workloads, release, claims=maybe):
    """No second broker of the release runs.

    The upgrade to RabbitMQ 4 leaves the older broker and its claim behind, and a move to the operator leaves the chart's: it holds memory, a
    volume and a login that nobody changes any more.

    Fix: set `rabbitmq.enabled: false` where the chart's broker is no longer used, and delete the StatefulSet and claim that are left.
    """
    names = {f"{name}-{kind}" for name in (release.name, release.fullname) for kind in KINDS}
    found = [one for one in workloads if one.subject.kind == "StatefulSet" and one.name in names]
    if not found:
        workloads.surely()
    used = {broker.workload.subject for broker in brokers if broker.inside and broker.workload is not None} if found else set()
    lost = any(broker.kind is BrokerKind.MISSING for broker in brokers)
    for one in found:
        if one.subject in used:
            continue
        if lost:
            yield skip(one, "the configured host leads to no broker: it may be this one", follows=REACHED)
        elif one.replicas or one.alive:
            fix = task(f"Set `rabbitmq.enabled: false` if no service uses it, delete {one.subject}, and then its claim")
            want = wanted("one broker, the configured one")
            server = ", ".join(broker.server for broker in brokers) or "no broker"
            yield warn(one, one.replicas, seen=f"runs beside {server}", wanted=want, at="spec.replicas", fix=fix)
        else:
            yield ok(one, 0, seen="scaled to 0", at="spec.replicas", remark="nothing uses it: delete it and its claim")
    if not any(one.subject not in used for one in found):
        yield ok(
            release,
            len(used),
            seen="no second broker",
            at=[(one, "metadata.name", one.name) for one in found],
            remark=left_claims(found, claims, release),
        )


def left_claims(found, claims, release):
    """What to say of claims of a broker that is gone."""
    kept = {f"data-{one.name}-0" for one in found}
    left = [claim.name for claim in claims if claim.part == "rabbitmq" and claim.name not in kept]
    return f"the claim {', '.join(left)} is left of a broker that is gone" if left else ""


@check(
    "consumer-timeout", severity=LOW, clauses=("X4",),
    attest="attach the broker's consumer timeout (`rabbitmqctl environment`, consumer_timeout)",
)  # fmt: skip
def consumer_timeout(brokers, release, broker_policies=maybe):
    """The broker's consumer timeout is known.

    RabbitMQ takes a job back that is not acknowledged within 30 minutes, and closes the channel: a transformation or report that takes longer
    is then done a second time.

    Fix: set `consumer_timeout` in `spec.rabbitmq.additionalConfig` above the longest job, in milliseconds.
    """
    if not brokers:
        yield none_named(brokers, release)
    for subject, broker in by_home(brokers):
        if broker.cluster is None:
            yield to_attest(subject, f"nothing in this cluster shows the consumer timeout of {broker.server}: name it, {ELSEWHERE}", at=[broker.at])
        else:
            yield timeout_verdict(subject, broker, broker_policies)
    if brokers and not by_home(brokers):
        yield skip(release, "the configuration leads to no broker", follows=REACHED)


def timeout_verdict(subject, broker, broker_policies):
    """What one RabbitmqCluster says; the default is a remark, since how long jobs take is not seen."""
    cluster = broker.cluster
    text = cluster.consumer_timeout or str(DEFAULT_TIMEOUT)
    at = [(cluster, "spec.rabbitmq.additionalConfig", cluster.consumer_timeout or "no consumer_timeout")]
    own = [one for one in broker_policies if one.consumer_timeout and one.on(cluster, broker.vhosts)]
    at += [(one, "spec.definition.consumer-timeout", one.consumer_timeout) for one in own]
    if text == "undefined":
        return ok(subject, "off", seen="no consumer timeout", at=at)
    milliseconds = whole(text)
    if milliseconds is None:
        return to_attest(subject, f"`consumer_timeout` is no number of milliseconds: name it, {ELSEWHERE}", at=at)
    length = Duration(milliseconds / 1000)
    remarks = []
    if milliseconds <= DEFAULT_TIMEOUT:
        remarks.append(f"a job that takes longer than {print_duration(length)} is given out again: set `consumer_timeout` above the longest one")
    remarks += [f"{one.subject} sets {_timeout(one.consumer_timeout)} for its queues" for one in own]
    whose = "" if cluster.consumer_timeout else ", the broker's default"
    return ok(subject, length, seen=f"{print_duration(length)}{whose}", at=at, remark="; ".join(remarks))


def _timeout(text):
    """Milliseconds as a length of time; what is no number of them as it is."""
    milliseconds = whole(text)
    return text if milliseconds is None else print_duration(Duration(milliseconds / 1000))
