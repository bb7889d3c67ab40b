"""Which metrics tell of which area: the families of the exporters and operators that a cluster with the product runs."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from msgspec import Struct

from exivity_audit import chart
from exivity_audit.facts.alert_rules import EvaluatedAlert, covers, leaves_in, of_family
from exivity_audit.facts.controllers import Product
from exivity_audit.promql import Matcher, Reference


class Area(Struct, frozen=True):
    """An area of alerts: metric families (prefixes, or whole names without a trailing ``_``), and those that belong to another."""

    families: tuple[str, ...]
    besides: tuple[str, ...] = ()


VOLUMES = ("kubelet_volume_stats_", "kube_persistentvolume_", "kube_persistentvolumeclaim_")
CLUSTER = Area(
    ("kube_node_", "kube_pod_", "kube_deployment_", "kube_statefulset_", "kube_daemonset_", "kube_job_", "kube_cronjob_", "node_", "kubelet_", "up"),
    (*VOLUMES, "kube_pod_spec_volumes_persistentvolumeclaims_info", "kube_pod_spec_volumes_persistentvolumeclaims_readonly"),
)
APPLICATION = Area(
    ("kube_pod_", "kube_deployment_", "kube_job_", "kube_horizontalpodautoscaler_", "container_", "up", "http_", "process_", "exivity_")
)
PROBES = Area(("probe_",), ("probe_ssl_",))
POSTGRESQL_OPERATOR = ("cnpg_", "barman_cloud_cloudnative_pg_io_")
POSTGRESQL_EXPORTER = Area(("pg_", "postgresql_"))
POSTGRESQL = Area((*POSTGRESQL_OPERATOR, *POSTGRESQL_EXPORTER.families))
RABBITMQ = Area(("rabbitmq_", "erlang_"))
STORAGE = Area((*VOLUMES, "longhorn_", "ceph_"), ("longhorn_backup_",))
EXPIRY_AT_THE_INGRESS = ("traefik_tls_certs_not_after", "nginx_ingress_controller_ssl_expire_time_seconds")
CERTIFICATES = Area(("certmanager_", "probe_ssl_earliest_cert_expiry", "x509_cert_", *EXPIRY_AT_THE_INGRESS))
BACKUPS = Area(("velero_", "cnpg_collector_last_", "barman_cloud_cloudnative_pg_io_last_", "cnpg_pg_stat_archiver_", "longhorn_backup_"))
INGRESS = {
    Product.TRAEFIK: ("traefik_",), Product.INGRESS_NGINX: ("nginx_ingress_controller_",),
    Product.F5_NGINX: ("nginx_ingress_controller_", "nginx_ingress_nginx_", "nginx_ingress_nginxplus_"),
    Product.HAPROXY_TECHNOLOGIES: ("haproxy_",), Product.HAPROXY_INGRESS: ("haproxy_",),
}  # fmt: skip
OTHER_WAYS_IN = ("envoy_", "gatewayapi_")
EVERY_WAY_IN = tuple(dict.fromkeys(family for families in (*INGRESS.values(), OTHER_WAYS_IN) for family in families))

# What a broker has to be watched for, by the names of its own plugin, and of the older exporter.
BROKER_CONCERNS = {
    "queue depth": ("rabbitmq_queue_messages", "rabbitmq_queue_messages_", "rabbitmq_detailed_queue_messages", "rabbitmq_detailed_queue_messages_",
                    "rabbitmq_global_messages_", "rabbitmq_cluster_exchange_"),
    "memory": ("rabbitmq_process_resident_memory_bytes", "rabbitmq_resident_memory_limit_bytes", "rabbitmq_alarms_memory_used_watermark",
               "rabbitmq_node_mem_used", "rabbitmq_node_mem_alarm", "erlang_vm_memory_"),
    "disk free": ("rabbitmq_disk_space_available_bytes", "rabbitmq_disk_space_available_limit_bytes", "rabbitmq_alarms_free_disk_space_watermark",
                  "rabbitmq_node_disk_free", "rabbitmq_node_disk_free_alarm"),
    "connections": ("rabbitmq_connections", "rabbitmq_connections_", "rabbitmq_connection_", "rabbitmq_detailed_connection_",
                    "rabbitmq_connectionsTotal"),
}  # fmt: skip

# Labels that name a workload of the product, and the values they have for a component.
_WORKLOAD_LABELS = (
    "deployment", "workload", "service", "job", "job_name", "pod", "container", "owner_name", "created_by_name", "label_app_kubernetes_io_name",
)  # fmt: skip
_URL_LABELS = ("instance", "target", "url", "host")
_UNRELATED = "zz-unrelated-0"


def names_product(one: Reference, release: Any) -> bool | None:
    """Whether a matcher of a reference names the product: its namespace, or one of its workloads. None where that is not evaluated here."""
    candidates = _candidates(release.namespace, release.fullname)
    doubt = False
    for matcher in one.matchers:
        found = _names(matcher, candidates.get(matcher.label, ()))
        if found:
            return True
        doubt |= found is None
    return None if doubt else False


@lru_cache(maxsize=16)
def _candidates(namespace: str, fullname: str) -> dict[str, tuple[str, ...]]:
    """The values of each label that would name the product."""
    workloads = tuple(dict.fromkeys(name for component in chart.COMPONENTS for name in _workload_names(fullname, component)))
    return {
        "namespace": (namespace,), "exported_namespace": (namespace,), "label_app_kubernetes_io_app": (chart.APP,),
        **dict.fromkeys(_WORKLOAD_LABELS, workloads),
    }  # fmt: skip


def _workload_names(fullname: str, component: str) -> tuple[str, ...]:
    name = f"{fullname}-{component}"
    return name, component, f"{name}-6d5f8c7b9d", f"{name}-6d5f8c7b9d-x7k2p", f"{fullname}-component-{component}", fullname


def _names(matcher: Matcher, values: tuple[str, ...]) -> bool | None:
    """Whether a matcher asks for one of some values and not for any."""
    if not matcher.positive or not values or matcher.admits(_UNRELATED):
        return False
    found = [matcher.admits(value) for value in values]
    return True if True in found else None if None in found else False


def about_product(alert: EvaluatedAlert, release: Any, hosts: tuple[str, ...]) -> bool | None:
    """Whether an alert is about the product: by its namespace or workloads, or a probe of its host."""
    if alert.expression is None:
        return None
    found: list[bool | None] = []
    for one in alert.expression.references:
        if of_family(one, PROBES.families, PROBES.besides):
            found.append(True if _probes(one, hosts) or names_product(one, release) else None)
        elif of_family(one, APPLICATION.families, CLUSTER.besides) or of_family(one, ("kube_",), CLUSTER.besides):
            inside = leaves_in(one, (release.namespace,))
            named = names_product(one, release) if inside is not False else False
            found.append(False if named is False else None if None in (inside, named) else True)
    return True if True in found else None if None in found else False


def about_cluster(alert: EvaluatedAlert, release: Any) -> bool | None:
    """Whether an alert is about the nodes and workloads of the cluster, the release's among them, and not about the product alone."""
    found = covers(alert, CLUSTER.families, (release.namespace,), CLUSTER.besides)
    return False if found and about_product(alert, release, ()) else found


def _probes(one: Reference, hosts: tuple[str, ...]) -> bool:
    """Whether a probe's matcher names the product's host."""
    return any(
        matcher.positive and matcher.label in _URL_LABELS and host in matcher.value.replace("\\", "") for matcher in one.matchers for host in hosts
    )


def in_area(alert: EvaluatedAlert, area: Area, namespaces: tuple[str, ...]) -> bool | None:
    """Whether an alert counts for an area: see ``covers``."""
    return covers(alert, area.families, namespaces, area.besides)
