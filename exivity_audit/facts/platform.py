"""Which Kubernetes this is: distribution and server version, with the signal that told it."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import NotSeen, Objects, Reason, fact, maybe, reasons_of, seen
from exivity_audit.facts.nodes import Node
from exivity_audit.subject import Subject

_VERSION = re.compile(r"^v?(\d+)\.(\d+)\.(\d+)(.*)$")
_PRERELEASE = re.compile(r"^-(alpha|beta|rc)\.\d+$")


class Distribution(enum.StrEnum):
    """A distribution that its signals tell apart; ``OTHER`` is one that only its version's suffix names."""

    UPSTREAM = "upstream Kubernetes"
    RKE2 = "RKE2"
    K3S = "K3s"
    OPENSHIFT = "OpenShift"
    EKS = "Amazon EKS"
    GKE = "Google GKE"
    AKS = "Azure AKS"
    MICROK8S = "MicroK8s"
    K0S = "k0s"
    TALOS = "Talos Linux"
    TANZU = "VMware Tanzu"
    OKE = "Oracle OKE"
    IKS = "IBM Cloud Kubernetes Service"
    DOKS = "DigitalOcean Kubernetes"
    LKE = "Linode LKE"
    KIND = "kind"
    MINIKUBE = "minikube"
    DOCKER_DESKTOP = "Docker Desktop"
    OTHER = "another distribution"


class Version(Struct, frozen=True):
    """A Kubernetes version: ``v1.36.3+rke2r1`` is minor 36 with the suffix ``+rke2r1``."""

    text: str
    major: int
    minor: int
    suffix: str

    @property
    def release(self) -> str:
        """Major and minor, as release tables name them: ``1.36``."""
        return f"{self.major}.{self.minor}"


class Platform(Struct, frozen=True):
    """The distribution of the cluster and what told it."""

    distribution: Distribution
    signal: str
    source: Source | None = None  # the object that told it
    path: str = ""

    @property
    def evidence(self) -> list[tuple[Platform, str, str]]:
        """Where the signal stands, as a verdict's ``at``."""
        return [(self, self.path, self.signal)] if self.source is not None else []


_SUFFIXES = {
    "+rke2r": Distribution.RKE2, "+k3s": Distribution.K3S, "-eks-": Distribution.EKS, "-gke.": Distribution.GKE, "+k0s": Distribution.K0S,
    "+vmware": Distribution.TANZU, "+vmw": Distribution.TANZU, "+IKS": Distribution.IKS,
}  # fmt: skip
_LABELS = {
    "eks.amazonaws.com/": Distribution.EKS, "cloud.google.com/gke-": Distribution.GKE, "kubernetes.azure.com/": Distribution.AKS,
    "microk8s.io/cluster": Distribution.MICROK8S, "run.tanzu.vmware.com/": Distribution.TANZU, "node.openshift.io/os_id": Distribution.OPENSHIFT,
    "oke.oraclecloud.com/": Distribution.OKE, "ibm-cloud.kubernetes.io/": Distribution.IKS, "doks.digitalocean.com/": Distribution.DOKS,
    "lke.linode.com/": Distribution.LKE,
}  # fmt: skip
_OS_IMAGES = {"Red Hat Enterprise Linux CoreOS": Distribution.OPENSHIFT, "RHCOS": Distribution.OPENSHIFT, "Talos": Distribution.TALOS}
_INSTANCE_TYPES = {"rke2": Distribution.RKE2, "k3s": Distribution.K3S}
_HEEDED = "version"  # the name of the only ClusterVersion that OpenShift acts on
_DESKTOP_NODES = ("docker-desktop", "desktop-control-plane")
Found = tuple[Distribution, str, str]  # distribution, path, signal in words


def parse_version(text: str | None) -> Version | None:
    """A ``gitVersion`` or ``kubeletVersion``; None for text that is no version."""
    match = _VERSION.match(text or "")
    return Version(match[0], int(match[1]), int(match[2]), match[4]) if match else None


def served(read: Any) -> bool | None:
    """Whether the API behind a read is served, which discovery alone decides: what is forbidden is; None where discovery could not tell."""
    if seen(read):
        return bool(read.installed)
    return True if all(reason.text.startswith("forbidden: ") for reason in reasons_of(read)) else None


def _development(node: Node) -> Found | None:
    if node.name in _DESKTOP_NODES:
        return Distribution.DOCKER_DESKTOP, "metadata.name", f"node name {node.name}"
    if node.provider_id.startswith("kind://"):
        return Distribution.KIND, "spec.providerID", f"providerID {node.provider_id}"
    if "minikube.k8s.io/name" in node.labels:
        return Distribution.MINIKUBE, "metadata.labels[minikube.k8s.io/name]", "label minikube.k8s.io/name"
    return None


def _by_node(node: Node) -> Found | None:
    for label in sorted(node.labels):
        for start, distribution in _LABELS.items():
            if label.startswith(start):
                return distribution, f"metadata.labels[{label}]", f"label {label}"
    for start, distribution in _OS_IMAGES.items():
        if start in node.os_image:
            return distribution, "status.nodeInfo.osImage", f"osImage {node.os_image}"
    kind = node.labels.get("node.kubernetes.io/instance-type", "")
    if kind in _INSTANCE_TYPES:
        return _INSTANCE_TYPES[kind], "metadata.labels[node.kubernetes.io/instance-type]", f"label node.kubernetes.io/instance-type={kind}"
    version = parse_version(node.kubelet)
    told = _by_suffix(version) if version else None
    return (told, "status.nodeInfo.kubeletVersion", f"kubelet {node.kubelet}") if told else None


def _by_suffix(version: Version) -> Distribution | None:
    return next((distribution for suffix, distribution in _SUFFIXES.items() if suffix in version.suffix), None)


def _first(nodes: Iterable[Node], look: Callable[[Node], Found | None]) -> Platform | None:
    for node in nodes:
        found = look(node)
        if found is not None:
            return Platform(found[0], f"{found[2]} of node {node.name}", node.source, found[1])
    return None


class ClusterVersion(Struct, frozen=True):
    """OpenShift's own version: ``4.18.21`` is release ``4.18``, and its update channel says whether it is on extended support."""

    subject: Subject
    source: Source
    text: str
    channel: str

    @property
    def release(self) -> str:
        """Major and minor."""
        return ".".join(self.text.split(".")[:2])

    @property
    def extended(self) -> bool:
        """Whether it follows the channel of Extended Update Support."""
        return self.channel.startswith("eus-")


@fact
def openshift_versions(cluster_versions: Objects[Document]) -> Objects[ClusterVersion]:
    """Every ClusterVersion that could be seen."""

    def build(item: Document) -> ClusterVersion:
        done = (entry.text("version") for entry in item.items("status.history") if entry.text("state") == "Completed")  # the newest first
        text = next(done, None) or item.text("status.desired.version") or ""
        return ClusterVersion(item.subject, item.source, text, item.text("spec.channel") or "")

    return cluster_versions.each(build)


@fact
def openshift_version(openshift_versions: Objects[ClusterVersion]) -> ClusterVersion | None:
    """The version OpenShift runs, by the one ClusterVersion that it heeds; None where it is none."""
    found = next((one for one in openshift_versions if one.subject.name == _HEEDED), None)
    if found is None:
        openshift_versions.surely()
    return found


@fact
def server_version(site: Any) -> Version:
    """The API server's version."""
    found = parse_version(site.cluster.version)
    if found is None:
        raise NotSeen((Reason("version", "the API server's version could not be read: get /version", "get /version"),))
    return found


@fact
def platform(site: Any, nodes: Any = maybe, cluster_versions: Any = maybe) -> Platform:
    """The distribution: development clusters by their nodes, OpenShift by its API group, others by version suffix, then by their nodes."""
    version = parse_version(site.cluster.version)
    told = _first(nodes, _development) if seen(nodes) else None
    if told is not None:
        return told
    if seen(cluster_versions) and (own := cluster_versions.one()) is not None:
        return Platform(Distribution.OPENSHIFT, "its ClusterVersion", own.source, "status.desired.version")
    if served(cluster_versions):
        return Platform(Distribution.OPENSHIFT, "API group config.openshift.io is served")
    suffix = _by_suffix(version) if version else None
    if version is not None and suffix is not None:
        return Platform(suffix, f"server version {version.text}")
    told = _first(nodes, _by_node)  # touches the nodes: a plain version alone says nothing
    if told is not None:
        return told
    if version is None:
        raise NotSeen((Reason("version", "the API server's version could not be read: get /version", "get /version"),))
    if version.suffix and not _PRERELEASE.match(version.suffix):
        return Platform(Distribution.OTHER, f"server version {version.text}")
    return Platform(Distribution.UPSTREAM, f"server version {version.text} without a vendor's suffix")
