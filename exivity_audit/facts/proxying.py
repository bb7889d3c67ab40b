"""What the controller of an Ingress does with plain HTTP and with forwarded headers, whichever product it is."""

from __future__ import annotations

from exivity_audit.fact import Objects
from exivity_audit.facts import haproxy, nginx, traefik
from exivity_audit.facts.balancers import Balancer, plain_ports
from exivity_audit.facts.controllers import DROP_IN, Controller, Product, Setting
from exivity_audit.facts.ingresses import Ingress


def redirect(ingress: Ingress, host: str, controller: Controller, found: Objects[traefik.Middleware], balancers: tuple[Balancer, ...]) -> Setting:
    """Whether plain HTTP to a host is redirected to https, or nothing answers it."""
    if balancers and not controller.host_network and not controller.host_ports and not plain_ports(balancers):
        return Setting(True, "no port for HTTP is published", tuple((one, "spec.ports[].port") for one in balancers))
    if controller.product is Product.TRAEFIK:
        return _traefik(ingress, controller, found)
    if controller.product is Product.INGRESS_NGINX:
        return nginx.redirect(ingress, controller, host)
    if controller.product is Product.F5_NGINX:
        return nginx.f5_redirect(ingress, controller, host)
    if controller.product is Product.HAPROXY_TECHNOLOGIES:
        return haproxy.technologies_redirect(ingress, controller)
    return haproxy.project_redirect(ingress, controller, host)


def _traefik(ingress: Ingress, controller: Controller, found: Objects[traefik.Middleware]) -> Setting:
    own = traefik.redirect(ingress, controller, found)
    drop_in = any(key == DROP_IN or key.startswith(f"{DROP_IN}.") for key in controller.arguments)
    if own.holds or not drop_in:
        return own
    for name in (f"{nginx.PREFIX}force-ssl-redirect", f"{nginx.PREFIX}ssl-redirect"):
        if (said := nginx.annotated(ingress, name)) is not None and said.holds:
            return said
    return Setting(None, "Traefik stands in for ingress-nginx, and neither an entry point nor an annotation shows the redirect")


def believes_everyone(controller: Controller) -> Setting:
    """Whether a controller takes forwarded headers from any peer."""
    judge = {
        Product.TRAEFIK: traefik.believes_everyone, Product.INGRESS_NGINX: nginx.believes_everyone, Product.F5_NGINX: nginx.f5_believes_everyone,
        Product.HAPROXY_TECHNOLOGIES: haproxy.technologies_believes_everyone, Product.HAPROXY_INGRESS: haproxy.project_believes_everyone,
    }  # fmt: skip
    return judge[controller.product](controller)


def hsts(ingress: Ingress, controller: Controller, found: Objects[traefik.Middleware]) -> bool:
    """Whether Strict-Transport-Security was seen to be sent."""
    if controller.product is Product.TRAEFIK:
        return traefik.hsts(ingress, found)
    if controller.product is Product.INGRESS_NGINX:
        return nginx.hsts(controller)
    return controller.product is Product.HAPROXY_INGRESS and haproxy.hsts(ingress, controller)
