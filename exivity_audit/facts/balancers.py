"""How traffic reaches the ingress controllers: their Services, the addresses these were given, and by whom."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, fact
from exivity_audit.facts.controllers import Controller
from exivity_audit.facts.nodes import Node
from exivity_audit.facts.workloads import selects
from exivity_audit.subject import Subject

METALLB = ("metallb.io/ip-allocated-from-pool", "metallb.universe.tf/ip-allocated-from-pool")
KUBE_VIP = ("kube-vip.io/loadbalancerIPs", "kube-vip.io/vipHost")
TLS_PORTS = (443, 8443)


class Balancer(Struct, frozen=True):
    """A Service in front of an ingress controller."""

    subject: Subject
    source: Source
    namespace: str
    kind: str  # ClusterIP, NodePort, LoadBalancer
    labels: dict[str, str]
    selector: dict[str, str]
    ports: tuple[tuple[int, str], ...]  # number and name
    addresses: tuple[str, ...]
    external: tuple[str, ...]  # externalIPs
    provider: str | None  # as its annotations or its class say
    pool: str | None  # MetalLB's pool its address came from

    @property
    def outside(self) -> bool:
        """Whether something outside the cluster can reach it."""
        return self.kind in ("LoadBalancer", "NodePort") or bool(self.external)


def _provider(item: Document) -> str | None:
    name = item.text("spec.loadBalancerClass") or ""
    if name.startswith("metallb") or any(item.text(f"metadata.annotations[{mark}]") for mark in METALLB):
        return "MetalLB"
    if name.startswith("kube-vip") or any(item.text(f"metadata.annotations[{mark}]") for mark in KUBE_VIP):
        return "kube-vip"
    return "ServiceLB" if name.startswith("io.cattle.klipper") else None


def balancer_of(item: Document) -> Balancer:
    """A Service in front of what answers. Raises Malformed."""
    given = item.items("status.loadBalancer.ingress")
    return Balancer(
        subject=item.subject, source=item.source, namespace=item.namespace or "", kind=item.text("spec.type") or "ClusterIP", labels=item.labels(),
        selector=item.labels("spec.selector"),
        ports=tuple((port.integer("port") or 0, port.text("name") or "") for port in item.items("spec.ports")),
        addresses=tuple(address for entry in given if (address := entry.text("ip") or entry.text("hostname"))),
        external=item.strings("spec.externalIPs"), provider=_provider(item),
        pool=next((name for mark in METALLB if (name := item.text(f"metadata.annotations[{mark}]"))), None),
    )  # fmt: skip


@fact
def balancers(controller_services: Objects[Document]) -> Objects[Balancer]:
    """The Services that carry the label of an ingress controller's chart."""
    return controller_services.each(balancer_of)


def in_front(controller: Controller, found: Iterable[Balancer]) -> tuple[Balancer, ...]:
    """The Services outside the cluster can reach that select a controller's pods."""
    labels = controller.workload.template_labels
    return tuple(one for one in found if one.namespace == controller.namespace and one.outside and selects(one.selector, labels))


def plain_ports(found: Iterable[Balancer]) -> tuple[int, ...]:
    """Published ports that are not for TLS, by number and name."""
    return tuple(
        sorted({number for one in found for number, name in one.ports if number not in TLS_PORTS and "https" not in name and "secure" not in name})
    )


def provider_of(one: Balancer, nodes: Iterable[Node]) -> str | None:
    """Who gave the address, where it is one of those to be confirmed with the platform team."""
    if one.provider is not None:
        return one.provider
    own = {address for node in nodes for address in node.addresses}
    return "ServiceLB" if any(address in own for address in one.addresses) else None
