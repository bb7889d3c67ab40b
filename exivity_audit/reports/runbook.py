"""The failover runbook of a pair of sites, as Markdown: the vendor's eight actions with the real names, what is open, and how to check each.

The steps and their order are clause C7's. It is made from what one audit saw: what changed since is not in it, and it says so.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from typing import Any

from exivity_audit import chart
from exivity_audit.fact import Crash, NotSeen
from exivity_audit.facts.cnpg import Replication
from exivity_audit.facts.failover import Failover, State
from exivity_audit.facts.failover_database import Pattern
from exivity_audit.quantity import print_size
from exivity_audit.readiness import Action
from exivity_audit.reports.failover import standbys
from exivity_audit.reports.markdown import filed
from exivity_audit.reports.text import clean
from exivity_audit.reports.texts import ENGLISH
from exivity_audit.score import Scorecard

SUBMITTED = {"WorkflowTemplate": "workflowtemplate", "ClusterWorkflowTemplate": "clusterworkflowtemplate", "CronWorkflow": "cronwf"}
KEYS = {service.component: service.key for service in chart.SERVICES}
PHASE = "{.status.phase}"
STANDBY = "{.status.isStandby}"
NO_PAIR = "This run holds no active site with a standby: audit both in one run, `--site NAME=CONTEXT:active --site NAME=CONTEXT:passive`."


def render_runbook(card: Scorecard) -> str:
    """One runbook for each standby; a sentence where the run holds no pair of sites."""
    tables = standbys(card)
    pairs = [one for one in card.judgement.failovers if one.passive in tables]
    if not pairs:
        return f"# Failover runbook\n\n{NO_PAIR}\n"
    return "\n".join("\n".join(_runbook(card, pair, tables[pair.passive])) for pair in pairs)


def _runbook(card: Scorecard, pair: Failover, actions: tuple[Action, ...]) -> Iterator[str]:
    names = _Names(pair)
    yield f"# Failover runbook: {filed(pair.release)} from {filed(pair.active)} to {filed(pair.passive)}\n"
    yield f"Made from what was seen on {ENGLISH.moment(card.judgement.now)}. Make it anew after every change of the sites, and before every drill.\n"
    yield from _sites(card, pair)
    yield from _before(actions, names)
    yield from _workflow(pair, names)
    for action in actions:
        yield from _step(action, pair, names)
    yield from _after(actions, pair)


class _Names:
    """The names of a pair as a shell takes them."""

    def __init__(self, pair: Failover) -> None:
        here, there = _variable(pair.active), _variable(pair.passive)
        self.active, self.passive = here, there if there != here else f"{there}_STANDBY"
        self.sites = (pair.pair.active, pair.pair.passive)
        self.off = f'kubectl --context "${self.active}" -n {quoted(pair.namespaces[0])}'
        self.on = f'kubectl --context "${self.passive}" -n {quoted(pair.namespaces[1])}'

    def at_standby(self, namespace: str) -> str:
        """kubectl in a namespace of the standby."""
        return f'kubectl --context "${self.passive}" -n {quoted(namespace)}'

    def deployment(self, component: str, *, standby: bool) -> str:
        """A service's Deployment at one of the sites."""
        return quoted(f"deployment/{self.sites[standby].release.fullname}-{component}")


def _variable(site: str) -> str:
    return re.sub(r"[^A-Z0-9]", "_", site.upper()).strip("_") or "SITE"


def quoted(text: object) -> str:
    """A name as one word of a shell, on one line."""
    return shlex.quote(clean(text))


def _code(*lines: str) -> str:
    return "```sh\n" + "\n".join(line.replace("```", "'''") for line in lines) + "\n```\n"


def _sites(card: Scorecard, pair: Failover) -> Iterator[str]:
    yield "| | works now | takes over |\n|---|---|---|"
    sites = {site.name: site for site in card.judgement.snapshot.sites}
    here, there = sites[pair.active], sites[pair.passive]
    rows = (
        ("site", pair.active, pair.passive),
        ("cluster", here.cluster.name, there.cluster.name),
        ("cluster uid", here.cluster.uid or "not seen", there.cluster.uid or "not seen"),
        ("namespace, release", f"{here.namespace}/{here.release}", f"{there.namespace}/{there.release}"),
        ("database", *(_database(pair, place) for place in (0, 1))),
        ("broker", *(_broker_names(pair, place) for place in (0, 1))),
        ("host", *(", ".join(pair.hosts[place].value or ()) or pair.hosts[place].why or "none" for place in (0, 1))),
    )
    for row in rows:
        yield "| " + " | ".join(filed(cell) for cell in row) + " |"
    yield ""


def _database(pair: Failover, place: int) -> str:
    found = pair.databases[place]
    return f"{found.value.subject}, {found.value.kind.value}" if found.value is not None else found.why or "not seen"


def _broker_names(pair: Failover, place: int) -> str:
    found = pair.brokers[place]
    if found.value is None:
        return found.why or "not seen"
    return ", ".join(str(one.home) if one.inside else one.server for one in found.value) or "none"


def _before(actions: tuple[Action, ...], names: _Names) -> Iterator[str]:
    open_ = [one for one in actions if one.state is not State.READY]
    ready = len(actions) - len(open_)
    yield f"## Before\n\n{ready} of {len(actions)} actions were ready. " + (
        f"Not ready: {', '.join(f'{one.step} ({one.state})' for one in open_)}.\n" if open_ else "\n"
    )
    yield (
        "Two sites must never be active at once: the second copy of a schedule runs every job twice. "
        "Whoever starts this says so to everybody who could start the other site.\n"
    )
    yield "Set the contexts of your kubeconfig:\n"
    yield _code(f"{names.active}=…    # the context of the site that works now", f"{names.passive}=…    # the context of the site that takes over")


def _workflow(pair: Failover, names: _Names) -> Iterator[str]:
    held = pair.held
    if held is None or held.best is None:
        yield "No failover workflow was seen: every action below is done by hand, in this order.\n"
        return
    work = held.best.workflow
    yield f"{filed(work.printed)} at {filed(held.site.name)} does what its steps below say. Start it, then follow each action here and check it:\n"
    kind = SUBMITTED.get(work.kind)
    context = names.passive if held.site.name == pair.passive else names.active if held.site.name == pair.active else None
    where = f'--context "${context}"' if context else f"--context {quoted(held.site.name)}"
    if kind is not None:
        namespace = f" -n {quoted(work.namespace)}" if work.namespace else ""
        yield _code(f"argo submit {where}{namespace} --from {quoted(f'{kind}/{work.name}')} --watch")
    else:
        yield "It is started by its event.\n"


def _step(action: Action, pair: Failover, names: _Names) -> Iterator[str]:
    yield f"## {action.step}. {filed(action.action)}\n"
    yield f"- state: **{action.state}**" + (f"; {filed(action.seen)}" if action.seen else "")
    if action.workflow:
        yield f"- workflow: {', '.join(f'`{clean(name).replace(chr(96), chr(39))}`' for name in action.workflow)}"
    for message in action.open:
        yield f"- open: {filed(message)}"
    yield ""
    yield from HOW[action.step](pair, names)
    yield "Done at ______ by ______________, seen: ______________\n"


def _stop_routing(pair: Failover, names: _Names) -> Iterator[str]:
    hosts, addresses = pair.hosts[0].value or (), pair.addresses[0].value or ()
    leading = f" ({filed(', '.join(addresses))})" if addresses else ""
    yield (
        f"In DNS, GSLB or the load balancer, take {filed(', '.join(hosts) or 'the product')} away from "
        f"{filed(pair.active)}{leading}; lower the record's time to live first.\n"
    )
    if hosts:
        yield _code(*(f"dig +short {quoted(host)}    # no longer an address of {clean(pair.active)}" for host in hosts))


def _scale_down(pair: Failover, names: _Names) -> Iterator[str]:
    wanted = pair.wanted.value
    if not wanted:
        yield f"The services of {filed(pair.active)} were not seen ({filed(pair.wanted.why or 'none')}): scale each Deployment of the release to 0.\n"
        return
    yield from _keeper(pair.pair.active, "to 0")
    running = [name for name, count in wanted.items() if count]
    yield _code(
        f"{names.off} scale --replicas=0 {' '.join(names.deployment(name, standby=False) for name in running)}",
        f"{names.off} get pods    # no pod of the release is left",
    )
    yield (
        f"If {filed(pair.active)} cannot be reached, make sure that it stays down (power, network, storage): it must not come "
        f"back by itself while {filed(pair.passive)} works.\n"
    )


def _keeper(site: Any, copies: str) -> Iterator[str]:
    """Who would undo a change by hand at a site."""
    try:
        found = site.fact("installer")
    except (NotSeen, Crash):
        yield f"Who keeps the release of {filed(site.name)} was not seen: Argo CD or Flux may undo this change.\n"
        return
    if found.gitops:
        text = f"{found.tool} keeps this release ({found.named}): set the copies of its services {copies} in its source, or it undoes the change"
        yield f"{filed(text)}.\n"


def _promote(pair: Failover, names: _Names) -> Iterator[str]:
    database, kind = pair.databases[1].value, pair.pattern.value
    cluster = database.cluster if database is not None else None
    if cluster is not None and kind is Pattern.REPLICA:
        patch = json.dumps({"spec": {"replica": _promotion(cluster.replica)}})
        kubectl = names.at_standby(cluster.namespace)
        yield "Promote the replica cluster; where its manifest is in Git, commit the same change there:\n"
        yield _code(
            f"{kubectl} patch cluster.postgresql.cnpg.io {quoted(cluster.name)} --type merge -p {quoted(patch)}",
            f"{kubectl} get cluster.postgresql.cnpg.io {quoted(cluster.name)} -o jsonpath={quoted(PHASE)}    # Cluster in healthy state",
        )
        yield (
            "In a planned failover demote the old primary first and hand its `demotionToken` over as `promotionToken`, "
            "so that no transaction is lost.\n"
        )
    elif kind is Pattern.EXTERNAL:
        host = database.config.host if database is not None else ""
        yield f"The database {filed(host)} is outside the cluster: promote it by its platform's own runbook, and wait until it takes writes.\n"
    else:
        yield "Restore the latest validated backup of the database, and write down to which point in time it reaches.\n"


def _promotion(replica: Replication | None) -> dict[str, Any]:
    """What of ``spec.replica`` makes a replica cluster the primary: the switch where it is written, the name of the primary where there is one."""
    named = {"primary": replica.own} if replica is not None and replica.primary else {}
    return named if replica is not None and named and replica.enabled is None else {**named, "enabled": False}


def _broker(pair: Failover, names: _Names) -> Iterator[str]:
    for one in pair.brokers[1].value or ():
        if one.cluster is not None:
            kubectl = names.at_standby(one.cluster.namespace)
            yield _code(
                f"{kubectl} get rabbitmqcluster.rabbitmq.com {quoted(one.cluster.name)} "
                "-o jsonpath='{range .status.conditions[*]}{.type}={.status}{\"\\n\"}{end}'    # AllReplicasReady=True, ClusterAvailable=True"
            )
        else:
            yield f"Check that {filed(one.server)} takes connections from {filed(pair.passive)}.\n"
    if not pair.brokers[1].value:
        yield (
            f"The broker of {filed(pair.passive)} was not seen ({filed(pair.brokers[1].why or 'none is configured')}): make sure that "
            "one runs there and that the release's values name it.\n"
        )
    yield "Nothing of the old site's queues comes over: interrupted work is queued again.\n"


def _volumes(pair: Failover, names: _Names) -> Iterator[str]:
    claims = pair.claims.value
    if not claims:
        yield (
            f"The claims of {filed(pair.active)} were not seen ({filed(pair.claims.why or 'none')}): bring back exported, extracted, "
            "import, report and the config volumes.\n"
        )
        return
    yield "| claim | size | comes from | last good copy |\n|---|---|---|---|"
    for one in claims:
        size = print_size(one.size) if one.size is not None else "–"
        last = ENGLISH.moment(one.last) if one.last is not None else "–"
        yield f"| {filed(one.claim)} | {size} | {filed(one.by or 'nothing seen')} | {last} |"
    yield ""
    following = [pair.data.following[one.part] for one in claims if one.part in pair.data.following]
    if following:
        yield "Activate the disaster recovery volumes, then bind them to claims of these names:\n"
        get = [f"{names.at_standby(one.subject.namespace or '')} get volume.longhorn.io {quoted(one.subject.name)}" for one in following]
        yield _code(*(f"{line} -o jsonpath={quoted(STANDBY)}    # false after activation" for line in get))
    yield _code(f"{names.on} get pvc    # each of these is Bound")


def _scale_up(pair: Failover, names: _Names) -> Iterator[str]:
    wanted = pair.wanted.value
    if not wanted:
        yield "Scale the release's Deployments to the copies that the old site had, the singletons last.\n"
        return
    yield f"Only once action 2 is done, or {filed(pair.active)} is surely down.\n"
    yield from _keeper(pair.pair.passive, "to these")
    lines = []
    for count in sorted({count for count in wanted.values() if count}, reverse=True):
        some = " ".join(names.deployment(name, standby=True) for name, copies in wanted.items() if copies == count)
        lines.append(f"{names.on} scale --replicas={count} {some}")
    some = " ".join(names.deployment(name, standby=True) for name, count in wanted.items() if count)
    yield _code(*lines, f"{names.on} wait --for=condition=Available --timeout=10m {some}")
    keys = ", ".join(f"`service.{KEYS[name]}.replicas: {count}`" for name, count in wanted.items() if count and name in KEYS)
    if keys:
        yield f"In the chart's values: {keys}.\n"


def _start_routing(pair: Failover, names: _Names) -> Iterator[str]:
    hosts, addresses = pair.hosts[1].value or pair.hosts[0].value or (), pair.addresses[1].value or ()
    yield (
        f"In DNS, GSLB or the load balancer, lead {filed(', '.join(hosts) or 'the product')} to "
        f"{filed(', '.join(addresses) or f'the published address of {pair.passive}')}.\n"
    )
    if hosts:
        yield _code(*(f"dig +short {quoted(host)}" for host in hosts))


def _validate(pair: Failover, names: _Names) -> Iterator[str]:
    for host in (pair.hosts[1].value or pair.hosts[0].value or ())[:1]:
        yield _code(f"curl --fail --silent --show-error --output /dev/null --write-out '%{{http_code}}\\n' {quoted(f'https://{host}/')}    # 200")
    yield "Log in, open a report of yesterday, run one extract, transform and report, and see that each was done once.\n"
    yield _code(
        f'exivity-audit run --site {quoted(pair.passive)}="${names.passive}":active -n {quoted(pair.namespaces[1])}'
        f" --release {quoted(pair.pair.passive.release.name)}"
    )


def _after(actions: tuple[Action, ...], pair: Failover) -> Iterator[str]:
    yield "## After\n"
    yield (
        f"- Make {filed(pair.active)} the standby before it is started again: replicas 0, its database a replica of "
        f"{filed(pair.passive)}'s, its volumes restored from there."
    )
    yield "- Record the failover in `evidence.yaml` as `disaster_recovery/failover-tested`, with the times written above."
    yield "- Make this runbook anew, in the other direction.\n"


HOW: dict[int, Callable[[Failover, _Names], Iterator[str]]] = {
    1: _stop_routing, 2: _scale_down, 3: _promote, 4: _broker, 5: _volumes, 6: _scale_up, 7: _start_routing, 8: _validate,
}  # fmt: skip
