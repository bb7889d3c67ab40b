"""What is kept of the values that users give the chart, wherever they stand: those on the list by path, secrets described."""

from __future__ import annotations

import json
from typing import Any

import pytest

from exivity_audit import chart
from exivity_audit.collect import chart_values
from exivity_audit.collect.chart_values import (
    MOST_ALIASES,
    MOST_EVENTS,
    MOST_FILES,
    MOST_MERGED,
    argo_helm,
    argo_resources,
    dig,
    given_values,
    parsed,
    user_values,
)  # fmt: skip
from exivity_audit.collect.describe import Vault

SECRET = "vN7-hG3_kD9sLq2wXz5b"


def nested(path: str, value: Any) -> dict[str, Any]:
    for step in reversed(path.split(".")):
        value = {step: value}
    return value  # type: ignore[no-any-return]


@pytest.mark.parametrize("value", [None, [SECRET], SECRET, 7])
def test_a_way_that_ends_early_leads_nowhere(value: Any) -> None:
    assert dig({"a": value}, "a", "b") is None
    assert dig(value, "a") is None
    assert dig({"a": {"b": value}}, "a", "b") == value
    assert dig(value) == value


@pytest.mark.parametrize("path", chart.VALUES_KEPT)
def test_each_value_of_the_list_is_kept_by_its_path(path: str) -> None:
    value: Any = {"data": {"report": "1Gi"}} if path == "storage.pvcSizes" else "require" if path.endswith("sslmode") else "5"
    assert user_values(nested(path, value), Vault()) == {path: value}
    assert user_values({chart.APP: nested(path, value)}, Vault()) == {path: value}, "below the chart's name, where it is a dependency"
    assert user_values(nested(path, None), Vault()) == {}
    assert SECRET not in json.dumps(user_values(nested(path, {"x": SECRET}), Vault()))
    assert SECRET not in json.dumps(user_values(nested(path, f"u:{SECRET}@5"), Vault()))


@pytest.mark.parametrize("path", chart.VALUES_SECRET)
def test_each_secret_value_is_described(path: str) -> None:
    vault = Vault()
    found = user_values(nested(path, SECRET), vault)
    assert found[path]["secret"]["length"] == 20
    assert [value for _, value in vault.entries] == [SECRET]
    assert user_values(nested(path, 1234), Vault())[path]["secret"]["length"] == 4
    assert user_values(nested(path, 1.5), Vault())[path]["secret"]["length"] == 3
    for odd in (True, None, [SECRET], {"x": SECRET}):
        assert user_values(nested(path, odd), Vault()) == {}


def test_the_charts_own_values_go_before_those_below_its_name() -> None:
    assert user_values({"nameOverride": "a", chart.APP: {"nameOverride": "b"}}, Vault()) == {"nameOverride": "a"}


def test_values_of_a_helm_release_of_flux() -> None:
    assert given_values({"nameOverride": "a", "other": SECRET}, Vault()) == {"nameOverride": "a"}
    assert given_values(None, Vault()) is None
    assert given_values([SECRET], Vault()) == {"malformed": "list"}


# Values as YAML text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (None, {}), ("", {}), ("# nothing", {}), ("a: 1", {"a": 1}), ("a: {b: [1, x]}", {"a": {"b": [1, "x"]}}), ("- 1", None), ("7", None), ("a: [", None), ("a: !!python/object:os.system x", None),
        (7, None), (["a: 1"], None), ("a: &x 1\nb: *x", {"a": 1, "b": 1}), ("[" * 10_000, None), ("a: " + "9" * 5000, None),
    ],
)  # fmt: skip
def test_values_as_text(text: Any, found: Any) -> None:
    assert parsed(text) == found


# Values of an Argo CD source


def values_of(**helm: Any) -> Any:
    return argo_helm(helm, Vault())["values"]


def test_what_is_kept_of_a_source() -> None:
    found = argo_helm(
        {
            "valueFiles": ["values.yaml", f"https://u:{SECRET}@h/a.yaml", 7], "fileParameters": [{"name": SECRET}, SECRET], "releaseName": "exivity", "version": SECRET,
            "values": "nameOverride: x", "skipCrds": SECRET,
        },
        Vault(),
    )  # fmt: skip
    assert found == {
        "valueFiles": ["values.yaml", "https://h/a.yaml", 7], "fileParameters": 2, "releaseName": "exivity", "values": {"nameOverride": "x"},
    }  # fmt: skip


def test_what_a_source_lacks_is_empty() -> None:
    empty = {"valueFiles": [], "fileParameters": 0, "releaseName": None, "values": {}}
    assert argo_helm({}, Vault()) == empty
    assert argo_helm({"valueFiles": SECRET, "fileParameters": SECRET, "parameters": SECRET}, Vault()) == empty
    assert argo_helm(None, Vault()) is None
    assert argo_helm([SECRET], Vault()) == {"malformed": "list"}
    assert len(argo_helm({"valueFiles": ["a"] * (MOST_FILES + 1)}, Vault())["valueFiles"]) == MOST_FILES


@pytest.mark.parametrize(
    ("helm", "kept"),
    [
        ({"values": "nameOverride: text"}, "text"), ({"values": "nameOverride: text", "valuesObject": {"nameOverride": "object"}}, "object"),
        ({"values": "nameOverride: text", "valuesObject": SECRET}, "text"), ({"valuesObject": {"nameOverride": "a"}, "parameters": [{"name": "nameOverride", "value": "b"}]}, "b"),
    ],
)  # fmt: skip
def test_parameters_win_over_the_object_and_the_object_over_the_text(helm: Any, kept: str) -> None:
    assert values_of(**helm) == {"nameOverride": kept}


def test_values_that_are_no_yaml_are_malformed() -> None:
    assert values_of(values=f"{SECRET}: [") == {"malformed": "YAML"}


@pytest.mark.parametrize(
    ("parameters", "kept"),
    [
        ([{"name": "postgresql.enabled", "value": "true"}], {"postgresql.enabled": True}), ([{"name": "postgresql.enabled", "value": "false"}], {"postgresql.enabled": False}),
        ([{"name": "nameOverride", "value": "null"}], {}), ([{"name": "nameOverride", "value": "null", "forceString": True}], {"nameOverride": "null"}),
        ([{"name": "nameOverride", "value": "7", "forceString": "x"}], {"nameOverride": 7}), ([{"name": "nameOverride", "value": "7", "forceString": True}], {"nameOverride": "7"}),
        ([{"name": "nameOverride", "value": "0"}], {"nameOverride": 0}), ([{"name": "nameOverride", "value": "07"}], {"nameOverride": "07"}), ([{"name": "nameOverride", "value": "٣"}], {"nameOverride": "٣"}),
        ([{"name": "nameOverride", "value": "9" * 15}], {"nameOverride": 10**15 - 1}), ([{"name": "nameOverride", "value": "9" * 16}], {"nameOverride": "9" * 16}),
        ([{"name": "nameOverride"}], {"nameOverride": ""}), ([{"name": "nameOverride", "value": None, "forceString": True}], {"nameOverride": ""}),
        ([{"name": "nameOverride", "value": 7}], {}), ([{"name": 7, "value": "x"}, SECRET, {}], {}), ([{"name": "", "value": "x"}], {}),
        ([{"name": "nameOverride", "value": 7}, {"name": "nameOverride", "value": "last"}], {"nameOverride": "last"}),
        ([{"name": "service.glass.replicas", "value": "2"}, {"name": "service.use.replicas", "value": "3"}], {"service.glass.replicas": 2, "service.use.replicas": 3}),
        ([{"name": "service", "value": "x"}, {"name": "service.glass.replicas", "value": "2"}], {}), ([{"name": "a[0].b", "value": "x"}, {"name": "name\\.Override", "value": "x"}], {}),
        ([{"name": "nameOverride", "value": "a"}, {"name": "nameOverride", "value": "b"}], {"nameOverride": "b"}),
    ],
)  # fmt: skip
def test_parameters_as_helm_reads_them(parameters: Any, kept: Any) -> None:
    found = values_of(parameters=parameters)
    assert found == kept
    assert [type(value) for value in found.values()] == [type(value) for value in kept.values()]


def test_parameters_change_only_what_they_name() -> None:
    below = {"service": {"glass": {"replicas": 1, "tag": "a"}, "use": {"replicas": 1}}, "nameOverride": "x"}
    found = values_of(valuesObject=below, parameters=[{"name": "service.glass.replicas", "value": "2"}])
    assert found == {"service.glass.replicas": 2, "service.glass.tag": "a", "service.use.replicas": 1, "nameOverride": "x"}
    assert below["service"]["glass"]["replicas"] == 1  # type: ignore[index]
    assert values_of(valuesObject={"service": "x"}, parameters=[{"name": "service.tag", "value": "a"}]) == {"service.tag": "a"}
    assert values_of(valuesObject={"service": {"tag": "a"}}, parameters=[{"name": "service", "value": "x"}]) == {}


# An Application's resources


def test_of_an_applications_resources_those_that_are_used_and_those_that_are_not_well() -> None:
    found = argo_resources(
        [
            {"kind": "Deployment", "group": "apps", "name": "a", "namespace": "ns", "status": "Synced", "health": {"status": "Healthy", "message": SECRET}, "hook": SECRET},
            {"kind": "Service", "name": "b", "health": {"status": "Healthy"}}, {"kind": "Service", "name": "c", "health": {"status": "Degraded", "message": SECRET}},
            {"kind": "Secret", "name": "d"}, SECRET, {"kind": "Service", "name": "e", "health": SECRET},
        ],
        Vault(),
    )  # fmt: skip
    assert found == [
        {"kind": "Deployment", "group": "apps", "name": "a", "namespace": "ns", "status": "Synced", "health": "Healthy"},
        {"kind": "Service", "name": "c", "health": "Degraded"}, {"kind": "Secret", "name": "d", "health": None},
    ]  # fmt: skip
    assert argo_resources(None, Vault()) is None
    assert argo_resources({"kind": SECRET}, Vault()) == {"malformed": "dict"}


# Bounds of values as text


def test_values_larger_than_anybodys_are_none() -> None:
    def of(size: int) -> Any:
        return parsed("a: " + "x" * (size - 3))

    assert of(chart_values.LARGEST_YAML) is not None
    assert of(chart_values.LARGEST_YAML + 1) is None
    around = 9  # what a text of one list says beside its members, the first thing is number 0
    assert parsed("a: [" + "1," * (MOST_EVENTS - around + 1) + "]") is not None
    assert parsed("a: [" + "1," * (MOST_EVENTS - around + 2) + "]") is None


def test_values_nested_deeper_than_anybodys_are_none() -> None:
    assert parsed("a: " + "[" * 99 + "]" * 99) is not None
    assert parsed("a: " + "[" * 100 + "]" * 100) is None
    assert parsed("a: " + "{b: " * 99 + "1" + "}" * 99) is not None
    assert parsed("a: " + "{b: " * 100 + "1" + "}" * 100) is None


def test_aliases_and_merges_are_counted() -> None:
    def aliases(count: int, *, merge: bool) -> Any:
        uses = "".join(f"k{number}: *x\n" for number in range(count))
        return parsed(f"base: &x {{a: 1}}\n{'last: {<<: {b: 1}}' if merge else 'last: 1'}\n{uses}")

    assert aliases(MOST_ALIASES, merge=False) is not None
    assert aliases(MOST_ALIASES + 1, merge=False) is None
    assert aliases(MOST_MERGED, merge=True) is not None
    assert aliases(MOST_MERGED + 1, merge=True) is None
