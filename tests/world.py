"""A cluster in memory that answers like an API server: for tests of facts and checks over the real collector.

Truth about the API comes from the real control plane (tests/cluster); this one makes thousands of cases cheap.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from exivity_audit.collect.answer import Answer, Failure, Listing, failed

Object = dict[str, Any]
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

# plural.group → (version, kind, namespaced)
RESOURCES: dict[str, tuple[str, str, bool]] = {
    "namespaces": ("v1", "Namespace", False), "nodes": ("v1", "Node", False), "pods": ("v1", "Pod", True), "services": ("v1", "Service", True),
    "configmaps": ("v1", "ConfigMap", True), "serviceaccounts": ("v1", "ServiceAccount", True), "resourcequotas": ("v1", "ResourceQuota", True), "secrets": ("v1", "Secret", True), "events": ("v1", "Event", True),
    "persistentvolumeclaims": ("v1", "PersistentVolumeClaim", True), "persistentvolumes": ("v1", "PersistentVolume", False),
    "deployments.apps": ("v1", "Deployment", True), "statefulsets.apps": ("v1", "StatefulSet", True), "daemonsets.apps": ("v1", "DaemonSet", True),
    "jobs.batch": ("v1", "Job", True), "cronjobs.batch": ("v1", "CronJob", True),
    "horizontalpodautoscalers.autoscaling": ("v2", "HorizontalPodAutoscaler", True), "poddisruptionbudgets.policy": ("v1", "PodDisruptionBudget", True),
    "ingresses.networking.k8s.io": ("v1", "Ingress", True), "ingressclasses.networking.k8s.io": ("v1", "IngressClass", False),
    "storageclasses.storage.k8s.io": ("v1", "StorageClass", False), "csidrivers.storage.k8s.io": ("v1", "CSIDriver", False),
    "csinodes.storage.k8s.io": ("v1", "CSINode", False), "endpointslices.discovery.k8s.io": ("v1", "EndpointSlice", True),
}  # fmt: skip
# Optional APIs by group: version, then plural, kind and whether it is namespaced.
_GROUPS: dict[str, tuple[str, tuple[tuple[str, str, bool], ...]]] = {
    "longhorn.io": ("v1beta2", (
        ("nodes", "Node", True), ("volumes", "Volume", True), ("replicas", "Replica", True), ("sharemanagers", "ShareManager", True), ("settings", "Setting", True),
        ("recurringjobs", "RecurringJob", True), ("backuptargets", "BackupTarget", True), ("backups", "Backup", True), ("backupvolumes", "BackupVolume", True))),
    "postgresql.cnpg.io": ("v1", (
        ("clusters", "Cluster", True), ("backups", "Backup", True), ("scheduledbackups", "ScheduledBackup", True), ("poolers", "Pooler", True))),
    "barmancloud.cnpg.io": ("v1", (("objectstores", "ObjectStore", True),)),
    "rabbitmq.com": ("v1beta1", (
        ("rabbitmqclusters", "RabbitmqCluster", True), ("queues", "Queue", True), ("policies", "Policy", True), ("vhosts", "Vhost", True),
        ("shovels", "Shovel", True), ("federations", "Federation", True), ("schemareplications", "SchemaReplication", True))),
    "traefik.io": ("v1alpha1", (("middlewares", "Middleware", True), ("tlsstores", "TLSStore", True), ("ingressroutes", "IngressRoute", True))),
    "keda.sh": ("v1alpha1", (("scaledobjects", "ScaledObject", True),)),
    "argoproj.io": ("v1alpha1", (
        ("applications", "Application", True), ("workflows", "Workflow", True), ("workflowtemplates", "WorkflowTemplate", True),
        ("clusterworkflowtemplates", "ClusterWorkflowTemplate", False), ("cronworkflows", "CronWorkflow", True), ("sensors", "Sensor", True))),
    "helm.toolkit.fluxcd.io": ("v2", (("helmreleases", "HelmRelease", True),)),
    "kustomize.toolkit.fluxcd.io": ("v1", (("kustomizations", "Kustomization", True),)),
    "source.toolkit.fluxcd.io": ("v1", (
        ("gitrepositories", "GitRepository", True), ("helmrepositories", "HelmRepository", True), ("ocirepositories", "OCIRepository", True),
        ("helmcharts", "HelmChart", True), ("buckets", "Bucket", True))),
    "cert-manager.io": ("v1", (("certificates", "Certificate", True), ("issuers", "Issuer", True), ("clusterissuers", "ClusterIssuer", False))),
    "gateway.networking.k8s.io": ("v1", (("gatewayclasses", "GatewayClass", False), ("gateways", "Gateway", True), ("httproutes", "HTTPRoute", True))),
    "gateway.envoyproxy.io": ("v1alpha1", (("clienttrafficpolicies", "ClientTrafficPolicy", True),)),
    "route.openshift.io": ("v1", (("routes", "Route", True),)),
    "operator.openshift.io": ("v1", (("ingresscontrollers", "IngressController", True),)),
    "config.openshift.io": ("v1", (("clusterversions", "ClusterVersion", False),)),
    "metallb.io": ("v1beta1", (("ipaddresspools", "IPAddressPool", True), ("l2advertisements", "L2Advertisement", True), ("bgpadvertisements", "BGPAdvertisement", True))),
    "velero.io": ("v1", (
        ("schedules", "Schedule", True), ("backups", "Backup", True), ("restores", "Restore", True), ("backupstoragelocations", "BackupStorageLocation", True),
        ("podvolumebackups", "PodVolumeBackup", True))),
    "snapshot.storage.k8s.io": ("v1", (("volumesnapshots", "VolumeSnapshot", True), ("volumesnapshotclasses", "VolumeSnapshotClass", False))),
    "monitoring.coreos.com": ("v1", (
        ("prometheuses", "Prometheus", True), ("alertmanagers", "Alertmanager", True), ("servicemonitors", "ServiceMonitor", True), ("podmonitors", "PodMonitor", True),
        ("prometheusrules", "PrometheusRule", True), ("alertmanagerconfigs", "AlertmanagerConfig", True), ("prometheusagents", "PrometheusAgent", True), ("thanosrulers", "ThanosRuler", True))),
    "operator.victoriametrics.com": ("v1beta1", (("vmsingles", "VMSingle", True), ("vmagents", "VMAgent", True), ("vmclusters", "VMCluster", True), ("vmrules", "VMRule", True))),
}  # fmt: skip
OPTIONAL: dict[str, tuple[str, str, bool]] = {
    f"{plural}.{group}": (version, kind, namespaced) for group, (version, kinds) in _GROUPS.items() for plural, kind, namespaced in kinds
}
OPTIONAL |= {
    "alertmanagerconfigs.monitoring.coreos.com": ("v1alpha1", "AlertmanagerConfig", True),
    "prometheusagents.monitoring.coreos.com": ("v1alpha1", "PrometheusAgent", True),
}
_PATH = re.compile(
    r"^/(?:api/(?P<core>v1)|apis/(?P<group>[^/]+)/(?P<version>[^/]+))(?:/namespaces/(?P<namespace>[^/]+))?/(?P<plural>[a-z0-9]+)(?:/(?P<name>[^/]+))?$"
)


class World:
    """Objects by resource; ``deny`` makes requests forbidden, ``requests`` keeps what was asked.

    An object that no test has got hold of is shared with the copies of this world and with what the collector is answered, and copied
    when a test asks for it; one that a test has is this world's own.
    """

    def __init__(self, objects: Iterable[Object], *, installed: Iterable[str] = (), version: str = "v1.36.3", identity: str = "tester") -> None:
        self.resources = RESOURCES | {name: OPTIONAL[name] for name in installed}
        self.version, self.identity = version, identity
        self._items: list[Object] = []
        self._untouched: dict[int, Object] = {}  # by identity: nobody else can change them
        self.add(*objects)
        self.deny: Callable[[str, str | None, str | None], bool] = lambda resource, namespace, name: False
        self.review: Callable[[str, str | None, str | None], bool] | None = None  # what a review answers by, where ``deny`` notes what it refuses
        self.requests: list[tuple[str, str]] = []
        self.usage: Any = None  # what servers beside the API say (tests/usage.py)

    # What tests do to it

    def find(self, kind: str, name: str, namespace: str | None = None) -> Object:
        """The object itself, to change it in place; an ``apiVersion`` prefix may stand before the kind (``longhorn.io/Node``)."""
        return self._own(self._number(kind, name, namespace))

    def all(self, kind: str) -> Iterator[Object]:
        """The objects of a kind."""
        return iter([self._own(number) for number in self._numbers(kind)])

    @property
    def objects(self) -> list[Object]:
        """Every object, to change them and the list itself."""
        for number in range(len(self._items)):
            self._own(number)
        return self._items

    @objects.setter
    def objects(self, objects: list[Object]) -> None:
        self._items = objects

    def add(self, *objects: Object) -> None:
        """Add objects."""
        for item in objects:
            own = copy.deepcopy(item)
            self._items.append(own)
            self._untouched[id(own)] = own

    def remove(self, kind: str, name: str) -> Object:
        """Take an object away."""
        number = self._number(kind, name)
        item = self._own(number)
        del self._items[number]
        return item

    def edit(self, kind: str, name: str, change: Callable[[Object], Any], namespace: str | None = None) -> None:
        """Change one object in place."""
        change(self.find(kind, name, namespace))

    def copy(self) -> World:
        """Another world with the same content."""
        other = World((), version=self.version, identity=self.identity)
        other._items = [self._shared(item) for item in self._items]
        other._untouched = {id(item): item for item in other._items}
        other.resources, other.deny, other.usage = dict(self.resources), self.deny, self.usage
        return other

    # What the collector asks

    def get(self, path: str, query: Iterable[tuple[str, str]] = (), *, accept: str = "application/json") -> Answer:
        """One object, a list, or a piece of discovery."""
        self.requests.append(("GET", path))
        if path == "/version":
            return self._ok({"gitVersion": self.version, "major": "1", "minor": self.version.split(".")[1]})
        if path in ("/api", "/apis"):
            return self._ok(self._discovery(path))
        match = _PATH.match(path)
        if match is None:
            return failed(Failure("not-found", 404, "not found"))
        resource = f"{match['plural']}.{match['group']}" if match["group"] else match["plural"]
        if resource not in self.resources:
            return failed(Failure("not-found", 404, "not found"))
        if self.deny(resource, match["namespace"], match["name"]):
            return failed(Failure("forbidden", 403, "forbidden"))
        options = dict(query)
        found = [item for item in self._of(resource) if match["namespace"] in (None, item["metadata"].get("namespace"))]
        if match["name"] is not None:
            item = next((item for item in found if item["metadata"].get("name") == match["name"]), None)
            return failed(Failure("not-found", 404, "not found")) if item is None else self._ok(self._shared(item))
        selected = [
            item for item in found if labels_fit(options.get("labelSelector", ""), item) and _fields_fit(options.get("fieldSelector", ""), item)
        ]
        return self._ok({"kind": "List", "metadata": {}, "items": [self._shared(item) for item in selected]})

    def list(
        self, path: str, query: Iterable[tuple[str, str]] = (), *, limit: int = 500, keep: Callable[[dict[str, object]], object], shape: Any = None,
        most: int | None = None,
    ) -> Listing:  # fmt: skip
        """All pages of a list."""
        answer = self.get(path, query)
        if answer.failure is not None:
            return Listing((), answer.failure, "", 1)
        body: Any = answer.body
        return Listing(tuple(keep(item) for item in body["items"]), None, "1", 1, NOW, 200)

    def post_review(self, path: str, body: Mapping[str, object]) -> Answer:
        """SelfSubjectReview says who asks; an access review says what ``deny`` says."""
        self.requests.append(("POST", path))
        if path.endswith("selfsubjectreviews"):
            return self._ok({"status": {"userInfo": {"username": self.identity}}})
        attributes: Any = body.get("spec")
        asked = attributes["resourceAttributes"]
        resource = f"{asked['resource']}.{asked['group']}" if asked.get("group") else asked["resource"]
        deny = self.review or self.deny
        return self._ok({"status": {"allowed": not deny(resource, asked.get("namespace"), asked.get("name"))}})

    def _of(self, resource: str) -> Iterator[Object]:
        group = resource.partition(".")[2]
        kind = self.resources[resource][1]
        for item in self._items:
            if item["kind"] == kind and (item["apiVersion"].rpartition("/")[0] == group):
                yield item

    def _numbers(self, kind: str) -> Iterator[int]:
        """Where in the list the objects of a kind are."""
        group, _, plain = kind.rpartition("/")
        for number, item in enumerate(self._items):
            if item["kind"] == plain and (not group or item["apiVersion"].startswith(group + "/")):
                yield number

    def _number(self, kind: str, name: str, namespace: str | None = None) -> int:
        for number in self._numbers(kind):
            metadata = self._items[number]["metadata"]
            if metadata["name"] == name and namespace in (None, metadata.get("namespace")):
                return number
        raise KeyError(f"{kind} {name}")

    def _own(self, number: int) -> Object:
        """An object for a test to change: a copy in its place where it is shared."""
        item = self._items[number]
        if self._untouched.pop(id(item), None) is not None:
            item = self._items[number] = copy.deepcopy(item)
        return item

    def _shared(self, item: Object) -> Object:
        """An object for others to look at: itself where nobody changes it, else a copy."""
        return item if id(item) in self._untouched else copy.deepcopy(item)

    def _ok(self, body: Any) -> Answer:
        return Answer(200, body, "", "", NOW, None)

    def _discovery(self, root: str) -> Object:
        served = {**self.resources, "selfsubjectreviews.authentication.k8s.io": ("v1", "SelfSubjectReview", False),
                  "selfsubjectaccessreviews.authorization.k8s.io": ("v1", "SelfSubjectAccessReview", False)}  # fmt: skip
        groups: dict[str, dict[str, list[Object]]] = {}
        for name, (version, kind, namespaced) in served.items():
            plural, _, group = name.partition(".")
            if (group == "") == (root == "/api"):
                entry = {
                    "resource": plural,
                    "scope": "Namespaced" if namespaced else "Cluster",
                    "responseKind": {"kind": kind},
                    "verbs": ["get", "list"],
                }
                groups.setdefault(group, {}).setdefault(version, []).append(entry)
        items = [
            {
                "metadata": {"name": group} if group else {},
                "versions": [{"version": version, "resources": entries, "freshness": "Current"} for version, entries in versions.items()],
            }
            for group, versions in groups.items()
        ]
        return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": items}


def labels_fit(selector: str, item: Object) -> bool:
    """Whether an object's labels fit a selector."""
    labels = item["metadata"].get("labels")
    labels = labels if isinstance(labels, dict) else {}
    for part in re.split(r",(?![^(]*\))", selector):
        if not part:
            continue
        inside = re.match(r"^(\S+) in \(([^)]*)\)$", part)
        if inside:
            if labels.get(inside[1]) not in inside[2].split(","):
                return False
        elif "=" in part:
            key, _, value = part.partition("=")
            if labels.get(key) != value.lstrip("="):
                return False
        elif part not in labels:
            return False
    return True


def _fields_fit(selector: str, item: Object) -> bool:
    for part in filter(None, selector.split(",")):
        path, _, value = part.partition("=")
        found: Any = item
        for step in path.split("."):
            found = found.get(step) if isinstance(found, dict) else None
        if found != value:
            return False
    return True
