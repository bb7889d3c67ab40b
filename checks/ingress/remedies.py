"""What a person changes, by what makes the way in: the chart's values and the Ingress, the Gateway and its HTTPRoute, or the Route."""

from __future__ import annotations

from exivity_audit import NEW_SECRET, patch, task, values
from exivity_audit.facts.certificates import Kind
from exivity_audit.facts.controllers import Product
from exivity_audit.facts.gateway_ways import GatewayRoute
from exivity_audit.facts.openshift import PlatformRoute

WAYS_OUT = (
    "Move to a controller that is maintained (Traefik, HAProxy, F5 NGINX) or to Gateway API: install it beside, then set `ingress.ingressClassName`"
)
CLASS = "ingress.ingressClassName"
REDIRECT_ANNOTATIONS = {
    Product.INGRESS_NGINX: "nginx.ingress.kubernetes.io/force-ssl-redirect", Product.F5_NGINX: "nginx.org/ssl-redirect",
    Product.HAPROXY_TECHNOLOGIES: "haproxy.org/ssl-redirect", Product.HAPROXY_INGRESS: "haproxy-ingress.github.io/ssl-redirect",
}  # fmt: skip


def class_fix(ingress, names):
    """Set the class: by the chart where it made the Ingress."""
    if not names:
        return task("Install an ingress controller with its IngressClass and set `ingress.ingressClassName` to it", fill=CLASS)
    if len(names) > 1:
        return task(f"Set `ingress.ingressClassName` to one of {', '.join(names)}", fill=CLASS if ingress.own else ())
    if ingress.own:
        return values("ingress.ingressClassName", names[0])
    return patch(ingress, {"spec": {"ingressClassName": names[0]}}, f"Set `spec.ingressClassName: {names[0]}` on {ingress.subject}")


def standing_fix(way):
    """Have it taken by what answers at the edge."""
    if isinstance(way, PlatformRoute):
        return task(f"Have a router admit {way.subject}: `oc describe route` says what stands against it")
    return task(f"Have its Gateway accept {way.subject}: `kubectl describe` on the Gateway and the HTTPRoute says what stands against it")


def route_fix(way, path, service):
    """Route a path to its Service: the chart's own Ingress has no other routes."""
    if way.own:
        return task("Upgrade the release: the chart routes `/` to glass, `/v1/` and `/v2/` to proximity-api, so the Ingress was changed by hand")
    if isinstance(way, GatewayRoute):
        return task(f"Route `{path}` with a match of type PathPrefix to {service} in {way.subject}")
    if isinstance(way, PlatformRoute) and not way.made_from:
        return task(f"Add a Route with the host of {way.subject}, `path: {path}` and the Service {service}, port `http`")
    return task(f"Route `{path}` with pathType Prefix to {service}, port `http`, in {way.subject}")


def host_fix(way):
    """Name the host: by the chart where it made the Ingress."""
    if way.own:
        return task("Set `ingress.host` to the name that your DNS serves", fill="ingress.host")
    return task(f"Set `{way.hosts_at}` of {way.subject} to the name that your DNS serves")


def tls_fix(way, host, found):
    """Give the host a TLS entry, or its Secret what is missing."""
    if isinstance(way, GatewayRoute):
        return gateway_tls_fix(way, host, found)
    if isinstance(way, PlatformRoute):
        return route_tls_fix(way, host, found)
    if found.kind is Kind.NONE:
        if way.own:
            return values("ingress.tls.enabled", True, needs=NEW_SECRET) & values("ingress.tls.secret", "exivity-tls", needs=NEW_SECRET)
        return patch(
            way, {"spec": {"tls": [{"hosts": [host], "secretName": "exivity-tls"}]}}, f"Add a TLS entry for {host} with its Secret to {way.subject}"
        )
    return secret_fix(found.named, host)


def secret_fix(secret, host):
    """Write a TLS Secret anew."""
    return task(f"Create {secret} anew with `kubectl create secret tls`, from the chain and the key for {host}")


def gateway_tls_fix(way, host, found):
    """A listener for TLS, or the Secret that it names."""
    if found.named is not None and found.named.kind == "Secret":
        return secret_fix(found.named, host)
    return task(f"Attach {way.subject} to a listener of protocol HTTPS for {host or 'its host'} that names its Secret in `tls.certificateRefs`")


def route_tls_fix(way, host, found):
    """TLS at the router: the Route's own, or that of the Ingress it was made from."""
    if found.named is not None and found.named.kind == "Secret":
        return secret_fix(found.named, host)
    if way.made_from:
        return task(f"Annotate {way.subject} with `route.openshift.io/termination: edge`, and name a Secret for {host} in its `spec.tls`")
    return task(f"Set `spec.tls.termination: edge` on {way.subject}, with the pair for {host} or a Secret in `externalCertificate`")


def redirect_fix(way, controller):
    """Switch the redirect on: Traefik by its entry point, the others by an annotation that the chart's values reach."""
    if isinstance(way, GatewayRoute):
        return task(
            f"Attach {way.subject} to the HTTPS listener alone (`sectionName`), and an HTTPRoute with a RequestRedirect to https to the HTTP one"
        )
    if isinstance(way, PlatformRoute):
        if way.made_from:
            return task(f"Set `insecureEdgeTerminationPolicy: Redirect` by a Route of your own in place of {way.subject}, or drop its policy `Allow`")
        return patch(
            way,
            {"spec": {"tls": {"insecureEdgeTerminationPolicy": "Redirect"}}},
            f"Set `spec.tls.insecureEdgeTerminationPolicy: Redirect` on {way.subject}",
        )
    name = REDIRECT_ANNOTATIONS.get(controller.product)
    if name is None:
        return task(f"Set `--entryPoints.web.http.redirections.entryPoint.to=websecure` and `.scheme=https` on {controller.subject}")
    if way.own:
        return values(f"ingress.annotations[{name}]", "true")
    return patch(way, {"metadata": {"annotations": {name: "true"}}}, f'Annotate {way.subject} with `{name}: "true"`')
