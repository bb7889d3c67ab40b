"""Delivery: the way of an alert from the Prometheus that evaluates it to a receiver that does something."""

from __future__ import annotations

from exivity_audit import HIGH, NotSeen, Status, check, fail, maybe, ok, seen, skip, task, to_attest, wanted
from exivity_audit.facts.alert_areas import CLUSTER, POSTGRESQL, RABBITMQ, STORAGE, about_cluster, about_product, in_area
from exivity_audit.facts.alert_delivery import added, endings, held, service_exists, wired

from .shared import not_evaluated

RECEIVER = "a route to a receiver with an integration (mail, chat, pager or webhook)"


@check("delivery", severity=HIGH, clauses=("K8",), attest="send a test alert (`amtool alert add`) and attach the notification as it arrived")
def delivery(
    alerting, release, alertmanager_objects=maybe, alertmanager_services=maybe, alertmanager_secrets=maybe, alertmanager_config_objects=maybe,
    database=maybe, brokers=maybe,
):  # fmt: skip
    """Alerts reach somebody.

    A stock Alertmanager sends everything to the receiver `null`: rules fire, dashboards turn red, and nobody is told.

    Fix: configure a receiver and route to it in the Alertmanager's configuration.
    """
    other = not_evaluated(release, alerting.servers, "show that its alerts reach somebody")
    if other is not None:
        yield other
        return
    senders = sending(alerting.alerts, release, database, brokers)
    if not senders:
        alerting.alerts.surely()
        doubtful = any(None in (about_product(one, release, ()), about_cluster(one, release)) for one in alerting.alerts.evaluated)
        if doubtful or any(one.remote_writes for one in alerting.servers):
            yield to_attest(release, "no alert that surely counts is evaluated here: show that those of your stack reach somebody")
            return
        yield skip(release, "no alert that counts is evaluated", follows="monitoring/alerts-cluster")
        return
    found = [
        (
            server_verdict(
                server, alertmanager_objects, alertmanager_services, alertmanager_secrets, alertmanager_config_objects, alerting.namespaces, release
            ),
            areas,
        )
        for server, areas in senders
    ]
    delivered = {area for verdict, areas in found if verdict.status is Status.PASS for area in areas}
    for verdict, areas in found:
        spare = verdict.status is not Status.PASS and areas <= delivered
        yield skip(verdict.subject, f"{verdict.message}; another server evaluates alerts on the same and delivers them") if spare else verdict


def sending(alerts, release, database, brokers):
    """The servers that evaluate an alert that counts for the product, each with the areas of those."""
    home = (release.namespace,)
    tests = {
        "cluster": lambda alert: in_area(alert, CLUSTER, home), "storage": lambda alert: in_area(alert, STORAGE, home),
        "application": lambda alert: about_product(alert, release, ()),
    }  # fmt: skip
    if seen(database) and database.in_cluster and database.namespace:
        tests["postgresql"] = lambda alert: in_area(alert, POSTGRESQL, (database.namespace,))
    spaces = tuple(sorted({one.location.named[1] for one in brokers if one.inside})) if seen(brokers) else ()
    if spaces:
        tests["rabbitmq"] = lambda alert: in_area(alert, RABBITMQ, spaces)
    found = {}
    for alert in alerts.evaluated:
        counted = {area for area, counts in tests.items() if counts(alert)}
        for server in alert.servers if counted else ():
            found.setdefault(server.subject, (server, set()))[1].update(counted)
    return [found[subject] for subject in sorted(found)]


def server_verdict(server, alertmanagers, services, secrets, configs, namespaces, release):
    """The verdict on one Prometheus: wired to an Alertmanager that runs and whose route ends well."""
    if server.kind != "Prometheus":
        return to_attest(server, "where a ThanosRuler sends its alerts lies in a Secret: show that they reach somebody")
    want, at = wanted("an Alertmanager with a ready replica"), "spec.alerting.alertmanagers"
    if not server.alertmanagers:
        if server.other_alertmanagers:
            return to_attest(server, "its Alertmanagers are named in a Secret: show that alerts reach somebody")
        fix = task(f"Name your Alertmanager in `spec.alerting.alertmanagers` of {server.subject}")
        return fail(server, "no Alertmanager", wanted=want, at=at, fix=fix)
    found, empty = wired(server, services, alertmanagers)
    if not found:
        alertmanagers.surely()
        foreign = [one for one in empty if service_exists(*one, services)]
        where = ", ".join(f"{namespace}/{name}" for namespace, name in empty)
        if foreign or server.other_alertmanagers:
            return to_attest(server, f"{where} leads to no Alertmanager of the operator: show that alerts reach somebody", at=at)
        fix = task(f"Correct `spec.alerting.alertmanagers` of {server.subject}, or create the Service it names")
        return fail(server, f"no Service {where}", wanted=want, at=at, fix=fix)
    running = [one for one in found if one.working]
    if not running:
        text = ", ".join(f"{one.subject}: {'replicas 0' if one.replicas == 0 else f'0 of {one.replicas} ready'}" for one in found)
        fix = task(f"Bring the pods of {', '.join(str(one.subject) for one in found)} up")
        return fail(
            server,
            0,
            seen=text,
            wanted=wanted("a ready replica of an Alertmanager"),
            at=[(one, "status.availableReplicas", one.ready) for one in found],
            fix=fix,
        )
    verdicts = [routed(server, one, secrets, configs, namespaces, release) for one in running]
    reached = next((verdict for verdict in verdicts if verdict.status is Status.PASS), None)
    return reached or min(verdicts, key=lambda verdict: verdict.status.urgency)


def routed(server, one, secrets, configs, namespaces, release):
    """The verdict on where one Alertmanager's routes end, for alerts of the release."""
    known = held(one, secrets)
    if known.configuration is not None:
        return ends(server, one, known.configuration, known.generated, configs, namespaces, release)
    by_object = from_objects(one, configs, namespaces, release)
    if by_object is not None:
        item, ending = by_object
        return ok(server, f"{one.subject}, {item.subject}", seen=f"{printed(ending)} by {item.subject}", at=[(item, "spec.route")], remark=note(one))
    if known.reasons or not seen(secrets):
        why = "; ".join(reason.text for reason in known.reasons)
        return to_attest(server, f"the configuration of {one.subject} was not read: {why}", at=[(one, "spec.configSecret", one.secret)])
    if one.config_object:
        return to_attest(
            server,
            f"the AlertmanagerConfig {one.config_object} of {one.subject} was not seen",
            at=[(one, "spec.alertmanagerConfiguration.name", one.config_object)],
        )
    text = f"{one.subject}: no Secret {one.secret}, so the operator's own receiver `null`"
    return fail(server, "null", seen=text, wanted=wanted(RECEIVER), at=[(one, "spec.configSecret", one.secret)], fix=receiver_fix(one))


def from_objects(one, configs, namespaces, release):
    """An AlertmanagerConfig whose route takes alerts of the release to a receiver that does something; None where none was seen."""
    if not seen(configs):
        return None
    try:
        for item, found in added(one, configs, namespaces, release.namespace):
            ending = next((end for end in found if end.integrations), None)
            if ending is not None:
                return item, ending
    except NotSeen:
        return None
    return None


def ends(server, one, configuration, generated, configs, namespaces, release):
    """The verdict on a configuration that was read."""
    found = endings(configuration, release.namespace)
    rest = next((end for end in found if end.rest), None)
    working = [end for end in found if end.integrations]
    at = [(configuration, configuration.path, printed_all(found))]
    if rest is not None and rest.integrations:
        return ok(server, printed(rest), seen=f"{one.subject}: {printed(rest)}", at=at, remark=note(one))
    remark = f"alerts that no narrower route takes end in `{rest.receiver}`, which does nothing" if rest is not None else ""
    if working:
        notes = "; ".join(text for text in (remark, note(one)) if text)
        return ok(server, printed(working[0]), seen=f"{one.subject}: {', '.join(printed(end) for end in working)}", at=at, remark=notes)
    by_object = None if generated else from_objects(one, configs, namespaces, release)
    if by_object is not None:
        item, ending = by_object
        return ok(server, printed(ending), seen=f"{one.subject}: {printed(ending)} by {item.subject}", at=[(item, "spec.route")], remark=remark)
    if not generated and one.config_selector.objects is not None:
        configs.surely()
    text = f"{one.subject}: {printed_all(found) or 'no route'}"
    return fail(server, printed_all(found) or "no route", seen=text, wanted=wanted(RECEIVER), at=at, fix=receiver_fix(one))


def note(one):
    """What else is to be said of an Alertmanager."""
    if one.ready is None:
        return f"whether {one.subject} is ready cannot be told: it has no status"
    return f"{one.subject} is paused: its configuration is applied when it is resumed" if one.paused else ""


def printed(ending):
    """An ending as a report names it."""
    return f"receiver `{ending.receiver}` ({', '.join(ending.integrations) or 'no integration'})"


def printed_all(found):
    """All endings."""
    return ", ".join(printed(end) for end in found)


def receiver_fix(one):
    """Give the Alertmanager a receiver: by the values of kube-prometheus-stack, or by its Secret."""
    where = f"`alertmanager.config` in the values of kube-prometheus-stack, or the Secret {one.namespace}/{one.secret}"
    return task(f"Configure a receiver and route to it: {where}")
