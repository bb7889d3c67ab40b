"""Ingress controllers: which product runs, told by its image, with what arguments and configuration, and which class it serves."""

from __future__ import annotations

import enum
from typing import Any

from msgspec import Struct

from exivity_audit import chart
from exivity_audit.document import Document, Malformed
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, Reason, fact, maybe, reasons_of, seen
from exivity_audit.facts.ingresses import Ingress, IngressClass
from exivity_audit.facts.selectors import Labelled
from exivity_audit.facts.workloads import Pod, Workload, pod, with_pods, workload
from exivity_audit.subject import Subject


class Product(enum.StrEnum):
    """The products that answer at the edge; the settings of the first five are known from Ingress objects."""

    TRAEFIK = "Traefik"
    INGRESS_NGINX = "ingress-nginx"
    F5_NGINX = "F5 NGINX"
    HAPROXY_TECHNOLOGIES = "HAProxy Technologies"
    HAPROXY_INGRESS = "HAProxy Ingress"
    ENVOY_GATEWAY = "Envoy Gateway"
    NGINX_GATEWAY_FABRIC = "NGINX Gateway Fabric"
    ISTIO = "Istio"
    CONTOUR = "Contour"
    KGATEWAY = "kgateway"
    KONG = "Kong"
    CILIUM = "Cilium"
    OPENSHIFT_GATEWAY = "OpenShift's Gateway API"
    OPENSHIFT_ROUTER = "OpenShift router"
    AWS = "AWS Load Balancer Controller"
    GKE = "GKE Gateway"
    AZURE = "Application Gateway for Containers"


PROVIDED = frozenset({Product.AWS, Product.GKE, Product.AZURE})  # they answer outside the cluster


CLASS_STRINGS = {
    "traefik.io/ingress-controller": Product.TRAEFIK, "k8s.io/ingress-nginx": Product.INGRESS_NGINX, "nginx.org/ingress-controller": Product.F5_NGINX,
    "haproxy.org/ingress-controller": Product.HAPROXY_TECHNOLOGIES, "haproxy-ingress.github.io/controller": Product.HAPROXY_INGRESS,
}  # fmt: skip
# Production controllers whose workloads and settings are not looked at yet, by the start of their class string.
OTHER_STRINGS = {
    "openshift.io/": "OpenShift router", "ingress.k8s.aws/": "AWS Load Balancer Controller", "eks.amazonaws.com/": "EKS Auto Mode",
    "azure/application-gateway": "AGIC",
    "projectcontour.io/": "Contour", "ingress-controllers.konghq.com/": "Kong", "istio.io/": "Istio", "cilium.io/": "Cilium",
}  # fmt: skip
LABELS = {
    "traefik": Product.TRAEFIK, "rke2-traefik": Product.TRAEFIK, "ingress-nginx": Product.INGRESS_NGINX, "rke2-ingress-nginx": Product.INGRESS_NGINX,
    "nginx-ingress-controller": Product.INGRESS_NGINX, "nginx-ingress": Product.F5_NGINX, "kubernetes-ingress": Product.HAPROXY_TECHNOLOGIES,
    "haproxy-ingress": Product.HAPROXY_INGRESS,
}  # fmt: skip
NGINX_IMAGES = ("nginx-ingress-controller", "ingress-nginx-controller", "ingress-nginx")
F5_IMAGES = ("nginx-ingress", "nginx-plus-ingress")
HAPROXY_TECHNOLOGIES_IMAGES = ("kubernetes-ingress", "kubernetes-hapee-ingress")
DEFAULT_CLASS_NAMES = {
    Product.TRAEFIK: "traefik", Product.INGRESS_NGINX: "nginx", Product.F5_NGINX: "nginx", Product.HAPROXY_TECHNOLOGIES: "haproxy",
    Product.HAPROXY_INGRESS: "haproxy",
}  # fmt: skip
CLASS_NAME_ARGUMENTS = ("ingress-class", "ingress.class", "providers.kubernetesingress.ingressclass")
CONFIG_ARGUMENTS = ("configmap", "nginx-configmaps")
DROP_IN = "providers.kubernetesingressnginx"
CONFIG_KEYS = (
    "ssl-redirect", "force-ssl-redirect", "redirect-to-https", "use-forwarded-headers", "proxy-real-ip-cidr", "use-proxy-protocol", "proxy-protocol",
    "enable-real-ip", "set-real-ip-from", "src-ip-header", "hsts", "allow-snippet-annotations", "forwardfor", "ssl-certificate",
)  # fmt: skip


class Setting(Struct, frozen=True):
    """Something a controller does: seen to be so, seen not to be so, or not visible (``holds`` is None, ``seen`` says why)."""

    holds: bool | None
    seen: str
    at: tuple[tuple[Any, ...], ...] = ()
    reasons: tuple[Reason, ...] = ()


class ConfigSource(Struct, frozen=True):
    """The ConfigMap a controller reads, as evidence."""

    source: Source


class Controller(Struct, frozen=True):
    """A workload that runs an ingress controller."""

    workload: Workload
    product: Product
    image: str
    by_image: bool
    arguments: dict[str, str]  # by name in lower case; "true" where no value is given
    config: dict[str, str] | None  # None: its ConfigMap could not be read; empty: defaults
    config_source: ConfigSource | None
    config_reasons: tuple[Reason, ...]
    host_network: bool
    host_ports: tuple[int, ...]
    desired: int
    data_plane: bool = False  # what answers is a proxy that a controller configures: its image has a version of its own

    def __hash__(self) -> int:
        return hash((self.subject, self.product, self.image))

    @property
    def subject(self) -> Subject:
        """The workload, the object a person would edit."""
        return self.workload.subject

    @property
    def source(self) -> Source:
        """Where it was seen."""
        return self.workload.source

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return self.workload.namespace

    @property
    def pods(self) -> tuple[Pod, ...]:
        """Its pods neither finished nor Terminating."""
        return self.workload.alive

    @property
    def version(self) -> str:
        """The image's tag, empty where a digest stands alone or the image is not the product's own."""
        if self.data_plane:
            return ""
        last = self.image.partition("@")[0].rpartition("/")[2]
        return last.partition(":")[2]

    def hidden(self, what: str) -> Setting:
        """A setting that its unreadable ConfigMap holds."""
        return Setting(None, f"{what} stands in a ConfigMap that was not read", reasons=self.config_reasons)


def repository(image: str) -> str:
    """An image without tag and digest."""
    path, _, last = image.partition("@")[0].rpartition("/")
    return f"{path}/{last.partition(':')[0]}".lstrip("/")


def product_of(image: str) -> Product | None:
    """The product an image is, by the end of its path: mirrors keep that."""
    path = repository(image).lower()
    last = path.rpartition("/")[2]
    if "traefik" in last:
        return Product.TRAEFIK
    if "haproxytech" in path or last in HAPROXY_TECHNOLOGIES_IMAGES:
        return Product.HAPROXY_TECHNOLOGIES
    if last == "haproxy-ingress":
        return Product.HAPROXY_INGRESS
    if path.endswith("ingress-nginx/controller") or last in NGINX_IMAGES:
        return Product.INGRESS_NGINX
    return Product.F5_NGINX if last in F5_IMAGES else None


def _arguments(item: Document) -> dict[str, str]:
    found: dict[str, str] = {}
    for container in item.items("spec.template.spec.containers"):
        for argument in (*container.strings("command"), *container.strings("args")):
            name, equals, value = argument.lstrip("-").partition("=")
            found[name.lower()] = value.strip("\"'") if equals else "true"
    return found


def host_ports_of(item: Document) -> tuple[int, ...]:
    found: set[int] = set()
    for container in item.items("spec.template.spec.containers"):
        for port in container.items("ports"):
            number = port.integer("hostPort")
            if number:
                found.add(number)
    return tuple(sorted(found))


def _named_config(arguments: dict[str, str], namespace: str) -> tuple[str, str] | None:
    value = next((arguments[name] for name in CONFIG_ARGUMENTS if name in arguments), None)
    if value is None:
        return None
    place, slash, name = value.replace("$(POD_NAMESPACE)", namespace).partition("/")
    return (place, name) if slash else ("", "")


def _config(named: tuple[str, str] | None, controller_config: Any) -> tuple[dict[str, str] | None, ConfigSource | None, tuple[Reason, ...]]:
    if named is None:
        return {}, None, ()
    if named == ("", ""):
        return None, None, (Reason("controller_config", "its ConfigMap's name is not in one argument with the flag"),)
    if not seen(controller_config):
        return None, None, reasons_of(controller_config)
    for item in controller_config:
        if (item.namespace, item.name) == named:
            try:
                values = {key: value for key in CONFIG_KEYS if (value := item.text(f"data[{key}]")) is not None}
            except Malformed as error:
                return None, None, (Reason("controller_config", f"{item.subject}: malformed: {error}"),)
            return values, ConfigSource(item.source), ()
    return (None, None, controller_config.gaps) if controller_config.gaps else ({}, None, ())


@fact
def controllers(
    controller_deployments: Objects[Document],
    controller_daemonsets: Objects[Document],
    controller_pods: Objects[Document],
    controller_config: Any = maybe,
) -> Objects[Controller]:
    """Every ingress controller found by its chart's label, told apart by its image."""
    pods = Labelled(controller_pods.each(pod))

    def build(item: Document) -> Controller | None:
        found = with_pods(workload(item), pods)
        recognised = next(((product, image) for image in found.images if (product := product_of(image)) is not None), None)
        product = recognised[0] if recognised else LABELS.get(found.labels.get(chart.NAME_LABEL, ""))
        if product is None or (recognised is None and any("backend" in image or "-404" in image for image in found.images)):
            return None
        image = recognised[1] if recognised else next(iter(found.images), "")
        arguments = _arguments(item)
        config, source, reasons = _config(_named_config(arguments, found.namespace), controller_config)
        desired = item.integer("status.desiredNumberScheduled") if item.kind == "DaemonSet" else found.replicas
        return Controller(
            workload=found, product=product, image=image, by_image=recognised is not None, arguments=arguments, config=config, config_source=source,
            config_reasons=reasons,
            host_network=item.boolean("spec.template.spec.hostNetwork") or False, host_ports=host_ports_of(item), desired=desired or 0,
        )  # fmt: skip

    return controller_deployments.join(controller_daemonsets).each(build)


def base_of(controller: str) -> tuple[str, str]:
    """The known class string a class's controller starts with, and what follows it (``haproxy.org/ingress-controller/internal``)."""
    for base in CLASS_STRINGS:
        if controller == base or controller.startswith(f"{base}/"):
            return base, controller[len(base) + 1 :]
    return controller, ""


def serves(controller: Controller, one: IngressClass) -> bool:
    """Whether a controller takes the Ingress objects of a class."""
    base, suffix = base_of(one.controller)
    arguments = controller.arguments
    name = next((arguments[key] for key in CLASS_NAME_ARGUMENTS if arguments.get(key)), None)
    own = arguments.get("controller-class")
    if controller.product is Product.TRAEFIK:
        if any(key == DROP_IN or key.startswith(f"{DROP_IN}.") for key in arguments):
            drop_in = arguments.get(f"{DROP_IN}.controllerclass", "k8s.io/ingress-nginx")
            if one.controller == drop_in:
                return True
        return CLASS_STRINGS.get(base) is Product.TRAEFIK and name in (None, one.name)
    if controller.product is Product.INGRESS_NGINX:
        return one.controller == (own or "k8s.io/ingress-nginx")
    if CLASS_STRINGS.get(base) is not controller.product:
        return False
    if controller.product is Product.F5_NGINX:
        return one.name == (name or DEFAULT_CLASS_NAMES[controller.product])
    return suffix == ((name if controller.product is Product.HAPROXY_TECHNOLOGIES else own) or "").strip("/")


def takes_name(controller: Controller, name: str) -> bool:
    """Whether a controller takes the legacy class annotation with this value."""
    asked = next((controller.arguments[key] for key in CLASS_NAME_ARGUMENTS if controller.arguments.get(key)), None)
    return name == (asked or DEFAULT_CLASS_NAMES[controller.product])


def class_of(ingress: Ingress, classes: Objects[IngressClass]) -> IngressClass | None:
    """The class an Ingress names; where it names none, the only default one, or the only one there is."""
    if ingress.class_name:
        return next((one for one in classes if one.name == ingress.class_name), None)
    defaults = [one for one in classes if one.default] or list(classes)
    return defaults[0] if len(defaults) == 1 else None


def serving(ingress: Ingress, classes: Objects[IngressClass], found: Objects[Controller]) -> tuple[Controller, ...]:
    """The controllers that serve an Ingress: by its class's controller string, or by the legacy annotation's value."""
    one = class_of(ingress, classes)
    if one is not None:
        return tuple(controller for controller in found if serves(controller, one))
    if ingress.legacy:
        return tuple(controller for controller in found if takes_name(controller, ingress.class_name or ""))
    return ()
