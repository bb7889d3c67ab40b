"""The release is found by its labels, for any name, namespace and installer; none and several are said clearly."""

from __future__ import annotations

from typing import Any

import pytest

from exivity_audit.collect.discovery import discover
from exivity_audit.collect.release import Target, find_release
from exivity_audit.errors import UsageError
from tests import builders
from tests.world import World


def found(world: World, namespace: str | None = None, release: str | None = None, context: str | None = None) -> Target:
    api: Any = world
    return find_release(api, discover(api), namespace, release, context)


def second(**changes: Any) -> list[dict[str, Any]]:
    return builders.Installation(
        **{"nodes": builders.WORKERS, "replicas": 1, "class_name": "longhorn", "access_mode": "ReadWriteMany", **changes}
    ).objects("driver.longhorn.io")


@pytest.mark.parametrize(
    ("changes", "target"),
    [
        ({}, Target("exivity", "exivity", "exivity")),
        ({"release": "acme-prod", "namespace": "billing"}, Target("billing", "acme-prod", "acme-prod")),
        ({"release": "acme", "name_override": "exi"}, Target("exivity", "acme", "exi")),
        ({"release": "acme", "name_override": "exi", "helm": False}, Target("exivity", "acme", "exi")),
    ],
)
def test_any_name_namespace_and_installer(changes: dict[str, Any], target: Target) -> None:
    world = builders.multi_node(**changes)
    assert found(world) == target
    assert found(world, target.namespace) == target
    assert found(world, release=target.name) == target
    assert found(world, release=target.fullname) == target


def test_argo_cd_overwrites_the_instance_label() -> None:
    world = builders.multi_node(helm=False)
    for kind in ("Deployment", "PersistentVolumeClaim"):
        for item in world.all(kind):
            if item["metadata"].get("namespace") == "exivity":
                item["metadata"]["labels"]["app.kubernetes.io/instance"] = "billing-app"
    assert found(world) == Target("exivity", "billing-app", "exivity")
    assert found(world, release="exivity").fullname == "exivity"


def test_a_release_without_deployments_is_found_by_its_claims() -> None:
    world = builders.multi_node()
    world.objects = [item for item in world.objects if item["kind"] != "Deployment"]
    assert found(world) == Target("exivity", "exivity", "exivity")


def test_several_releases_are_listed() -> None:
    world = builders.multi_node()
    world.add(*second(namespace="test", release="exivity-test"))
    with pytest.raises(UsageError, match=r"several Exivity releases are installed: exivity/exivity, test/exivity-test.*--release"):
        found(world)
    assert found(world, namespace="test").name == "exivity-test"
    assert found(world, release="exivity-test").namespace == "test"


def deployment(world: World, name: str) -> dict[str, Any]:
    return next(item for item in world.all("Deployment") if item["metadata"]["name"] == name)


@pytest.mark.parametrize("label", ["", "exi", "exivity-", "another", None, 7])
def test_an_object_with_an_odd_label_is_no_release_of_its_own(label: object) -> None:
    world = builders.multi_node()
    deployment(world, "exivity-glass")["metadata"]["labels"]["app.kubernetes.io/name"] = label
    assert found(world) == Target("exivity", "exivity", "exivity")


def test_names_of_one_release_are_told_apart() -> None:
    """Where one object of a release carries the name of another installation, which only a person can tell."""
    world = builders.multi_node()
    deployment(world, "exivity-glass")["metadata"] |= {"name": "exi-glass"}
    deployment(world, "exi-glass")["metadata"]["labels"]["app.kubernetes.io/name"] = "exi"
    with pytest.raises(UsageError, match=r"exivity/exivity \(exi\), exivity/exivity \(exivity\)"):
        found(world)
    assert found(world, release="exi").fullname == "exi"


def test_none_and_wrong_names() -> None:
    world = builders.multi_node()
    with pytest.raises(UsageError, match="did you mean 'exivity'"):
        found(world, release="exvity")
    with pytest.raises(UsageError, match="the namespace 'exivty' does not exist"):
        found(world, namespace="exivty")
    with pytest.raises(UsageError, match="no Exivity release in namespace traefik"):
        found(world, namespace="traefik")
    with pytest.raises(UsageError, match="no Exivity release in the cluster"):
        found(World([]))


def test_where_the_cluster_may_not_be_listed() -> None:
    world = builders.multi_node(namespace="billing")
    world.deny = lambda resource, namespace, name: namespace is None and resource != "namespaces"
    assert found(world, context="billing").namespace == "billing"
    with pytest.raises(UsageError, match=r"namespace exivity.*may not be listed"):
        found(world)
    world.deny = lambda resource, namespace, name: True
    assert found(world, "billing", "exivity") == Target("billing", "exivity", "exivity", False)
    with pytest.raises(UsageError, match="cannot look for the Exivity release: forbidden"):
        found(world)
