"""Reads of the namespaces that the product's configuration leads to: its database and broker, wherever they run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from exivity_audit.collect.place import MissingRead, Read, paths
from exivity_audit.collect.reads.shapes import METADATA, OWNERS, POD, POD_CUT, WORKLOAD, WORKLOAD_CUT
from exivity_audit.fact import Unreadable
from exivity_audit.facts.configuration import cluster_service, two_labels
from exivity_audit.snapshot import Place


def _hosts(postgres_config: Any, service_configs: Any) -> Iterator[str]:
    """The database and broker hosts of the configuration, as far as it can be read. Raises MissingRead where none of it can."""
    if isinstance(postgres_config, Unreadable) and isinstance(service_configs, Unreadable):
        raise MissingRead(postgres_config)
    for item in () if isinstance(postgres_config, Unreadable) else postgres_config:
        yield from _split(item.value.get("data", {}).get("POSTGRES_HOST") if isinstance(item.value.get("data"), dict) else None)
    for item in () if isinstance(service_configs, Unreadable) else service_configs:
        data = item.value.get("data")
        content = data.get("config.json") if isinstance(data, dict) else None
        for key in ("db", "mq"):
            part = content.get(key) if isinstance(content, dict) else None
            servers = part.get("servers") if isinstance(part, dict) else None
            for entry in (part, *(servers if isinstance(servers, list) else ())):
                yield from _split(entry.get("host") if isinstance(entry, dict) else None)


def _split(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from (part.strip() for part in value.split(",") if part.strip())


def _external_names(service_objects: Any, hosts: Iterable[str], release: Any) -> Iterator[str]:
    """Where the ExternalName Services lead that the hosts name in the release's namespace."""
    named = {found[0] for host in hosts if (found := cluster_service(host, release.namespace)) is not None and found[1] == release.namespace}
    for item in () if isinstance(service_objects, Unreadable) else service_objects:
        spec = item.value.get("spec")
        if item.name in named and isinstance(spec, dict) and isinstance(spec.get("externalName"), str):
            yield spec["externalName"]


def _every_host(postgres_config: Any, service_configs: Any, service_objects: Any, release: Any) -> set[str]:
    hosts = set(_hosts(postgres_config, service_configs))
    return hosts | set(_external_names(service_objects, hosts, release))


def _host_namespaces(postgres_config: Any, service_configs: Any, service_objects: Any, release: Any) -> Iterable[Place]:
    """Namespaces that hosts of two labels may name; whether one exists decides what the host is."""
    found = {two_labels(host) for host in _every_host(postgres_config, service_configs, service_objects, release)}
    for namespace in sorted(name for name in found if name and name != release.namespace):
        yield Place(None, namespace)


def middleware_places(postgres_config: Any, service_configs: Any, service_objects: Any, host_namespaces: Any, release: Any) -> Iterable[Place]:
    """The namespaces, other than the release's, where the configured hosts name a Service."""
    known = set() if isinstance(host_namespaces, Unreadable) else {item.name for item in host_namespaces}
    found: set[str] = set()
    for host in _every_host(postgres_config, service_configs, service_objects, release):
        service = cluster_service(host, release.namespace)
        short = two_labels(host)
        if service is not None:
            found.add(service[1])
        elif short in known:
            found.add(str(short))
    for namespace in sorted(found - {release.namespace}):
        yield Place(namespace)


def home_and_middleware(postgres_config: Any, service_configs: Any, service_objects: Any, host_namespaces: Any, release: Any) -> Iterable[Place]:
    """The release's namespace and those of its middleware, for objects of operators that may not be listed in the whole cluster."""
    yield Place(release.namespace)
    with suppress(MissingRead):
        yield from middleware_places(postgres_config, service_configs, service_objects, host_namespaces, release)


READS: tuple[Read, ...] = (
    Read("host_namespaces", "namespaces", _host_namespaces, paths("status.phase"), "Namespace", by_name=True),
    Read("middleware_services", "services", middleware_places, paths(f"{METADATA} spec.type spec.selector spec.ports spec.clusterIP status.loadBalancer", {"spec.externalName": "host"}), "Service"),
    Read("middleware_slices", "endpointslices", middleware_places, paths(
        "metadata.labels addressType ports endpoints[].addresses endpoints[].conditions endpoints[].nodeName endpoints[].targetRef.kind endpoints[].targetRef.name"), "EndpointSlice"),
    Read("middleware_pods", "pods", middleware_places, paths(POD, POD_CUT), "Pod"),
    Read("middleware_statefulsets", "statefulsets", middleware_places, paths(WORKLOAD, WORKLOAD_CUT), "StatefulSet"),
    Read("middleware_claims", "persistentvolumeclaims", middleware_places, paths(
        f"{METADATA} {OWNERS} metadata.annotations[helm.sh/resource-policy] metadata.deletionTimestamp spec.storageClassName spec.volumeName spec.accessModes"
        " spec.volumeMode spec.resources.requests status.phase status.capacity status.accessModes status.conditions[].type status.conditions[].status status.conditions[].lastTransitionTime"), "PersistentVolumeClaim"),
)  # fmt: skip
