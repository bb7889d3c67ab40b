"""Argo CD, Flux and KEDA: who keeps the release, from where, with which values, and what no snapshot may hold of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from exivity_audit import chart
from exivity_audit.collect.chart_values import parsed
from exivity_audit.collect.public import repository
from exivity_audit.config import Config, thresholds_of
from exivity_audit.evaluate import evaluate
from exivity_audit.lifecycle import load_lifecycle
from exivity_audit.pack import own_pack
from exivity_audit.selection import reads_needed
from exivity_audit.snapshot import Outcome as ReadOutcome
from exivity_audit.snapshot import encode as encode_snapshot
from exivity_audit.verdict import Status, Verdict
from tests.builders import APP_KEY, made, multi_node, multi_node_argo, multi_node_flux, multi_node_keda, stamp
from tests.judging import judged, site_of, snapshot_of, statuses
from tests.mutation import drop, put
from tests.mutations.gitops import CHART, just_synced, made_by_the_chart, rendered_anew
from tests.mutations.secrets import GENERATED
from tests.products import gitops
from tests.world import World

PASS, WARN, FAIL, UNKNOWN, MANUAL, SKIP = Status.PASS, Status.WARN, Status.FAIL, Status.UNKNOWN, Status.MANUAL, Status.SKIP
PACK, LIFECYCLE = own_pack(), load_lifecycle(None)
VERSIONED, HEALTHY, RESTORE, KEY = "upgrades/version-controlled", "upgrades/release-healthy", "upgrades/restore-switch", "secrets/app-key"
APPLICATIONS = "applications.argoproj.io"


def found(world: World, check: str, **where: Any) -> tuple[Verdict, ...]:
    """The verdicts of one check, by what it asks for alone."""
    selected, config = frozenset({check}), Config()
    site = site_of(world, wanted=reads_needed(PACK, selected), **where)
    thresholds = thresholds_of(config, PACK.thresholds, None)
    return evaluate(snapshot_of(site), PACK, config, selected=selected, thresholds=thresholds, lifecycle=LIFECYCLE).outcomes[0].verdicts


def one(world: World, check: str, **where: Any) -> Verdict:
    verdicts = found(world, check, **where)
    assert len(verdicts) == 1, [verdict.message for verdict in verdicts]
    return verdicts[0]


def app(world: World, path: str, value: Any) -> World:
    world.edit("Application", "exivity", put(path, value))
    return world


def denied(world: World, *resources: str) -> World:
    world.deny = lambda resource, namespace, name: resource in resources
    return world


@pytest.mark.parametrize("base", [multi_node_argo, multi_node_flux, multi_node_keda])
def test_no_check_fails_on_a_conforming_cluster(base: Any) -> None:
    before, after = statuses(judged(multi_node())), statuses(judged(base()))
    assert Status.ERROR not in after.values()
    assert {check for check, status in after.items() if status in (FAIL, WARN) and before[check] is not status} == set()
    blind = {check for check, status in after.items() if status is UNKNOWN and before[check] is not status}
    assert blind == set()


# Which Application


def label_mode(world: World) -> World:
    """Argo CD tracks by label: its name stands in the instance label, and no annotation."""
    for item in gitops.ours(world):
        item["metadata"].get("annotations", {}).pop(chart.ARGO_TRACKING, None)
        item["metadata"]["labels"][chart.INSTANCE_LABEL] = "exivity"
    return world


def test_an_application_in_a_namespace_of_its_own_is_named_with_it() -> None:
    world = serve_app(multi_node(helm=False), "team-a")
    gitops.tracked(world, "team-a_exivity")
    assert one(world, VERSIONED).subject.namespace == "team-a"  # type: ignore[union-attr]


def serve_app(world: World, namespace: str = "argocd") -> World:
    gitops.serve(world, *gitops.ARGO)
    world.add(gitops.application(world, namespace=namespace))
    return world


def test_in_label_mode_the_listed_deployments_name_it() -> None:
    world = label_mode(multi_node_argo())
    assert one(world, VERSIONED).status is PASS
    assert "Application argocd/exivity lists its objects" in one(world, "cluster/helm-release").message
    app(world, "status.resources", [])
    assert one(world, VERSIONED).status is PASS, "by name and destination"
    app(world, "spec.destination.namespace", "elsewhere")
    assert one(world, VERSIONED).status is MANUAL


def test_an_application_for_another_cluster_is_not_the_releases() -> None:
    world = label_mode(multi_node_argo())
    app(world, "spec.destination", {"server": "https://10.9.8.7:6443", "namespace": "exivity"})
    assert one(world, "cluster/helm-release").status is FAIL


def test_helm_by_hand_beside_an_application_of_another_product() -> None:
    world = serve_app(multi_node())
    app(world, "spec.destination.namespace", "shop")
    app(world, "status.resources", [{"group": "apps", "kind": "Deployment", "namespace": "shop", "name": "exivity-glass", "status": "Synced"}])
    assert one(world, VERSIONED).measured == "Helm by hand"


def test_a_malformed_application_is_unknown_and_its_siblings_are_judged() -> None:
    world = multi_node_argo()
    world.add(made("argoproj.io/v1alpha1", "Application", "odd", "argocd", spec={"source": 7, "destination": []}))
    assert one(world, VERSIONED).status is PASS
    app(world, "status.resources", None)
    app(world, "spec.ignoreDifferences", 7)
    verdict = one(world, VERSIONED)
    assert (verdict.status, "malformed" in verdict.why) == (UNKNOWN, True)


def test_nulls_and_a_missing_status_break_nothing() -> None:
    world = multi_node_argo()
    for path in ("spec.syncPolicy", "spec.ignoreDifferences", "spec.sources", "status"):
        app(world, path, None)
    assert Status.ERROR not in statuses(judged(world)).values()
    assert one(world, VERSIONED).measured == "never compared"
    flux = multi_node_flux()
    for kind in ("HelmRelease", "Kustomization", "GitRepository"):
        for item in flux.all(kind):
            item["status"] = None
    assert one(flux, VERSIONED).status is WARN
    assert Status.ERROR not in statuses(judged(flux)).values()


def test_a_list_of_the_cluster_that_is_forbidden_falls_back_to_the_usual_namespaces() -> None:
    world = multi_node_argo()
    world.deny = lambda resource, namespace, name: resource == APPLICATIONS and namespace is None
    assert one(world, VERSIONED).status is PASS
    record = [item for item in site_of(world, wanted=["argo_applications"]).reads if item.name == "argo_applications"]
    assert {(item.place.namespace, item.outcome) for item in record} == {
        (None, ReadOutcome.FORBIDDEN), ("exivity", ReadOutcome.EMPTY), ("argocd", ReadOutcome.FOUND), ("openshift-gitops", ReadOutcome.EMPTY),
    }  # fmt: skip
    world.remove("Application", "exivity")
    verdict = one(world, VERSIONED)
    assert (verdict.status, verdict.needs) == (UNKNOWN, ("list applications.argoproj.io",)), "it may lie in a namespace that was not read"


@pytest.mark.parametrize("check", [VERSIONED, HEALTHY, RESTORE, KEY, "pvc_sizes/explicit", "cluster/helm-release"])
@pytest.mark.parametrize("base", [multi_node_argo, multi_node_flux])
def test_no_check_rises_where_the_tools_objects_may_not_be_read(base: Any, check: str) -> None:
    worth = {PASS: 2, WARN: 1}
    before = max(worth.get(verdict.status, 0) for verdict in found(base(), check))
    for api in (*gitops.ARGO, *gitops.FLUX):
        now = found(denied(base(), api), check)
        assert Status.ERROR not in {verdict.status for verdict in now}
        assert max(worth.get(verdict.status, 0) for verdict in now) <= before


# Where it comes from


def test_the_values_may_come_from_another_source_than_the_chart() -> None:
    world = multi_node_argo()
    values = {"repoURL": "git@git.acme.eu:platform/values.git", "targetRevision": "main", "ref": "values"}
    app(world, "spec.sources", [{**CHART, "helm": {"valueFiles": ["$values/prod.yaml"]}}, values])
    verdict = one(world, VERSIONED)
    assert (verdict.status, "git.acme.eu:platform/values.git" in verdict.message) == (PASS, True)
    assert "$values/prod.yaml" in one(world, "pvc_sizes/explicit").remark


def test_inline_values_are_as_safe_as_the_application() -> None:
    world = app(multi_node_argo(), "spec.source", {**CHART, "helm": {"values": "service: {restore: {enabled: false}}"}})
    verdict = one(world, VERSIONED)
    assert (verdict.status, "no cluster shows where it is kept" in verdict.why) == (MANUAL, True)
    world.edit("Application", "exivity", put("metadata.ownerReferences", [{"kind": "ApplicationSet", "name": "all"}]))
    assert "ApplicationSet all" in one(world, VERSIONED).why
    parent = gitops.application(multi_node(), "root")
    parent["status"]["resources"] = [
        {"group": "argoproj.io", "kind": "Application", "namespace": "argocd", "name": "exivity", "status": "Synced"},
    ]
    world.add(parent)
    kept = one(world, VERSIONED)
    assert (kept.status, "kept by Application argocd/root" in kept.message) == (PASS, True)


def test_inline_values_beside_a_git_source_are_a_remark() -> None:
    world = app(multi_node_argo(), "spec.source.helm.parameters", [{"name": "service.glass.replicas", "value": "2"}])
    assert "service.glass.replicas" in one(world, VERSIONED).remark


@pytest.mark.parametrize(("source", "expected"), [
    ({"repoURL": "oci://registry.acme.eu/charts/exivity", "path": ".", "targetRevision": "3.39.2"}, MANUAL),
    ({"repoURL": "https://u:pw@git.acme.eu/x.git", "path": "chart"}, PASS), ({"repoURL": "https://h/x;password=s@y", "path": "chart"}, MANUAL),
])  # fmt: skip
def test_other_sources(source: dict[str, Any], expected: Status) -> None:
    assert one(app(multi_node_argo(), "spec.source", source), VERSIONED).status is expected


def test_a_source_hydrator_renders_from_git() -> None:
    world = multi_node_argo()
    world.edit("Application", "exivity", drop("spec.source"))
    dry = {"repoURL": gitops.REPOSITORY, "path": "charts/exivity", "targetRevision": "main"}
    app(world, "spec.sourceHydrator", {"drySource": dry, "syncSource": {"targetBranch": "env/prod", "path": "exivity"}})
    assert one(world, VERSIONED).status is PASS


def test_a_helm_release_from_a_chart_repository_is_as_safe_as_what_applies_it() -> None:
    chart_spec = {"spec": {"chart": "exivity", "version": "3.39.2", "sourceRef": {"kind": "HelmRepository", "name": "exivity"}}}
    assert one(gitops.flux(multi_node(), chart=chart_spec), VERSIONED).status is PASS
    alone = gitops.flux(multi_node(), kept=False, chart=chart_spec)
    assert one(alone, VERSIONED).status is MANUAL
    suspended = gitops.flux(multi_node(), chart=chart_spec)
    suspended.edit("Kustomization", "apps", put("spec.suspend", True))
    assert one(suspended, VERSIONED).status is WARN


def test_an_oci_artifact_may_tell_its_repository() -> None:
    ref = {"kind": "OCIRepository", "name": "exivity", "namespace": "flux-system"}
    world = gitops.flux(multi_node(), kept=False, chart=None, chartRef=ref)
    artifact = {"revision": "3.39.2@sha256:0", "metadata": {"org.opencontainers.image.source": "https://u:pw@git.acme.eu/x.git"}}
    world.add(
        made(
            "source.toolkit.fluxcd.io/v1",
            "OCIRepository",
            "exivity",
            "flux-system",
            spec={"url": "oci://registry.acme.eu/exivity"},
            status={"artifact": artifact},
        )
    )
    assert "Git repository https://git.acme.eu/x.git" in one(world, VERSIONED).message
    world.edit("OCIRepository", "exivity", drop("status.artifact.metadata"))
    assert one(world, VERSIONED).status is MANUAL


def plain_manifests(world: World) -> World:
    """Flux applies manifests that somebody rendered."""
    for item in gitops.ours(world):
        item["metadata"]["labels"] |= {chart.KUSTOMIZATION_NAME: "apps", chart.KUSTOMIZATION_NAMESPACE: "flux-system"}
    gitops.serve(world, *gitops.FLUX).add(gitops.git_repository(), gitops.kustomization())
    return world


def test_a_kustomization_keeps_plain_manifests() -> None:
    world = plain_manifests(multi_node(helm=False))
    made_by_the_chart(world, "app-key", "EXIVITY_APP_KEY")
    assert [one(world, check).status for check in (VERSIONED, HEALTHY, KEY)] == [PASS, PASS, PASS]
    assert one(world, "upgrades/backup-before-upgrade").status is MANUAL
    world.edit("Kustomization", "apps", put("spec.suspend", True))
    assert [one(world, check).status for check in (VERSIONED, KEY)] == [WARN, WARN]


# Health


def test_health_follows_pods_that_are_missing() -> None:
    world = app(multi_node_argo(), "status.health.status", "Degraded")
    assert one(world, HEALTHY).status is FAIL
    world.edit("Deployment", "exivity-glass", put("status.readyReplicas", 1))
    assert one(world, HEALTHY).follows == "application/replicas-ready"


@pytest.mark.parametrize(("path", "value", "expected"), [
    ("status.health.status", "Progressing", WARN), ("status.health.status", "Suspended", WARN), ("status.operationState.phase", "Running", WARN),
    ("status.operationState.phase", "Error", FAIL), ("status.health", None, UNKNOWN), ("status.operationState", None, PASS),
])  # fmt: skip
def test_what_argo_cd_says_of_the_last_sync(path: str, value: Any, expected: Status) -> None:
    assert one(app(multi_node_argo(), path, value), HEALTHY).status is expected


def test_revisions_of_an_earlier_life_say_nothing_of_argo_cd() -> None:
    world = gitops.argo(multi_node())
    world.add(*[item for item in multi_node().all("Secret") if item["metadata"]["name"].endswith(".v1")])
    assert "last sync Succeeded" in one(world, HEALTHY).message
    assert one(world, "upgrades/backup-before-upgrade").status is MANUAL


def test_flux_tells_the_newest_release_where_secrets_may_not_be_listed() -> None:
    world = multi_node_flux()
    assert one(world, HEALTHY, secrets="named").status is PASS
    world.edit("HelmRelease", "exivity", put("status.history.0.status", "failed"))
    assert one(world, HEALTHY, secrets="named").status is FAIL


# Values


@pytest.mark.parametrize(("helm", "expected"), [
    ({"values": "service:\n  restore:\n    enabled: true\n"}, FAIL), ({"valuesObject": {"service": {"restore": {"enabled": True}}}}, FAIL),
    ({"valuesObject": {"service": {"restore": {"enabled": False}}}, "values": "service: {restore: {enabled: true}}"}, PASS),
    ({"parameters": [{"name": "service.restore.enabled", "value": "true"}], "values": "service: {restore: {enabled: false}}"}, FAIL),
    ({"parameters": [{"name": "service.restore.enabled", "value": "false", "forceString": True}]}, FAIL),  # a text that is not empty is true to the template
    ({"values": "exivity: {service: {restore: {enabled: true}}}"}, FAIL),  # the chart as a dependency of another
    ({}, PASS), (None, PASS), ({"values": "a: [b"}, UNKNOWN), ({"values": "- a"}, UNKNOWN), ({"valueFiles": ["x.yaml"]}, UNKNOWN),
])  # fmt: skip
def test_inline_values_as_argo_cd_puts_them_together(helm: Any, expected: Status) -> None:
    world = app(multi_node_argo(), "spec.source", {**CHART, "helm": helm})
    world.edit("Application", "exivity", drop("status.operationState.syncResult"))
    assert one(world, RESTORE).status is expected


def test_a_sync_that_ran_no_hook_says_nothing_of_the_restore_job() -> None:
    world = app(multi_node_argo(), "status.operationState.syncResult.resources", [])
    verdict = one(world, RESTORE)
    assert (verdict.status, "values-production.yaml" in verdict.why) == (UNKNOWN, True)


def test_inline_values_of_a_helm_release_stand_in_for_revisions() -> None:
    world = gitops.flux(multi_node(), values={"secret": {"appKey": APP_KEY}, "service": {"restore": {"enabled": True}}}, valuesFrom=None)
    assert one(world, KEY, secrets="named").status is PASS
    assert one(world, RESTORE, secrets="named").status is FAIL


# Keys


@pytest.mark.parametrize(("ignored", "expected"), [
    ({"group": "", "kind": "Secret", "jsonPointers": ["/data/EXIVITY_APP_KEY"]}, FAIL), ({"kind": "*", "group": "*", "jqPathExpressions": [".data"]}, FAIL),
    ({"kind": "Secret", "jqPathExpressions": [".metadata.annotations"]}, PASS), ({"kind": "Secret", "name": "other", "jsonPointers": ["/data"]}, PASS),
    ({"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]}, PASS), ({"kind": "Secret", "managedFieldsManagers": ["vault"]}, WARN),
    ({"kind": "Secret", "namespace": "shop", "jsonPointers": ["/data"]}, PASS),
])  # fmt: skip
def test_differences_that_argo_cd_is_told_to_ignore(ignored: dict[str, Any], expected: Status) -> None:
    world = multi_node_argo()
    made_by_the_chart(world, "app-key", "EXIVITY_APP_KEY")
    app(world, "spec.ignoreDifferences", [ignored])
    assert one(world, KEY).status is expected


def test_a_key_that_is_rendered_the_same_again_is_explicit() -> None:
    world = multi_node_argo()
    made_by_the_chart(world, "app-key", "EXIVITY_APP_KEY")
    verdict = one(world, KEY)
    assert (verdict.status, "480 hours after the last sync" in verdict.message) == (PASS, True)
    just_synced(world)
    assert one(world, KEY).status is WARN
    app(world, "status.reconciledAt", None)
    assert one(world, KEY).status is WARN
    rendered_anew(world)
    verdict = one(world, KEY)
    assert (verdict.status, "Argo CD then renders the same" in verdict.fix.text) == (FAIL, True)  # type: ignore[union-attr]


def test_the_application_names_the_live_key() -> None:
    world = multi_node_argo()
    made_by_the_chart(world, "app-key", "EXIVITY_APP_KEY")
    app(world, "spec.source", {**CHART, "helm": {"parameters": [{"name": "secret.appKey", "value": GENERATED}]}})
    app(world, "status.operationState.finishedAt", stamp(0.02))
    verdict = one(world, KEY)
    assert (verdict.status, "Application argocd/exivity names" in verdict.message) == (PASS, True)


def test_a_key_by_hand_that_argo_cd_would_replace_is_a_remark() -> None:
    world = multi_node_argo()
    next(item for item in world.find("Application", "exivity")["status"]["resources"] if item["name"] == "exivity-app-key")["status"] = "OutOfSync"
    assert "the next sync replaces it" in one(world, KEY).remark


# KEDA


@pytest.mark.parametrize(("annotations", "paused"), [
    ({}, False), ({"autoscaling.keda.sh/paused": "true"}, True), ({"autoscaling.keda.sh/paused": "false"}, False),
    ({"autoscaling.keda.sh/paused": "yes"}, True), ({"autoscaling.keda.sh/paused-replicas": "2"}, True),
])  # fmt: skip
def test_a_paused_scaled_object_scales_nothing(annotations: dict[str, str], paused: bool) -> None:
    world = gitops.serve(multi_node(), *gitops.KEDA)
    world.add(gitops.scaled_object("glass", 2, 4, annotations=annotations))
    world.edit("Deployment", "exivity-glass", put("spec.replicas", 1))
    verdict = next(item for item in found(world, "application/stateless-replicas") if "glass" in str(item.subject))
    assert verdict.status is (FAIL if paused else PASS)
    assert ("ScaledObject glass paused" in verdict.message) is paused
    assert one(world, "application/scaling").status is (MANUAL if paused else PASS)


@pytest.mark.parametrize(("spec", "expected"), [
    ({"idleReplicaCount": 0}, WARN), ({"scaleTargetRef": {"kind": "StatefulSet", "name": "exivity-edify"}}, PASS), ({"minReplicaCount": None}, WARN),
    ({"minReplicaCount": "two"}, UNKNOWN),
])  # fmt: skip
def test_what_a_scaled_object_may_sink_to(spec: dict[str, Any], expected: Status) -> None:
    world = multi_node_keda()
    world.edit("ScaledObject", "edify", lambda item: item["spec"].update(spec))
    verdict = next(item for item in found(world, "application/stateless-replicas") if "edify" in str(item.subject))
    assert verdict.status is (PASS if expected is UNKNOWN else expected)
    if expected is WARN:
        assert verdict.fix is not None
        assert verdict.fix.patch == {"spec": {"minReplicaCount": 2, "idleReplicaCount": None}}
    if expected is UNKNOWN:
        assert any(item.status is UNKNOWN for item in found(world, "application/singleton-autoscaling"))


# What is asked, and what is kept


def test_nothing_is_asked_where_no_tool_is_installed() -> None:
    world = multi_node()
    judged(world)
    assert not [path for _, path in world.requests if any(group in path for group in ("argoproj", "fluxcd", "keda"))]
    flux = gitops.serve(multi_node(), *gitops.FLUX)
    judged(flux)
    assert len([path for _, path in flux.requests if "fluxcd" in path]) == 2, "sources are asked for where something names one"


def test_no_secret_of_an_application_or_helm_release_is_kept() -> None:
    canary = "cAnArYhunter42"
    secrets = {"secret": {"appKey": canary + "key"}, "extra": {"password": canary}, "licence": canary, "ingress": {"annotations": {"x": canary}}}
    source = {
        "repoURL": f"https://u:{canary}@git.acme.eu/x.git?token={canary}", "path": "chart", "targetRevision": f"main token={canary}",
        "helm": {"values": json.dumps(secrets), "parameters": [{"name": "rabbitmq.auth.password", "value": canary}, {"name": "x", "value": canary}],
                 "valueFiles": [f"https://u:{canary}@h/values.yaml"], "fileParameters": [{"name": canary, "path": canary}]},
        "plugin": {"name": "p", "env": [{"name": "TOKEN", "value": canary}]}, "kustomize": {"patches": [{"patch": canary}]},
    }  # fmt: skip
    world = app(multi_node_argo(), "spec.source", source)
    app(world, "spec.info", [{"name": "x", "value": canary}])
    app(world, "spec.destination.server", f"https://u:{canary}@kubernetes.default.svc")
    app(world, "status.conditions", [{"type": "ComparisonError", "message": f"https://u:{canary}@h"}])
    app(world, "status.operationState.message", canary)
    app(world, "metadata.annotations", {"kubectl.kubernetes.io/last-applied-configuration": canary, "notifications.argoproj.io/subscribe.x": canary})
    broken = multi_node_argo()
    app(broken, "spec.source.helm", {"values": f"password: {canary}\n: ["})
    values = {**secrets, "postgresql": {"host": f"u:{canary}@db"}}
    flux = gitops.flux(multi_node(), values=values, postRenderers=[{"kustomize": {"patches": [{"patch": canary}]}}])
    flux.edit("GitRepository", "platform", put("spec.url", f"https://u:{canary}@git.acme.eu/x.git"))
    flux.edit("HelmRelease", "exivity", put("status.conditions.0.message", canary))
    texts = [encode_snapshot(snapshot_of(site_of(one))).decode() for one in (world, broken, flux)]
    assert [text.lower().count(canary.lower()) for text in texts] == [0, 0, 0]
    assert all("https://git.acme.eu" in text for text in texts)


@pytest.mark.parametrize(("text", "kept"), [
    ("https://github.com/acme/x.git", "https://github.com/acme/x.git"), ("git@github.com:acme/x.git", "github.com:acme/x.git"),
    ("https://u:pa/ss@h/x", "https://h/x"), ("ssh://git@h:22/x", "ssh://h:22/x"), ("https://h/x?token=a", "https://h/x"), ("https://[::1]:6443", "https://[::1]:6443"),
    ("oci://h/c@sha256:0a", "oci://h/c"), ("https://h/x;password=s@y", {"malformed": "str"}), ("password=s", {"malformed": "str"}), ("", ""), (7, 7),
])  # fmt: skip
def test_a_repository_is_kept_without_user_and_parameters(text: Any, kept: Any) -> None:
    assert repository(text) == kept


@pytest.mark.parametrize(("text", "expected"), [
    ("", {}), (None, {}), ("# nothing", {}), ("a: 2026-01-01", {"a": "2026-01-01"}), ("a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}), ("a", None), ("a: [", None),
    ("a: !!python/object:os.system {}", None), ("[" * 3000, None), ("x" * (2**20 + 1), None), (7, None), ("a: 1\n---\nb: 2", None),
])  # fmt: skip
def test_values_as_text_are_read_with_limits(text: Any, expected: Any) -> None:
    assert parsed(text) == expected


def test_a_text_of_merges_that_would_grow_without_end_is_refused() -> None:
    lines = ["a0: &a0 {x: 1}"] + [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}], y{n}: 1}}" for n in range(1, 12)]
    assert parsed("\n".join(lines)) is None


def test_flux_may_store_helms_revisions_in_its_own_namespace() -> None:
    world = gitops.flux(multi_node(), storageNamespace=None)
    world.remove("Secret", "sh.helm.release.v1.exivity.v1")
    made_by_the_chart(world, "app-key", "EXIVITY_APP_KEY")
    assert (one(world, HEALTHY).status, one(world, KEY).status) == (PASS, WARN)
    world.edit("HelmRelease", "exivity", put("spec.values", {"secret": {"appKey": "another-Value_of-32-or-more-Chars"}}))
    assert "the upgrade ignored it" in one(world, KEY).message
