"""Where alerts end: the Alertmanagers a Prometheus is wired to, their route, and the receivers it leads to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from exivity_audit.document import Document, Malformed
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, Reason, fact, reasons_of, seen
from exivity_audit.facts.prometheus import Namespaces, Selector, Server, readiness
from exivity_audit.facts.reach import whole
from exivity_audit.facts.selectors import selector_fits
from exivity_audit.promql import Matcher
from exivity_audit.subject import Subject

CONFIG_KEYS = ("data[alertmanager.yaml.gz]", "data[alertmanager.yaml]")
GOVERNING = "alertmanager-operated"
# Alerts that say nothing is wrong, or that only mute others: a route for these alone delivers nothing.
HEARTBEATS = ("Watchdog", "InfoInhibitor", "DeadMansSwitch", "DeadMansSnitch")
ANY_ALERT = "\0any"
MOST_ENDINGS = 200


class Route(Struct, frozen=True):
    """A route of an Alertmanager: the receiver it ends in, what it takes, and the routes below."""

    receiver: str
    matchers: tuple[Matcher, ...]
    judged: bool  # whether the values of all its matchers are known
    goes_on: bool
    routes: tuple[Route, ...]


class Configuration(Struct, frozen=True):
    """An Alertmanager's configuration: its route, and the integrations of each receiver."""

    source: Source
    path: str
    route: Route | None
    receivers: dict[str, tuple[str, ...]]


class Ending(Struct, frozen=True):
    """A receiver that alerts of the release may end in; ``rest`` where those end that no narrower route takes."""

    receiver: str
    integrations: tuple[str, ...]
    rest: bool


class AlertmanagerConfig(Struct, frozen=True):
    """An AlertmanagerConfig: a route and receivers that a team adds."""

    subject: Subject
    source: Source
    name: str
    namespace: str
    labels: dict[str, str]
    configuration: Configuration


class Alertmanager(Struct, frozen=True):
    """An Alertmanager; ``ready`` is None where its status does not say."""

    subject: Subject
    source: Source
    name: str
    namespace: str
    replicas: int
    ready: int | None
    paused: bool
    pod_labels: dict[str, str]
    secret: str  # the one its configuration is written into by people
    config_selector: Selector
    config_object: str  # the AlertmanagerConfig that stands for the Secret
    matches_namespace: str  # OnNamespace, OnNamespaceExceptForAlertmanagerNamespace, None

    @property
    def working(self) -> bool:
        """Whether it is not known to stand still."""
        return self.replicas > 0 and self.ready != 0


def _route(value: Any, path: str, inherited: str = "") -> Route:
    if not isinstance(value, dict) or "matchers" not in value:
        raise Malformed(path, "route", value)
    receiver = value.get("receiver") or inherited
    children = value.get("routes")
    if not isinstance(children, list):
        raise Malformed(path, "list of routes", children)
    matchers = tuple(Matcher(one["label"], one["operator"], one.get("value", "")) for one in value["matchers"])
    judged = value.get("legible") is True and all("value" in one for one in value["matchers"])
    return Route(receiver, matchers, judged, value.get("continue") is True, tuple(_route(one, path, receiver) for one in children))


def configuration(item: Document, path: str) -> Configuration:
    """What was kept of a configuration. Raises Malformed."""
    content = item.mapping(path)
    receivers, route = content.get("receivers"), content.get("route")
    if not isinstance(receivers, list) or any(not isinstance(one, dict) or "integrations" not in one for one in receivers):
        raise Malformed(path, "list of receivers", receivers)
    named = {one["name"] or "": tuple(one["integrations"]) for one in receivers}
    return Configuration(item.source, path, None if route is None else _route(route, path), named)


@fact
def alertmanager_objects(alertmanagers: Objects[Document], site: Any) -> Objects[Alertmanager]:
    """Every Alertmanager of the operator."""

    def build(item: Document) -> Alertmanager:
        asked = item.integer("spec.replicas")
        selectors = Selector(item.get("spec.alertmanagerConfigSelector"), item.get("spec.alertmanagerConfigNamespaceSelector"))
        for one in (selectors.objects, selectors.namespaces):
            selector_fits(one, {})
        return Alertmanager(
            subject=item.subject, source=item.source, name=item.name, namespace=item.namespace or "",
            replicas=1 if asked is None else asked, ready=readiness(item), paused=item.boolean("spec.paused") or False,
            pod_labels=_pod_labels(item), secret=item.text("spec.configSecret") or f"alertmanager-{item.name}",
            config_selector=selectors, config_object=item.text("spec.alertmanagerConfiguration.name") or "",
            matches_namespace=item.text("spec.alertmanagerConfigMatcherStrategy.type") or "OnNamespace",
        )  # fmt: skip

    return whole(alertmanagers, site, "alertmanagers").each(build)


def _pod_labels(item: Document) -> dict[str, str]:
    """The labels that the operator gives the pods."""
    own = {
        "app.kubernetes.io/name": "alertmanager", "app.kubernetes.io/instance": item.name, "app.kubernetes.io/managed-by": "prometheus-operator",
        "alertmanager": item.name,
    }  # fmt: skip
    return {**item.labels("spec.podMetadata.labels"), **own}


@fact
def alertmanager_config_objects(alertmanager_configs: Objects[Document], site: Any) -> Objects[AlertmanagerConfig]:
    """Every AlertmanagerConfig of the cluster."""

    def build(item: Document) -> AlertmanagerConfig:
        return AlertmanagerConfig(item.subject, item.source, item.name, item.namespace or "", item.labels(), configuration(item, "spec"))

    return whole(alertmanager_configs, site, "alertmanager_configs").each(build)


class Held(Struct, frozen=True):
    """What the Secrets of one Alertmanager say: its configuration, that there is none, or why it was not seen."""

    configuration: Configuration | None
    reasons: tuple[Reason, ...]
    generated: bool  # as the operator made it: AlertmanagerConfigs are in it


def held(one: Alertmanager, secrets: Any) -> Held:
    """The configuration of an Alertmanager: as the operator made it, else as it was given."""
    if not seen(secrets):
        return Held(None, reasons_of(secrets), False)
    reasons: list[Reason] = list(secrets.partial)
    for name, generated in ((f"alertmanager-{one.name}-generated", True), (one.secret, False)):
        item = next((item for item in secrets if item.namespace == one.namespace and item.name == name), None)
        try:
            path = next((path for path in CONFIG_KEYS if item.get(path) is not None), None) if item is not None else None
            if item is not None and path is not None:
                return Held(configuration(item, path), (), generated)
        except Malformed as error:
            reasons.append(Reason("alertmanager_secrets", f"Secret {one.namespace}/{name}: malformed: {error}"))
    return Held(None, tuple(reasons), False)


def added(
    one: Alertmanager, configs: Iterable[AlertmanagerConfig], namespaces: Namespaces, namespace: str
) -> Iterator[tuple[AlertmanagerConfig, tuple[Ending, ...]]]:
    """The AlertmanagerConfigs that an Alertmanager takes, with where alerts of a namespace may end in each.

    Where the operator binds one to alerts of its own namespace, its first route has no other say in the namespace.
    Raises NotSeen where the labels of a namespace decide and were not read.
    """
    for item in configs:
        if item.name == one.config_object and item.namespace == one.namespace:
            yield item, endings(item.configuration, namespace)
        elif _takes(one, item, namespaces):
            bound = one.matches_namespace == "OnNamespace" or (
                one.matches_namespace == "OnNamespaceExceptForAlertmanagerNamespace" and item.namespace != one.namespace
            )
            route = item.configuration.route
            if route is None or (bound and item.namespace != namespace):
                continue
            first = replace(route, matchers=tuple(matcher for matcher in route.matchers if not (bound and matcher.label == "namespace")))
            if _takes_alerts(first, namespace) is not False:
                yield item, endings(item.configuration, namespace)


def _takes(one: Alertmanager, item: AlertmanagerConfig, namespaces: Namespaces) -> bool:
    selector = one.config_selector
    if selector.objects is None or not selector_fits(selector.objects, item.labels):
        return False
    if selector.namespaces is None:
        return item.namespace == one.namespace
    if not any(selector.namespaces.get(key) for key in ("matchLabels", "matchExpressions")):
        return True
    return selector_fits(selector.namespaces, namespaces.of(item.namespace))


def endings(found: Configuration, namespace: str) -> tuple[Ending, ...]:
    """The receivers in which alerts of a namespace may end, those first that narrower routes lead to."""
    if found.route is None:
        return ()
    ends: list[tuple[str, bool]] = []
    _walk(found.route, namespace, True, ends)
    distinct = dict.fromkeys(ends[:MOST_ENDINGS])
    return tuple(Ending(receiver, found.receivers.get(receiver, ()), rest) for receiver, rest in distinct)


def _walk(route: Route, namespace: str, rest: bool, ends: list[tuple[str, bool]]) -> None:
    """Collect where alerts end below a route that takes them; ``rest`` where it takes all that reach it."""
    for child in route.routes:
        surely = _takes_alerts(child, namespace)
        if surely is False or len(ends) > MOST_ENDINGS:
            continue
        _walk(child, namespace, rest and surely is True, ends)
        if surely is True and not child.goes_on:
            return
    ends.append((route.receiver, rest))


def _takes_alerts(route: Route, namespace: str) -> bool | None:
    """Whether a route takes the alerts of a namespace: all, none, or some (None)."""
    some = not route.judged
    for one in route.matchers:
        if one.label == "namespace":
            found = one.admits(namespace)
            if found is False:
                return False
            some |= found is None
        elif one.label == "alertname":
            if _names_heartbeats_alone(one):
                return False
            some |= one.admits(ANY_ALERT) is not True
        else:
            some = True
    return None if some else True


def _names_heartbeats_alone(one: Matcher) -> bool:
    if not one.positive:
        return False
    names = one.value.strip("^$()").removeprefix("?:").split("|") if one.operator == "=~" else [one.value]
    return all(name in HEARTBEATS for name in names)


def wired(one: Server, services: Any, alertmanagers: Iterable[Alertmanager]) -> tuple[tuple[Alertmanager, ...], tuple[tuple[str, str], ...]]:
    """The Alertmanagers behind the Services that a Prometheus names, and the Services that lead to none of them.

    Raises NotSeen where a Service could not be read.
    """
    every = tuple(alertmanagers)
    found: list[Alertmanager] = []
    empty: list[tuple[str, str]] = []
    for namespace, name in one.alertmanagers:
        behind = _behind(namespace, name, services, every)
        found += [item for item in behind if item not in found]
        if not behind:
            empty.append((namespace, name))
    return tuple(found), tuple(empty)


def _behind(namespace: str, name: str, services: Any, alertmanagers: tuple[Alertmanager, ...]) -> list[Alertmanager]:
    here = [item for item in alertmanagers if item.namespace == namespace]
    if name == GOVERNING:
        return here
    service = next((item for item in services if item.namespace == namespace and item.name == name), None)
    if service is None:
        services.surely()
        return []
    selector = service.labels("spec.selector")
    return [item for item in here if selector and all(item.pod_labels.get(key) == value for key, value in selector.items())]


def service_exists(namespace: str, name: str, services: Any) -> bool:
    """Whether there is a Service that a Prometheus names."""
    return any(item.namespace == namespace and item.name == name for item in services)


def gaps(*found: Any) -> tuple[Reason, ...]:
    """Why some collections were not seen, or not whole."""
    reasons: list[Reason] = []
    for one in found:
        reasons += reasons_of(one) if not seen(one) else one.partial
    return tuple(reasons)
