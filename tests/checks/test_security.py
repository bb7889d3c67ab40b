"""Row security: the age of credentials, origin and tags of images, rights of containers, pull secrets."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

import pytest

from exivity_audit.config import Config
from exivity_audit.lifecycle import Lifecycle
from exivity_audit.verdict import Status, Verdict
from tests import builders
from tests.builders import BROKER_PASSWORD, DATABASE_PASSWORD, Installation, encode, made, stamp
from tests.judging import alone, judged
from tests.mutation import drop, put
from tests.products import rabbitmq as broker
from tests.world import World

PASS, WARN, FAIL, UNKNOWN, MANUAL, SKIP = Status.PASS, Status.WARN, Status.FAIL, Status.UNKNOWN, Status.MANUAL, Status.SKIP
PLAIN = Installation(nodes=("n",), replicas=1, class_name="longhorn", access_mode="ReadWriteMany")
DATABASE, BROKER_LOGIN = "Secret exivity/exivity-postgres-secret#PostgreSQL password", "ConfigMap exivity/exivity-config-shared#RabbitMQ password"
GLASS, CONTAINER = "Deployment exivity/exivity-glass", "spec.template.spec.containers.0"
EVALUATION = Config(purpose="evaluation")


@cache
def _base(name: str) -> World:
    world: World = getattr(builders, name)()
    return world


def multi() -> World:
    return _base("multi_node").copy()


def found(world: World, slug: str, config: Config | None = None, **rest: Any) -> dict[str, Verdict]:
    return {str(verdict.subject): verdict for verdict in alone(world, f"security/{slug}", config, **rest).verdicts}


def status(world: World, slug: str, config: Config | None = None, **rest: Any) -> Status:
    return alone(world, f"security/{slug}", config, **rest).status


def denied(world: World, resource: str, namespace: str | None = None) -> World:
    world.deny = lambda asked, place, name: asked == resource and namespace in (None, place)
    return world


@pytest.mark.parametrize("base", ["multi_node", "single_node"])
def test_conforming_clusters_pass(base: str) -> None:
    row = {item.check.slug: item.status for item in judged(_base(base).copy()).outcomes if item.check.row == "security"}
    assert row == {"credential-rotation": PASS, "images-patched": PASS, "pod-security": PASS, "image-pull": SKIP}


def dated(kind: str, name: str, created: float | None, *changed: float, world: World | None = None, fields: str = "f:data") -> World:
    world = world or multi()
    entries = [{"manager": "helm", "operation": "Update", "time": stamp(days), "fieldsV1": {fields: {}}} for days in changed]
    world.edit(kind, name, put("metadata.managedFields", entries))
    world.edit(kind, name, put("metadata.creationTimestamp", stamp(created)) if created is not None else drop("metadata.creationTimestamp"))
    return world


def secret(created: float | None, *changed: float, **rest: Any) -> World:
    return dated("Secret", "exivity-postgres-secret", created, *changed, **rest)


def revisions(world: World, *revisions: tuple[int, float, str]) -> World:
    world.remove("Secret", "sh.helm.release.v1.exivity.v1")
    for number, days, password in revisions:
        values = PLAIN.values()
        values["postgresql"]["global"]["postgresql"]["auth"]["password"] = password
        world.add(PLAIN.revision(number, values, days=days))
    return world


class TestCredentials:
    @pytest.mark.parametrize(("created", "changed", "expected", "words"), [
        (30, (30,), PASS, "no older than its object"), (364, (), PASS, "no older than"), (500, (400,), FAIL, "last changed on"), (500, (400, 450), FAIL, "400 d"),
        (500, (400, 20), MANUAL, "record the last rotation"), (500, (), MANUAL, "is not kept"), (None, (400,), FAIL, "last changed"), (None, (), MANUAL, "does not say"),
    ])  # fmt: skip
    def test_the_bounds(self, created: float | None, changed: tuple[float, ...], expected: Status, words: str) -> None:
        verdict = found(secret(created, *changed), "credential-rotation")[DATABASE]
        assert verdict.status is expected
        assert words in verdict.message

    def test_a_write_of_labels_is_no_change_of_the_value(self) -> None:
        world = secret(500, 400)
        world.find("Secret", "exivity-postgres-secret")["metadata"]["managedFields"].append(
            {"manager": "kubectl", "operation": "Update", "time": stamp(2), "fieldsV1": {"f:metadata": {}}}
        )
        assert found(world, "credential-rotation")[DATABASE].status is FAIL

    @pytest.mark.parametrize(("stored", "expected"), [
        (((1, 450, DATABASE_PASSWORD), (2, 20, DATABASE_PASSWORD)), FAIL), (((1, 450, "Old-3kd9_sLq2wXz5b"), (2, 20, DATABASE_PASSWORD)), MANUAL),
        (((1, 200, "Old-3kd9_sLq2wXz5b"), (2, 20, DATABASE_PASSWORD)), PASS), (((2, 20, DATABASE_PASSWORD),), MANUAL),
    ])  # fmt: skip
    def test_stored_revisions_decide_between_the_bounds(self, stored: tuple[tuple[int, float, str], ...], expected: Status) -> None:
        assert found(revisions(secret(500, 20), *stored), "credential-rotation")[DATABASE].status is expected

    def test_the_policy_of_the_site(self) -> None:
        config = Config(thresholds={"credentials.age": "10d"})
        assert found(secret(30, 30), "credential-rotation", config)[DATABASE].status is FAIL

    def test_the_brokers_password_by_its_config(self) -> None:
        assert found(dated("ConfigMap", "exivity-config-shared", 500, 400), "credential-rotation")[BROKER_LOGIN].status is FAIL
        assert found(dated("ConfigMap", "exivity-config-shared", 500, 3), "credential-rotation")[BROKER_LOGIN].status is MANUAL

    def test_the_embedded_servers_own_secret(self) -> None:
        world = broker.on_embedded(multi())
        world.add(made("v1", "Secret", "exivity-rabbitmq-v4", "exivity", type="Opaque", data={"rabbitmq-password": encode(BROKER_PASSWORD)}))
        verdicts = found(dated("Secret", "exivity-rabbitmq-v4", 500, 400, world=world), "credential-rotation")
        assert verdicts["Secret exivity/exivity-rabbitmq-v4#RabbitMQ server password"].status is FAIL

    def test_what_is_missing_is_left_to_its_own_check(self) -> None:
        world = multi()
        world.remove("Secret", "exivity-jwt-secret")
        assert found(world, "credential-rotation")["Release exivity/exivity#jwtSecret"].follows == "secrets/jwt-secret"
        assert alone(world, "secrets/jwt-secret").status is FAIL

    def test_each_that_was_not_read_is_unknown_by_itself(self) -> None:
        world = multi()
        world.deny = lambda resource, namespace, name: name == "exivity-app-key"
        verdicts = found(world, "credential-rotation")
        assert verdicts["Release exivity/exivity#appKey"].status is UNKNOWN
        assert verdicts[DATABASE].status is PASS
        assert status(multi(), "credential-rotation", secrets="none") is UNKNOWN

    def test_renewing_an_app_key_asks_support(self) -> None:
        verdict = found(dated("Secret", "exivity-app-key", 500, 400), "credential-rotation")["Secret exivity/exivity-app-key#appKey"]
        assert verdict.fix is not None
        assert "Exivity support" in verdict.fix.text


def image(text: str, path: str = f"{CONTAINER}.image") -> World:
    world = multi()
    world.edit("Deployment", "exivity-glass", put(path, text))
    return world


class TestImages:
    @pytest.mark.parametrize(("text", "expected", "words"), [
        ("exivity/glass:exivity-3.39.2", PASS, ""), ("registry.corp:5000/exivity/glass:exivity-3.39.2", PASS, ""), ("exivity/glass", FAIL, "without a tag"),
        ("registry.corp:5000/exivity/glass", FAIL, "without a tag"), ("exivity/glass:latest", FAIL, "a tag that moves"), ("exivity/glass:main", FAIL, "a tag that moves"),
        ("exivity/glass:develop-12", FAIL, "a tag that moves"), ("exivity/glass:feature-EXVT-12", FAIL, "the tag of a branch"), ("exivity/glass:latest@sha256:0a1b", PASS, ""),
        ("docker.io/bitnamilegacy/nginx:1.29.1", FAIL, "an archive"), ("k8s.gcr.io/pause:3.9", FAIL, "frozen"), ("docker.io/library/nginx:1.29-alpine", PASS, ""),
    ])  # fmt: skip
    def test_origins_and_tags(self, text: str, expected: Status, words: str) -> None:
        verdict = found(image(text), "images-patched")[GLASS]
        assert verdict.status is expected
        assert words in verdict.message

    def test_the_charts_helper_is_a_warning(self) -> None:
        world = multi()
        world.edit(
            "Deployment", "exivity-glass", put("spec.template.spec.initContainers", [{"name": "set-volume-permissions", "image": "busybox:stable"}])
        )
        verdict = found(world, "images-patched")[GLASS]
        assert verdict.status is WARN
        assert "post-renderer" in verdict.remark

    def test_the_middleware_wherever_it_runs(self) -> None:
        verdicts = found(multi(), "images-patched")
        assert verdicts["StatefulSet rabbitmq/mq-server"].status is PASS
        assert verdicts["Cluster databases/pg"].status is PASS
        world = multi()
        world.edit("Pod", "mq-server-0", put("spec.containers.0.image", "docker.io/bitnamilegacy/rabbitmq:4.3.1"))
        assert found(world, "images-patched")["StatefulSet rabbitmq/mq-server"].status is FAIL

    def test_the_embedded_broker(self) -> None:
        world = broker.on_embedded(multi())
        verdict = found(world, "images-patched")["StatefulSet exivity/exivity-rabbitmq-v4"]
        assert verdict.status is FAIL
        assert verdict.fix is not None
        assert "Cluster Operator" in verdict.fix.text
        assert found(world, "images-patched", EVALUATION)["StatefulSet exivity/exivity-rabbitmq-v4"].status is WARN

    def test_middleware_that_was_not_seen_is_unknown(self) -> None:
        assert status(denied(multi(), "pods", "rabbitmq"), "images-patched") is UNKNOWN

    @pytest.mark.parametrize(("window", "expected"), [
        ({}, SKIP), ({"3.39": date(2027, 6, 30)}, PASS), ({"3.39": date(2026, 6, 30)}, FAIL), ({"3.40": date(2027, 6, 30)}, FAIL), ({"3.38": date(2027, 6, 30)}, UNKNOWN),
    ])  # fmt: skip
    def test_the_declared_support_window(self, window: dict[str, date], expected: Status) -> None:
        verdicts = found(multi(), "images-patched", lifecycle=Lifecycle(date(2026, 11, 23), exivity=window))
        assert verdicts["Release exivity/exivity#release"].status is expected


def glass(path: str, value: Any, *, pods: bool = False) -> World:
    world = multi()
    world.edit("Deployment", "exivity-glass", put(f"spec.template.spec.{path}", value))
    for item in [item for item in world.all("Pod") if item["metadata"]["name"].startswith("exivity-glass-")] if pods else []:
        world.edit("Pod", item["metadata"]["name"], put(f"spec.{path}", value))
    return world


class TestPods:
    @pytest.mark.parametrize(("path", "value", "expected", "words"), [
        ("containers.0.securityContext", {"runAsNonRoot": True}, PASS, ""), ("containers.0.securityContext", {"runAsUser": 0}, FAIL, "glass is root"),
        ("containers.0.securityContext", {"privileged": True}, FAIL, "privileged"), ("hostPID", True, FAIL, "hostPID"), ("hostNetwork", True, FAIL, "hostNetwork"),
        ("volumes", [{"name": "x", "hostPath": {"path": "/var/run"}}], FAIL, "folder /var/run"), ("securityContext", {"runAsUser": 0}, FAIL, "glass is root"),
    ])  # fmt: skip
    def test_rights(self, path: str, value: Any, expected: Status, words: str) -> None:
        verdict = found(glass(path, value), "pod-security")[GLASS]
        assert verdict.status is expected
        assert words in verdict.message

    def test_the_containers_own_word_wins_over_the_pods(self) -> None:
        world = glass("securityContext", {"runAsUser": 0}, pods=True)
        world.edit("Deployment", "exivity-glass", put(f"{CONTAINER}.securityContext", {"runAsUser": 1000}))
        for item in [item for item in world.all("Pod") if item["metadata"]["name"].startswith("exivity-glass-")]:
            item["spec"]["containers"][0]["securityContext"] = {"runAsUser": 1000}
        assert found(world, "pod-security")[GLASS].status is PASS

    def test_what_nothing_says_is_a_warning_unless_admission_filled_it_in(self) -> None:
        world = glass("securityContext", {}, pods=True)
        world.edit("Deployment", "exivity-glass", drop(f"{CONTAINER}.securityContext"))
        for item in [item for item in world.all("Pod") if item["metadata"]["name"].startswith("exivity-glass-")]:
            item["spec"]["containers"][0]["securityContext"] = None
        assert found(world, "pod-security")[GLASS].status is WARN
        for item in [item for item in world.all("Pod") if item["metadata"]["name"].startswith("exivity-glass-")]:
            item["spec"]["containers"][0]["securityContext"] = {"runAsUser": 1000710000}
        assert found(world, "pod-security")[GLASS].status is PASS

    def test_init_containers(self) -> None:
        helper = {"name": "set-volume-permissions", "image": "busybox:stable", "securityContext": {"runAsUser": 0, "runAsNonRoot": False}}
        verdict = found(glass("initContainers", [helper]), "pod-security")[GLASS]
        assert verdict.status is PASS
        assert "storage.permissions.enabled" in verdict.remark
        assert found(glass("initContainers", [{**helper, "name": "chown"}]), "pod-security")[GLASS].status is WARN
        assert found(glass("initContainers", [{**helper, "name": "proxy", "restartPolicy": "Always"}]), "pod-security")[GLASS].status is FAIL
        assert found(glass("initContainers", [{**helper, "securityContext": {"privileged": True}}]), "pod-security")[GLASS].status is FAIL

    def test_the_remedy_names_the_values(self) -> None:
        verdict = found(glass("securityContext", {"runAsUser": 0}), "pod-security")[GLASS]
        assert verdict.fix is not None
        assert ("global.securityContext.runAsUser", 1000) in verdict.fix.values

    def test_the_embedded_broker_is_judged_and_strangers_are_not(self) -> None:
        world = broker.on_embedded(multi())
        labels = {"app": "wordpress"}
        template = {"metadata": {"labels": labels}, "spec": {"hostNetwork": True, "containers": [{"name": "w", "image": "wordpress:6"}]}}
        world.add(made("apps/v1", "Deployment", "wordpress", "exivity", spec={"selector": {"matchLabels": labels}, "template": template}))
        verdicts = found(world, "pod-security")
        assert verdicts["StatefulSet exivity/exivity-rabbitmq-v4"].status is PASS
        assert "Deployment exivity/wordpress" not in verdicts

    @pytest.mark.parametrize("resource", ["pods", "deployments.apps"])
    def test_unseen(self, resource: str) -> None:
        assert status(denied(multi(), resource, "exivity"), "pod-security") is UNKNOWN

    def test_a_malformed_context_is_unknown(self) -> None:
        assert found(glass("securityContext", {"runAsUser": "root"}), "pod-security")[GLASS].status is UNKNOWN


def pulling(*add: Any) -> World:
    world = multi()
    world.edit("Deployment", "exivity-glass", put("spec.template.spec.imagePullSecrets", [{"name": "registry"}]))
    world.edit("Deployment", "exivity-use", put("spec.template.spec.imagePullSecrets", [{"name": "registry"}]))
    world.add(*add)
    return world


class TestPullSecrets:
    @pytest.mark.parametrize(
        ("kind", "expected"), [("kubernetes.io/dockerconfigjson", PASS), ("kubernetes.io/dockercfg", PASS), ("Opaque", FAIL), (None, FAIL)]
    )
    def test_a_named_secret(self, kind: str | None, expected: Status) -> None:
        items = [made("v1", "Secret", "registry", "exivity", type=kind, data={".dockerconfigjson": encode("hunter2hunter2")})] if kind else []
        verdicts = found(pulling(*items), "image-pull")
        assert {name: verdict.status for name, verdict in verdicts.items()} == {"Secret exivity/registry": expected}
        assert "2 workloads" in verdicts["Secret exivity/registry"].message

    def test_none_is_named(self) -> None:
        assert status(multi(), "image-pull") is SKIP
        assert status(multi(), "image-pull", secrets="none") is SKIP

    def test_unseen(self) -> None:
        assert status(pulling(), "image-pull", secrets="none") is UNKNOWN
        assert status(denied(pulling(), "secrets"), "image-pull") is UNKNOWN
        assert status(denied(multi(), "deployments.apps"), "image-pull") is UNKNOWN

    def test_a_strangers_secret_is_not_asked_for(self) -> None:
        world = multi()
        template = {
            "metadata": {"labels": {"app": "w"}},
            "spec": {"imagePullSecrets": [{"name": "theirs"}], "containers": [{"name": "w", "image": "wordpress:6"}]},
        }
        world.add(made("apps/v1", "Deployment", "wordpress", "exivity", spec={"selector": {"matchLabels": {"app": "w"}}, "template": template}))
        assert status(world, "image-pull") is SKIP
        assert not [path for _, path in world.requests if path.endswith("/secrets/theirs")]

    def test_nothing_but_type_and_time_is_kept(self) -> None:
        from exivity_audit.collect.reads import BY_NAME

        assert set(BY_NAME["pull_secrets"].keep) == {"metadata.name", "metadata.namespace", "type", "metadata.creationTimestamp"}
