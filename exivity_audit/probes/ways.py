"""How a probe reaches a server: straight, at a place that the config names, inside the cluster, or through a port-forward."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from exivity_audit.collect.api import Api
from exivity_audit.collect.connection import Connection
from exivity_audit.collect.discovery import Discovery
from exivity_audit.facts.configuration import cluster_service, two_labels
from exivity_audit.probes.attempt import Attempt, Failed, Path
from exivity_audit.probes.engine import not_without
from exivity_audit.snapshot import Place

PORT_FORWARD = "--probe-port-forward"
HOPS = 4


class Way(Struct, frozen=True):
    """Where a connection is made to, and the name that the server's certificate must carry."""

    host: str
    address: str
    port: int
    path: Path


class Pod(Struct, frozen=True):
    """A pod behind a Service and the port that it listens on."""

    namespace: str
    name: str
    port: int


Forward = Callable[[Pod, Attempt], tuple[str, int]]
"""Opens a port-forward that lives as long as the attempt; gives the loopback address and port."""


def standing(connection: Connection, environment: Mapping[str, str] | None = None) -> Path:
    """Where the tool runs, as seen from the cluster that it audits."""
    variables = os.environ if environment is None else environment
    host = (urlsplit(connection.server).hostname or "").lower()
    own = variables.get("KUBERNETES_SERVICE_HOST", "").lower()
    inside = connection.in_cluster or (bool(own) and (host == own or host.startswith("kubernetes.default")))
    return Path.IN_CLUSTER if inside else Path.LAPTOP


class Ways:
    """Finds the way to a server; what it asks of the API for that are gets and lists like any other read."""

    def __init__(
        self, api: Api, discovery: Discovery, namespace: str, path: Path, connect: Mapping[tuple[str, int], tuple[str, int]], forward: Forward | None
    ) -> None:
        self._api, self._discovery, self._home, self._path = api, discovery, namespace, path
        self._connect, self._forward = connect, forward

    def straight(self, host: str, port: int, attempt: Attempt) -> Way:
        """The way to a host of the way in: by its name, or where the config says."""
        address, number = self._connect.get((host.lower(), port), (host, port))
        return Way(host, address, number, attempt.path)

    def to(self, host: str, port: int, attempt: Attempt) -> Way:
        """The way to a host and port of the product's configuration. Raises Failed, and NotAsked where the run did not allow it."""
        name = host.strip().strip("[]").rstrip(".")
        other = self._connect.get((name.lower(), port))
        if other is not None:
            return Way(name, *other, attempt.path)
        named = self._service(name)
        if named is None:
            return Way(name, name, port, attempt.path)
        service = self._get("services", *named)
        for _ in range(HOPS):
            held = service.get("spec")
            spec: dict[str, Any] = held if isinstance(held, dict) else {}
            target = str(spec.get("externalName") or "").rstrip(".") if spec.get("type") == "ExternalName" else ""
            if not target:
                return self._into(name, named, spec, port, attempt)
            further = self._service(target, named[1])
            if further is None:
                return Way(name, target, port, attempt.path)
            named, service = further, self._get("services", *further)
        raise Failed("unresolved", "its ExternalName Services lead in a circle")

    def _service(self, host: str, home: str | None = None) -> tuple[str, str] | None:
        """The Service that a host names; of a host of two labels only one that exists."""
        try:
            ipaddress.ip_address(host)
            return None
        except ValueError:
            pass
        found = cluster_service(host, home or self._home)
        if found is not None or two_labels(host) is None:
            return found
        name, namespace = host.lower().split(".")
        served = self._discovery.find("services")
        answer = self._api.get(served.path(namespace, name)) if served else None
        return (name, namespace) if answer is not None and answer.failure is None else None

    def _into(self, host: str, named: tuple[str, str], spec: dict[str, Any], port: int, attempt: Attempt) -> Way:
        name, namespace = named
        if self._path is Path.IN_CLUSTER:
            full = host if host.count(".") > 2 else f"{name}.{namespace}.svc"  # the short name is of the release's namespace, not of ours
            return Way(host, full, port, Path.IN_CLUSTER)
        if self._forward is None:
            raise not_without(PORT_FORWARD, "the server is inside the cluster, and the tool runs outside")
        attempt.path = Path.PORT_FORWARD
        pod = self._pod(name, namespace, spec, port, host)
        address, local = self._forward(pod, attempt)
        return Way(host, address, local, Path.PORT_FORWARD)

    def _pod(self, name: str, namespace: str, spec: dict[str, Any], port: int, host: str) -> Pod:
        """A ready pod behind a Service, and the port that the Service's leads to."""
        selector = spec.get("selector")
        if not isinstance(selector, dict) or not selector:
            raise Failed("forward", "its Service has no selector, so no pod stands behind it")
        served = self._discovery.find("pods")
        if served is None:
            raise Failed("forward", "pods could not be listed")
        labels = ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
        listing = self._api.list(served.path(namespace), [("labelSelector", labels)], limit=50, keep=lambda item: item)
        if listing.failure is not None:
            raise Failed("forward", f"the pods of its Service could not be listed ({listing.failure.kind})")
        ready = sorted((pod for pod in listing.items if isinstance(pod, dict) and _ready(pod)), key=lambda pod: str(pod["metadata"].get("name")))
        wanted = host.lower().split(".")[0]  # one pod of a headless Service may be what is named
        ready = [pod for pod in ready if pod["metadata"].get("name") == wanted] or ready
        if not ready:
            raise Failed("forward", "no pod behind its Service is ready")
        number = _target(spec, port, ready[0])
        if number is None:
            raise Failed("forward", f"its Service has no port {port}")
        return Pod(namespace, str(ready[0]["metadata"]["name"]), number)

    def _get(self, resource: str, name: str, namespace: str) -> dict[str, Any]:
        served = self._discovery.find(resource)
        answer = self._api.get(served.path(namespace, name)) if served else None
        if answer is not None and answer.failure is not None and answer.failure.kind == "not-found":
            raise Failed("unresolved", f"there is no Service {name} in {namespace}")
        if answer is None or answer.failure is not None or not isinstance(answer.body, dict):
            raise Failed(
                "forward", f"its Service could not be read ({answer.failure.kind if answer is not None and answer.failure else 'malformed'})"
            )
        return answer.body


def _ready(pod: dict[str, Any]) -> bool:
    status, metadata = pod.get("status"), pod.get("metadata")
    found = status.get("conditions") if isinstance(status, dict) else None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str) or metadata.get("deletionTimestamp"):
        return False
    return any(
        isinstance(one, dict) and one.get("type") == "Ready" and one.get("status") == "True" for one in (found if isinstance(found, list) else ())
    )


def _target(spec: dict[str, Any], port: int, pod: dict[str, Any]) -> int | None:
    """The number of a pod's port behind a Service's port; a headless Service does not translate."""
    if spec.get("clusterIP") == "None":
        return port
    ports = spec.get("ports")
    for one in ports if isinstance(ports, list) else ():
        if isinstance(one, dict) and one.get("port") == port:
            target = one.get("targetPort") or port
            return target if isinstance(target, int) else _named(str(target), pod)
    return None


def _named(name: str, pod: dict[str, Any]) -> int | None:
    spec = pod.get("spec")
    containers = spec.get("containers") if isinstance(spec, dict) else None
    for container in containers if isinstance(containers, list) else ():
        ports = container.get("ports") if isinstance(container, dict) else None
        for one in ports if isinstance(ports, list) else ():
            if isinstance(one, dict) and one.get("name") == name and isinstance(one.get("containerPort"), int):
                return int(one["containerPort"])
    return None


def split_place(place: Place) -> tuple[str, int]:
    """Host and port of a place that is named ``host:port``."""
    host, _, port = (place.name or "").rpartition(":")
    return host.strip("[]"), int(port)
