"""Kubeconfigs are merged as the official package merges them (and as kubectl does, where the two differ)."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.config import kube_config

from exivity_audit.collect import kubeconfig
from exivity_audit.errors import UsageError

LISTS = (("contexts", "context"), ("clusters", "cluster"), ("users", "user"))


def config(letter: str, *, current: str = "", relative: bool = False) -> dict[str, Any]:
    """A kubeconfig with one entry of its own and one that every file has, each telling the file it is from."""
    found: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "preferences": {}}
    if current:
        found["current-context"] = current
    authority = f"{letter}.crt" if relative else f"/etc/{letter}.crt"
    for name in (letter, "shared"):
        found.setdefault("clusters", []).append({"name": name, "cluster": {"server": f"https://{letter}", "certificate-authority": authority}})
        found.setdefault("users", []).append({"name": name, "user": {"token": f"token-{letter}"}})
        found.setdefault("contexts", []).append({"name": name, "context": {"cluster": name, "user": name, "namespace": letter}})
    return found


FILES = {
    "a": config("a", current="a"),
    "b": config("b", current="shared", relative=True),
    "c": config("c"),
    "without lists": {"apiVersion": "v1", "kind": "Config", "current-context": "a"},
    "null lists": {"apiVersion": "v1", "kind": "Config", "clusters": None, "users": None, "contexts": None},
}


def written(folder: Path, names: tuple[str, ...]) -> list[Path]:
    """The files, each in a folder of its own: relative paths count from there."""
    paths = []
    for number, name in enumerate(names):
        path = folder / str(number) / "config"
        path.parent.mkdir()
        path.write_text(yaml.safe_dump(FILES[name]))
        paths.append(path)
    return paths


def official(paths: list[Path]) -> dict[str, dict[str, dict[str, Any]]]:
    """What the package makes of the files: by list and name; the first entry of a name counts."""
    merger: Any = kube_config.KubeConfigMerger(":".join(map(str, paths)))
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for plural, singular in LISTS:
        entries: dict[str, dict[str, Any]] = {}
        for node in merger.config.value.get(plural) or []:
            entry = dict(node.value[singular])
            if "certificate-authority" in entry:
                entry["certificate-authority"] = str(Path(node.path).parent / entry["certificate-authority"])
            entries.setdefault(node.value["name"], entry)
        found[plural] = entries
    return found


@pytest.mark.parametrize("names", [chosen for size in (1, 2, 3) for chosen in itertools.permutations(FILES, size) if {"a", "b", "c"} & set(chosen)])
def test_each_context_is_the_one_that_the_official_package_finds(names: tuple[str, ...], tmp_path: Path) -> None:
    paths = written(tmp_path, names)
    theirs = official(paths)
    assert theirs["contexts"]
    for name, context in theirs["contexts"].items():
        ours = kubeconfig.load(paths, name)
        cluster, user = theirs["clusters"][context["cluster"]], theirs["users"][context["user"]]
        assert ours.context.values == context
        assert ours.user.values == user
        assert ours.cluster.values["server"] == cluster["server"]
        assert str(ours.cluster.path("certificate-authority")) == cluster["certificate-authority"]


@pytest.mark.parametrize(("names", "current"), [(("a", "b"), "a"), (("b", "a"), "shared"), (("c", "b", "a"), "shared"), (("null lists", "a"), "a")])
def test_the_first_current_context_counts_as_with_kubectl(names: tuple[str, ...], current: str, tmp_path: Path) -> None:
    """The package lets the last one win."""
    assert kubeconfig.load(written(tmp_path, names), None).context.name == current


GOOD = yaml.safe_dump(FILES["a"])


def raw(folder: Path, *texts: str) -> list[Path]:
    paths = [folder / f"{number}.yaml" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    return paths


@pytest.mark.parametrize("nothing", ["", "# a comment\n", "---\n"])
def test_a_file_of_nothing_counts_as_none(nothing: str, tmp_path: Path) -> None:
    assert kubeconfig.load(raw(tmp_path, nothing, GOOD), None).context.name == "a"


def test_a_date_is_a_name_like_any_other(tmp_path: Path) -> None:
    dated = (
        GOOD.replace("name: shared", "name: 2024-01-01").replace("cluster: shared", "cluster: 2024-01-01").replace("user: shared", "user: 2024-01-01")
    )
    assert kubeconfig.load(raw(tmp_path, dated), "2024-01-01").cluster.name == "2024-01-01"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("current-context: 123\n", "current-context of the kubeconfig"),
        ("clusters: {}\n", "is not a kubeconfig"),
        ("kind: Other\n", "is not a kubeconfig"),
        ("apiVersion: v2\n", "is not a kubeconfig"),
        ("clusters: [{name: d, cluster: {}}, {name: d, cluster: {}}]\n", "The cluster 'd' is twice"),
        ("users: [{name: u, user: {insecure: !!bool maybe}}]\n", "is not a kubeconfig"),
        ("users: [{name: u, user: {number: !!int ''}}]\n", "is not a kubeconfig"),
        ("users: [{name: u, user: {moment: !!timestamp foo}}]\n", "is not a kubeconfig"),
    ],
)
def test_what_kubectl_refuses_is_refused_and_no_other_cluster_taken(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=told):
        kubeconfig.load(raw(tmp_path, text, GOOD), None)
