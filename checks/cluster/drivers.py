"""The storage drivers on the nodes."""

from __future__ import annotations

from exivity_audit import HIGH, check, exactly, fail, maybe, ok, reasons_of, seen, skip, task, unknown
from exivity_audit.facts.drivers import NO_PROVISIONER, apps_of
from exivity_audit.scenario import Role

from .shared import listed, nodes_word


def unseen(about, fact):
    """Unknown, because an alternate that this verdict needs could not be read."""
    reasons = reasons_of(fact)
    return unknown(about, "; ".join(reason.text for reason in reasons), needs=tuple(reason.rule for reason in reasons if reason.rule))


@check("csi-driver", severity=HIGH, clauses=("F2",))
def csi_driver(
    class_uses, settings, running_hosts=maybe, workers=maybe, installed_drivers=maybe, node_drivers=maybe, running_provisioners=maybe
):  # fmt: skip
    """Each storage class in use has a driver that runs.

    Without its driver on a node a volume cannot be mounted there: a pod that moves to that node waits for ever.

    Fix: install the class's driver, and let its node plug-in run on every node that runs Exivity.
    """
    passive = settings.role is Role.PASSIVE
    for use in class_uses:
        kind = use.kind(settings)
        if not use.driver:
            yield unknown(use, "the class has no object, and the volumes of its claims name no driver")
        elif use.driver == NO_PROVISIONER:
            yield skip(use, "its volumes are made by hand: no driver works for it")
        elif kind is not None and not kind.csi:
            yield _provisioner(use, running_provisioners)
        elif not seen(installed_drivers):
            yield unseen(use, installed_drivers)
        elif not any(one.name == use.driver for one in installed_drivers):
            installed_drivers.surely()
            if kind is None:
                yield unknown(use, f"{use.driver} is neither a CSI driver of this cluster nor a provisioner we know")
            else:
                yield fail(
                    use, f"no CSIDriver {use.driver}", wanted=exactly(use.driver), at="provisioner", fix=task(f"Install the driver {use.driver}")
                )
        elif passive:
            yield ok(use, use.driver, at="provisioner", remark="passive site: no pod runs, so nodes were not compared")
        else:
            yield _on_nodes(use, running_hosts, workers, node_drivers)


def _on_nodes(use, running, workers, drivers):
    for fact in (drivers, running):
        if not seen(fact):
            return unseen(use, fact)
    if not running and not seen(workers):
        return unseen(use, workers)
    nodes = set(running or (node.name for node in workers))
    have = {one.node for one in drivers if use.driver in one.drivers}
    missing = nodes - have
    at = [(one, "spec.drivers", use.driver) for one in drivers if one.node in nodes]
    who = f"of {nodes_word(len(nodes))} that {'run' if running else 'may run'} Exivity"
    if not missing:
        return ok(use, use.driver, seen=f"{use.driver} on {len(nodes)} {who}", at=at)
    drivers.surely()
    text = f"{use.driver} on {len(nodes & have)} {who}, not on {listed(missing)}"
    fix = task(f"Let the node plug-in of {use.driver} run on every node that runs Exivity: look at its DaemonSet's tolerations and pods")
    return fail(use, len(nodes & have), seen=text, wanted=exactly(len(nodes)), at=at, fix=fix)


def _provisioner(use, pods):
    apps = apps_of(use.driver)
    if not apps:
        return unknown(use, f"how the pods of {use.driver} are labelled is not known: look whether its provisioner runs")
    if not seen(pods):
        return unseen(use, pods)
    ours = [pod for pod in pods if pod.app in apps]
    at = [(pod, "status.phase", "Running") for pod in ours if pod.running]
    if at:
        return ok(use, "running", seen=f"{use.driver}, its provisioner runs in {ours[0].namespace}", at=at[:1])
    pods.surely()
    text = "its provisioner's pod is not Ready" if ours else "no provisioner pod"
    return fail(
        use, text, wanted=exactly("running"), at="provisioner", fix=task(f"Run the provisioner {use.driver} again: no new claim is served without it")
    )
