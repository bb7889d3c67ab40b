"""Settings of the two HAProxy controllers: HAProxy Technologies' and the project HAProxy Ingress."""

from __future__ import annotations

from exivity_audit.facts.controllers import Controller, Setting
from exivity_audit.facts.ingresses import Ingress
from exivity_audit.facts.nginx import annotated, flag, yes
from exivity_audit.facts.ranges import everyone

TECHNOLOGIES = ("haproxy.org/ssl-redirect", "haproxy.com/ssl-redirect", "ingress.kubernetes.io/ssl-redirect")
PROJECT = ("haproxy-ingress.github.io/ssl-redirect", "ingress.kubernetes.io/ssl-redirect")
TRUSTING = ("ignore", "ifmissing", "update")


def technologies_redirect(ingress: Ingress, controller: Controller) -> Setting:
    """HAProxy Technologies: as annotated, else as configured, else on where the Ingress has TLS."""
    for name in TECHNOLOGIES:
        if (found := annotated(ingress, name)) is not None:
            return found
    return flag(controller, "ssl-redirect", bool(ingress.tls))


def project_redirect(ingress: Ingress, controller: Controller, host: str) -> Setting:
    """HAProxy Ingress: ``ssl-redirect`` is on by default, for hosts with TLS."""
    if ingress.entry(host) is None:
        return Setting(False, "no TLS entry covers the host, so nothing is redirected", ((ingress, "spec.tls", "none"),))
    for name in PROJECT:
        if (found := annotated(ingress, name)) is not None:
            return found
    return flag(controller, "ssl-redirect", True)


def technologies_believes_everyone(controller: Controller) -> Setting:
    """HAProxy Technologies: a source address from a header of anyone, or PROXY protocol from every address."""
    if controller.config is None:
        return controller.hidden("`src-ip-header`")
    header, ranges = controller.config.get("src-ip-header", ""), controller.config.get("proxy-protocol", "")
    source = controller.config_source
    if header and header != "null":
        return Setting(True, f"`src-ip-header: {header}`", ((source, "data[src-ip-header]", header),) if source else ())
    if everyone(ranges.split(",")):
        return Setting(True, f"`proxy-protocol: {ranges}`", ((source, "data[proxy-protocol]", ranges),) if source else ())
    return Setting(False, f"headers from {ranges or 'nobody'}", ((source, "data[proxy-protocol]", ranges),) if source and ranges else ())


def project_believes_everyone(controller: Controller) -> Setting:
    """HAProxy Ingress: ``forwardfor`` other than ``add`` keeps what a client sent."""
    if controller.config is None:
        return controller.hidden("`forwardfor`")
    value = controller.config.get("forwardfor", "add")
    at = ((controller.config_source, "data[forwardfor]", value),) if controller.config_source and "forwardfor" in controller.config else ()
    return Setting(value in TRUSTING, f"`forwardfor: {value}`", at)


def hsts(ingress: Ingress, controller: Controller) -> bool:
    """Whether HAProxy Ingress sends Strict-Transport-Security; it does by default."""
    found = yes(ingress.annotations.get("haproxy-ingress.github.io/hsts"))
    if found is not None:
        return found
    return controller.config is not None and yes(controller.config.get("hsts")) is not False
