"""Ingress: a supported controller serves the product's host over TLS, and forwards who asks."""

from .balancing import load_balancer
from .certificate import certificate
from .controller import controller_supported, ingress_class
from .encryption import plain_http, tls
from .paths import dns, routes
from .proxying import trusted_proxies

__all__ = [  # noqa: RUF022 - the order of the checklist
    "ingress_class",
    "controller_supported",
    "routes",
    "dns",
    "tls",
    "certificate",
    "plain_http",
    "trusted_proxies",
    "load_balancer",
]
