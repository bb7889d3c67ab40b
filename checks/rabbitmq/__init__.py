"""RabbitMQ: one supported broker in this cluster that the configuration leads to, with a login of its own, TLS and a volume."""

from .nodes import clustering, persistence
from .operation import consumer_timeout, leftover, queues, supported_version
from .placement import deployment, site_local
from .reaching import authentication, connectivity, tls
from .sites import not_stretched
from .watching import monitoring

__all__ = [  # noqa: RUF022 - the order of the checklist
    "deployment",
    "site_local",
    "connectivity",
    "authentication",
    "tls",
    "monitoring",
    "clustering",
    "persistence",
    "queues",
    "supported_version",
    "not_stretched",
    "leftover",
    "consumer_timeout",
]
