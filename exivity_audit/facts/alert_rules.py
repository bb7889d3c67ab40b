"""Alerts: the rules that a server evaluates, the metrics they rest on, and whether their matchers leave the product in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from exivity_audit.document import Document, Malformed
from exivity_audit.evidence import Source
from exivity_audit.fact import NotSeen, Objects, Reason, fact
from exivity_audit.facts.prometheus import Namespaces, Selectable, Server, bindings, takers
from exivity_audit.facts.reach import whole
from exivity_audit.promql import Expression, Matcher, NotPromQL, Reference, parse
from exivity_audit.subject import Subject

DEEPEST_RECORD, MOST_REFERENCES = 5, 500
# Labels that say in which namespace the object is that a series is about.
NAMESPACE_LABELS = ("namespace", "exported_namespace", "kubernetes_namespace", "pvc_namespace")
# Exporters of the whole cluster: the label `namespace` of these series is the exporter's own.
ABOUT_THE_EXPORTER = (
    "node_", "longhorn_", "ceph_", "velero_", "certmanager_", "traefik_", "haproxy_", "envoy_", "gatewayapi_", "nginx_ingress_", "kubelet_",
)  # fmt: skip
ABOUT_THE_OBJECT = ("kubelet_volume_stats_",)


class Alert(Struct, frozen=True):
    """One alert of a PrometheusRule; ``expression`` is None where its text is no PromQL that is understood here."""

    name: str
    expression: Expression | None


class Rules(Selectable, frozen=True):
    """A PrometheusRule: its alerts, and what it records."""

    alerts: tuple[Alert, ...] = ()
    records: tuple[tuple[str, str], ...] = ()


class EvaluatedAlert(Struct, frozen=True):
    """An alert with the servers that evaluate it, its records put in place."""

    subject: Subject
    source: Source
    name: str
    namespace: str
    expression: Expression | None
    servers: tuple[Server, ...]


class Alerts(Struct, frozen=True):
    """The alerts that working servers evaluate; ``doubts`` says why there may be more."""

    evaluated: tuple[EvaluatedAlert, ...]
    doubts: tuple[Reason, ...]

    def surely(self) -> tuple[EvaluatedAlert, ...]:
        """The alerts, where absence among them proves something. Raises NotSeen where it does not."""
        if self.doubts:
            raise NotSeen(self.doubts)
        return self.evaluated


@lru_cache(maxsize=4096)
def _expression(text: str) -> Expression | None:
    try:
        return parse(text)
    except NotPromQL:
        return None


def _rules(item: Document) -> Rules:
    alerts: list[Alert] = []
    records: list[tuple[str, str]] = []
    for group in item.items("spec.groups"):
        for rule in group.items("rules"):
            text, alert, record = rule.get("expr"), rule.text("alert"), rule.text("record")
            if not isinstance(text, str | int) or isinstance(text, bool):
                raise Malformed("spec.groups[].rules[].expr", "expression", text)
            if alert:
                alerts.append(Alert(alert, _expression(str(text))))
            elif record:
                records.append((record, str(text)))
    return Rules(
        item.subject, item.source, item.name, item.namespace or "", item.labels(), "rule", bindings(item), False, tuple(alerts), tuple(records)
    )


@fact
def rule_objects(prometheus_rules: Objects[Document], site: Any) -> Objects[Rules]:
    """Every PrometheusRule of the cluster."""
    return whole(prometheus_rules, site, "prometheus_rules").each(_rules)


@fact
def evaluated_alerts(rule_objects: Objects[Rules], prometheus_servers: Objects[Server], namespace_labels: Namespaces) -> Alerts:
    """The alerts that a working server evaluates."""
    doubts: list[Reason] = [*rule_objects.partial, *prometheus_servers.partial]
    doubts += [Reason(str(odd.subject), f"{odd.subject}: {odd.why}") for odd in (*rule_objects.unreadable, *prometheus_servers.unreadable)]
    servers = [one for one in prometheus_servers if one.evaluates]
    taken: list[tuple[Rules, tuple[Server, ...]]] = []
    for item in rule_objects:
        try:
            found = takers(servers, item, namespace_labels)
        except NotSeen as error:
            doubts.extend(error.reasons)
            continue
        if found:
            taken.append((item, found))
    records = {name: text for item, _ in taken for name, text in item.records}
    evaluated = tuple(
        EvaluatedAlert(
            item.subject.at(alert.name), item.source, alert.name, item.namespace, _bound(_expanded(alert.expression, records), item, found), found
        )
        for item, found in taken
        for alert in item.alerts
    )
    return Alerts(evaluated, tuple(sorted(set(doubts))))


class Alerting(Struct, frozen=True):
    """The alerts that are evaluated, with all that says why others are not."""

    alerts: Alerts
    servers: Objects[Server]
    rules: Objects[Rules]
    namespaces: Namespaces

    @property
    def working(self) -> tuple[Server, ...]:
        """The servers that evaluate rules and are not known to stand still."""
        return tuple(one for one in self.servers if one.evaluates and one.working)


@fact
def alerting(evaluated_alerts: Alerts, prometheus_servers: Objects[Server], rule_objects: Objects[Rules], namespace_labels: Namespaces) -> Alerting:
    """What a check of the alerts looks at."""
    return Alerting(evaluated_alerts, prometheus_servers, rule_objects, namespace_labels)


def _expanded(expression: Expression | None, records: Mapping[str, str], depth: int = 0) -> Expression | None:
    """An expression with what each recorded series was made from in its place; None where that cannot be told."""
    if expression is None:
        return None
    if not any(one.metric in records for one in expression.references):
        return expression
    found: list[Reference] = []
    either = expression.either
    for one in expression.references:
        if one.metric not in records or depth >= DEEPEST_RECORD:
            found.append(one)
            continue
        inner = _expanded(_expression(records[one.metric]), records, depth + 1)
        if inner is None:
            return None
        either |= inner.either
        found += [replace(made, matchers=made.matchers + one.matchers) for made in inner.references]
        if len(found) > MOST_REFERENCES:
            return None
    return Expression(tuple(found), either)


def _bound(expression: Expression | None, item: Rules, servers: Iterable[Server]) -> Expression | None:
    """The expression as the operator writes it where every server binds rules to their own namespace."""
    enforced = {
        one.enforced_label for one in servers if not any(
            resource == "prometheusrules" and namespace == item.namespace and name in ("", item.name) for resource, namespace, name in one.excluded
        )
    }  # fmt: skip
    if expression is None or not enforced or "" in enforced:
        return expression
    matchers = tuple(Matcher(label, "=", item.namespace) for label in sorted(enforced))
    return replace(expression, references=tuple(replace(one, matchers=one.matchers + matchers) for one in expression.references))


def of_family(one: Reference, families: Iterable[str], besides: Iterable[str] = ()) -> bool:
    """Whether all that a reference names belongs to some families: prefixes, or whole names where they end like one (``up``)."""
    wanted, unwanted = tuple(families), tuple(besides)
    if one.metric:
        return _starts(one.metric, wanted) and not _starts(one.metric, unwanted)
    names = one.names()
    return bool(names) and all(_starts(name, wanted) and not _starts(name, unwanted) for name in names)


def _starts(name: str, families: tuple[str, ...]) -> bool:
    whole, prefixes = _split(families)
    return name in whole or name.startswith(prefixes)


@lru_cache(maxsize=256)
def _split(families: tuple[str, ...]) -> tuple[frozenset[str], tuple[str, ...]]:
    return frozenset(families), tuple(family for family in families if family.endswith("_"))


def leaves_in(one: Reference, namespaces: Iterable[str]) -> bool | None:
    """Whether the matchers of a reference leave in what is in one of some namespaces; None where that is not evaluated here."""
    spaces = tuple(namespaces)
    exporter = of_family(one, ABOUT_THE_EXPORTER, ABOUT_THE_OBJECT)
    labels = tuple(label for label in NAMESPACE_LABELS if not (exporter and label == "namespace"))
    doubt = False
    for space in spaces:
        found = [matcher.admits(space) for matcher in one.matchers if matcher.label in labels]
        if all(found):
            return True
        doubt |= None in found and False not in found
    return None if doubt else not spaces


def covers(alert: EvaluatedAlert, families: Iterable[str], namespaces: Iterable[str], besides: Iterable[str] = ()) -> bool | None:
    """Whether an alert rests on metrics of some families and leaves in one of the namespaces; None where it may."""
    if alert.expression is None:
        return None
    wanted, unwanted, spaces = tuple(families), tuple(besides), tuple(namespaces)
    fitting = [leaves_in(one, spaces) for one in alert.expression.references if of_family(one, wanted, unwanted)]
    if not fitting:
        return False
    if alert.expression.either:
        return True if True in fitting else None if None in fitting else False
    return False if False in fitting else None if None in fitting else True
