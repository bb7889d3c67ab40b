"""NFS behind the release's claims: which server, and with which mount options."""

from __future__ import annotations

import enum
import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, fact, maybe, seen
from exivity_audit.facts.claims import Claim, StorageClass, Volume, class_of, volume_of
from exivity_audit.facts.configuration import cluster_service
from exivity_audit.facts.nodes import Node
from exivity_audit.facts.provisioners import GANESHA, NFS_CSI, NFS_SUBDIR, table_name
from exivity_audit.subject import Subject

ONE_POD_PER_VOLUME = "openebs.io/nfsrwx"
NFS_PROVISIONERS = (NFS_SUBDIR, GANESHA, NFS_CSI, ONE_POD_PER_VOLUME)
_VERSION = re.compile(r"(?:nfs)?vers=(\d+(?:\.\d+)?)|v(\d(?:\.\d)?)")


class NfsServer(enum.Enum):
    """Where an NFS server runs."""

    GANESHA = "NFS Ganesha in this cluster"
    CLUSTER = "an NFS server in this cluster"
    EXTERNAL = "an NFS server outside the cluster"
    UNKNOWN = "an NFS server that is not seen"


class Mount(Struct, frozen=True):
    """Mount options as an object sets them."""

    source: Source
    path: str
    options: tuple[str, ...]

    @property
    def single(self) -> tuple[str, ...]:
        """The options one by one; an element may hold several."""
        return tuple(part.strip().lower() for option in self.options for part in option.split(",") if part.strip())

    @property
    def version(self) -> str | None:
        """The NFS version asked for; None where the client and the server settle it."""
        found = [match[1] or match[2] for option in self.single if (match := _VERSION.fullmatch(option))]
        return found[-1] if found else None

    @property
    def unlocked(self) -> str | None:
        """The option that keeps locks from reaching the server."""
        return next(
            (option for option in self.single if option == "nolock" or (option.startswith("local_lock=") and option != "local_lock=none")), None
        )


class NfsUse(Struct, frozen=True):
    """A class, or a claim whose volume was made by hand, that keeps the release's data on NFS."""

    subject: Subject
    source: Source
    provisioner: str
    mounts: tuple[Mount, ...]  # of the volumes, and of the class for the volumes to come
    server: NfsServer
    address: str


@fact
def nfs_uses(
    claims: Objects[Claim],
    storage_classes: Objects[StorageClass],
    volumes: Objects[Volume],
    release: Any,
    nodes: Any = maybe,
    service_objects: Any = maybe,
) -> Objects[NfsUse]:
    """What of the release's data lies on NFS, by class, and by claim where the volume has no class."""
    groups: dict[Subject, tuple[Source, StorageClass | None, list[Volume]]] = {}
    for claim in claims:
        kind, volume = class_of(claim, storage_classes), volume_of(claim, volumes)
        provisioner = _provisioner(kind, volume)
        if provisioner is None:
            continue
        made = kind is not None and table_name(kind.provisioner) == provisioner
        about: Any = kind if made else claim
        group = groups.setdefault(about.subject, (about.source, kind if made else None, []))
        group[2].extend([volume] if volume else [])
    found = (
        _use(subject, source, kind, bound, _Neighbours(nodes, service_objects, release.namespace))
        for subject, (source, kind, bound) in groups.items()
    )
    return Objects(sorted(found, key=lambda one: one.subject.short), unreadable=claims.unreadable, partial=claims.partial)


def _provisioner(kind: StorageClass | None, volume: Volume | None) -> str | None:
    """The NFS provisioner behind a claim, ``static`` for a volume made by hand, None where it is no NFS of ours."""
    name = table_name(kind.provisioner) if kind else ""
    if name in NFS_PROVISIONERS:
        return name
    if volume is None:
        return None
    by = table_name(volume.provisioned_by or volume.driver or "")
    if by in NFS_PROVISIONERS:
        return by
    return "static" if volume.nfs else None


class _Neighbours(Struct, frozen=True):
    nodes: Any
    services: Any
    namespace: str


def _use(subject: Subject, source: Source, kind: StorageClass | None, bound: Sequence[Volume], near: _Neighbours) -> NfsUse:
    provisioner = _provisioner(kind, bound[0] if bound else None) or ""
    mounts = [Mount(volume.source, "spec.mountOptions", volume.mount_options) for volume in bound]
    if kind is not None:
        mounts.append(Mount(kind.source, "mountOptions", kind.mount_options))
    addresses = {_server(volume) for volume in bound} | ({str(kind.parameters.get("server") or "")} if kind else set())
    known = sorted(addresses - {""})
    if provisioner == GANESHA:
        return NfsUse(subject, source, provisioner, tuple(mounts), NfsServer.GANESHA, ", ".join(known))
    if provisioner == ONE_POD_PER_VOLUME:
        return NfsUse(subject, source, provisioner, tuple(mounts), NfsServer.CLUSTER, ", ".join(known))
    inside = [address for address in known if _inside(address, near)]
    server = NfsServer.CLUSTER if inside else NfsServer.EXTERNAL if known else NfsServer.UNKNOWN
    return NfsUse(subject, source, provisioner, tuple(mounts), server, ", ".join(inside or known))


def _server(volume: Volume) -> str:
    if volume.nfs:
        return volume.nfs[0]
    return str(volume.attributes.get("server") or "") if volume.driver == NFS_CSI else ""


def _inside(address: str, near: _Neighbours) -> bool:
    """Whether an address is a Service, a pod or a node of this cluster, as far as these are seen."""
    try:
        number = ipaddress.ip_address(address)
    except ValueError:
        return "." in address and cluster_service(address, near.namespace) is not None and ".svc" in address
    nodes: Iterable[Node] = near.nodes if seen(near.nodes) else ()
    if any(address in node.addresses or _contains(node.pod_ranges, number) for node in nodes):
        return True
    services: Objects[Document] = near.services if seen(near.services) else Objects()
    return address in tuple(services.each(lambda item: item.text("spec.clusterIP")))


def _contains(ranges: Iterable[str], number: Any) -> bool:
    for text in ranges:
        try:
            if number in ipaddress.ip_network(text, strict=False):
                return True
        except ValueError:
            continue
    return False
