"""Reads of the way in: Ingresses, certificates, classes, controllers, balancers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from exivity_audit import chart
from exivity_audit.collect.place import MissingRead, NotAsked, Read, cluster, led, paths, release_namespace
from exivity_audit.collect.reads.shapes import METADATA, OWNERS, POD, POD_CUT, WORKLOAD, WORKLOAD_CUT
from exivity_audit.document import Document, Malformed
from exivity_audit.fact import Unreadable
from exivity_audit.snapshot import Place

# Labels by which the ingress controllers' own charts and manifests mark their pods.
CONTROLLER_SELECTOR = f"{chart.NAME_LABEL} in (ingress-nginx,rke2-ingress-nginx,nginx-ingress,nginx-ingress-controller,traefik,rke2-traefik,haproxy-ingress,kubernetes-ingress,haproxy)"
CONTROLLER = paths(
    WORKLOAD, {**WORKLOAD_CUT, "spec.template.spec.containers[].args": "controller_args", "spec.template.spec.containers[].command": "controller_args"}
)  # fmt: skip


def product_ingresses(ingresses: Any, release: Any) -> Iterable[Document]:
    """The Ingress objects that lead to the product: the chart's by label, an operator's by the Services it names; malformed ones left out."""
    if isinstance(ingresses, Unreadable):
        raise MissingRead(ingresses)
    backends = {f"{release.fullname}-{component}" for component in chart.EXPOSED}
    for ingress in ingresses:
        try:
            paths = [path for rule in ingress.items("spec.rules") for path in rule.items("http.paths")]
            list(ingress.items("spec.tls"))
            if ingress.labels().get(chart.APP_LABEL) == chart.APP or any(path.text("backend.service.name") in backends for path in paths):
                yield ingress
        except Malformed:
            continue


def _tls_secrets(ingresses: Any, release: Any, secrets: str) -> Iterable[Place]:
    if secrets == "none":
        raise NotAsked("--secrets none")
    found = {
        (ingress.namespace or "", name)
        for ingress in product_ingresses(ingresses, release)
        for entry in ingress.items("spec.tls")
        if isinstance(name := entry.value.get("secretName"), str) and name
    }
    for namespace, name in sorted(found):
        yield Place(namespace, name)


DEFAULT_CERTIFICATE_ARGUMENTS = ("default-ssl-certificate", "default-server-tls-secret", "wildcard-tls-secret")


def named_in_arguments(workloads: Iterable[Document], wanted: tuple[str, ...]) -> set[tuple[str, str]]:
    """Namespace and name of the objects that controllers' arguments name (``--configmap=NAMESPACE/NAME``; ``$(POD_NAMESPACE)`` is their own)."""

    def named(workload: Document) -> list[tuple[str, str]]:
        found = []
        for container in workload.items("spec.template.spec.containers"):
            for argument in (*container.strings("args"), *container.strings("command")):
                name, _, value = argument.lstrip("-").partition("=")
                if name in wanted and "/" in value:
                    namespace, _, named = value.replace("$(POD_NAMESPACE)", workload.namespace or "").partition("/")
                    found.append((namespace, named))
        return found

    return {place for places in led(workloads, named) for place in places}


def default_certificate_places(
    ingresses: Any, controller_deployments: Any, controller_daemonsets: Any, traefik_tls_stores: Any, release: Any
) -> list[tuple[str, str]]:
    """Where the controllers' default certificates are, only where an Ingress of the product names no Secret of its own. Raises MissingRead."""
    bare = [
        ingress for ingress in product_ingresses(ingresses, release)
        if not any(entry.value.get("secretName") for entry in ingress.items("spec.tls"))
    ]  # fmt: skip
    if not bare:
        return []
    found: set[tuple[str, str]] = set()
    for workloads in (controller_deployments, controller_daemonsets):
        if isinstance(workloads, Unreadable):
            raise MissingRead(workloads)
        found |= named_in_arguments(workloads, DEFAULT_CERTIFICATE_ARGUMENTS)
    if not isinstance(traefik_tls_stores, Unreadable):
        for store in traefik_tls_stores:
            secret = store.text("spec.defaultCertificate.secretName")
            if store.name == "default" and secret:
                found.add((store.namespace or "", secret))
    return sorted(found)


def _default_certificates(
    ingresses: Any, controller_deployments: Any, controller_daemonsets: Any, traefik_tls_stores: Any, release: Any, secrets: str
) -> Iterable[Place]:
    if secrets == "none":
        raise NotAsked("--secrets none")
    for namespace, name in default_certificate_places(ingresses, controller_deployments, controller_daemonsets, traefik_tls_stores, release):
        yield Place(namespace, name)


def _controller_config(controller_deployments: Any, controller_daemonsets: Any) -> Iterable[Place]:
    """ConfigMaps that the controllers' arguments name."""
    for workloads in (controller_deployments, controller_daemonsets):
        if isinstance(workloads, Unreadable):
            raise MissingRead(workloads)
    for namespace, config in sorted(named_in_arguments((*controller_deployments, *controller_daemonsets), ("configmap", "nginx-configmaps"))):
        yield Place(namespace, config)


READS: tuple[Read, ...] = (
    Read("ingresses", "ingresses", release_namespace(), paths(
        f"{METADATA} {OWNERS} spec.ingressClassName spec.tls[].hosts spec.tls[].secretName spec.rules[].host spec.rules[].http.paths status.loadBalancer"
        " metadata.annotations[kubernetes.io/ingress.class] metadata.annotations[kubernetes.io/ingress.allow-http]"
        " metadata.annotations[nginx.ingress.kubernetes.io/ssl-redirect] metadata.annotations[nginx.ingress.kubernetes.io/force-ssl-redirect]"
        " metadata.annotations[nginx.org/redirect-to-https] metadata.annotations[nginx.org/ssl-redirect] metadata.annotations[ingress.kubernetes.io/ssl-redirect]"
        " metadata.annotations[haproxy.org/ssl-redirect] metadata.annotations[haproxy.com/ssl-redirect] metadata.annotations[haproxy-ingress.github.io/ssl-redirect]"
        " metadata.annotations[traefik.ingress.kubernetes.io/router.entrypoints] metadata.annotations[traefik.ingress.kubernetes.io/router.middlewares]"
        " metadata.annotations[traefik.ingress.kubernetes.io/router.tls]"
        " metadata.annotations[cert-manager.io/issuer] metadata.annotations[cert-manager.io/cluster-issuer]"
        " metadata.annotations[haproxy-ingress.github.io/hsts] metadata.annotations[nginx.ingress.kubernetes.io/enable-hsts]"), "Ingress"),
    Read("tls_secrets", "secrets", _tls_secrets, paths(
        "type metadata.creationTimestamp metadata.annotations[cert-manager.io/certificate-name]", {"data": "key_pair"}), "Secret", by_name=True),
    Read("default_certificates", "secrets", _default_certificates, paths(
        "type metadata.creationTimestamp metadata.annotations[cert-manager.io/certificate-name]", {"data": "key_pair"}), "Secret", by_name=True),
    Read("ingressclasses", "ingressclasses", cluster(), paths(
        "metadata.labels metadata.annotations[ingressclass.kubernetes.io/is-default-class] spec.controller"), "IngressClass"),
    Read("controller_deployments", "deployments", cluster(CONTROLLER_SELECTOR), CONTROLLER, "Deployment", few=True),
    Read("controller_daemonsets", "daemonsets", cluster(CONTROLLER_SELECTOR), CONTROLLER, "DaemonSet", few=True),
    Read("controller_pods", "pods", cluster(CONTROLLER_SELECTOR), paths(POD, POD_CUT), "Pod", few=True),
    Read("controller_services", "services", cluster(CONTROLLER_SELECTOR), paths(
        f"{METADATA} spec.type spec.selector spec.ports spec.clusterIP spec.externalIPs spec.loadBalancerClass spec.loadBalancerIP spec.externalTrafficPolicy status.loadBalancer"
        " metadata.annotations[metallb.io/ip-allocated-from-pool] metadata.annotations[metallb.universe.tf/ip-allocated-from-pool]"
        " metadata.annotations[kube-vip.io/loadbalancerIPs] metadata.annotations[kube-vip.io/vipHost]"), "Service", few=True),
    Read("controller_config", "configmaps", _controller_config, paths(
        "data[ssl-redirect] data[force-ssl-redirect] data[redirect-to-https] data[use-forwarded-headers] data[proxy-real-ip-cidr] data[use-proxy-protocol]"
        " data[proxy-protocol] data[enable-real-ip] data[forwarded-for-header] data[compute-full-forwarded-for] data[set-real-ip-from] data[real-ip-header]"
        " data[src-ip-header] data[forwarded-for] data[hsts] data[ssl-protocols] data[allow-snippet-annotations] data[forwardfor] data[ssl-redirect-code]"
        " data[default-backend-service] data[ssl-certificate]"), "ConfigMap", by_name=True),
    Read("traefik_middlewares", "middlewares.traefik.io", release_namespace(), paths("spec.redirectScheme spec.headers.stsSeconds"), "Middleware"),
    Read("traefik_tls_stores", "tlsstores.traefik.io", cluster(), paths("spec.defaultCertificate.secretName"), "TLSStore"),
)  # fmt: skip
