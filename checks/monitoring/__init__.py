"""Monitoring: a stack runs, it scrapes the product, its alerts cover what the product rests on, and they reach somebody."""

from .alerts import (
    alerts_application,
    alerts_backups,
    alerts_certificates,
    alerts_cluster,
    alerts_ingress,
    alerts_postgresql,
    alerts_rabbitmq,
    alerts_storage,
)
from .delivery import delivery
from .stack import stack
from .targets import service_monitors

__all__ = [  # noqa: RUF022 - the order of the checklist
    "stack",
    "service_monitors",
    "alerts_cluster",
    "alerts_application",
    "alerts_postgresql",
    "alerts_rabbitmq",
    "alerts_ingress",
    "alerts_storage",
    "alerts_certificates",
    "alerts_backups",
    "delivery",
]
