"""Mutations of the row secrets."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from exivity_audit.verdict import Status
from tests.builders import APP_KEY, DATABASE_PASSWORD, JWT_SECRET, Installation, encode
from tests.mutation import Mutation, Object, put

GENERATED = "Zk3mWx7vBn2cLd9fGh5jRy6uAeQ1pT8s"
CONFIGS = tuple(f"exivity-config-{part}" for part in ("shared", "edify", "executor", "horizon", "pigeon", "proximity-cli", "transcript", "use"))
PLAIN = Installation(nodes=("n",), replicas=1, class_name="longhorn", access_mode="ReadWriteMany")


def revision(number: int, change: Callable[[Object], Any], **rest: Any) -> Object:
    """A stored revision whose values differ from the conforming ones."""
    values = copy.deepcopy(PLAIN.values())
    change(values)
    return PLAIN.revision(number, values, **rest)


def generated(c: Any, secret: str, key: str, value: str) -> None:
    """The values named none at the first install, and the chart made one."""
    c.edit("Secret", f"exivity-{secret}", put(f"data.{key}", encode(GENERATED)))
    first = revision(1, lambda values: values["secret"].pop(value))
    c.edit("Secret", "sh.helm.release.v1.exivity.v1", put("data.release", first["data"]["release"]))


def in_config(path: str, value: Any) -> Callable[[Object], None]:
    """A change inside ``config.json``."""

    def change(item: Object) -> None:
        content = json.loads(item["data"]["config.json"])
        put(path, value)(content)
        item["data"]["config.json"] = json.dumps(content)

    return change


def database_password(c: Any, value: str) -> None:
    """The database password everywhere."""
    c.edit("Secret", "exivity-postgres-secret", put("data.POSTGRES_PASSWORD", encode(value)))
    for name in CONFIGS:
        c.edit("ConfigMap", name, in_config("db.parameters.password", value))


def broker_password(c: Any, value: str) -> None:
    """The broker password everywhere."""
    for name in CONFIGS:
        c.edit("ConfigMap", name, in_config("mq.password", value))


MUTATIONS = [
    Mutation("the appKey was generated at install", "multi_node", "secrets/app-key", lambda c: generated(c, "app-key", "EXIVITY_APP_KEY", "appKey")),
    Mutation("the live appKey is not the one in the values", "multi_node", "secrets/app-key",
             lambda c: c.edit("Secret", "exivity-app-key", put("data.EXIVITY_APP_KEY", encode(GENERATED)))),
    Mutation("the appKey has eight characters", "single_node", "secrets/app-key", lambda c: c.edit("Secret", "exivity-app-key", put("data.EXIVITY_APP_KEY", encode("kT4-pq8_")))),
    Mutation("the appKey's Secret is gone", "multi_node", "secrets/app-key", lambda c: c.remove("Secret", "exivity-app-key")),
    Mutation("the jwtSecret was generated at install", "single_node", "secrets/jwt-secret", lambda c: generated(c, "jwt-secret", "EXIVITY_JWT_SECRET", "jwtSecret")),
    Mutation("the jwtSecret is a placeholder", "multi_node", "secrets/jwt-secret",
             lambda c: c.edit("Secret", "exivity-jwt-secret", put("data.EXIVITY_JWT_SECRET", encode("replace-with-a-long-random-string")))),
    Mutation("the database password is the chart's default", "multi_node", "secrets/postgresql-password", lambda c: database_password(c, "Password12!")),
    Mutation("the database password is the user name", "single_node", "secrets/postgresql-password", lambda c: database_password(c, "exivity")),
    Mutation("the migration's Secret kept the old database password", "multi_node", "secrets/postgresql-password",
             lambda c: c.edit("Secret", "exivity-postgres-secret", put("data.POSTGRES_PASSWORD", encode("Kx4-kW4_nB7qXs2v")))),
    Mutation("one service kept the old database password", "multi_node", "secrets/postgresql-password",
             lambda c: c.edit("ConfigMap", "exivity-config-use", in_config("db.parameters.password", "Kx4-kW4_nB7qXs2v"))),
    Mutation("the broker password is weak", "multi_node", "secrets/rabbitmq-password", lambda c: broker_password(c, "rabbit1")),
    Mutation("the broker password is the vendor's placeholder", "single_node", "secrets/rabbitmq-password", lambda c: broker_password(c, "replace-with-rabbitmq-password")),
    Mutation("one password for both servers", "multi_node", "secrets/distinct", lambda c: broker_password(c, DATABASE_PASSWORD)),
    Mutation("the jwtSecret is the database password", "single_node", "secrets/distinct", lambda c: database_password(c, JWT_SECRET)),
    Mutation("the broker password is the appKey", "single_node", "secrets/distinct", lambda c: broker_password(c, APP_KEY)),
    Mutation("the licence is the demo's", "multi_node", "secrets/licence", lambda c: c.edit("Secret", "exivity-licence-key", put("data.license\\.key", encode("demo")))),
    Mutation("the licence is empty", "single_node", "secrets/licence", lambda c: c.edit("Secret", "exivity-licence-key", put("data.license\\.key", ""))),
    Mutation("a generated appKey whose first revision is no longer stored", "multi_node", "secrets/app-key", lambda c: _pruned(c), Status.WARN),
]  # fmt: skip


def _pruned(c: Any) -> None:
    c.edit("Secret", "exivity-app-key", put("data.EXIVITY_APP_KEY", encode(GENERATED)))
    c.remove("Secret", "sh.helm.release.v1.exivity.v1")
    c.add(revision(14, lambda values: values["secret"].pop("appKey")))
