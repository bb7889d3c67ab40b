"""Two real control planes with the real chart: an active and a standby site, behind one kubeconfig."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from exivity_audit import chart
from exivity_audit.attestation import Attestation
from exivity_audit.collect.deadline import Deadline
from exivity_audit.collect.gathered import settled
from exivity_audit.collect.reads import READS
from exivity_audit.collect.session import Access
from exivity_audit.collect.several import visit_all
from exivity_audit.config import Config, thresholds_of
from exivity_audit.evaluate import Judgement, evaluate
from exivity_audit.lifecycle import load_lifecycle
from exivity_audit.selection import reads_needed
from exivity_audit.snapshot import Snapshot, Tool
from tests.world import NOW

from . import conforming
from .auditing import PACK
from .controlplane import Cluster, ControlPlane, _chart, write_private
from .live_cluster import LiveCluster

ROLES = {"ams": "active", "fra": "passive"}


@dataclass
class Pair:
    """The two sites, each on a control plane of its own, and the kubeconfig with a context for each."""

    sites: dict[str, LiveCluster]
    planes: dict[str, ControlPlane]
    kubeconfig: Path

    @property
    def flags(self) -> tuple[str, ...]:
        """The sites as flags of the command."""
        return tuple(word for name, role in ROLES.items() for word in ("--site", f"{name}={name}:{role}"))

    def stop(self) -> None:
        """Ends both control planes."""
        for plane in self.planes.values():
            plane.stop()


def start(binaries: Path, directory: Path) -> Pair:
    """Starts both control planes and installs the chart conformingly on each, at the standby site with no copy asked for; no fixture is needed.

    Whatever goes wrong, no process is left behind.
    """
    planes: dict[str, ControlPlane] = {}
    try:
        sites: dict[str, LiveCluster] = {}
        for name, role in ROLES.items():
            planes[name] = ControlPlane.start(binaries, directory / name)
            sites[name] = conforming.multi_node(planes[name])
            if role == "passive":
                stand_by(sites[name])
        return Pair(sites, planes, kubeconfig(directory / "pair.kubeconfig", planes))
    except BaseException:
        for plane in planes.values():
            plane.stop()
        raise


def stand_by(live: LiveCluster) -> None:
    """Upgrades a conforming installation to replicas 0 of every service, by its values as an operator does, and waits until no copy runs."""
    cluster, installation = live.cluster, conforming.conforming_multi(live.namespace, live.release)
    values = conforming.user_values(installation)
    for service in chart.SERVICES:
        values["service"][service.key]["replicas"] = 0
    cluster.helm(
        *("upgrade", live.release, str(_chart(None)), "--namespace", live.namespace, "--no-hooks"), *("--values", str(cluster._values_file(values)))
    )
    pods = f"/api/v1/namespaces/{live.namespace}/pods?labelSelector={chart.APP_LABEL}%3D{chart.APP}"
    cluster.wait(lambda: not cluster.items(pods) or None, 120, "the standby site to run no copy")
    live.wait_until_ready()


def kubeconfig(path: Path, clusters: dict[str, ControlPlane] | dict[str, Cluster], user: str = "admin") -> Path:
    """One kubeconfig with a context, cluster and user for each control plane, named as the sites are."""
    merged: dict[str, object] = {"apiVersion": "v1", "kind": "Config", "current-context": next(iter(clusters))}
    parts: dict[str, list[object]] = {"clusters": [], "users": [], "contexts": []}
    for name, cluster in clusters.items():
        alone = json.loads(cluster.kubeconfig_for(cluster.tokens[user], path.with_name(f"{name}.kubeconfig")).read_text())
        parts["clusters"].append({**alone["clusters"][0], "name": name})
        parts["users"].append({**alone["users"][0], "name": name})
        parts["contexts"].append({"name": name, "context": {"cluster": name, "user": name}})
    write_private(path, json.dumps(merged | parts, indent=2) + "\n")
    return path


def audited_pair(pair: Pair, *, config: Config | None = None, attestations: tuple[Attestation, ...] = (), seconds: float = 120) -> Judgement:
    """Every check on what the real collector reads of both sites at once, judged as of the day that the test objects are made for."""
    config = config or Config()
    accesses = [Access(kubeconfig=pair.kubeconfig, context=name, site=name, role=role) for name, role in ROLES.items()]
    visits = visit_all(accesses, READS, reads_needed(PACK, None), Deadline(seconds), lambda *_: None)
    lost = {one.name: str(one.error) for one in visits if one.gathered is None}
    assert not lost, lost
    sites = settled([one.gathered for one in visits if one.gathered is not None])
    snapshot = Snapshot("exivity-audit/snapshot", 1, Tool("exivity-audit", "0.1.0"), sites[0].now, sites[0].now, sites)
    return evaluate(
        snapshot, PACK, config, attestations=attestations, thresholds=thresholds_of(config, PACK.thresholds, None), lifecycle=load_lifecycle(None), now=NOW
    )  # fmt: skip
