"""Whether somebody is told before a volume or disk is full."""

from __future__ import annotations

from exivity_audit import MEDIUM, check, fail, ok, skip, task, to_attest, wanted
from exivity_audit.facts import alert_areas as areas
from exivity_audit.facts.alert_areas import Area, in_area

from ..monitoring.shared import names, not_evaluated, paused, printed, wanted_labels

LEADER = "monitoring/alerts-storage"
VOLUMES = Area(
    ("kubelet_volume_stats_", "longhorn_volume_actual_size_bytes", "longhorn_volume_capacity_bytes", "longhorn_disk_", "longhorn_node_storage_")
)
DISKS = Area(("node_filesystem_",))


@check("alerts", severity=MEDIUM, clauses=("D2", "P7"), attest="attach the alerts of your stack on how full volumes and disks are")
def alerts(alerting, class_uses, release, settings):
    """Volume use is alerted on.

    Extracted and exported data, logs and the database grow with every run; who is told at 80 % can grow the volume in time. A volume that is
    a folder of a node has no figures of its own: there it is the node's file system that tells.

    Fix: alert on `kubelet_volume_stats_available_bytes`, and on `node_filesystem_avail_bytes` where the storage class is node-local.
    """
    if not class_uses:
        class_uses.surely()
        yield skip(release, "the release has no volume")
        return
    other = not_evaluated(release, alerting.servers, "show that the use of volumes is alerted on")
    if other is not None:
        yield other
        return
    kinds = [use.kind(settings) for use in class_uses]
    if any(is_folder(kind) for kind in kinds):
        yield judged(release.subject.at("node disks"), DISKS, "`node_filesystem_avail_bytes`", alerting, release)
    if not all(is_folder(kind) for kind in kinds):
        yield judged(release.subject.at("volumes"), VOLUMES, "`kubelet_volume_stats_available_bytes`", alerting, release)


def is_folder(kind):
    """Whether a class makes folders on a node's disk, which have no statistics of their own."""
    return kind is not None and kind.local and kind.enforced is not True


def judged(about, area, metric, alerting, release):
    """The verdict on the alerts of one kind of figures."""
    spaces = (release.namespace,)
    every = alerting.alerts.evaluated
    found = [one for one in every if in_area(one, area, spaces)]
    if found:
        takers = {server for one in found for server in one.servers}
        text = f"{', '.join(sorted({one.name for one in found})[:3])}, evaluated by {names(takers)}"
        return ok(about, len(found), seen=text, at=[(one, "spec.groups[].rules[].alert", one.name) for one in found[:3]], remark=paused(takers))
    doubtful = sorted({one.name for one in every if in_area(one, area, spaces) is None})
    if doubtful:
        return to_attest(about, f"whether {', '.join(doubtful[:3])} is about the use of volumes cannot be told from the expression")
    alerting.alerts.surely()
    if any(one.remote_writes for one in alerting.working):
        return to_attest(about, f"no alert on {metric} is evaluated here, and {names(alerting.working)} writes to another store")
    if area is VOLUMES and not any(in_area(one, areas.STORAGE, spaces) for one in every):
        return skip(about, "no storage alert is evaluated", follows=LEADER)
    fix = task(f"Add a PrometheusRule{wanted_labels(alerting.working, 'rule')} that alerts on {metric}")
    at = [(one, "spec.ruleSelector", printed(one.selectors["rule"].wanted) or "none") for one in alerting.working]
    return fail(about, 0, seen="no alert", wanted=wanted(f"an alert on {metric}"), at=at, fix=fix)
