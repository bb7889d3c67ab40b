"""Application: the eleven services run as often as they should, where they should, and survive a node."""

from .presence import replicas_ready, services_present
from .replicas import duplicate_tasks, same_node, scaling, stateless_replicas
from .resilience import disruption, resources
from .singletons import one_installation, singleton_autoscaling, singleton_rollout, singletons
from .spread import declared_spread, effective_spread, losing_a_node

__all__ = [  # noqa: RUF022 - the order of the checklist
    "services_present",
    "replicas_ready",
    "stateless_replicas",
    "singletons",
    "singleton_autoscaling",
    "singleton_rollout",
    "one_installation",
    "declared_spread",
    "effective_spread",
    "losing_a_node",
    "same_node",
    "duplicate_tasks",
    "scaling",
    "disruption",
    "resources",
]
