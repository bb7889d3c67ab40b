"""Conforming clusters built object by object, as an API server would show them: a test breaks one thing and looks.

``multi_node()`` is scenario B on Longhorn behind Traefik, ``single_node()`` scenario A on local-path; every check that has code
passes, skips or is att on them.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache, wraps
from typing import Any

from exivity_audit import chart, size
from tests import products
from tests.world import NOW, Object, World

LAST_NIGHT = 0.45  # days ago
STATELESS = ("glass", "proximity-api", "edify", "horizon", "pigeon", "transcript", "use")
HOST = "exivity.acme.eu"
APP_KEY, JWT_SECRET = "kT4-pq8_Zs3mWx7vBn2cLd9fGh5jRy6uAe", "Qw9-er7_Ty5uIo3pAs1dFg8hJk6lZx4cVb"
DATABASE_PASSWORD, BROKER_PASSWORD, LICENCE = "vN7-hG3_kD9sLq2wXz5b", "Rt6-yU8_iO4pMn1aSd3f", "LICENCE-7f3a-9b2c-ACME-2026"
DATA_SIZES = {"extracted": "100Gi", "exported": "100Gi", "import": "20Gi", "report": "20Gi"}


def stamp(days: float = 0) -> str:
    """A timestamp this many days before now."""
    return (NOW - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def encode(text: str | bytes) -> str:
    """A value as a Secret holds it."""
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def made(api: str, kind: str, name: str, namespace: str | None = None, **rest: Any) -> Object:
    """An object with its metadata."""
    metadata: Object = {"name": name, "creationTimestamp": stamp(30), "uid": f"{kind}-{namespace}-{name}", **rest.pop("metadata", {})}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **rest}


def node(
    name: str,
    zone: str | None = "a",
    *,
    control_plane: bool = False,
    tainted: bool = False,
    pod_range: str = "10.42.0.0/24",
    kubelet: str = "v1.36.3+rke2r1",
) -> Object:
    """A healthy Linux node."""
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    if zone:
        labels |= {"topology.kubernetes.io/zone": zone, "topology.kubernetes.io/region": "eu-1"}
    if control_plane:
        labels["node-role.kubernetes.io/control-plane"] = "true"
    conditions = [{"type": kind, "status": "False"} for kind in ("MemoryPressure", "DiskPressure", "PIDPressure")]
    return made(
        "v1", "Node", name, metadata={"labels": labels},
        spec={"podCIDR": pod_range, "podCIDRs": [pod_range], "providerID": f"rke2://{name}",
              **({"taints": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]} if tainted else {})},
        status={
            "conditions": [*conditions, {"type": "Ready", "status": "True"}],
            "nodeInfo": {"kubeletVersion": kubelet, "operatingSystem": "linux", "osImage": "Ubuntu 24.04.3 LTS", "architecture": "amd64",
                         "containerRuntimeVersion": "containerd://2.1.4"},
            "capacity": {"cpu": "8", "memory": "32Gi", "ephemeral-storage": "500Gi", "pods": "110"},
            "allocatable": {"cpu": "8", "memory": "32Gi", "ephemeral-storage": "480Gi", "pods": "110"},
            "addresses": [{"type": "InternalIP", "address": f"10.0.0.{10 + sum(name.encode()) % 200}"}],
        },
    )  # fmt: skip


def labels_of(component: str, release: str, fullname: str) -> dict[str, str]:
    """The chart's labels."""
    return {
        chart.APP_LABEL: chart.APP, chart.NAME_LABEL: fullname, chart.INSTANCE_LABEL: release, chart.COMPONENT_LABEL: component,
        chart.VERSION_LABEL: "3.39.2", "app.kubernetes.io/managed-by": "Helm",
    }  # fmt: skip


class Installation:
    """The product in one namespace, with everything its objects need to agree on."""

    def __init__(self, *, namespace: str = "exivity", release: str = "exivity", name_override: str = "", nodes: tuple[str, ...], replicas: int,
                 class_name: str, access_mode: str, helm: bool = True, host: str = HOST, trusted_proxy: str = "10.42.0.0/16", ingress_class: str = "traefik",
                 log_size: str = "10Gi", data_sizes: dict[str, str] | None = None,
                 database_host: str = "db.acme.eu", database_sslmode: str = "verify-full") -> None:  # fmt: skip
        self.namespace, self.release, self.fullname = namespace, release, name_override or release
        self.nodes, self.replicas, self.class_name, self.access_mode = nodes, replicas, class_name, access_mode
        self.helm, self.host, self.trusted_proxy, self.ingress_class = helm, host, trusted_proxy, ingress_class
        self.log_size, self.data_sizes = log_size, data_sizes or DATA_SIZES
        self.database_host, self.database_sslmode = database_host, database_sslmode

    def metadata(self, component: str) -> Object:
        """Labels, and Helm's annotation where Helm installed it."""
        found: Object = {"labels": labels_of(component, self.release, self.fullname)}
        if self.helm:
            found["annotations"] = {chart.HELM_RELEASE: self.release, "meta.helm.sh/release-namespace": self.namespace}
        return found

    def object(self, api: str, kind: str, name: str, component: str = "shared", **rest: Any) -> Object:
        """An object of the chart."""
        return made(api, kind, name, self.namespace, metadata=self.metadata(component), **rest)

    def mounted(self, component: str) -> list[str]:
        """Claims a service mounts."""
        own = [f"{component}-log"]
        if component == "proximity-api":
            others = [f"{c}-log" for c in ("chronos", "edify", "griffon", "horizon", "pigeon", "transcript", "use")]
            return [*own, *others, "etl-config", "exported", "extracted", "import", "report"]
        shared = {"edify": ["exported", "extracted", "report"], "transcript": ["exported", "extracted", "import", "etl-config"], "use": ["exported", "extracted", "import", "etl-config"],
                  "chronos": ["chronos-config"], "griffon": ["griffon-config"], "horizon": ["report"], "proximity-cli": ["etl-config", "exported", "extracted", "import", "report"]}  # fmt: skip
        return [*own, *shared.get(component, [])]

    def deployments(self) -> list[Object]:
        """The eleven Deployments with their pods."""
        found = []
        for number, component in enumerate(chart.COMPONENTS):
            count = self.replicas if component in STATELESS else 1
            labels = {
                key: value
                for key, value in labels_of(component, self.release, self.fullname).items()
                if key not in (chart.VERSION_LABEL, "app.kubernetes.io/managed-by")
            }
            spec: Object = {
                "containers": [{
                    "name": component, "image": f"docker.io/exivity/{component}:exivity-3.39.2",
                    "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}},
                    "securityContext": {"runAsNonRoot": True},
                    "volumeMounts": [{"name": part, "mountPath": f"/mnt/{part}"} for part in self.mounted(component)],
                }],
                "securityContext": {"runAsUser": 1000, "runAsGroup": 1000, "fsGroup": 1000, "runAsNonRoot": True},
                "volumes": [{"name": part, "persistentVolumeClaim": {"claimName": f"{self.fullname}-{part}"}} for part in self.mounted(component)],
            }  # fmt: skip
            if count > 1:
                spec["topologySpreadConstraints"] = [
                    {
                        "maxSkew": 1,
                        "topologyKey": "kubernetes.io/hostname",
                        "whenUnsatisfiable": "ScheduleAnyway",
                        "labelSelector": {"matchLabels": labels},
                    }
                ]
            strategy = (
                {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}
                if component in STATELESS
                else {"type": "Recreate"}
            )
            name = f"{self.fullname}-{component}"
            deployment = self.object(
                "apps/v1", "Deployment", name, component,
                spec={"replicas": count, "selector": {"matchLabels": labels}, "strategy": strategy, "template": {"metadata": {"labels": labels}, "spec": spec}},
                status={"observedGeneration": 1, "replicas": count, "updatedReplicas": count, "readyReplicas": count, "availableReplicas": count},
            )  # fmt: skip
            deployment["metadata"]["generation"] = 1
            found.append(deployment)
            found.extend(self.pod(name, labels, spec, self.nodes[(number + copy) % len(self.nodes)], copy) for copy in range(count))
        return found

    def pod(self, owner: str, labels: dict[str, str], spec: Object, node_name: str, number: int) -> Object:
        """A Running pod of a Deployment."""
        container = spec["containers"][0]["name"]
        return made(
            "v1", "Pod", f"{owner}-6d5f-{number}", self.namespace,
            metadata={"labels": labels, "ownerReferences": [{"kind": "ReplicaSet", "name": f"{owner}-6d5f"}]},
            spec={**spec, "nodeName": node_name},
            status={
                "phase": "Running", "podIP": f"10.42.0.{number + 10}", "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "True"}],
                "containerStatuses": [{"name": container, "ready": True, "restartCount": 0, "state": {"running": {"startedAt": stamp(3)}}, "lastState": {}}],
            },
        )  # fmt: skip

    def claims(self, driver: str) -> list[Object]:
        """The eighteen claims, Bound, with their volumes."""
        found = []
        for part in (*chart.LOG_CLAIMS, *chart.CONFIG_CLAIMS, *chart.DATA_CLAIMS):
            shared = part in chart.SHARED_CLAIMS
            mode = self.access_mode if shared else "ReadWriteOnce"
            capacity = self.log_size if part.endswith("-log") else self.data_sizes.get(part, "1Gi")
            name = f"{self.fullname}-{part}"
            claim = self.object(
                "v1", "PersistentVolumeClaim", name, part,
                spec={"accessModes": [mode], "storageClassName": self.class_name, "volumeName": f"pvc-{name}", "volumeMode": "Filesystem",
                      "resources": {"requests": {"storage": capacity}}},
                status={"phase": "Bound", "accessModes": [mode], "capacity": {"storage": capacity}},
            )  # fmt: skip
            if part in chart.KEPT_ON_UNINSTALL:
                claim["metadata"].setdefault("annotations", {})["helm.sh/resource-policy"] = "keep"
            spec: Object = {
                "accessModes": [mode], "capacity": {"storage": capacity}, "storageClassName": self.class_name, "persistentVolumeReclaimPolicy": "Retain",
                "volumeMode": "Filesystem", "claimRef": {"namespace": self.namespace, "name": name},
            }  # fmt: skip
            if driver == "rancher.io/local-path":
                spec["local"] = {"path": f"/opt/local-path-provisioner/{name}"}  # hostPath by default, which Velero passes over
                spec["nodeAffinity"] = {
                    "required": {
                        "nodeSelectorTerms": [{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [self.nodes[0]]}]}]
                    }
                }
            else:
                spec["csi"] = {"driver": driver, "volumeHandle": f"pvc-{name}", "volumeAttributes": {}}
            volume = made(
                "v1",
                "PersistentVolume",
                f"pvc-{name}",
                spec=spec,
                status={"phase": "Bound"},
                metadata={"annotations": {"pv.kubernetes.io/provisioned-by": driver}},
            )
            found += [claim, volume]
        return found

    def config(self) -> list[Object]:
        """ConfigMaps and Secrets."""
        database = {
            "host": self.database_host,
            "port": 5432,
            "sslmode": self.database_sslmode,
            "dbname": "exivity",
            "user": "exivity",
            "password": DATABASE_PASSWORD,
        }
        broker = {
            "servers": [{"host": "mq.rabbitmq.svc", "port": 5671, "secure": True}],
            "user": "exivity-app",
            "password": BROKER_PASSWORD,
            "vhost": "/",
        }
        config = json.dumps({"db": {"driver": "postgres", "parameters": database}, "mq": broker})
        fn = self.fullname
        found = [self.object("v1", "ConfigMap", f"{fn}-config-{part}", part, data={"config.json": config}) for part in chart.CONFIG_COMPONENTS]
        found += [
            self.object("v1", "ConfigMap", f"{fn}-postgres-config", "postgres-config",
                        data={"POSTGRES_HOST": self.database_host, "POSTGRES_PORT": "5432", "POSTGRES_DB": "exivity", "POSTGRES_USER": "exivity", "POSTGRES_SSLMODE": self.database_sslmode}),
            self.object("v1", "ConfigMap", f"{fn}-proximity-api-env", "proximity-api",
                        data={"TRUSTED_PROXY": self.trusted_proxy, "ENABLE_PROMETHEUS": "true", "EXIVITY_BACKEND_LOG_LEVEL": "info"}),
            self.object("v1", "ConfigMap", f"{fn}-proximity-cli-env", "proximity-cli", data={"EXIVITY_BACKEND_LOG_LEVEL": "info"}),
            self.object("v1", "ConfigMap", f"{fn}-config-logfiles", "logfiles", data={"EXIVITY_LOGFILES_DELETE_DAYS": "90", "EXIVITY_LOGFILES_COMPRESS_DAYS": "14"}),
            self.object("v1", "Secret", f"{fn}-app-key", type="Opaque", data={"EXIVITY_APP_KEY": encode(APP_KEY)}),
            self.object("v1", "Secret", f"{fn}-jwt-secret", type="Opaque", data={"EXIVITY_JWT_SECRET": encode(JWT_SECRET)}),
            self.object("v1", "Secret", f"{fn}-licence-key", type="Opaque", data={"license.key": encode(LICENCE)}),
            self.object("v1", "Secret", f"{fn}-postgres-secret", type="Opaque", data={"POSTGRES_PASSWORD": encode(DATABASE_PASSWORD)}),
        ]  # fmt: skip
        if self.helm:
            found.append(self.revision(1, self.values()))
        return found

    def values(self) -> Object:
        """The user values of the release."""
        return {
            "licence": LICENCE, "secret": {"appKey": APP_KEY, "jwtSecret": JWT_SECRET},
            "ingress": {"host": self.host, "ingressClassName": self.ingress_class, "trustedProxy": self.trusted_proxy, "tls": {"enabled": True, "secret": "exivity-tls"}},
            "storage": {
                "storageClass": self.class_name, "sharedVolumeAccessMode": self.access_mode,
                "pvcSizes": {"log": {service.key: self.log_size for service in chart.SERVICES}, "config": dict.fromkeys(("etl", "griffon", "chronos"), "1Gi"), "data": dict(self.data_sizes)},
            },
            "postgresql": {"enabled": False, "host": self.database_host, "sslmode": self.database_sslmode, "global": {"postgresql": {"auth": {"password": DATABASE_PASSWORD}}}},
            "rabbitmq": {"enabled": False, "host": "mq.rabbitmq.svc", "port": 5671, "secure": True, "auth": {"username": "exivity-app", "password": BROKER_PASSWORD}},
            "logfiles": {"deleteDays": 90, "compressDays": 14},
        }  # fmt: skip

    def revision(self, number: int, values: Object, status: str = "deployed", days: float = 30, chart_version: str = "3.39.2") -> Object:
        """A Helm release Secret as Helm stores it."""
        content = {
            "name": self.release, "namespace": self.namespace, "version": number, "config": values,
            "info": {"status": status, "first_deployed": stamp(40), "last_deployed": stamp(days)},
            "chart": {"metadata": {"name": "exivity", "version": chart_version, "appVersion": chart_version}},
        }  # fmt: skip
        release = base64.b64encode(gzip.compress(json.dumps(content).encode(), mtime=0))
        labels = {"owner": "helm", "name": self.release, "status": status, "version": str(number)}
        return made(
            "v1",
            "Secret",
            f"sh.helm.release.v1.{self.release}.v{number}",
            self.namespace,
            type="helm.sh/release.v1",
            metadata={"labels": labels},
            data={"release": encode(release)},
        )

    def network(self) -> list[Object]:
        """Services, their endpoints, the Ingress and its certificate."""
        fn = self.fullname
        found: list[Object] = []
        for component in ("glass", "proximity-api"):
            selector = {chart.APP_LABEL: chart.APP, chart.NAME_LABEL: fn, chart.INSTANCE_LABEL: self.release, chart.COMPONENT_LABEL: component}
            count = self.replicas if component in STATELESS else 1
            found.append(
                self.object(
                    "v1",
                    "Service",
                    f"{fn}-{component}",
                    component,
                    spec={"type": "ClusterIP", "selector": selector, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
                )
            )
            found.append(made(
                "discovery.k8s.io/v1", "EndpointSlice", f"{fn}-{component}-x7k2p", self.namespace, metadata={"labels": {"kubernetes.io/service-name": f"{fn}-{component}"}},
                addressType="IPv4", ports=[{"name": "http", "port": 80, "protocol": "TCP"}],
                endpoints=[{"addresses": [f"10.42.0.{number + 10}"], "conditions": {"ready": True, "serving": True, "terminating": False},
                            "nodeName": self.nodes[number % len(self.nodes)], "targetRef": {"kind": "Pod", "name": f"{fn}-{component}-6d5f-{number}"}} for number in range(count)],
            ))  # fmt: skip
        paths = [
            {"path": path, "pathType": "Prefix", "backend": {"service": {"name": f"{fn}-{target}", "port": {"name": "http"}}}}
            for path, target in (("/v1/", "proximity-api"), ("/v2/", "proximity-api"), ("/", "glass"))
        ]
        found.append(
            self.object(
                "networking.k8s.io/v1",
                "Ingress",
                fn,
                spec={
                    "ingressClassName": self.ingress_class,
                    "tls": [{"hosts": [self.host], "secretName": "exivity-tls"}],
                    "rules": [{"host": self.host, "http": {"paths": paths}}],
                },
            )
        )
        chain, key = certificate(self.host)
        found.append(
            made("v1", "Secret", "exivity-tls", self.namespace, type="kubernetes.io/tls", data={"tls.crt": encode(chain), "tls.key": encode(key)})
        )
        return found

    def budgets(self) -> list[Object]:
        """A PodDisruptionBudget for each service with two copies or more."""
        if self.replicas < 2:
            return []
        return [
            made("policy/v1", "PodDisruptionBudget", f"{self.fullname}-{component}", self.namespace, spec={"minAvailable": 1, "selector": {"matchLabels": {
                chart.NAME_LABEL: self.fullname, chart.COMPONENT_LABEL: component}}}, status={"disruptionsAllowed": 1, "expectedPods": self.replicas})
            for component in STATELESS
        ]  # fmt: skip

    def objects(self, driver: str) -> list[Object]:
        """Everything of the release."""
        return [
            made("v1", "Namespace", self.namespace, status={"phase": "Active"}),
            *self.deployments(),
            *self.claims(driver),
            *self.config(),
            *self.network(),
            *self.budgets(),
        ]


@lru_cache(maxsize=64)
def private_key(owner: str, bits: int = 2048) -> Any:
    """The RSA key of a host or an issuer: made once, as a renewed certificate may keep its key."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(65537, bits)


@lru_cache(maxsize=64)
def certificate(
    host: str, *, days: int = 200, issuer: str = "ACME Issuing CA", key_bits: int = 2048, names: tuple[str, ...] | None = None, chained: bool = True
) -> tuple[bytes, bytes]:
    """A certificate for a host, signed by an intermediate under a root that is not in the chain; chain and key as PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.x509.oid import NameOID

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    key, signer = private_key(host, key_bits), private_key("any issuer")

    def sign(subject: str, by: str, public: Any, authority: bool, hosts: tuple[str, ...] = ()) -> bytes:
        builder = x509.CertificateBuilder(
            issuer_name=name(by), subject_name=name(subject), public_key=public, serial_number=x509.random_serial_number(),
            not_valid_before=NOW - timedelta(days=165), not_valid_after=NOW + timedelta(days=days),
        ).add_extension(x509.BasicConstraints(authority, None), critical=True)  # fmt: skip
        if hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in hosts]), critical=False)
        return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    chain = sign(host, issuer, key.public_key(), False, names or (host,))
    if chained:
        chain += sign(issuer, "ACME Root CA", signer.public_key(), True)
    return chain, key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def traefik(nodes: tuple[str, ...], namespace: str = "traefik", image: str = "docker.io/traefik:v3.6.2") -> list[Object]:
    """Traefik as its chart installs it: redirect to TLS, trusted pod range, a LoadBalancer with an address."""
    labels = {chart.NAME_LABEL: "traefik", chart.INSTANCE_LABEL: f"traefik-{namespace}"}
    arguments = [
        "--entryPoints.web.address=:8000/tcp", "--entryPoints.websecure.address=:8443/tcp", "--entryPoints.web.http.redirections.entryPoint.to=websecure",
        "--entryPoints.web.http.redirections.entryPoint.scheme=https", "--entryPoints.websecure.forwardedHeaders.trustedIPs=10.0.0.0/24", "--providers.kubernetesingress",
    ]  # fmt: skip
    count = min(2, len(nodes))
    spec = {"containers": [{"name": "traefik", "image": image, "args": arguments}]}
    found = [
        made("v1", "Namespace", namespace), made("networking.k8s.io/v1", "IngressClass", "traefik", spec={"controller": "traefik.io/ingress-controller"}),
        made("apps/v1", "Deployment", "traefik", namespace, metadata={"labels": labels, "generation": 1},
             spec={"replicas": count, "selector": {"matchLabels": labels}, "strategy": {"type": "RollingUpdate"}, "template": {"metadata": {"labels": labels}, "spec": spec}},
             status={"observedGeneration": 1, "replicas": count, "updatedReplicas": count, "readyReplicas": count}),
        made("v1", "Service", "traefik", namespace, metadata={"labels": labels},
             spec={"type": "LoadBalancer", "selector": labels, "ports": [{"name": "web", "port": 80}, {"name": "websecure", "port": 443}], "externalTrafficPolicy": "Cluster"},
             status={"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}}),
    ]  # fmt: skip
    for number in range(count):
        found.append(made(
            "v1", "Pod", f"traefik-5c9-{number}", namespace, metadata={"labels": labels, "ownerReferences": [{"kind": "ReplicaSet", "name": "traefik-5c9"}]},
            spec={**spec, "nodeName": nodes[number]},
            status={"phase": "Running", "podIP": f"10.42.1.{number + 5}", "conditions": [{"type": "Ready", "status": "True"}],
                    "containerStatuses": [{"name": "traefik", "ready": True, "restartCount": 0}]},
        ))  # fmt: skip
    return found


def longhorn(installation: Installation, nodes: tuple[str, ...], zones: tuple[str, ...]) -> list[Object]:
    """Longhorn with three replicas of every volume on three nodes."""
    space, api = "longhorn-system", "longhorn.io/v1beta2"
    found = [
        made("v1", "Namespace", space), made("storage.k8s.io/v1", "CSIDriver", "driver.longhorn.io", spec={"attachRequired": True}),
        made("storage.k8s.io/v1", "StorageClass", "longhorn", provisioner="driver.longhorn.io", reclaimPolicy="Retain", allowVolumeExpansion=True, volumeBindingMode="Immediate",
             parameters={"numberOfReplicas": "3", "staleReplicaTimeout": "30", "fsType": "ext4"}),
    ]  # fmt: skip
    settings = {
        "default-replica-count": '{"v1":"3","v2":"3"}', "replica-soft-anti-affinity": "false", "replica-zone-soft-anti-affinity": "false", "replica-disk-soft-anti-affinity": "true",
        "node-down-pod-deletion-policy": "delete-both-statefulset-and-deployment-pod", "rwx-volume-fast-failover": "true", "storage-over-provisioning-percentage": "100",
        "storage-minimal-available-percentage": "25", "current-longhorn-version": "v1.11.1",
    }  # fmt: skip
    found += [made(api, "Setting", name, space, value=value) for name, value in settings.items()]
    for name, zone in zip(nodes, zones, strict=True):
        conditions = [
            {"type": kind, "status": "True"}
            for kind in ("Ready", "Schedulable", "MountPropagation", "RequiredPackages", "NFSClientInstalled", "KernelModulesLoaded")
        ]
        disk = {"storageAvailable": 3000 * 2**30, "storageScheduled": 360 * 2**30, "storageMaximum": 4000 * 2**30,
                "conditions": [{"type": "Ready", "status": "True"}, {"type": "Schedulable", "status": "True"}]}  # fmt: skip
        found.append(made(
            api, "Node", name, space, spec={"allowScheduling": True, "evictionRequested": False, "disks": {"default": {"path": "/var/lib/longhorn", "allowScheduling": True, "storageReserved": 100 * 2**30}}},
            status={"conditions": conditions, "diskStatus": {"default": disk}, "zone": zone, "region": "eu-1"},
        ))  # fmt: skip
        found.append(made("storage.k8s.io/v1", "CSINode", name, spec={"drivers": [{"name": "driver.longhorn.io", "nodeID": name}]}))
    for claim in installation.claims("driver.longhorn.io"):
        if claim["kind"] != "PersistentVolume":
            continue
        volume = claim["metadata"]["name"]
        shared = claim["spec"]["accessModes"] == ["ReadWriteMany"]
        amount = int(size(claim["spec"]["capacity"]["storage"]))
        found.append(made(
            api, "Volume", volume, space, metadata={"labels": {"recurring-job-group.longhorn.io/default": "enabled"}},
            spec={"size": str(amount), "numberOfReplicas": 3, "accessMode": "rwx" if shared else "rwo", "migratable": False, "dataEngine": "v1"},
            status={"state": "attached", "robustness": "healthy", "currentNodeID": nodes[0], "actualSize": amount * 2 // 5, "lastDegradedAt": "",
                    "lastBackup": f"backup-{volume}", "lastBackupAt": stamp(LAST_NIGHT),
                    "kubernetesStatus": {"pvName": volume, "namespace": claim["spec"]["claimRef"]["namespace"], "pvcName": claim["spec"]["claimRef"]["name"]}},
        ))  # fmt: skip
        if shared:
            found.append(made(api, "ShareManager", volume, space, status={"state": "running", "endpoint": "nfs://10.43.0.9/x", "ownerID": nodes[0]}))
        found += [
            made(api, "Replica", f"{volume}-r-{number}", space, metadata={"labels": {"longhornvolume": volume}}, spec={"volumeName": volume, "nodeID": name, "failedAt": "", "healthyAt": stamp(20)}, status={"currentState": "running"})
            for number, name in enumerate(nodes)
        ]  # fmt: skip
    return found


WORKERS, ZONES = ("worker-1", "worker-2", "worker-3"), ("a", "b", "c")


def built_once(build: Callable[..., World]) -> Callable[..., World]:
    """A cluster is built once for each set of changes; who asks gets a copy of his own."""
    known: dict[str, World] = {}

    @wraps(build)
    def copied(**changes: Any) -> World:
        key = repr(sorted(changes.items()))
        if key not in known:
            known[key] = build(**changes).copy()  # which holds nothing that the builder has a hold of
        return known[key].copy()

    return copied


@built_once
def multi_node(**changes: Any) -> World:
    """Scenario B, conforming: three tainted control-plane nodes, three workers in three zones, Longhorn, Traefik, Helm, CloudNativePG."""
    installation = Installation(**{
        "nodes": WORKERS, "replicas": 2, "class_name": "longhorn", "access_mode": "ReadWriteMany", "database_host": "pg-rw.databases.svc",
        "database_sslmode": "require", **changes,
    })  # fmt: skip
    objects = [
        node(f"control-{number}", zone, control_plane=True, tainted=True, pod_range=f"10.42.{number}.0/24") for number, zone in enumerate(ZONES)
    ]
    objects += [node(name, zone, pod_range=f"10.42.{10 + number}.0/24") for number, (name, zone) in enumerate(zip(WORKERS, ZONES, strict=True))]
    objects += [made("v1", "Namespace", "kube-system", metadata={"uid": "c3f1a0d2-7b64-4e0e-9c1d-5a2f90b1e7aa"})]
    objects += installation.objects("driver.longhorn.io") + longhorn(installation, WORKERS, ZONES) + traefik(WORKERS)
    installed = (
        "nodes.longhorn.io",
        "volumes.longhorn.io",
        "replicas.longhorn.io",
        "sharemanagers.longhorn.io",
        "settings.longhorn.io",
        "middlewares.traefik.io",
        "tlsstores.traefik.io",
    )
    objects += products.around("multi_node", installation)
    return World(_distinct(objects), installed=(*installed, *products.served()), version="v1.36.3+rke2r1")


def local_path() -> list[Object]:
    """One K3s node with its local-path provisioner."""
    labels = {"app": "local-path-provisioner"}
    return [
        node("only", None, control_plane=True, kubelet="v1.36.3+k3s1"),
        made("storage.k8s.io/v1", "StorageClass", "local-path", metadata={"annotations": {"storageclass.kubernetes.io/is-default-class": "true", "defaultVolumeType": "local"}},
             provisioner="rancher.io/local-path", reclaimPolicy="Retain", volumeBindingMode="WaitForFirstConsumer"),
        made("v1", "Pod", "local-path-provisioner-7f5", "kube-system", metadata={"labels": labels}, spec={"nodeName": "only", "containers": [{"name": "p", "image": "rancher/local-path-provisioner:v0.0.32"}]},
             status={"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}),
        made("storage.k8s.io/v1", "CSINode", "only", spec={"drivers": []}),
    ]  # fmt: skip


@built_once
def single_node(**changes: Any) -> World:
    """Scenario A, conforming: one K3s node, local-path, the Traefik that K3s brings."""
    installation = Installation(**{
        "nodes": ("only",), "replicas": 1, "class_name": "local-path", "access_mode": "ReadWriteOnce", "log_size": "5Gi",
        "data_sizes": {"extracted": "50Gi", "exported": "50Gi", "import": "10Gi", "report": "10Gi"}, **changes,
    })  # fmt: skip
    objects = [*local_path(), made("v1", "Namespace", "kube-system", metadata={"uid": "7b640000-0000-4e0e-9c1d-5a2f90b1e7aa"})]
    objects += installation.objects("rancher.io/local-path") + traefik(("only",), "kube-system", "rancher/mirrored-library-traefik:3.6.2")
    objects += products.around("single_node", installation)
    return World(_distinct(objects), installed=("middlewares.traefik.io", "tlsstores.traefik.io", *products.served()), version="v1.36.3+k3s1")


@built_once
def multi_node_argo(**changes: Any) -> World:
    """Scenario B kept by Argo CD from Git: tracking annotations, no revision of Helm."""
    from tests.products import gitops

    return gitops.argo(multi_node(helm=False, **changes))


@built_once
def multi_node_flux(**changes: Any) -> World:
    """Scenario B kept by Flux from Git, which runs Helm."""
    from tests.products import gitops

    return gitops.flux(multi_node(**changes))


@built_once
def multi_node_keda(**changes: Any) -> World:
    """Scenario B with stateless services scaled by KEDA."""
    from tests.products import gitops

    return gitops.keda(multi_node(**changes))


def _distinct(objects: list[Object]) -> list[Object]:
    found = {(item["apiVersion"], item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"]): item for item in reversed(objects)}
    return list(reversed(found.values()))


def controller(name: str, image: str, class_string: str, class_name: str, arguments: list[str], *, nodes: tuple[str, ...] = WORKERS[:2], config: dict[str, str] | None = None,
               daemon: bool = False, host_network: bool = False, host_ports: tuple[int, ...] = (), service: str | None = "LoadBalancer") -> list[Object]:  # fmt: skip
    """An ingress controller as its chart installs it, in a namespace of its name, with its class, ConfigMap and Service."""
    labels = {chart.NAME_LABEL: name, chart.INSTANCE_LABEL: name}
    container: Object = {
        "name": "controller",
        "image": image,
        "args": arguments,
        "ports": [{"containerPort": port, "hostPort": port} for port in host_ports],
    }
    spec: Object = {"containers": [container], **({"hostNetwork": True} if host_network else {})}
    template = {"metadata": {"labels": labels}, "spec": spec}
    status = (
        {"observedGeneration": 1, "numberReady": len(nodes), "desiredNumberScheduled": len(nodes)}
        if daemon
        else {"observedGeneration": 1, "replicas": len(nodes), "readyReplicas": len(nodes)}
    )
    found = [
        made("v1", "Namespace", name), made("networking.k8s.io/v1", "IngressClass", class_name, spec={"controller": class_string}),
        made("apps/v1", "DaemonSet" if daemon else "Deployment", f"{name}-controller", name, metadata={"labels": labels, "generation": 1},
             spec={"selector": {"matchLabels": labels}, "template": template, **({} if daemon else {"replicas": len(nodes)})}, status=status),
        made("v1", "ConfigMap", f"{name}-controller", name, data=dict(config or {})),
    ]  # fmt: skip
    for number, place in enumerate(nodes):
        address = f"10.0.0.{10 + sum(place.encode()) % 200}" if host_network else f"10.42.{10 + number}.9"
        found.append(made(
            "v1", "Pod", f"{name}-controller-{number}", name, metadata={"labels": labels}, spec={**spec, "nodeName": place},
            status={"phase": "Running", "podIP": address, "conditions": [{"type": "Ready", "status": "True"}]},
        ))  # fmt: skip
    if service:
        found.append(made(
            "v1", "Service", f"{name}-controller", name, metadata={"labels": labels}, spec={"type": service, "selector": labels, "ports": [{"name": "http", "port": 80}, {"name": "https", "port": 443}]},
            status={"loadBalancer": {"ingress": [{"ip": "203.0.113.8"}]}} if service == "LoadBalancer" else {},
        ))  # fmt: skip
    return found


def ingress_nginx(image: str = "registry.k8s.io/ingress-nginx/controller:v1.15.1@sha256:0a1b", **changes: Any) -> list[Object]:
    """The project's ingress-nginx."""
    arguments = [
        "/nginx-ingress-controller",
        "--controller-class=k8s.io/ingress-nginx",
        "--ingress-class=nginx",
        "--configmap=$(POD_NAMESPACE)/ingress-nginx-controller",
    ]
    return controller("ingress-nginx", image, "k8s.io/ingress-nginx", "nginx", arguments, **changes)


def f5_nginx(**changes: Any) -> list[Object]:
    """F5's NGINX Ingress Controller."""
    arguments = ["-nginx-configmaps=$(POD_NAMESPACE)/nginx-ingress-controller", "-ingress-class=nginx"]
    return controller("nginx-ingress", "nginx/nginx-ingress:5.4.0", "nginx.org/ingress-controller", "nginx", arguments, **changes)


def haproxy_technologies(**changes: Any) -> list[Object]:
    """HAProxy Technologies' controller."""
    arguments = ["--configmap=kubernetes-ingress/kubernetes-ingress-controller", "--ingress.class=haproxy"]
    return controller(
        "kubernetes-ingress", "haproxytech/kubernetes-ingress:3.2.1", "haproxy.org/ingress-controller/haproxy", "haproxy", arguments, **changes
    )


def haproxy_ingress(**changes: Any) -> list[Object]:
    """The project HAProxy Ingress."""
    arguments = ["--configmap=haproxy-ingress/haproxy-ingress-controller"]
    return controller(
        "haproxy-ingress", "quay.io/jcmoraisjr/haproxy-ingress:v0.15.0", "haproxy-ingress.github.io/controller", "haproxy", arguments, **changes
    )


@built_once
def multi_node_gateway(**changes: Any) -> World:
    """Scenario B, conforming, reached through Envoy Gateway without an Ingress."""
    from tests.products import gateway

    return gateway.reached_through_a_gateway(multi_node(**changes))


@built_once
def multi_node_openshift(**changes: Any) -> World:
    """Scenario B, conforming, on OpenShift and reached by Routes."""
    from tests.products import openshift

    return openshift.reached_by_routes(multi_node(**changes))


@built_once
def multi_node_metallb(**changes: Any) -> World:
    """Scenario B, conforming, with an address that MetalLB gives and advertises."""
    from tests.products import metallb

    return metallb.with_metallb(multi_node(**changes))
