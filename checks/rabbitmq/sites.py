"""Whether a broker stays within its site."""

from __future__ import annotations

from exivity_audit import CRITICAL, C, check, exactly, fail, ok, skip, task, to_attest, unknown, wanted
from exivity_audit.facts.broker import BrokerKind
from exivity_audit.facts.sites import deployments

from ..comparing import alone, contained
from .shared import REACHED, by_home

ONE_EACH = wanted("a broker of its own at each site")
SEPARATE = "show that the brokers of the sites are separate and that nothing carries messages between them; attach their cluster status and links"


@check(
    "not-stretched", severity=CRITICAL, clauses=("C3",), applies=(C,), across=("brokers", "broker_links", "nodes"), attest=SEPARATE,
)  # fmt: skip
def not_stretched(sites):
    """No broker spans two sites.

    A RabbitMQ cluster over two sites stops, or splits, with the line between them; what it carries is transient and is not worth a copy.

    Fix: run one RabbitmqCluster for each site, in that site's cluster, without Shovel, Federation or schema replication between them.
    """
    for deployment in deployments(sites):
        homes = {}
        for site in deployment.sites:
            yield from contained(deployment.at(site), at_site(deployment, site, homes))
        yield from apart(deployment, homes)


def at_site(deployment, site, homes):
    """The verdicts on the brokers of one site: one region, and no link that carries state away."""
    brokers = site.fact("brokers")
    subject = deployment.at(site)
    led = [one for _, one in by_home(brokers)]
    if not led:
        brokers.surely()
        if brokers:
            yield skip(subject, "the configuration leads to no broker", follows=REACHED)
        else:
            yield unknown(subject, "no `config.json` of the release names a broker")
        return
    homes[site.name] = led
    for number, one in enumerate(led):
        about = subject.at(f"{site.name} {one.server}") if number else subject
        yield in_one_place(about, site, one)
    for one in led:
        if one.cluster is not None:
            yield from linked(deployment, site, one)
    brokers.surely()


def in_one_place(subject, site, one):
    """The verdict on where the nodes of a broker stand."""
    if not one.inside:
        return to_attest(subject, f"{one.server}, outside the cluster: show that it stands in one site", at=[one.at], measured=one.server)
    pods = [pod for pod in one.pods if pod.alive]
    placed = {pod.node for pod in pods if pod.node}
    if not placed:
        return skip(subject, f"no pod of {one.home} runs", follows=REACHED)
    nodes = {node.name: node for node in site.fact("nodes")}
    regions = {name: nodes[name].region for name in placed if name in nodes and nodes[name].region}
    at = [(pod, "spec.nodeName", f"{site.name}: {pod.node}") for pod in pods]
    at += [(nodes[name], "metadata.labels[topology.kubernetes.io/region]", region) for name, region in sorted(regions.items())]
    found = sorted(set(regions.values()))
    if len(found) > 1:
        text = f"{one.home} runs in {', '.join(found)}"
        fix = task(f"Keep the pods of {one.home} in one region by `spec.affinity`, and give the other site a RabbitmqCluster of its own")
        return fail(subject, len(found), seen=text, wanted=exactly(1, note="region"), at=at, fix=fix)
    if len(placed) == 1:
        return ok(subject, 1, seen=f"{one.home} runs on one node", at=at)
    if len(regions) < len(placed):
        silent = ", ".join(sorted(placed - set(regions)))
        return to_attest(subject, f"no region label on {silent}: show that {one.home} stands in one site", at=at)
    return ok(subject, 1, seen=f"{one.home} runs in {found[0]}", at=at)


def linked(deployment, site, one):
    """A fail for each link that carries the broker's state to or from another one."""
    links = site.fact("broker_links")
    for link in links:
        if not link.of(one.cluster, one.vhosts):
            continue
        subject = deployment.subject.at(f"{site.name} {link.subject.kind} {link.subject.name}")
        where = (
            ", ".join(link.endpoints) or f"the address in Secret {link.secret}" if link.secret or link.endpoints else "an address that is not shown"
        )
        at = [(link, "spec.endpoints" if link.endpoints else "spec.uriSecret.name", f"{site.name}: {where}")]
        text = f"{link.subject} links {one.home} with {where}"
        fix = task(f"Delete {link.subject}; where it leads to no other site, attest that")
        yield fail(subject, "linked", seen=text, wanted=wanted("no link to another broker"), at=at, fix=fix, unless_attested=True)
    links.surely()


def apart(deployment, homes):
    """The verdict on whether the sites use brokers of their own."""
    subject = deployment.subject
    if not deployment.whole:
        yield alone(deployment)
        return
    missing = [site.name for site in deployment.sites if site.name not in homes]
    shared = list(shared_brokers(deployment, homes))
    if shared:
        first, other, one, words = shared[0]
        fix = task(f"Run a broker at {other} and name it in `rabbitmq.host` there")
        yield fail(subject, "one broker", seen=f"{first} and {other} use {words}", wanted=ONE_EACH, at=[one.at], fix=fix)
    elif missing:
        yield unknown(subject, f"the broker of {', '.join(missing)} is not seen, so it cannot be told from the others")
    elif any(site.cluster is None or site.cluster.uid is None for site in deployment.sites if any(one.inside for one in homes[site.name])):
        yield unknown(
            subject, "a cluster's identity was not read: whether two sites are one cluster is not seen", needs=("get namespaces kube-system",)
        )
    else:
        text = "; ".join(f"{site}: {', '.join(one.server if not one.inside else str(one.home) for one in led)}" for site, led in homes.items())
        outside = any(not one.inside for led in homes.values() for one in led)
        remark = "two names; that they are two brokers is the platform's word" if outside else ""
        yield ok(subject, len(homes), seen=f"a broker each: {text}", at=[one.at for led in homes.values() for one in led], remark=remark)


def shared_brokers(deployment, homes):
    """Pairs of sites that use one broker, with what shows it."""
    known = [site for site in deployment.sites if site.name in homes]
    for number, site in enumerate(known):
        for other in known[number + 1 :]:
            for one in homes[site.name]:
                for another in homes[other.name]:
                    words = same(site, one, other, another)
                    if words:
                        yield site.name, other.name, one, words


def same(site, one, other, another):
    """What shows that two brokers are one; empty where nothing does."""
    if one.kind is BrokerKind.EXTERNAL and another.kind is BrokerKind.EXTERNAL:
        names = [each.location.external.lower().rstrip(".") or each.host for each in (one, another)]
        return f"the same broker, {one.server}" if names[0] == names[1] and one.port == another.port else ""
    if one.inside and another.inside:
        uids = [each.cluster.uid if each.cluster is not None else None for each in (site, other)]
        return f"{one.home} of one cluster" if uids[0] is not None and uids[0] == uids[1] and one.home == another.home else ""
    return ""
