"""The product's shape: names, keys, defaults and values paths of the Exivity chart, as chart 3.39.2 has them.

What is wanted of these lives in the checks.
"""

from __future__ import annotations

from msgspec import Struct

APP_LABEL = "app.kubernetes.io/app"
APP = "exivity"
NAME_LABEL = "app.kubernetes.io/name"
INSTANCE_LABEL = "app.kubernetes.io/instance"
COMPONENT_LABEL = "app.kubernetes.io/component"
VERSION_LABEL = "app.kubernetes.io/version"
HELM_RELEASE = "meta.helm.sh/release-name"
ARGO_TRACKING = "argocd.argoproj.io/tracking-id"
FLUX_NAME = "helm.toolkit.fluxcd.io/name"
FLUX_NAMESPACE = "helm.toolkit.fluxcd.io/namespace"
KUSTOMIZATION_NAME = "kustomize.toolkit.fluxcd.io/name"
KUSTOMIZATION_NAMESPACE = "kustomize.toolkit.fluxcd.io/namespace"
FAILOVER_STEP = "exivity-audit/failover-step"  # ours: which of the vendor's actions a step does, a number or a word of the config
FLUX_LABELS = (FLUX_NAME, KUSTOMIZATION_NAME)
SELECTOR = f"{APP_LABEL}={APP}"


class Service(Struct, frozen=True):
    """One of the eleven services: its key in the values and its component name in the cluster."""

    key: str
    component: str


SERVICES = tuple(
    Service(key, component)
    for key, component in (
        ("glass", "glass"), ("proximityApi", "proximity-api"), ("proximityCli", "proximity-cli"), ("chronos", "chronos"), ("edify", "edify"),
        ("executor", "executor"), ("griffon", "griffon"), ("horizon", "horizon"), ("pigeon", "pigeon"), ("transcript", "transcript"), ("use", "use"),
    )
)  # fmt: skip
COMPONENTS = tuple(service.component for service in SERVICES)
EXPOSED = ("glass", "proximity-api")  # what an Ingress leads to: / and /v1/, /v2/

DATA_CLAIMS = ("exported", "extracted", "import", "report")
CONFIG_CLAIMS = ("etl-config", "griffon-config", "chronos-config")
LOG_CLAIMS = tuple(f"{component}-log" for component in COMPONENTS)
SHARED_CLAIMS = (*LOG_CLAIMS, "etl-config", *DATA_CLAIMS)
SINGLE_WRITER_CLAIMS = ("chronos-config", "griffon-config", "backup")
KEPT_ON_UNINSTALL = ("etl-config", *DATA_CLAIMS)

APP_KEY = ("app-key", "EXIVITY_APP_KEY")
JWT_SECRET = ("jwt-secret", "EXIVITY_JWT_SECRET")
LICENCE = ("licence-key", "license.key")
POSTGRES_SECRET = ("postgres-secret", "POSTGRES_PASSWORD")
CONFIG_COMPONENTS = ("shared", "edify", "executor", "horizon", "pigeon", "proximity-cli", "transcript", "use")

EMBEDDED_POSTGRESQL_CHART = "postgresql-"
EMBEDDED_RABBITMQ_CHART = "rabbitmq-"
LEGACY_IMAGE = "bitnamilegacy"
BACKUP_TOOLS = ("pg_dump", "pg_dumpall", "pg_basebackup", "pgbackrest", "wal-g", "barman-cloud-backup")  # what copies a PostgreSQL natively

GENERATED_LENGTH = 32  # randAlphaNum 32 for appKey and jwtSecret
GENERATED_ISSUER = "exivity-ca"
DEFAULT_SIZE = "1Gi"
DEFAULT_HOSTS = ("exivity", "exivity.local", "localhost")
DEFAULT_LOG_DAYS = (365, 30)
DEFAULT_CPU, DEFAULT_MEMORY = "25m", "50Mi"

DEFAULT_PASSWORDS = frozenset({"Password12!", "Password13!", "pass"})
DEMO_LICENCE = "demo"
PLACEHOLDER_STARTS = (
    "replace-with",
    "replace_with",
    "replaceme",
    "<",
    "${",
    "{{",
    "change-me",
    "changeme",
    "change_me",
    "your-",
    "todo",
    "placeholder",
)
PLACEHOLDERS = frozenset(
    {
        "secret",
        "password",
        "example",
        "admin",
        "guest",
        "test",
        "xxx",
        "xxxx",
        "none",
        "null",
        "exivity",
        "string",
        "default",
        "postgres",
        "rabbitmq",
        "user",
    }
)

VALUES_KEPT = (
    "nameOverride", "ingress.enabled", "ingress.host", "ingress.ingressClassName", "ingress.trustedProxy", "ingress.tls.enabled", "ingress.tls.secret",
    "storage.storageClass", "storage.sharedVolumeAccessMode", "storage.helmResourcePolicyKeep", "storage.permissions.enabled", "storage.pvcSizes",
    "postgresql.enabled", "postgresql.host", "postgresql.port", "postgresql.sslmode", "rabbitmq.enabled", "rabbitmq.host", "rabbitmq.port",
    "rabbitmq.vhost", "rabbitmq.secure", "logfiles.deleteDays", "logfiles.compressDays", "logLevel.backend", "prometheus.metricServer.enabled",
    "prometheus.metricServer.serviceMonitor.enabled", "service.backup.enabled", "service.restore.enabled", "service.registry", "service.tag",
    *(f"service.{service.key}.{leaf}" for service in SERVICES for leaf in ("replicas", "registry", "tag")),
)  # fmt: skip
VALUES_SECRET = (
    "licence", "secret.appKey", "secret.jwtSecret", "postgresql.global.postgresql.auth.password", "postgresql.global.postgresql.auth.postgresPassword",
    "rabbitmq.auth.password",
)  # fmt: skip

_INGRESS_LEAVES = ("ingressclass", "namespaces", "controllerclass", "watchingresswithoutclass", "ingressclassbyname", "labelselector")
CONTROLLER_ARGUMENTS = (
    "ingress-class", "controller-class", "ingress-class-by-name", "configmap", "nginx-configmaps", "default-ssl-certificate", "default-server-tls-secret",
    "wildcard-tls-secret", "publish-service", "watch-ingress-without-class", "watch-namespace", "namespace-whitelist", "enable-ssl-passthrough",
    "http-bind-port", "https-bind-port", "ingress.class", "default-backend-service", "force-namespace-isolation",
    "providers.kubernetesingress", "providers.kubernetesingressnginx", "providers.kubernetescrd", "providers.kubernetesgateway",
    *(f"providers.kubernetes{kind}.{leaf}" for kind in ("ingress", "ingressnginx", "crd") for leaf in _INGRESS_LEAVES),
)  # fmt: skip
# Other arguments of these families are kept by name alone.
CONTROLLER_FAMILIES = ("entrypoints.", "providers.kubernetesingress.", "providers.kubernetesingressnginx.", "providers.kubernetescrd.")
ENTRY_POINT_LEAVES = (
    "address", "asdefault", "http.redirections.entrypoint", "http.tls", "forwardedheaders.trustedips", "forwardedheaders.insecure",
    "proxyprotocol.trustedips", "proxyprotocol.insecure",
)  # fmt: skip
CONTROLLER_SWITCHES = (
    "ingress-class-by-name", "watch-ingress-without-class", "enable-ssl-passthrough", "force-namespace-isolation", "watchingresswithoutclass",
    "ingressclassbyname", "asdefault", "insecure", "permanent", "tls",
)  # fmt: skip

SIZED_CLAIMS = {
    "log": tuple(service.key for service in SERVICES), "config": tuple(claim.removesuffix("-config") for claim in CONFIG_CLAIMS), "data": DATA_CLAIMS,
}  # fmt: skip
LONGHORN_OLD_TARGET = "backup-target"  # a Setting before Longhorn 1.8, a BackupTarget since
LONGHORN_SETTINGS = (
    LONGHORN_OLD_TARGET,
    "default-replica-count", "replica-soft-anti-affinity", "replica-zone-soft-anti-affinity", "replica-disk-soft-anti-affinity", "node-down-pod-deletion-policy",
    "rwx-volume-fast-failover", "storage-over-provisioning-percentage", "storage-minimal-available-percentage", "current-longhorn-version",
)  # fmt: skip


def fullname(release: str, name_override: str | None = None) -> str:
    """The chart's FN: nameOverride, else the release name, cut to 63 characters."""
    return (name_override or release)[:63]
