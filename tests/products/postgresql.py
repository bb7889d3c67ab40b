"""The database: a CloudNativePG cluster of three with plugin backups beside the multi-node release, an external one beside the single node.

The functions below turn a conforming cluster to another way of running or saving the database.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from exivity_audit import chart
from tests import builders
from tests.builders import made, stamp
from tests.world import Object

SERVED = (
    "clusters.postgresql.cnpg.io", "backups.postgresql.cnpg.io", "scheduledbackups.postgresql.cnpg.io", "poolers.postgresql.cnpg.io",
    "objectstores.barmancloud.cnpg.io",
)  # fmt: skip
API, PLUGIN = "postgresql.cnpg.io/v1", "barman-cloud.cloudnative-pg.io"
SPACE, NAME, HOST = "databases", "pg", "pg-rw.databases.svc"
IMAGE = "ghcr.io/cloudnative-pg/postgresql:17.6"
BUCKET, ENDPOINT = "s3://acme-backups/exivity", "https://s3.eu-1.acme.eu"
EMBEDDED_IMAGE = "docker.io/bitnamilegacy/postgresql:14.18.0-debian-12-r0"
ADMINISTRATOR_PASSWORD = "mB6-xJ9_qT2wLk8vZc4r"


def multi_node(installation: Any) -> list[Object]:
    """A cluster of three instances on the workers, its Services, volumes and backups."""
    nodes, class_name = installation.nodes, installation.class_name
    return [
        made("v1", "Namespace", SPACE, status={"phase": "Active"}), cluster(class_name=class_name), *services(nodes), *instances(nodes),
        *volumes(len(nodes), nodes, class_name), store(), schedule(), *backups(),
    ]  # fmt: skip


def single_node(installation: Any) -> list[Object]:
    """Nothing: the database is elsewhere."""
    return []


def labels(name: str = NAME) -> dict[str, str]:
    """What the operator writes on everything of a cluster."""
    return {
        "cnpg.io/cluster": name, chart.NAME_LABEL: "postgresql", chart.INSTANCE_LABEL: name, chart.COMPONENT_LABEL: "database", chart.VERSION_LABEL: "17",
        "app.kubernetes.io/managed-by": "cloudnative-pg",
    }  # fmt: skip


def condition(kind: str, status: str = "True", reason: str = "", days: float = 20) -> Object:
    """A condition as the operator writes it."""
    return {"type": kind, "status": status, "reason": reason or kind, "message": kind, "lastTransitionTime": stamp(days)}


def cluster(
    name: str = NAME, space: str = SPACE, *, instances: int = 3, class_name: str = "longhorn", bootstrap: Object | None = None, days: float = 30
) -> Object:
    """A healthy cluster that archives and backs up through the Barman Cloud plugin."""
    names = [f"{name}-{number + 1}" for number in range(instances)]
    return made(
        API, "Cluster", name, space, metadata={"generation": 1, "creationTimestamp": stamp(days)},
        spec={
            "instances": instances, "imageName": IMAGE, "storage": {"size": "50Gi", "storageClass": class_name},
            "affinity": {"enablePodAntiAffinity": True, "topologyKey": "kubernetes.io/hostname", "podAntiAffinityType": "required"},
            "plugins": [{"name": PLUGIN, "enabled": True, "isWALArchiver": True, "parameters": {"barmanObjectName": f"{name}-store"}}],
            "bootstrap": bootstrap or {"initdb": {"database": "exivity", "owner": "exivity", "secret": {"name": f"{name}-app"}}},
        },
        status={
            "instances": instances, "readyInstances": instances, "currentPrimary": names[0], "targetPrimary": names[0], "phase": "Cluster in healthy state",
            "instanceNames": names, "healthyPVC": names, "image": IMAGE, "pgDataImageInfo": {"image": IMAGE, "majorVersion": 17}, "timelineID": 1,
            "writeService": f"{name}-rw", "readService": f"{name}-r",
            "conditions": [
                condition("Ready", reason="ClusterIsReady"), condition("ContinuousArchiving", reason="ContinuousArchivingSuccess"),
                condition("LastBackupSucceeded", reason="LastBackupSucceeded", days=10 / 24), condition("ConsistentSystemID", reason="Unique"),
            ],
            "certificates": {"expirations": {f"{name}-ca": "2027-02-20 10:00:00 +0000 UTC", f"{name}-server": "2027-02-20 10:00:00 +0000 UTC"}},
        },
    )  # fmt: skip


def services(nodes: Iterable[str], name: str = NAME, space: str = SPACE) -> list[Object]:
    """The three Services of a cluster with their endpoints."""
    every = tuple(nodes)
    found: list[Object] = []
    for suffix, role, ready in (
        ("rw", {"cnpg.io/instanceRole": "primary"}, range(1)),
        ("ro", {"cnpg.io/instanceRole": "replica"}, range(1, len(every))),
        ("r", {"cnpg.io/podRole": "instance"}, range(len(every))),
    ):
        service = f"{name}-{suffix}"
        found.append(made(
            "v1", "Service", service, space, metadata={"labels": labels(name)},
            spec={"type": "ClusterIP", "selector": {"cnpg.io/cluster": name, **role}, "ports": [{"name": "postgres", "port": 5432, "protocol": "TCP", "targetPort": 5432}]},
        ))  # fmt: skip
        found.append(
            endpoints(service, space, [(f"{name}-{number + 1}", every[number], f"10.42.{10 + number}.60") for number in ready], port="postgres")
        )
    return found


def endpoints(service: str, space: str, behind: Iterable[tuple[str, str, str]], *, port: str, number: int = 5432) -> Object:
    """The EndpointSlice of a Service: pods with node and address."""
    return made(
        "discovery.k8s.io/v1", "EndpointSlice", f"{service}-k9x2p", space, metadata={"labels": {"kubernetes.io/service-name": service}},
        addressType="IPv4", ports=[{"name": port, "port": number, "protocol": "TCP"}],
        endpoints=[
            {"addresses": [address], "conditions": {"ready": True, "serving": True, "terminating": False}, "nodeName": node_name, "targetRef": {"kind": "Pod", "name": pod, "namespace": space}}
            for pod, node_name, address in behind
        ],
    )  # fmt: skip


def instances(nodes: Iterable[str], name: str = NAME, space: str = SPACE) -> list[Object]:
    """The pods of a cluster: the first is the primary."""
    found = []
    for number, node_name in enumerate(nodes):
        pod, role = f"{name}-{number + 1}", "primary" if number == 0 else "replica"
        spec: Object = {
            "containers": [{
                "name": "postgres", "image": IMAGE, "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}}, "securityContext": {"runAsNonRoot": True},
                "ports": [{"name": "postgresql", "containerPort": 5432}, {"name": "metrics", "containerPort": 9187}],
                "volumeMounts": [{"name": "pgdata", "mountPath": "/var/lib/postgresql/data"}],
            }],
            "initContainers": [{"name": "plugin-barman-cloud", "image": "ghcr.io/cloudnative-pg/plugin-barman-cloud-sidecar:v0.13.0", "restartPolicy": "Always"}],
            "securityContext": {"runAsUser": 26, "runAsGroup": 26, "fsGroup": 26, "runAsNonRoot": True},
            "volumes": [{"name": "pgdata", "persistentVolumeClaim": {"claimName": pod}}],
        }  # fmt: skip
        found.append(made(
            "v1", "Pod", pod, space,
            metadata={
                "labels": labels(name) | {"cnpg.io/instanceName": pod, "cnpg.io/instanceRole": role, "role": role, "cnpg.io/podRole": "instance"},
                "ownerReferences": [{"apiVersion": API, "kind": "Cluster", "name": name, "uid": f"Cluster-{space}-{name}", "controller": True}],
            },
            spec={**spec, "nodeName": node_name},
            status={
                "phase": "Running", "podIP": f"10.42.{10 + number}.60", "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "True"}],
                "containerStatuses": [{"name": "postgres", "ready": True, "restartCount": 0, "image": IMAGE, "state": {"running": {"startedAt": stamp(3)}}, "lastState": {}}],
            },
        ))  # fmt: skip
    return found


class _Volumes:
    """As much of an installation as ``builders.longhorn`` looks at."""

    def __init__(self, found: list[Object]) -> None:
        self._found = found

    def claims(self, driver: str) -> list[Object]:
        return self._found


def volumes(count: int, nodes: Iterable[str], class_name: str = "longhorn", name: str = NAME, space: str = SPACE, size: str = "50Gi") -> list[Object]:
    """The claims of the instances, with their volumes and, on Longhorn, what stands behind those."""
    found: list[Object] = []
    for number in range(count):
        claim = f"{name}-{number + 1}"
        role = "primary" if number == 0 else "replica"
        found += bound(claim, space, class_name, size, labels(name) | {
            "cnpg.io/instanceName": claim, "cnpg.io/instanceRole": role, "cnpg.io/pvcRole": "PG_DATA",
        })  # fmt: skip
    return [*found, *longhorn_volumes(found, nodes)] if class_name == "longhorn" else found


def longhorn_volumes(volumes: list[Object], nodes: Iterable[str]) -> list[Object]:
    """What stands behind volumes on Longhorn."""
    every = tuple(nodes)
    behind: Any = _Volumes([item for item in volumes if item["kind"] == "PersistentVolume"])
    return [item for item in builders.longhorn(behind, every, every) if item["kind"] in ("Volume", "Replica")]


def bound(claim: str, space: str, class_name: str, size: str, marks: dict[str, str]) -> list[Object]:
    """A claim of one writer with its volume."""
    volume = f"pvc-{space}-{claim}"
    spec: Object = {
        "accessModes": ["ReadWriteOnce"], "capacity": {"storage": size}, "storageClassName": class_name, "persistentVolumeReclaimPolicy": "Retain",
        "volumeMode": "Filesystem", "claimRef": {"namespace": space, "name": claim},
    }  # fmt: skip
    driver = "driver.longhorn.io"
    if class_name == "longhorn":
        spec["csi"] = {"driver": driver, "volumeHandle": volume, "volumeAttributes": {}}
    else:
        driver = "rancher.io/local-path"
        expression = {"key": "kubernetes.io/hostname", "operator": "In", "values": ["only"]}
        spec["hostPath"] = {"path": f"/opt/local-path-provisioner/{claim}", "type": "DirectoryOrCreate"}
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}
    return [
        made("v1", "PersistentVolumeClaim", claim, space, metadata={"labels": marks},
             spec={"accessModes": ["ReadWriteOnce"], "storageClassName": class_name, "volumeName": volume, "volumeMode": "Filesystem", "resources": {"requests": {"storage": size}}},
             status={"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": size}}),
        made("v1", "PersistentVolume", volume, spec=spec, status={"phase": "Bound"}, metadata={"annotations": {"pv.kubernetes.io/provisioned-by": driver}}),
    ]  # fmt: skip


def store_configuration() -> Object:
    """Where Barman Cloud writes to."""
    key = {"name": "s3-backup"}
    return {
        "destinationPath": BUCKET, "endpointURL": ENDPOINT, "wal": {"compression": "gzip"}, "data": {"compression": "gzip"},
        "s3Credentials": {"accessKeyId": {**key, "key": "ACCESS_KEY_ID"}, "secretAccessKey": {**key, "key": "ACCESS_SECRET_KEY"}},
    }  # fmt: skip


def store(name: str = f"{NAME}-store", space: str = SPACE, server: str = NAME) -> Object:
    """The ObjectStore of the plugin, with what it can restore."""
    window = {"firstRecoverabilityPoint": stamp(29 + 10 / 24), "lastSuccessfulBackupTime": stamp(10 / 24)}
    return made(
        "barmancloud.cnpg.io/v1", "ObjectStore", name, space, metadata={"generation": 1},
        spec={"configuration": store_configuration(), "retentionPolicy": "30d"}, status={"serverRecoveryWindow": {server: window}},
    )  # fmt: skip


def schedule(method: str = "plugin") -> Object:
    """A base backup every night at two."""
    plugin = {"pluginConfiguration": {"name": PLUGIN}} if method == "plugin" else {}
    return made(
        API, "ScheduledBackup", f"{NAME}-daily", SPACE,
        spec={"schedule": "0 0 2 * * *", "cluster": {"name": NAME}, "method": method, "backupOwnerReference": "self", **plugin},
        status={"lastCheckTime": stamp(10 / 24), "lastScheduleTime": stamp(10 / 24), "nextScheduleTime": stamp(-14 / 24)},
    )  # fmt: skip


def backups(method: str = "plugin", days: Iterable[float] = (0, 1, 2)) -> list[Object]:
    """The Backup objects of the last nights."""
    plugin = {"pluginConfiguration": {"name": PLUGIN}} if method == "plugin" else {}
    return [
        made(
            API, "Backup", f"{NAME}-daily-{number}", SPACE,
            metadata={"labels": {"cnpg.io/cluster": NAME, "cnpg.io/scheduled-backup": f"{NAME}-daily", "cnpg.io/immediateBackup": "false"}, "creationTimestamp": stamp(day + 10 / 24)},
            spec={"cluster": {"name": NAME}, "method": method, **plugin},
            status={"phase": "completed", "method": method, "startedAt": stamp(day + 10 / 24), "stoppedAt": stamp(day + 9.9 / 24), "backupId": f"2026112{3 - number}T020000"},
        )
        for number, day in enumerate(days)
    ]  # fmt: skip


# Other ways


def lead_to(c: Any, host: str, **parameters: Any) -> None:
    """The product is configured for another database host everywhere."""
    mode = parameters.get("sslmode")
    for item in list(c.all("ConfigMap")):
        data = item.get("data") or {}
        name, space = item["metadata"]["name"], item["metadata"].get("namespace")
        if "POSTGRES_HOST" in data:
            c.edit("ConfigMap", name, _told({"POSTGRES_HOST": host, **({"POSTGRES_SSLMODE": mode} if mode is not None else {})}), space)
        elif "config.json" in data:
            content = json.loads(data["config.json"])
            content["db"]["parameters"] |= {"host": host, **parameters}
            c.edit("ConfigMap", name, _told({"config.json": json.dumps(content)}), space)


def _told(values: dict[str, str]) -> Callable[[Object], None]:
    def change(item: Object) -> None:
        item["data"] |= values

    return change


def external(c: Any) -> None:
    """The database is outside the cluster, CloudNativePG is there for others."""
    lead_to(c, "db.acme.eu")


def without_backups(c: Any) -> None:
    """No plugin, no store, no schedule, no backup."""
    c.edit("Cluster", NAME, lambda item: item["spec"].pop("plugins"), SPACE)
    for kind in ("ScheduledBackup", "postgresql.cnpg.io/Backup", "ObjectStore"):
        for item in list(c.all(kind)):
            if item["metadata"].get("namespace") == SPACE:
                c.remove(kind, item["metadata"]["name"])


def in_tree_backups(c: Any) -> None:
    """The cluster backs up by itself, without the plugin."""
    without_backups(c)

    def change(item: Object) -> None:
        item["spec"]["backup"] = {"barmanObjectStore": store_configuration(), "retentionPolicy": "30d", "target": "prefer-standby"}
        item["status"] |= {
            "firstRecoverabilityPoint": stamp(29 + 10 / 24), "firstRecoverabilityPointByMethod": {"barmanObjectStore": stamp(29 + 10 / 24)},
            "lastSuccessfulBackup": stamp(10 / 24), "lastSuccessfulBackupByMethod": {"barmanObjectStore": stamp(10 / 24)},
        }  # fmt: skip

    c.edit("Cluster", NAME, change, SPACE)
    c.add(schedule("barmanObjectStore"), *backups("barmanObjectStore"))


def snapshot_backups(c: Any) -> None:
    """Volume snapshots alone, no archive of the write-ahead log."""
    without_backups(c)

    def change(item: Object) -> None:
        item["spec"]["backup"] = {"volumeSnapshot": {"className": "longhorn-snapshots", "snapshotOwnerReference": "none"}, "target": "prefer-standby"}
        item["status"]["conditions"] = [one for one in item["status"]["conditions"] if one["type"] != "ContinuousArchiving"]
        item["status"] |= {
            "firstRecoverabilityPoint": stamp(6), "firstRecoverabilityPointByMethod": {"volumeSnapshot": stamp(6)},
            "lastSuccessfulBackup": stamp(10 / 24), "lastSuccessfulBackupByMethod": {"volumeSnapshot": stamp(10 / 24)},
        }  # fmt: skip

    c.edit("Cluster", NAME, change, SPACE)
    c.add(schedule("volumeSnapshot"), *backups("volumeSnapshot"))


def embedded(
    c: Any,
    *,
    node_name: str = "worker-1",
    class_name: str = "longhorn",
    size: str = "25Gi",
    image: str = EMBEDDED_IMAGE,
    chart_label: str = "postgresql-17.0.2",
) -> None:
    """The database that the chart itself brings, in the release's namespace."""
    name = "exivity-postgresql"
    marks = {chart.NAME_LABEL: "postgresql", chart.INSTANCE_LABEL: "exivity", chart.COMPONENT_LABEL: "primary"}
    whole = {**marks, "helm.sh/chart": chart_label, chart.VERSION_LABEL: "17.6.0", "app.kubernetes.io/managed-by": "Helm"}
    spec: Object = {
        "containers": [{"name": "postgresql", "image": image, "resources": {"requests": {"cpu": "250m", "memory": "256Mi"}}, "ports": [{"name": "tcp-postgresql", "containerPort": 5432}],
                        "volumeMounts": [{"name": "data", "mountPath": "/bitnami/postgresql"}]}],
        "securityContext": {"fsGroup": 1001},
    }  # fmt: skip
    ports = [{"name": "tcp-postgresql", "port": 5432, "protocol": "TCP", "targetPort": "tcp-postgresql"}]
    annotations = {chart.HELM_RELEASE: "exivity", "meta.helm.sh/release-namespace": "exivity"}
    claim = f"data-{name}-0"
    template: Object = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": class_name, "resources": {"requests": {"storage": size}}},
    }
    kept, volume = bound(claim, "exivity", class_name, size, marks)
    c.add(
        made("apps/v1", "StatefulSet", name, "exivity", metadata={"labels": whole, "annotations": annotations, "generation": 1},
             spec={"replicas": 1, "serviceName": f"{name}-hl", "selector": {"matchLabels": marks}, "template": {"metadata": {"labels": whole}, "spec": spec}, "volumeClaimTemplates": [template]},
             status={"observedGeneration": 1, "replicas": 1, "readyReplicas": 1, "updatedReplicas": 1}),
        made("v1", "Service", name, "exivity", metadata={"labels": whole, "annotations": annotations}, spec={"type": "ClusterIP", "selector": marks, "ports": ports}),
        made("v1", "Service", f"{name}-hl", "exivity", metadata={"labels": whole, "annotations": annotations}, spec={"type": "ClusterIP", "clusterIP": "None", "selector": marks, "ports": ports}),
        endpoints(name, "exivity", [(f"{name}-0", node_name, "10.42.10.80")], port="tcp-postgresql"),
        made("v1", "Pod", f"{name}-0", "exivity",
             metadata={"labels": {**whole, "apps.kubernetes.io/pod-index": "0"}, "ownerReferences": [{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": name, "uid": f"StatefulSet-exivity-{name}"}]},
             spec={**spec, "nodeName": node_name, "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]},
             status={"phase": "Running", "podIP": "10.42.10.80", "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "True"}]}),
        kept, volume,
        made("v1", "Secret", name, "exivity", type="Opaque", metadata={"labels": whole},
             data={"password": builders.encode(builders.DATABASE_PASSWORD), "postgres-password": builders.encode(ADMINISTRATOR_PASSWORD)}),
    )  # fmt: skip
    if class_name == "longhorn":
        c.add(*longhorn_volumes([volume], builders.WORKERS))
    lead_to(c, name)


def dump_job(
    name: str = "exivity-db-dump", space: str = "exivity", *, cron: str = "0 2 * * *", hours: float = 10, claim: str | None = None
) -> Object:
    """A CronJob that dumps the database every night."""
    container: Object = {
        "name": "dump",
        "image": "docker.io/library/postgres:17",
        "command": ["sh", "-c", "pg_dump -Fc exivity | aws s3 cp - s3://acme-backups/exivity.dump"],
    }
    pod: Object = {"containers": [container], "restartPolicy": "Never"}
    if claim:
        pod["volumes"] = [{"name": "dumps", "persistentVolumeClaim": {"claimName": claim}}]
    return made(
        "batch/v1", "CronJob", name, space, spec={"schedule": cron, "suspend": False, "jobTemplate": {"spec": {"template": {"spec": pod}}}},
        status={"lastScheduleTime": stamp(hours / 24), "lastSuccessfulTime": stamp(hours / 24)},
    )  # fmt: skip
