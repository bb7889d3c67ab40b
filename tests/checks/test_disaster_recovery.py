"""Row disaster_recovery, the standby's database and brokers of their own: what each check says, and the traps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from exivity_audit.attestation import Attestation
from exivity_audit.collect.reads import BY_NAME
from exivity_audit.config import Config, Declare, Failover, thresholds_of
from exivity_audit.errors import UsageError
from exivity_audit.evaluate import Outcome, evaluate
from exivity_audit.facts.failover_steps import action
from exivity_audit.keyring import join
from exivity_audit.lifecycle import load_lifecycle
from exivity_audit.pack import own_pack
from exivity_audit.snapshot import Outcome as ReadOutcome
from exivity_audit.verdict import Status, Verdict
from tests import builders
from tests.builders import made
from tests.judging import outcome, pair_judged, run_of, site_of, snapshot_of
from tests.mutation import drop, put
from tests.mutations import two_sites as broken
from tests.products import backups, gitops, postgresql, two_sites
from tests.products.two_sites import ACTIVE, PASSIVE, STEPS, WORKFLOW
from tests.world import World

ROW = "disaster_recovery/"


def attested(check: str, statement: str) -> Attestation:
    """Somebody's word for a check."""
    return Attestation(check, None, None, statement, "J. Doe", "2026-11-01", "2027-11-01", None)


def judged(check: str, change: Callable[[dict[str, World]], Any] | None = None, at: str = "*", **how: Any) -> Outcome:
    """One check on the pair after a change of it."""
    worlds = how.pop("worlds", None) or two_sites.pair()
    if change is not None:
        change(worlds)
    found = pair_judged(worlds, checks=frozenset({check}), **how)
    return next(one for one in found.outcomes if one.site == at)


def verdict(check: str, part: str, change: Callable[[dict[str, World]], Any] | None = None, **how: Any) -> Verdict:
    """The verdict whose subject has this part."""
    return next(one for one in judged(check, change, **how).verdicts if (one.subject.part if one.subject else None) == (part or None))


def alone(check: str, role: str) -> Outcome:
    """One check where one site alone is audited, with its role."""
    worlds = {ACTIVE: two_sites.active()} if role == "active" else {PASSIVE: two_sites.passive()}
    found = pair_judged(worlds, roles=dict.fromkeys(worlds, role), checks=frozenset({check}))
    return found.outcomes[0]


def deny(*resources: str) -> Callable[[str, str | None, str | None], bool]:
    return lambda resource, namespace, name: resource in resources


def written(templates: list[Any], **spec: Any) -> Callable[[dict[str, World]], None]:
    """The failover workflow of the standby with other templates, and none at the active site."""

    def change(worlds: dict[str, World]) -> None:
        worlds[ACTIVE].remove("WorkflowTemplate", WORKFLOW)
        broken.written(templates, **spec)(worlds[PASSIVE])

    return change


@pytest.mark.parametrize(
    "check",
    [
        "single-active",
        "gitops",
        "failover-automation",
        "failover-tested",
        "data-replicated",
        "traffic",
        "site-parity",
        "passive-replicas",
        "active-replicas",
        "standby-ingress",
    ],
)
@pytest.mark.parametrize("build", [builders.multi_node, builders.single_node])
def test_the_row_does_not_apply_to_one_site(check: str, build: Callable[[], World]) -> None:
    assert outcome(build(), ROW + check).status is Status.SKIP


# One site of two


@pytest.mark.parametrize(
    ("check", "role", "expected"),
    [
        ("disaster_recovery/single-active", "active", Status.UNKNOWN), ("disaster_recovery/single-active", "passive", Status.UNKNOWN),
        ("disaster_recovery/site-parity", "active", Status.UNKNOWN), ("disaster_recovery/data-replicated", "passive", Status.UNKNOWN),
        ("disaster_recovery/gitops", "active", Status.UNKNOWN), ("disaster_recovery/failover-automation", "active", Status.PASS),
        ("disaster_recovery/passive-replicas", "passive", Status.PASS), ("disaster_recovery/active-replicas", "active", Status.PASS),
        ("disaster_recovery/standby-ingress", "passive", Status.PASS), ("disaster_recovery/traffic", "active", Status.MANUAL),
        ("postgresql/replication", "passive", Status.UNKNOWN), ("rabbitmq/not-stretched", "active", Status.UNKNOWN),
    ],
)  # fmt: skip
def test_of_one_site_alone_what_it_shows_is_judged(check: str, role: str, expected: Status) -> None:
    found = alone(check, role)
    assert found.status is expected, [one.message for one in found.verdicts]
    if expected is Status.UNKNOWN:
        assert any("--site" in one.needs for one in found.verdicts)


def test_a_workflow_that_one_site_does_not_hold_may_be_at_the_other() -> None:
    world = two_sites.active()
    world.remove("WorkflowTemplate", WORKFLOW)
    found = pair_judged({ACTIVE: world}, roles={ACTIVE: "active"}, checks=frozenset({ROW + "failover-automation"})).outcomes[0]
    assert found.status is Status.UNKNOWN


# Several deployments and sites


def test_each_release_is_judged_as_a_deployment_of_its_own() -> None:
    worlds = {"ams-a": two_sites.active(), "fra-a": two_sites.passive(), "ber": two_sites.passive()}
    worlds["ber"].edit("Namespace", "kube-system", lambda item: item["metadata"].update(uid="7d1e0000-1111-4222-8333-944455556666"))
    found = pair_judged(worlds, roles={"ams-a": "active", "fra-a": "passive", "ber": "passive"})
    comparing = [one for one in found.outcomes if one.site == "*"]
    assert {one.status for one in comparing} <= {Status.PASS, Status.MANUAL}
    parity = next(one for one in comparing if one.check.slug == "site-parity")
    parts = [one.subject.part for one in parity.verdicts if one.subject is not None]
    assert "appKey at fra-a" in parts
    assert "appKey at ber" in parts
    assert len(set(parts)) == len(parts) == 22


def test_two_active_sites_of_three_are_named() -> None:
    worlds = {ACTIVE: two_sites.active(), PASSIVE: two_sites.passive(), "ber": two_sites.active()}
    found = judged(ROW + "single-active", worlds=worlds, roles={"ber": "active"})
    assert found.status is Status.FAIL
    assert "ams and ber" in found.verdicts[0].message


def test_active_active_may_be_attested() -> None:
    paper = attested(ROW + "single-active", "Agreed with Exivity engineering")
    worlds = {ACTIVE: two_sites.active(), PASSIVE: two_sites.active()}
    found = judged(ROW + "single-active", worlds=worlds, roles={PASSIVE: "active"}, attestations=(paper,))
    assert found.status is Status.PASS


# passive-replicas


def test_a_paused_scaled_object_and_an_autoscaler_are_no_fault() -> None:
    def change(worlds: dict[str, World]) -> None:
        worlds[PASSIVE].add(
            gitops.scaled_object("glass", 2, 4, annotations={"autoscaling.keda.sh/paused-replicas": "0"}), gitops.keda_autoscaler("edify", 2, 4)
        )

    found = judged(ROW + "passive-replicas", change, at=PASSIVE)
    assert found.status is Status.PASS
    assert any("keda-hpa-edify" in one.remark for one in found.verdicts)


def test_what_might_scale_the_standby_up_and_was_not_seen_is_unknown() -> None:
    def change(worlds: dict[str, World]) -> None:
        worlds[PASSIVE].deny = deny("scaledobjects.keda.sh")

    assert judged(ROW + "passive-replicas", change, at=PASSIVE).status is Status.UNKNOWN


# gitops


def test_a_hub_keeps_the_standby_from_the_other_site() -> None:
    def change(worlds: dict[str, World]) -> None:
        item = worlds[PASSIVE].remove("Application", "exivity")
        for one in gitops.ours(worlds[PASSIVE]):
            mark = one["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"]
            one["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"] = mark.replace("exivity:", "exivity-fra:", 1)
        item["metadata"]["name"] = "exivity-fra"
        item["spec"]["destination"] = {"server": "https://api.fra.acme.eu:6443", "namespace": "exivity"}
        worlds[ACTIVE].add(item)

    found = verdict(ROW + "gitops", PASSIVE, change)
    assert found.status is Status.PASS, found.message
    assert "api.fra.acme.eu" in found.message


def test_a_hub_that_is_not_audited_is_attested() -> None:
    found = verdict(ROW + "gitops", PASSIVE, lambda worlds: worlds[PASSIVE].remove("Application", "exivity"))
    assert found.status is Status.MANUAL


def test_flux_is_accepted_with_a_remark() -> None:
    worlds = two_sites.pair()
    worlds[PASSIVE] = gitops.flux(builders.multi_node())
    found = verdict(ROW + "gitops", PASSIVE, worlds=worlds)
    assert found.status is Status.PASS
    assert "Argo CD" in found.remark


def test_an_attested_runbook_softens_a_site_kept_by_hand() -> None:
    paper = attested(ROW + "gitops", "Runbook reviewed")
    found = judged(ROW + "gitops", lambda worlds: broken.by_hand(worlds[PASSIVE]), attestations=(paper,))
    assert found.status is Status.WARN


# failover-automation


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("mark-site-a-unavailable", 1), ("stop-traffic", 1), ("drainSiteA", 1), ("scale-down-site-a", 2), ("scale-site-a-to-zero", 2), ("stop-exivity-site-a", 2),
        ("promote-database", 3), ("restore-postgres", 3), ("promote", 3), ("ensure-rabbitmq", 4), ("check-broker", 4), ("attach-volumes", 5), ("restore-shared-data", 5),
        ("scale-up-site-b", 6), ("scale-up-in-fra", 6), ("start-application", 6), ("switch-dns", 7), ("cutover", 7), ("switch-traffic", 7), ("validate-application", 8),
        ("smoke-test", 8), ("notify", None), ("approve", None), ("verify-database-primary", None), ("wait-for-replicas", None),
    ],
)  # fmt: skip
def test_words_that_name_an_action(name: str, number: int | None) -> None:
    assert action(name)[0] == number


def test_a_name_that_may_mean_two_actions_is_neither() -> None:
    assert action("restore-database-and-attach-rabbitmq") == (None, (3, 4))


def test_numbers_in_front_of_names_are_read() -> None:
    names = tuple(f"{number}-phase" for number in range(1, 9))
    assert judged(ROW + "failover-automation", written(two_sites.serial(names))).status is Status.PASS


def test_numbers_that_contradict_the_words_are_the_operators_own() -> None:
    names = ("1-notify", *(f"{number + 2}-{name}" for number, name in enumerate(STEPS)))
    assert judged(ROW + "failover-automation", written(two_sites.serial(names))).status is Status.PASS


def test_the_config_says_which_step_does_what() -> None:
    names = tuple(f"phase-{word}" for word in ("one", "two", "three", "four", "five", "six", "seven", "eight"))
    config = Config(declare=Declare(failover=Failover(workflow=f"argo/{WORKFLOW}", steps={name: number + 1 for number, name in enumerate(names)})))
    change = written(two_sites.serial(names))
    assert judged(ROW + "failover-automation", change).status is Status.FAIL
    assert judged(ROW + "failover-automation", change, config=config).status is Status.PASS


def test_an_annotation_says_which_step_does_what() -> None:
    names = tuple(f"phase-{word}" for word in "abcdefgh")
    templates = two_sites.serial(names)
    for template in templates[2:]:
        template["metadata"] = {"annotations": {"exivity-audit/failover-step": str(names.index(template["name"].removeprefix("do-")) + 1)}}
    assert judged(ROW + "failover-automation", written(templates)).status is Status.PASS


def test_a_mapping_beyond_the_eight_actions_is_refused() -> None:
    config = Config(declare=Declare(failover=Failover(steps={"fence": 9})))
    with pytest.raises(UsageError, match=r"declare\.failover\.steps"):
        thresholds_of(config, {}, None)


def test_a_dag_and_divided_steps_in_order_are_fine() -> None:
    names = (*STEPS[:5], "scale-up-chronos", *STEPS[5:])
    depends = {
        **two_sites.chain(),
        "scale-up-chronos": "attach-volumes.Succeeded",
        "switch-dns": "(scale-up-site-b || scale-up-site-b.Failed) && scale-up-chronos",
    }
    assert judged(ROW + "failover-automation", written(two_sites.graph(depends, names))).status is Status.PASS


def test_nested_templates_are_followed_also_into_another_one() -> None:
    halves = [
        {"name": "main", "steps": [[two_sites.step("first-half")], [{"name": "second-half", "templateRef": {"name": "parts", "template": "late"}}]]},
        {"name": "do-first-half", "steps": [[two_sites.step(name)] for name in STEPS[:4]]}, *(two_sites.acting(name) for name in STEPS[:4]),
    ]  # fmt: skip
    parts = [{"name": "late", "steps": [[two_sites.step(name)] for name in STEPS[4:]]}, *(two_sites.acting(name) for name in STEPS[4:])]

    def change(worlds: dict[str, World]) -> None:
        written(halves)(worlds)
        worlds[PASSIVE].add(two_sites.workflow_template(parts, "parts"))

    assert judged(ROW + "failover-automation", change).status is Status.PASS
    lost = judged(ROW + "failover-automation", written(halves))
    assert lost.status is Status.FAIL
    assert "WorkflowTemplate parts" in lost.verdicts[0].message


def test_templates_that_call_each_other_end() -> None:
    templates = [{"name": "main", "steps": [[two_sites.step("again")]]}, {"name": "do-again", "steps": [[{"name": "once-more", "template": "main"}]]}]
    assert judged(ROW + "failover-automation", written(templates)).status is Status.FAIL


def test_a_sensor_submits_the_workflow() -> None:
    sensor = made(
        two_sites.API, "Sensor", "failover-on-alert", two_sites.SPACE,
        spec={"triggers": [{"template": {"name": "failover", "argoWorkflow": {"operation": "submit", "source": {"resource": {
            "apiVersion": two_sites.API, "kind": "Workflow", "metadata": {"generateName": "failover-"},
            "spec": {"entrypoint": "main", "templates": two_sites.serial()}}}}}}]},
    )  # fmt: skip

    def change(worlds: dict[str, World]) -> None:
        for world in worlds.values():
            world.remove("WorkflowTemplate", WORKFLOW)
        worlds[PASSIVE].add(sensor)

    assert judged(ROW + "failover-automation", change).status is Status.PASS
    sensor["spec"]["triggers"][0]["template"] = {"name": "failover", "http": {"url": "https://user:Hq7-secret@awx.acme.eu"}}
    assert judged(ROW + "failover-automation", change).status is Status.FAIL


def test_not_served_forbidden_and_none_found_are_three_verdicts() -> None:
    def not_served(worlds: dict[str, World]) -> None:
        for world in worlds.values():
            for name in two_sites.ARGO:
                world.resources.pop(name)

    def none(worlds: dict[str, World]) -> None:
        for world in worlds.values():
            world.remove("WorkflowTemplate", WORKFLOW)
            world.add(two_sites.workflow_template(name="nightly-report"))

    def closed(worlds: dict[str, World]) -> None:
        for world in worlds.values():
            world.deny = deny(*two_sites.ARGO)

    check = ROW + "failover-automation"
    assert "Argo Workflows is at no site" in judged(check, not_served).verdicts[0].message
    assert "none of 2 workflows" in judged(check, none).verdicts[0].message
    assert judged(check, closed).status is Status.UNKNOWN


def test_a_workflow_at_the_active_site_alone_is_lost_with_it() -> None:
    found = judged(ROW + "failover-automation", lambda worlds: worlds[PASSIVE].remove("WorkflowTemplate", WORKFLOW))
    assert found.status is Status.PASS
    assert "lost with that site" in found.verdicts[0].remark


# failover-tested


def test_a_later_failure_is_told_beside_the_success() -> None:
    found = judged(ROW + "failover-tested", lambda worlds: worlds[ACTIVE].add(two_sites.run(3, "Failed", "exivity-failover-late")))
    assert found.status is Status.PASS
    assert "exivity-failover-late" in found.verdicts[0].remark


def test_runs_that_may_not_be_listed_are_unknown() -> None:
    def change(worlds: dict[str, World]) -> None:
        worlds[PASSIVE].deny = deny("workflows.argoproj.io")

    found = judged(ROW + "failover-tested", change)
    assert found.status is Status.UNKNOWN
    assert any("fra: forbidden" in one.message for one in found.verdicts)


# data-replicated


def test_volumes_that_follow_are_data_at_the_standby() -> None:
    def change(worlds: dict[str, World]) -> None:
        worlds[PASSIVE].edit("BackupTarget", "default", put("spec.backupTargetURL", ""), "longhorn-system")
        for part in ("exported", "extracted", "import", "report", "etl-config", "griffon-config", "chronos-config"):
            volume = backups.restored_volume(part, f"pvc-exivity-{part}", standby=True)
            volume["metadata"]["name"] = f"dr-{part}"
            worlds[PASSIVE].add(volume)

    found = judged(ROW + "data-replicated", change)
    assert found.status is Status.PASS
    assert "DR volume" in found.verdicts[0].message


def test_one_export_under_both_sites_is_one_storage() -> None:
    def change(worlds: dict[str, World]) -> None:
        for world in worlds.values():
            spec = world.find("PersistentVolume", "pvc-exivity-extracted")["spec"]
            spec.pop("csi")
            spec["nfs"] = {"server": "nas.acme.eu", "path": "/exports/exivity/extracted"}

    found = judged(ROW + "data-replicated", change)
    assert found.status is Status.FAIL
    assert "nas.acme.eu" in found.verdicts[0].message


def test_no_target_at_the_standby_is_attested() -> None:
    def change(worlds: dict[str, World]) -> None:
        worlds[PASSIVE].edit("BackupTarget", "default", put("spec.backupTargetURL", ""), "longhorn-system")

    assert judged(ROW + "data-replicated", change).status is Status.MANUAL


# site-parity


def test_sites_collected_apart_cannot_be_compared() -> None:
    worlds = two_sites.pair()
    parts = [snapshot_of(site_of(world, name=name, role=role)) for (name, world), role in zip(worlds.items(), ("active", "passive"), strict=True)]
    pack = own_pack()
    found = evaluate(
        join(parts), pack, Config(), selected=frozenset({ROW + "site-parity"}), thresholds=thresholds_of(Config(), pack.thresholds, None),
        lifecycle=load_lifecycle(None),
    ).outcomes[0]  # fmt: skip
    told = {one.subject.part: one for one in found.verdicts if one.subject is not None}
    assert told["appKey at fra"].status is Status.UNKNOWN
    assert told["appKey at fra"].needs == ("--parity-key",)
    assert told["images at fra"].status is Status.PASS


def test_what_one_site_hides_is_unknown_and_names_the_site() -> None:
    def change(worlds: dict[str, World]) -> None:
        worlds[PASSIVE].deny = lambda resource, namespace, name: name == "exivity-app-key"

    found = judged(ROW + "site-parity", change)
    told = {one.subject.part: one for one in found.verdicts if one.subject is not None}
    assert told["appKey at fra"].status is Status.UNKNOWN
    assert told["appKey at fra"].why.startswith("fra: forbidden")
    assert told["jwtSecret at fra"].status is Status.PASS


def test_a_mirror_a_larger_claim_and_another_broker_password_are_no_difference() -> None:
    def change(worlds: dict[str, World]) -> None:
        world = worlds[PASSIVE]
        for name in broken.deployments_of(world):
            component = name.removeprefix("exivity-")
            image = f"registry.fra.acme.eu/mirror/exivity/{component}:exivity-3.39.2"
            world.edit("Deployment", name, put("spec.template.spec.containers.0.image", image), "exivity")
        world.edit("PersistentVolumeClaim", "exivity-report", put("spec.resources.requests.storage", "50Gi"), "exivity")

    assert judged(ROW + "site-parity", change).status is Status.PASS


# postgresql/replication


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        ("restored later", lambda world: world.edit("Cluster", "pg", lambda item: item["spec"].pop("replica"), "databases"), Status.MANUAL),
        ("outside", postgresql.external, Status.MANUAL),
        ("the distributed topology", lambda world: world.edit("Cluster", "pg", put("spec.replica", {"primary": "pg-ams", "self": "pg-fra", "source": "pg-ams"}), "databases"), Status.PASS),
        ("promoted in the distributed topology", lambda world: world.edit("Cluster", "pg", put("spec.replica", {"primary": "pg-fra", "self": "pg-fra", "source": "pg-ams"}), "databases"), Status.FAIL),
        ("no identifier, the same store", lambda world: world.edit("Cluster", "pg", drop("status.systemID"), "databases"), Status.PASS),
        ("fenced", lambda world: world.edit("Cluster", "pg", put("metadata.annotations", {"cnpg.io/fencedInstances": '["*"]'}), "databases"), Status.FAIL),
    ],
)  # fmt: skip
def test_how_the_standbys_database_comes_by_the_data(name: str, change: Callable[[World], Any], expected: Status) -> None:
    found = judged("postgresql/replication", lambda worlds: change(worlds[PASSIVE]), at=PASSIVE)
    assert found.status is expected, [one.message for one in found.verdicts]


def test_a_source_that_only_has_a_host_is_attested() -> None:
    def change(worlds: dict[str, World]) -> None:
        worlds[PASSIVE].edit("Cluster", "pg", drop("status.systemID"), "databases")
        worlds[PASSIVE].edit("Cluster", "pg", lambda item: item["spec"]["externalClusters"][0].pop("plugin"), "databases")

    found = judged("postgresql/replication", change, at=PASSIVE)
    assert found.status is Status.MANUAL
    assert "pg.ams.acme.eu" in found.verdicts[0].message


def test_the_active_sites_cluster_that_was_not_read_is_unknown() -> None:
    def change(worlds: dict[str, World]) -> None:
        worlds[ACTIVE].deny = deny("clusters.postgresql.cnpg.io")

    found = judged("postgresql/replication", change, at=PASSIVE)
    assert found.status is Status.UNKNOWN
    assert any("ams: " in one.message for one in found.verdicts)


# rabbitmq/not-stretched


def test_links_of_another_virtual_host_are_no_matter() -> None:
    def change(worlds: dict[str, World]) -> None:
        broken.link("Shovel", name="s", vhost="payments", uriSecret={"name": "uri"})(worlds[PASSIVE])

    assert judged("rabbitmq/not-stretched", change).status is Status.PASS


def test_a_link_that_leads_to_no_site_may_be_attested() -> None:
    paper = attested("rabbitmq/not-stretched", "It feeds the archive")
    found = judged(
        "rabbitmq/not-stretched", lambda worlds: broken.link("Shovel", name="s", uriSecret={"name": "uri"})(worlds[PASSIVE]), attestations=(paper,)
    )
    assert found.status is Status.PASS


def test_links_that_may_not_be_listed_are_unknown() -> None:
    def change(worlds: dict[str, World]) -> None:
        worlds[ACTIVE].deny = deny("shovels.rabbitmq.com")

    found = judged("rabbitmq/not-stretched", change)
    assert found.status is Status.UNKNOWN
    assert ReadOutcome.FORBIDDEN in found.verdicts[-1].message or any("ams: forbidden" in one.message for one in found.verdicts)


# traffic, standby-ingress


def test_a_standby_without_a_controller_is_not_known_to_be_prepared() -> None:
    def change(worlds: dict[str, World]) -> None:
        worlds[PASSIVE].deny = deny("deployments.apps", "daemonsets.apps")

    assert judged(ROW + "standby-ingress", change, at=PASSIVE).status is Status.UNKNOWN


def test_traffic_can_be_attested() -> None:
    paper = attested(ROW + "traffic", "dig shows ams alone")
    assert judged(ROW + "traffic", attestations=(paper,)).status is Status.PASS


def resolving(to: str, path: str = "laptop") -> Verdict:
    """The verdict on traffic where a probe resolved the host, and each site publishes an address of its own."""
    worlds = two_sites.pair()
    for name, address in ((ACTIVE, "203.0.113.10"), (PASSIVE, "198.51.100.20")):
        worlds[name].edit("Ingress", "exivity", put("status.loadBalancer.ingress", [{"ip": address}]), "exivity")
    snapshot = run_of(*((world, name, role) for (name, world), role in zip(worlds.items(), ("active", "passive"), strict=True)))
    answer = {"metadata": {"name": builders.HOST}, "path": path, "addresses": [to], "canonical": builders.HOST}
    sites = tuple(
        msgspec.structs.replace(site, reads=tuple(
            msgspec.structs.replace(one, outcome=ReadOutcome.FOUND, objects=(answer,), keep=tuple(sorted(BY_NAME["probe_dns"].keep)))
            if one.name == "probe_dns" else one for one in site.reads
        ))
        for site in snapshot.sites
    )  # fmt: skip
    pack = own_pack()
    found = evaluate(
        msgspec.structs.replace(snapshot, sites=sites), pack, Config(), selected=frozenset({ROW + "traffic"}),
        thresholds=thresholds_of(Config(), pack.thresholds, None), lifecycle=load_lifecycle(None),
    )  # fmt: skip
    return found.outcomes[0].verdicts[0]


@pytest.mark.parametrize(
    ("address", "path", "expected"),
    [
        ("203.0.113.10", "laptop", Status.PASS), ("198.51.100.20", "laptop", Status.FAIL), ("198.51.100.20", "in-cluster", Status.FAIL), ("192.0.2.99", "laptop", Status.MANUAL),
        ("203.0.113.10", "in-cluster", Status.MANUAL),
    ],
)  # fmt: skip
def test_a_probe_from_outside_says_where_the_traffic_goes(address: str, path: str, expected: Status) -> None:
    found = resolving(address, path)
    assert found.status is expected, found.message
