"""The chart and what is generated below deploy/: in step, restricted, read-only, and its values refused where they are wrong."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from typing import Any

import jsonschema
import pytest
import yaml

from exivity_audit.rights import GROUPS
from tests.deploying import CHART, MANIFESTS, RULES, SETTINGS, helm, rendered, rules
from tests.granting import PACK

HELM = helm()
needs_helm = pytest.mark.skipif(HELM is None, reason="helm is not there (make test-cluster builds it)")
VALUES: Any = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA: Any = json.loads((CHART / "values.schema.json").read_text())


@cache
def objects(*settings: str) -> tuple[Any, ...]:
    """What the chart renders with some settings, ``key=value``."""
    assert HELM is not None
    values = dict(one.split("=", 1) for one in settings)
    return tuple(item for item in yaml.safe_load_all(rendered(HELM, values)) if item)


def of(kind: str, *settings: str) -> list[Any]:
    return [item for item in objects(*settings) if item["kind"] == kind]


def pod(*settings: str) -> Any:
    (job,) = of("CronJob", *settings)
    return job["spec"]["jobTemplate"]["spec"]["template"]["spec"]


# In step


def test_the_rules_are_those_that_the_command_finds() -> None:
    assert RULES.read_text() == rules(), "run `make deploy`"


@needs_helm
@pytest.mark.parametrize("name", SETTINGS)
def test_the_manifests_are_what_the_chart_renders(name: str) -> None:
    assert HELM is not None
    assert (MANIFESTS / name).read_text() == rendered(HELM, SETTINGS[name]), "run `make deploy`"


def test_every_rule_names_checks_that_exist_and_every_group_is_known() -> None:
    known = {check.id for check in PACK.checks}
    words = {word.strip(" ,") for line in RULES.read_text().splitlines() if line.lstrip().startswith("#") for word in line.split(",")}
    assert {word for word in words if "/" in word and " " not in word} <= known
    groups = {rule["apiGroups"][0] for scope in yaml.safe_load(RULES.read_text()).values() for part in scope.values() for rule in part}
    assert {"", *GROUPS.values()} <= groups | {"autoscaling"}


# Values


def test_the_values_fit_their_schema_and_every_value_has_one() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    jsonschema.Draft7Validator(SCHEMA).validate(VALUES)
    assert set(SCHEMA["properties"]) - {"global"} == set(VALUES)


@pytest.mark.parametrize(
    "wrong",
    [
        {"secrets": "all"}, {"relase": {}}, {"release": {"namespace": "A", "name": "x"}}, {"schedule": "daily"}, {"failOn": "grave"}, {"tokenSeconds": 60},
        {"image": {"digest": "sha256:1"}}, {"outputs": []}, {"rbac": {"scope": "all"}}, {"deadlineSeconds": "10m"},
        {"rbac": {"extraRoles": [{"namespace": "x", "rules": [{"apiGroups": ["*"], "resources": ["pods"], "verbs": ["get"]}]}]}},
        {"rbac": {"extraRoles": [{"namespace": "x", "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["delete"]}]}]}},
    ],
    ids=str,
)  # fmt: skip
def test_wrong_values_are_refused(wrong: Any) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(SCHEMA).validate(wrong)


@needs_helm
def test_helm_lints_it_strictly_and_refuses_a_wrong_value() -> None:
    assert HELM is not None
    done = subprocess.run([HELM, "lint", "--strict", str(CHART)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    refused = subprocess.run([HELM, "template", "x", str(CHART), "--set", "secrets=all"], capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert "secrets" in refused.stderr


# What runs


@needs_helm
def test_the_job_is_bounded() -> None:
    (job,) = of("CronJob")
    spec, inside = job["spec"], job["spec"]["jobTemplate"]["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["startingDeadlineSeconds"] > 0
    assert (spec["successfulJobsHistoryLimit"], spec["failedJobsHistoryLimit"]) == (3, 3)
    assert (inside["activeDeadlineSeconds"], inside["ttlSecondsAfterFinished"], inside["backoffLimit"]) == (600, 604800, 1)
    assert VALUES["tokenSeconds"] > VALUES["deadlineSeconds"], "the token lasts as long as the Job may"


@needs_helm
def test_the_pod_is_restricted_and_its_token_is_short_lived() -> None:
    spec = pod()
    assert spec["automountServiceAccountToken"] is False
    assert all(item["automountServiceAccountToken"] is False for item in of("ServiceAccount"))
    assert spec["securityContext"] == {
        "runAsNonRoot": True, "runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532, "seccompProfile": {"type": "RuntimeDefault"},
    }  # fmt: skip
    (container,) = spec["containers"]
    assert container["securityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    assert container["resources"]["limits"]["memory"]
    token = next(volume for volume in spec["volumes"] if volume["name"] == "token")["projected"]["sources"]
    assert token[0]["serviceAccountToken"] == {"path": "token", "expirationSeconds": 900}
    mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
    assert mounts["token"]["mountPath"] == "/var/run/secrets/kubernetes.io/serviceaccount"
    assert {name for name, mount in mounts.items() if not mount.get("readOnly")} == {"tmp"}
    assert set(mounts) == {volume["name"] for volume in spec["volumes"]}


@needs_helm
def test_flags_environment_and_files_of_ones_own() -> None:
    spec = pod("extraArgs[0]=--lang=nl", "env[0].name=EXIVITY_AUDIT_SKIP", "env[0].value=security", "envFrom[0].secretRef.name=webhook", "failOn=high",
               "evidence.items[0].check=x", "reports.enabled=true", "kubeletStats=true", "outputs[0]=json", "outputs[1]=markdown")  # fmt: skip
    (container,) = spec["containers"]
    assert container["args"][-3:] == ["--output=json", "--output=markdown", "--lang=nl"]
    for flag in ("--fail-on=high", "--evidence=/etc/exivity-audit/evidence.yaml", "--history=/var/lib/exivity-audit", "--kubelet-stats"):
        assert flag in container["args"]
    assert "--report-only" not in container["args"]
    assert {"name": "EXIVITY_AUDIT_SKIP", "value": "security"} in container["env"]
    assert container["envFrom"] == [{"secretRef": {"name": "webhook"}}]
    assert "--report-only" in pod()["containers"][0]["args"]


@needs_helm
def test_every_flag_the_chart_hands_over_is_one_of_the_command() -> None:
    from exivity_audit.cli.run_command import command

    known = {option for parameter in command.params for option in parameter.opts}
    every = pod("evidence.items[0].check=x", "reports.enabled=true", "kubeletStats=true")["containers"][0]["args"]
    assert every[0] == "run"
    assert {word.partition("=")[0] for word in every[1:]} <= known


@needs_helm
def test_nothing_comes_in_and_only_dns_and_the_api_server_go_out() -> None:
    (policy,) = of("NetworkPolicy")
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert policy["spec"]["ingress"] == []
    ports = [[(port["protocol"], port["port"]) for port in rule["ports"]] for rule in policy["spec"]["egress"]]
    assert ports == [[("UDP", 53), ("TCP", 53)], [("TCP", 443), ("TCP", 6443)]]
    (narrow,) = of("NetworkPolicy", "networkPolicy.apiServer.cidrs[0]=10.0.0.1/32")
    assert narrow["spec"]["egress"][1]["to"] == [{"ipBlock": {"cidr": "10.0.0.1/32"}}]
    labels = of("CronJob")[0]["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"]
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
    assert of("NetworkPolicy", "networkPolicy.enabled=false") == []


# Rights


def granted(*settings: str) -> dict[str | None, list[Any]]:
    return {item["metadata"].get("namespace"): item["rules"] for item in objects(*settings) if item["kind"] in ("Role", "ClusterRole")}


@needs_helm
@pytest.mark.parametrize("scope", ["cluster", "namespaced"])
@pytest.mark.parametrize("mode", ["none", "named", "list"])
def test_rights_are_to_get_and_list_without_wildcards(scope: str, mode: str) -> None:
    found = granted(f"rbac.scope={scope}", f"secrets={mode}", "rbac.secretNames[0]=exivity-tls", "rbac.namespaces.middleware[0]=databases")
    assert (None in found) is (scope == "cluster")
    assert {"exivity", "databases"} <= set(found)
    secrets = []
    for space, items in found.items():
        for rule in items:
            assert set(rule["verbs"]) <= {"get", "list"}
            assert "*" not in (*rule["apiGroups"], *rule["resources"])
            if rule["resources"] == ["secrets"]:
                secrets.append((space, rule["verbs"], rule.get("resourceNames")))
    if mode == "none":
        assert secrets == []
    elif mode == "list":
        assert secrets == [("exivity", ["get", "list"], None)]
    else:
        assert {name for _, _, names in secrets for name in names} >= {"exivity-tls", "exivity-app-key"}
        assert all(verbs == ["get"] for _, verbs, _ in secrets)


@needs_helm
def test_switches_take_rights_away() -> None:
    def groups(*settings: str) -> set[str]:
        return {rule["apiGroups"][0] for items in granted(*settings).values() for rule in items}

    assert {"longhorn.io", "traefik.io", "velero.io"} <= groups()
    assert "traefik.io" not in groups("rbac.operators.traefik=false")
    everything = [f"rbac.operators.{name}=false" for name in VALUES["rbac"]["operators"]]
    assert groups(*everything) <= {"", *GROUPS.values()}
    assert granted("rbac.create=false") == {}
    assert ["nodes/stats"] in [rule["resources"] for rule in granted("kubeletStats=true")[None]]
    assert ["nodes/stats"] not in [rule["resources"] for rule in granted()[None]]


@needs_helm
def test_names_are_those_of_the_release() -> None:
    found = granted("release.namespace=billing", "release.name=prod", "release.fullname=prod-exivity", "secrets=named")
    names = {name for rule in found["billing"] for name in rule.get("resourceNames", ())}
    assert {"prod-exivity-app-key", "prod-postgresql", "prod-exivity-config-shared"} <= names
    assert not any("THE-" in name for name in names)
    assert [rule["resourceNames"] for rule in found[None] if rule["resources"] == ["namespaces"]] == [["kube-system"], ["billing"]]


@needs_helm
def test_rules_of_several_lists_for_one_namespace_stand_in_one_role() -> None:
    found = of("Role", "rbac.namespaces.middleware[0]=exivity", "rbac.namespaces.longhorn[0]=longhorn-system")
    assert sorted(item["metadata"]["namespace"] for item in found) == ["exivity", "longhorn-system"]
