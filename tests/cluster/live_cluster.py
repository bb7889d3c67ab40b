"""A running cluster as mutations change it: whole objects are edited, added and removed, and `undo` brings back what was."""

from __future__ import annotations

import contextlib
import copy
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from tests.world import OPTIONAL, RESOURCES

from .controlplane import PAUSE, Cluster, ClusterError, Object, pauses
from .controlplane import _completed as completed

# Who keeps the status of these is a controller of the control plane: a status that a test brings along is left out.
CONTROLLED_STATUS = frozenset({"Namespace", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Pod", "PersistentVolume", "PersistentVolumeClaim",
                               "PodDisruptionBudget", "HorizontalPodAutoscaler", "Job", "CronJob"})  # fmt: skip
# What controllers watch and answer with other objects; nothing follows from a change of any other kind.
STIRRING = frozenset({"Namespace", "Node", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Pod", "PersistentVolume", "PersistentVolumeClaim", "Service",
                      "EndpointSlice", "PodDisruptionBudget", "HorizontalPodAutoscaler", "Job", "CronJob", "StorageClass"})  # fmt: skip
SERVER_METADATA = (
    "uid",
    "creationTimestamp",
    "resourceVersion",
    "generation",
    "managedFields",
    "selfLink",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
)
# Group, version and kind of everything that may be there.
KINDS = [(name.partition(".")[2], version, kind) for name, (version, kind, _) in (RESOURCES | OPTIONAL).items()]
# What these own is theirs to make.
CONTROLLERS = frozenset({"ReplicaSet", "StatefulSet", "DaemonSet", "Job"})
# What others need to be there before them.
FIRST = ("Namespace", "Node", "PersistentVolume", "PersistentVolumeClaim", "Secret", "ConfigMap")
REFUSED = (400, 403, 422)
MOVING = (
    "/apis/apps/v1/deployments",
    "/apis/apps/v1/statefulsets",
    "/api/v1/pods",
    "/api/v1/persistentvolumeclaims",
    "/apis/discovery.k8s.io/v1/endpointslices",
)
QUIET_SECONDS = 0.5
# Nodes unheard of for 50 seconds are taken for dead and their pods for not ready, which kwok never mends; a change of a node delays its next sign of life.
BEAT_SECONDS = 5.0


def bare(item: Object) -> Object:
    """An object without what only the API server gives it, ready to be created."""
    found = copy.deepcopy(item)
    for key in SERVER_METADATA:
        found["metadata"].pop(key, None)
    if found["kind"] in CONTROLLED_STATUS:
        found.pop("status", None)
    if found["kind"] == "PersistentVolumeClaim":
        # With these the controller takes a new claim for one that has lost its volume.
        for mark in ("bind-completed", "bound-by-controller"):
            found["metadata"].get("annotations", {}).pop(f"pv.kubernetes.io/{mark}", None)
    return found


def to_create(objects: Iterable[Object]) -> list[Object]:
    """What is left of objects as a cluster shows them, for a control plane that makes the rest: pods of controllers, endpoints.

    The owner of any other pod is an operator that does not run here; with its mark the garbage collector would take the pod away.
    """
    every = list(objects)
    served = {_place(item) for item in every if item["kind"] == "Service" and item["spec"].get("selector")}
    found = []
    for item in every:
        owners = {owner["kind"] for owner in item["metadata"].get("ownerReferences", ())}
        behind = (item["metadata"].get("namespace"), item["metadata"].get("labels", {}).get("kubernetes.io/service-name"))
        if owners & CONTROLLERS or (item["kind"] == "EndpointSlice" and behind in served):
            continue
        made = bare(item)
        made["metadata"].pop("ownerReferences", None)
        if item["kind"] == "Service" and item["spec"].get("clusterIP") != "None":
            made["spec"].pop("clusterIP", None)
        found.append(made)
    return sorted(found, key=lambda item: FIRST.index(item["kind"]) if item["kind"] in FIRST and not _is_other_node(item) else len(FIRST))


def _place(item: Object) -> tuple[str | None, str]:
    return item["metadata"].get("namespace"), item["metadata"]["name"]


def _is_other_node(item: Object) -> bool:
    return bool(item["kind"] == "Node") and not is_node(item)


def is_node(item: Object) -> bool:
    """A Node of Kubernetes, not Longhorn's."""
    return bool(item["kind"] == "Node" and item["apiVersion"] == "v1")


class LiveCluster:
    """One release on a running cluster; the names of `tests.mutation.Cluster`, against a real API server."""

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        release: str,
        *,
        make_volumes: Callable[[Object], list[Object]],
        middleware: tuple[str, ...] = ("traefik", "kube-system", "databases", "rabbitmq"),
    ) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.release = release
        self._make_volumes = make_volumes
        self._spaces = (namespace, *middleware)
        self._originals: dict[str, Object | None] = {}
        self._statuses: set[str] = set()
        self._stirred = False
        self._beaten = 0.0

    def again(self) -> LiveCluster:
        """The same release, with changes of its own to undo."""
        return LiveCluster(self.cluster, self.namespace, self.release, make_volumes=self._make_volumes, middleware=self._spaces[1:])

    # What mutations do

    def all(self, kind: str) -> Iterator[Object]:
        """Copies of the objects of a kind, those of the release's namespace first; `GROUP/KIND` names one of several kinds."""
        found: list[Object] = []
        for api_version, plain in self._served(kind):
            plural = self.cluster.resource(api_version, plain).plural
            prefix = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
            found += [{"apiVersion": api_version, "kind": plain, **item} for item in self.cluster.items(f"{prefix}/{plural}")]
        return iter(sorted(found, key=lambda item: item["metadata"].get("namespace") != self.namespace))

    def find(self, kind: str, name: str, namespace: str | None = None) -> Object:
        """A copy of one object."""
        for item in self.all(kind):
            if item["metadata"]["name"] == name and namespace in (None, item["metadata"].get("namespace")):
                return item
        raise KeyError(f"{kind} {name}")

    def edit(self, kind: str, name: str, change: Callable[[Object], Any], namespace: str | None = None) -> None:
        """Changes an object: the whole of it is put back, its status by itself. What may not be changed is made anew."""
        self._beat()
        item = self.find(kind, name, namespace)
        changed = copy.deepcopy(item)
        change(changed)
        path = self.cluster.path(item)
        self._remember(path, item)
        with_status = changed.get("status") != item.get("status")
        if with_status:
            self._statuses.add(path)
        self._put(path, item, changed, with_status=with_status)

    def add(self, *objects: Object) -> None:
        """Creates objects, with the namespaces they are in; a claim that says it is Bound is given a volume."""
        bound = {_place(item) for item in objects if item["kind"] == "PersistentVolumeClaim" and item.get("status", {}).get("phase") == "Bound"}
        volumes = {item["metadata"]["name"] for item in objects if item["kind"] == "PersistentVolume"}
        for item in to_create(objects):
            space = item["metadata"]["name"] if item["kind"] == "Namespace" else item["metadata"].get("namespace")
            if space:
                self._need(space)
            if item["kind"] == "Namespace":
                continue
            path = self.cluster.path(item)
            self._remember(path, None)
            self._stir(item["kind"])
            self._create(path, item)
            if item["kind"] == "PersistentVolumeClaim" and _place(item) in bound and item["spec"].get("volumeName") not in volumes:
                volume, *backing = self._make_volumes(item)
                for made in (completed(volume, self.cluster.get(path)), *backing):
                    self._remember(self.cluster.path(made), None)
                    self.cluster.apply(made)

    def _need(self, space: str) -> None:
        """Makes a namespace. It stays: removing one takes longer than a test, and an empty one means nothing."""
        if not self.cluster.exists(f"/api/v1/namespaces/{space}"):
            self.cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}})
            account = f"/api/v1/namespaces/{space}/serviceaccounts/default"
            self.cluster.wait(lambda: self.cluster.exists(account), 30, f"the service account of the namespace {space}")
        if space not in self._spaces:
            self._spaces = (*self._spaces, space)

    def remove(self, kind: str, name: str) -> Object:
        """Deletes an object at once, finalizers or not, and returns what it was."""
        item = self.find(kind, name)
        path = self.cluster.path(item)
        self._remember(path, item)
        self._stir(item["kind"])
        self._delete(path)
        return item

    # What tests do

    def undo(self) -> None:
        """Brings every object back to what it was when it was first touched."""
        self._beat()
        for path, original in reversed(list(self._originals.items())):
            current = self._get(path)
            if original is None:
                if current is not None:
                    self._stir(current["kind"])
                    self._delete(path)
            elif current is None:
                self._stir(original["kind"])
                self._create(path, original)
            else:
                if original["kind"] == "PersistentVolume":
                    original["spec"]["claimRef"] = current["spec"].get("claimRef")
                with_status = path in self._statuses or (original["kind"] not in CONTROLLED_STATUS and not is_node(original))
                self._put(path, {"apiVersion": original["apiVersion"], "kind": original["kind"], **current}, original, with_status=with_status)
        self.forget()

    def forget(self) -> None:
        """Takes the cluster as it is now for what `undo` brings back."""
        self._originals.clear()
        self._statuses.clear()

    def settle(self, seconds: float = 30) -> None:
        """Waits until the controllers have answered what was changed: Deployments rolled out, or nothing moves any more."""
        if not self._stirred:
            return
        before, since, looks = "", time.monotonic(), 0
        for _ in range(pauses(seconds)):
            state, done = self._state()
            if state != before:
                before, since, looks = state, time.monotonic(), 0
            elif looks > 1 and time.monotonic() - since > (QUIET_SECONDS if done else 4 * QUIET_SECONDS):
                break
            looks += 1
            time.sleep(PAUSE)
        self._stirred = False

    def wait_until_ready(self, seconds: float = 90) -> None:
        """Waits until every Deployment is rolled out, every claim Bound and nothing moves."""
        self.cluster.wait(lambda: self._state()[1], seconds, f"the release {self.namespace}/{self.release} to be ready")
        self._stirred = True
        self.settle()

    def _state(self) -> tuple[str, bool]:
        """The versions of all that moves, and whether all of it is where it is going."""
        deployments, sets, pods, claims, slices = (self._ours(path) for path in MOVING)
        versions = [item["metadata"]["resourceVersion"] for item in (*deployments, *sets, *pods, *claims, *slices)]
        done = all(_rolled_out(item) for item in deployments) and all(_running(item) for item in sets)
        done = done and not any("deletionTimestamp" in item["metadata"] for item in pods)
        return " ".join(versions), done and all(item["status"].get("phase") == "Bound" for item in claims)

    def _ours(self, path: str) -> list[Object]:
        return [item for item in self.cluster.items(path) if item["metadata"]["namespace"] in self._spaces]

    # How

    def _beat(self) -> None:
        """Renews the leases of all nodes, as kubelets do."""
        if time.monotonic() - self._beaten < BEAT_SECONDS:
            return
        self._beaten = time.monotonic()
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        for item in self.cluster.items("/api/v1/nodes"):
            name = item["metadata"]["name"]
            spec = {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": now}
            metadata = {"name": name, "namespace": "kube-node-lease"}
            self.cluster.apply({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec})

    def _served(self, kind: str) -> list[tuple[str, str]]:
        """The served kinds of that name, Kubernetes' own first."""
        group, _, plain = kind.rpartition("/")
        known = [(f"{one}/{version}" if one else version) for one, version, found in KINDS if found == plain and group in ("", one)]
        found = [(api_version, plain) for api_version in dict.fromkeys(known) if self._serves(api_version, plain)]
        if not found:
            raise KeyError(f"no kind {kind} is served")
        return found

    def _serves(self, api_version: str, kind: str) -> bool:
        try:
            self.cluster.resource(api_version, kind, seconds=0)
        except ClusterError as error:
            if error.status != 404:
                raise
            return False
        return True

    def _remember(self, path: str, item: Object | None) -> None:
        self._originals.setdefault(path, copy.deepcopy(item))

    def _stir(self, kind: str) -> None:
        self._stirred = self._stirred or kind in STIRRING

    def _get(self, path: str) -> Object | None:
        return self.cluster.get(path) if self.cluster.exists(path) else None

    def _put(self, path: str, current: Object, wanted: Object, *, with_status: bool) -> None:
        """Makes the object at a path what is wanted: by updates, or by replacing it where the API allows none."""
        has_status = self.cluster.resource(wanted["apiVersion"], wanted["kind"]).has_status
        if _content(current, has_status) != _content(wanted, has_status):
            self._stir(wanted["kind"])
            try:
                self._update(path, wanted)
            except ClusterError as error:
                if error.status not in REFUSED:
                    raise
                self._replace(path, wanted)
        if with_status and has_status and wanted.get("status") is not None and wanted.get("status") != (self._get(path) or {}).get("status"):
            self._stir(wanted["kind"])
            self._update(path + "/status", wanted)
        if has_status and wanted["kind"] not in CONTROLLED_STATUS and not is_node(wanted):
            self._observe(path, wanted)

    def _observe(self, path: str, wanted: Object) -> None:
        """Says in the status that the newest generation was seen, where that held before: as the operator would that does not run here."""
        fresh, before = self._get(path), wanted["metadata"].get("generation")
        now = fresh["metadata"].get("generation") if fresh else None
        if fresh is None or now == before or fresh.get("status", {}).get("observedGeneration") != before:
            return
        status = copy.deepcopy(fresh["status"])
        for part in (status, *status.get("conditions", ())):
            if part.get("observedGeneration") == before:
                part["observedGeneration"] = now
        self._update(path + "/status", {**fresh, "status": status})

    def _update(self, path: str, wanted: Object) -> None:
        """A PUT with the version of the moment, again where someone else was faster."""
        for attempt in range(5):
            fresh = self.cluster.get(path)
            body = copy.deepcopy(fresh) if path.endswith("/status") else copy.deepcopy(wanted)
            body["metadata"] = {**body["metadata"], "resourceVersion": fresh["metadata"]["resourceVersion"], "uid": fresh["metadata"]["uid"]}
            if path.endswith("/status"):
                body["status"] = wanted["status"]
            try:
                self.cluster.request("PUT", path, body)
            except ClusterError as error:
                if error.status != 409 or attempt == 4:
                    raise
            else:
                return

    def _replace(self, path: str, wanted: Object) -> None:
        self._unbind(wanted)
        self._delete(path)
        self._create(path, wanted)
        status = wanted.get("status")
        if wanted["kind"] == "PersistentVolumeClaim" and status:
            with contextlib.suppress(TimeoutError):
                self.cluster.wait(lambda: (self._get(path) or {}).get("status", {}).get("phase") == "Bound", 5, f"{path} to be Bound")

    def _create(self, path: str, item: Object) -> None:
        self._unbind(item)
        body = bare(item)
        if item["kind"] == "PersistentVolume" and item["spec"].get("claimRef"):
            reference = body["spec"]["claimRef"]
            claim = self._get(f"/api/v1/namespaces/{reference['namespace']}/persistentvolumeclaims/{reference['name']}")
            reference.pop("resourceVersion", None)
            reference["uid"] = claim["metadata"]["uid"] if claim else None
        collection = path.rpartition("/")[0]
        self.cluster.request("POST", collection, body)
        if "status" in body and self.cluster.resource(body["apiVersion"], body["kind"]).has_status:
            self._update(path + "/status", body)

    def _unbind(self, item: Object) -> None:
        """Lets the volume of a claim that is made anew take the new one: it asks for the claim by name, not by uid, as the claim is."""
        name = item["spec"].get("volumeName") if item["kind"] == "PersistentVolumeClaim" else None
        if not name or not self.cluster.exists(f"/api/v1/persistentvolumes/{name}"):
            return
        path = f"/api/v1/persistentvolumes/{name}"
        volume = self.cluster.get(path)
        self._remember(path, {"apiVersion": "v1", "kind": "PersistentVolume", **volume})
        modes = item["spec"]["accessModes"]
        fits = set(modes) <= set(volume["spec"]["accessModes"])
        reference = {"claimRef": {"uid": None, "resourceVersion": None}}
        with_class = {"storageClassName": item["spec"].get("storageClassName", "")}
        self.cluster.patch(path, {"spec": {**reference, **with_class, **({} if fits else {"accessModes": modes})}})

    def _delete(self, path: str) -> None:
        item = self._get(path)
        if item is None:
            return
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background", "gracePeriodSeconds": 0}
        self.cluster.request("DELETE", path, options)
        if item["metadata"].get("finalizers") and self.cluster.exists(path):
            with contextlib.suppress(ClusterError):
                self.cluster.patch(path, {"metadata": {"finalizers": None}})
        self.cluster.wait(lambda: not self.cluster.exists(path), 30, f"{path} to be gone")


def _content(item: Object, has_status: bool) -> Object:
    """An object without what the API server keeps for itself, and without a status that is changed by itself."""
    found = {key: value for key, value in item.items() if key != "status" or not has_status}
    metadata = {key: value for key, value in item["metadata"].items() if key not in SERVER_METADATA}
    annotations = {key: value for key, value in metadata.get("annotations", {}).items() if key != "deployment.kubernetes.io/revision"}
    return {**found, "metadata": {**metadata, "annotations": annotations}}


def _rolled_out(deployment: Object) -> bool:
    status, wanted = deployment.get("status", {}), deployment["spec"].get("replicas", 1)
    counts = [status.get(key, 0) for key in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")]
    return status.get("observedGeneration", 0) >= deployment["metadata"]["generation"] and counts == [wanted] * 4


def _running(stateful_set: Object) -> bool:
    status, wanted = stateful_set.get("status", {}), stateful_set["spec"].get("replicas", 1)
    counts = [status.get(key, 0) for key in ("replicas", "updatedReplicas", "readyReplicas")]
    return status.get("observedGeneration", 0) >= stateful_set["metadata"]["generation"] and counts == [wanted] * 3
