"""Settings of the two NGINX controllers: the project's ingress-nginx and F5's."""

from __future__ import annotations

from exivity_audit.facts.controllers import Controller, Setting
from exivity_audit.facts.ingresses import Ingress
from exivity_audit.facts.ranges import everyone

PREFIX = "nginx.ingress.kubernetes.io/"
F5_REDIRECT = ("nginx.org/ssl-redirect", "ingress.kubernetes.io/ssl-redirect")


def yes(value: str | None) -> bool | None:
    """A flag as the controllers read it; None where it is not set or is no flag."""
    return {"true": True, "1": True, "on": True, "yes": True, "false": False, "0": False, "off": False, "no": False}.get((value or "").lower())


def flag(controller: Controller, key: str, default: bool) -> Setting:
    """A flag of the ConfigMap, or its default."""
    if controller.config is None:
        return controller.hidden(f"`{key}`")
    value = yes(controller.config.get(key))
    at = ((controller.config_source, f"data[{key}]", controller.config.get(key)),) if controller.config_source and value is not None else ()
    return Setting(
        default if value is None else value,
        f"`{key}` is {'the default ' if value is None else ''}{str(default if value is None else value).lower()}",
        at,
    )


def annotated(ingress: Ingress, name: str) -> Setting | None:
    """A flag of an annotation, where it is set."""
    value = yes(ingress.annotations.get(name))
    return (
        None
        if value is None
        else Setting(value, f"`{name}: {str(value).lower()}`", ((ingress, f"metadata.annotations[{name}]", str(value).lower()),))
    )


def redirect(ingress: Ingress, controller: Controller, host: str) -> Setting:
    """ingress-nginx: forced by annotation or ConfigMap, else its redirect (on by default) where a TLS entry covers the host."""
    forced = annotated(ingress, f"{PREFIX}force-ssl-redirect")
    if forced is None:
        forced = flag(controller, "force-ssl-redirect", False)
    if forced.holds:
        return forced
    if ingress.entry(host) is None:
        return (
            forced
            if forced.holds is None
            else Setting(False, "no TLS entry covers the host, so nothing is redirected", ((ingress, "spec.tls", "none"),))
        )
    found = annotated(ingress, f"{PREFIX}ssl-redirect") or flag(controller, "ssl-redirect", True)
    return forced if forced.holds is None and not found.holds else found


def f5_redirect(ingress: Ingress, controller: Controller, host: str) -> Setting:
    """F5 NGINX: ``ssl-redirect`` is on by default where a TLS entry covers the host."""
    if ingress.entry(host) is None:
        return Setting(False, "no TLS entry covers the host, so nothing is redirected", ((ingress, "spec.tls", "none"),))
    for name in F5_REDIRECT:
        if (found := annotated(ingress, name)) is not None:
            return found
    return flag(controller, "ssl-redirect", True)


def believes_everyone(controller: Controller) -> Setting:
    """ingress-nginx: ``use-forwarded-headers`` or ``enable-real-ip`` with a range of all addresses, which is the default."""
    if controller.config is None:
        return controller.hidden("`use-forwarded-headers`")
    config, source = controller.config, controller.config_source
    used = [key for key in ("use-forwarded-headers", "enable-real-ip", "use-proxy-protocol") if yes(config.get(key))]
    ranges = config.get("proxy-real-ip-cidr") or "0.0.0.0/0"
    at = ((source, f"data[{used[0]}]", "true"), (source, "data[proxy-real-ip-cidr]", ranges)) if source and used else ()
    if not used:
        return Setting(False, "headers from nobody", at)
    if everyone(ranges.split(",")):
        return Setting(True, f"`{used[0]}` with `proxy-real-ip-cidr: {ranges}`", at)
    return Setting(False, f"headers from {ranges}", at)


def f5_believes_everyone(controller: Controller) -> Setting:
    """F5 NGINX: ``set-real-ip-from`` with a range of all addresses."""
    if controller.config is None:
        return controller.hidden("`set-real-ip-from`")
    ranges = controller.config.get("set-real-ip-from", "")
    at = ((controller.config_source, "data[set-real-ip-from]", ranges),) if controller.config_source and ranges else ()
    all_of_them = everyone(ranges.split(","))
    return Setting(all_of_them, f"`set-real-ip-from: {ranges}`" if all_of_them else f"headers from {ranges or 'nobody'}", at)


def hsts(controller: Controller) -> bool:
    """Whether ingress-nginx sends Strict-Transport-Security; it does by default."""
    return controller.config is not None and yes(controller.config.get("hsts")) is not False
