"""What is read for the product: one table in a module a subject, each row with its resource, its places and what of it is kept."""

from __future__ import annotations

from exivity_audit.collect.place import Read
from exivity_audit.collect.reads import (
    backups,
    certificates,
    configuration,
    failover,
    gateway,
    gitops,
    history,
    ingress,
    longhorn,
    metallb,
    middleware,
    monitoring,
    openshift,
    postgresql,
    probing,
    rabbitmq,
    security,
    server_probing,
    storage,
    usage,
    workloads,
)

MODULES = (
    workloads, configuration, storage, longhorn, ingress, gateway, openshift, certificates, metallb, middleware, postgresql, rabbitmq, backups,
    monitoring, gitops, failover, usage, history, security, probing, server_probing,
)  # fmt: skip
READS: tuple[Read, ...] = tuple(read for module in MODULES for read in module.READS)
BY_NAME = {read.name: read for read in READS}
