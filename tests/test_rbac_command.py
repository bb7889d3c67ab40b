"""The commands ``rbac`` and ``preflight`` as they are run: files, refusals, and what is said of rights that are there in part."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import builders
from tests.command import audit
from tests.granting import given_by
from tests.world_server import serving


def ran(kubeconfig: Path | None, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("KUBE", "EXIVITY_AUDIT_"))}
    access = ["--kubeconfig", str(kubeconfig)] if kubeconfig else []
    return audit(arguments[0], *access, *arguments[1:], env=environment)


def test_it_writes_a_file_once_and_says_what_is_in_it(tmp_path: Path) -> None:
    file = tmp_path / "roles.yaml"
    with serving(builders.single_node(), tmp_path) as (cluster, server):
        words = ("rbac", "--checks", "storage,secrets", "--secrets", "named", "--service-account", "audit:reader", "-o", str(file))
        found = ran(cluster, *words)
        again = ran(cluster, *words)
        saved = ran(cluster, "collect", "-o", str(tmp_path / "cluster.json"))
    assert found.returncode == 0, found.stderr
    assert "rights for release exivity/exivity" in found.stdout
    assert again.returncode == 2
    assert "--force" in again.stderr
    text = file.read_text()
    assert "exivity-audit run -n exivity --release exivity --secrets named --checks storage,secrets" in text
    assert next(item["kind"] for item in yaml.safe_load_all(text) if item) == "ServiceAccount"
    assert "# " in text
    assert {method for method, _ in server.asked} <= {"GET", "POST"}
    assert saved.returncode == 0, saved.stderr
    offline = ran(None, "rbac", "--snapshot", str(tmp_path / "cluster.json"), "--checks", "storage,secrets", "--secrets", "named")
    assert offline.returncode == 0, offline.stderr
    assert given_by(offline.stdout) == given_by(text)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--in", "exivity"), "--in belongs to --namespaced"),
        (("--service-account", "reader"), "is not NAMESPACE:NAME"),
        (("--service-account", "audit:Reader"), "no name that Kubernetes takes"),
        (("--name", "A b"), "no name that Kubernetes takes"),
        (("--namespaced", "--in", "nowhere"), "no rule is left"),
    ],
    ids=["in", "account", "account's name", "name", "nothing left"],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    with serving(builders.single_node(), tmp_path) as (cluster, _):
        found = ran(cluster, "rbac", *words)
    assert found.returncode == 2
    assert said in found.stderr
    assert found.stdout == ""


def test_the_figures_of_the_kubelets_are_a_right_only_where_they_are_asked_for(tmp_path: Path) -> None:
    with serving(builders.single_node(), tmp_path) as (cluster, _):
        without, with_them = (ran(cluster, "rbac", "--checks", "capacity", *flags).stdout for flags in ((), ("--kubelet-stats",)))
    assert "nodes/stats" not in without
    assert {"apiGroups": [""], "resources": ["nodes/stats"], "verbs": ["get"]} in given_by(with_them)[None]
    assert "--kubelet-stats" in with_them.partition("---")[0]


def test_preflight_counts_a_list_of_the_whole_cluster_as_partly_there(tmp_path: Path) -> None:
    world = builders.multi_node()
    world.deny = lambda resource, namespace, name: resource.startswith("servicemonitors.") and namespace != "exivity"
    with serving(world, tmp_path) as (cluster, _):
        found = ran(cluster, "preflight")
    assert found.returncode == 3
    assert "partly  list servicemonitors.monitoring.coreos.com (cluster): only in exivity, so what lies elsewhere stays unseen" in found.stdout
    part = found.stdout.partition("partly")[2]
    assert "less evidence, or unknown: " in part
    assert "monitoring/service-monitors" in part
    assert "blind" not in part


def test_preflight_names_what_goes_blind_for_want_of_secrets(tmp_path: Path) -> None:
    with serving(builders.multi_node(), tmp_path) as (cluster, _):
        whole, none = ran(cluster, "preflight"), ran(cluster, "preflight", "--secrets", "none")
    assert "not asked" not in whole.stdout
    assert none.returncode == 0, "no right is missing"
    assert "not asked  secrets: app_key (--secrets none)" in none.stdout
    assert "secrets/app-key" in none.stdout


def test_preflight_asks_for_a_right_by_itself_where_a_wider_one_is_missing(tmp_path: Path) -> None:
    world = builders.multi_node()
    world.deny = lambda resource, namespace, name: resource == "pods" and namespace is None and name is None
    with serving(world, tmp_path) as (cluster, _):
        found: Any = ran(cluster, "preflight")
    assert "missing  list pods (cluster)" in found.stdout
    assert "list pods in exivity" not in found.stdout
