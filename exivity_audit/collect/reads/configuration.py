"""Reads of the product's configuration: ConfigMaps, Secrets, Helm's revisions, other installations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from exivity_audit import chart
from exivity_audit.collect.place import MissingRead, NotAsked, Read, Where, cluster, led, named, paths
from exivity_audit.collect.reads.shapes import OWNERS, secret_read
from exivity_audit.fact import Unreadable
from exivity_audit.snapshot import Place


def _other_installations(suffix: str) -> Where:
    """ConfigMaps of the other Exivity installations of the cluster, by FN."""

    def where(installations: Any, release: Any) -> Iterable[Place]:
        if isinstance(installations, Unreadable):
            raise MissingRead(installations)
        every = set(led(installations, lambda item: (item.namespace or "", item.labels().get(chart.NAME_LABEL) or "")))
        for namespace, fullname in sorted(one for one in every - {(release.namespace, release.fullname)} if one[1]):
            yield Place(namespace, f"{fullname}-{suffix}")

    return where


def _helm_releases(release: Any, secrets: str) -> Iterable[Place]:
    if secrets != "list":
        raise NotAsked(f"--secrets {secrets}")
    yield Place(release.namespace, None, f"owner=helm,name={release.name}", "type=helm.sh/release.v1")


def _labelled(name: str, where: Where, keep: dict[str, str | None]) -> Read:
    """ConfigMaps of the chart, all of which carry its label."""
    return Read(name, "configmaps", where, keep, "ConfigMap", labelled=True)


READS: tuple[Read, ...] = (
    _labelled("postgres_config", named("{fn}-postgres-config"), paths(
        "metadata.labels", {"data.POSTGRES_HOST": "host_name", "data.POSTGRES_USER": "user_name", "data.POSTGRES_PORT": "port", "data.POSTGRES_DB": "name",
                            "data.POSTGRES_SSLMODE": "ssl_mode"})),
    _labelled("api_environment", named("{fn}-proximity-api-env"), paths(
        "metadata.labels data.ENABLE_PROMETHEUS data.EXIVITY_BACKEND_LOG_LEVEL", {"data.TRUSTED_PROXY": "addresses"})),
    _labelled("cli_environment", named("{fn}-proximity-cli-env"), paths("metadata.labels data.EXIVITY_BACKEND_LOG_LEVEL")),
    _labelled("logfiles_config", named("{fn}-config-logfiles"), paths(
        "metadata.labels data.EXIVITY_LOGFILES_DELETE_DAYS data.EXIVITY_LOGFILES_COMPRESS_DAYS")),
    _labelled("service_configs", named(*(f"{{fn}}-config-{part}" for part in chart.CONFIG_COMPONENTS)), paths(
        "metadata.labels metadata.creationTimestamp", {"data[config.json]": "config_json", "metadata.managedFields": "change_times"})),
    secret_read("app_key", (f"{{fn}}-{chart.APP_KEY[0]}",), {f"data[{chart.APP_KEY[1]}]": "secret"}),
    secret_read("jwt_secret", (f"{{fn}}-{chart.JWT_SECRET[0]}",), {f"data[{chart.JWT_SECRET[1]}]": "secret"}),
    secret_read("licence", (f"{{fn}}-{chart.LICENCE[0]}",), {f"data[{chart.LICENCE[1]}]": "secret"}),
    secret_read("postgres_secret", (f"{{fn}}-{chart.POSTGRES_SECRET[0]}",), {f"data[{chart.POSTGRES_SECRET[1]}]": "secret"}),
    secret_read("embedded_postgres_secret", ("{release}-postgresql",), {"data.password": "secret", "data[postgres-password]": "secret"}),
    secret_read("embedded_rabbitmq_secret", ("{release}-rabbitmq-v4",), {"data[rabbitmq-password]": "secret"}),
    Read("helm_releases", "secrets", _helm_releases, paths(
        "type metadata.labels metadata.creationTimestamp", {"data.release": "helm_values"}), "Secret"),
    Read("installations", "deployments", cluster(chart.SELECTOR), paths(f"metadata.labels {OWNERS} spec.replicas"), "Deployment", few=True),
    Read("other_postgres_configs", "configmaps", _other_installations("postgres-config"), paths(
        "metadata.labels", {"data.POSTGRES_HOST": "host", "data.POSTGRES_PORT": "port", "data.POSTGRES_DB": "name"}), "ConfigMap", by_name=True),
    Read("other_service_configs", "configmaps", _other_installations("config-shared"), paths("metadata.labels", {"data[config.json]": "config_json"}), "ConfigMap", by_name=True),
)  # fmt: skip
