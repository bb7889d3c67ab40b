"""Roles as the command makes them: an audit with them sees what an administrator's sees, and each rule is needed."""

from __future__ import annotations

from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import yaml

import exivity_audit
from exivity_audit.collect.reads import READS
from exivity_audit.collect.recorded import Recorded
from exivity_audit.evaluate import Judgement
from exivity_audit.rights import GROUPS, Rights, Rule, Terms, merged, rights
from exivity_audit.roles import Account, manifest, roles_of
from exivity_audit.selection import select
from exivity_audit.verdict import UNDECIDED, Status
from tests import builders
from tests.command import audit as tool
from tests.granting import PACK, Given, each_without_one, given_by, only, rights_of
from tests.judging import judged, site_of
from tests.world import OPTIONAL, RESOURCES, World

BASES = ("multi_node", "single_node")
VARIANTS = tuple(name for name in dir(builders) if name.startswith(("multi_node_", "single_node_")) or name in BASES)
MODES = ("list", "named", "none")
PARTS = 4


@cache
def world_of(base: str) -> World:
    world: World = getattr(builders, base)()
    return world


@cache
def made(base: str, secrets: str = "list") -> Rights:
    return rights_of(world_of(base).copy(), secrets=secrets)


def text_of(found: Rights) -> str:
    return manifest(found, ["for a test"], "exivity-audit", None)


def seen(judgement: Judgement) -> dict[str, Any]:
    """All that a check said and by what."""
    return {outcome.check.id: (outcome.status, outcome.verdicts) for outcome in judgement.outcomes}


def audit(base: str, given: Given | None = None, secrets: str = "list") -> Judgement:
    world = world_of(base).copy()
    if given is not None:
        world.deny = only(given)
    return judged(world, namespace="exivity", release="exivity", secrets=secrets)


@cache
def of_the_admin(base: str) -> dict[str, Any]:
    return seen(audit(base))


def named(found: Rights) -> set[str]:
    """The checks that preflight names for what is not asked."""
    return {check.id for item in found.left_out for check in (*item.needing, *item.other)}


def forbidden(world: World, given: Given) -> list[tuple[str, str | None, str | None]]:
    """Notes what is refused while the world is read."""
    refused: list[tuple[str, str | None, str | None]] = []
    deny = only(given)

    def noted(resource: str, namespace: str | None, name: str | None) -> bool:
        if deny(resource, namespace, name):
            refused.append((resource, namespace, name))
        return deny(resource, namespace, name)

    world.deny, world.review = noted, deny
    return refused


# The result is the administrator's


@pytest.mark.parametrize("base", VARIANTS)
def test_with_the_roles_the_result_is_the_admins_and_nothing_is_refused(base: str) -> None:
    world = world_of(base).copy()
    refused = forbidden(world, given_by(text_of(made(base))))
    mine = judged(world, namespace="exivity", release="exivity")
    assert refused == []
    assert seen(mine) == of_the_admin(base)


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("mode", ["named", "none"])
def test_with_fewer_secrets_it_differs_by_exactly_the_checks_that_are_named(base: str, mode: str) -> None:
    found = made(base, mode)
    world = world_of(base).copy()
    refused = forbidden(world, given_by(text_of(found)))
    mine = seen(judged(world, namespace="exivity", release="exivity", secrets=mode))
    assert refused == []
    whole = of_the_admin(base)
    differing = {check for check, what in whole.items() if mine[check] != what}
    assert set() != differing <= named(found)
    assert {whole[check][0] for check in named(found) - differing} <= {Status.SKIP}, "what does not apply here loses nothing"
    verbs = {(rule["resources"][0], rule["verbs"][0]) for rules in given_by(text_of(found)).values() for rule in rules}
    assert ("secrets", "list") not in verbs
    assert (("secrets", "get") in verbs) is (mode == "named")


# Each rule is needed


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("base", BASES)
def test_without_any_one_rule_a_verdict_is_lost_or_says_what_it_did_not_see_as_its_comment_says(base: str, part: int) -> None:
    roles, whole = roles_of(made(base).needs), of_the_admin(base)
    given: Given = {space: [rule.body for rule in rules] for space, rules in roles.items()}
    rules = [rule for items in roles.values() for rule in items]
    for (text, less), rule in islice(zip(each_without_one(given), rules, strict=True), part, None, PARTS):
        judgement = audit(base, less)
        unread = {record.name for _, record in judgement.unread if record.outcome == "forbidden"}
        assert unread, text
        if unread == {"cluster_uid"}:
            assert judgement.snapshot.sites[0].cluster.uid is None
            continue
        if unread == {"release_namespace"}:
            continue
        changed = {check: now for check, now in seen(judgement).items() if now != whole[check]}
        commented = {check.id for need in rule.needs for check in (*need.needing, *need.other)}
        if not changed:
            judged_here = {check for check in commented if whole[check][0] is not Status.SKIP}
            assert not judged_here, f"nothing is lost without {text}, though {sorted(judged_here)[:3]} look at it"
            continue
        unread |= {record.name for _, record in judgement.unread if "follows from" in record.reason}
        for check, (status, verdicts) in changed.items():
            told = any(evidence.read in unread for verdict in verdicts for evidence in verdict.evidence)
            assert status in UNDECIDED or told, f"{check} does not say what it did not see without {text}"
            assert status is not Status.PASS or whole[check][0] is Status.PASS, f"{check} passes for want of {text}"
        assert set(changed) <= commented, f"the comment of {text} does not name {sorted(set(changed) - commented)}"


# No more than that


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("mode", MODES)
def test_no_wildcard_and_no_verb_but_get_and_list(base: str, mode: str) -> None:
    text = text_of(made(base, mode))
    for item in yaml.safe_load_all(text):
        for rule in (item or {}).get("rules", ()):
            assert set(rule) <= {"apiGroups", "resources", "verbs", "resourceNames"}
            assert rule["verbs"] in (["get"], ["list"])
            assert "*" not in (*rule["apiGroups"], *rule["resources"], *rule.get("resourceNames", ()))
    assert "*" not in text
    assert not any(rule.get("resources") == ["secrets"] for rule in given_by(text).get(None, ())), "no right to Secrets of the whole cluster"


def test_no_rule_lies_within_another() -> None:
    for base in BASES:
        rules = [need.rule for need in made(base).needs]
        assert not [(one, other) for one in rules for other in rules if one != other and one.covers(other)]


def test_only_selected_checks_count() -> None:
    selected = select(PACK, ("ingress/tls",), ())
    found = rights_of(world_of("multi_node").copy(), selected=selected)
    ids = {check.id for need in found.needs for check in (*need.needing, *need.other)}
    assert ids == {"ingress/tls"}
    assert len(found.needs) < len(made("multi_node").needs) / 2
    world = world_of("multi_node").copy()
    world.deny = only(given_by(text_of(found)))
    mine = judged(world, namespace="exivity", release="exivity")
    assert {item.check.id: item.verdicts for item in mine.outcomes}["ingress/tls"] == of_the_admin("multi_node")["ingress/tls"][1]


@pytest.mark.parametrize("base", BASES)
def test_namespaced_only_makes_roles_alone(base: str) -> None:
    found = rights_of(world_of(base).copy(), namespaced=True)
    given = given_by(text_of(found))
    assert None not in given
    assert "exivity" in given
    left = {item.what for item in found.left_out}
    assert {"list nodes (cluster)", "list storageclasses (cluster)"} <= left
    mine = seen(audit(base, given))
    differing = {check for check, now in mine.items() if now != of_the_admin(base)[check]}
    for check in differing:
        status, before = mine[check][0], of_the_admin(base)[check][0]
        assert status is not Status.ERROR
        assert status is not Status.PASS or before is Status.PASS


def test_namespaced_only_keeps_to_the_namespaces_that_are_named() -> None:
    found = rights_of(world_of("multi_node").copy(), namespaced=True, within=("exivity",))
    assert set(given_by(text_of(found))) == {"exivity"}
    assert any("in databases" in item.what for item in found.left_out)


def test_what_could_not_be_seen_becomes_a_rule_for_the_cluster_with_a_comment_but_for_secrets() -> None:
    world = world_of("multi_node").copy()
    world.deny = lambda resource, namespace, name: resource in ("persistentvolumeclaims", "ingresses.networking.k8s.io")
    found = rights_of(world)
    wide = [need.rule for need in found.needs if need.note]
    assert Rule("persistentvolumes", "list", None, None) in wide
    assert "could not be read" in text_of(found)
    assert not [rule for rule in (need.rule for need in found.needs) if rule.resource == "secrets" and rule.namespace is None]
    assert any(item.what == "get secrets: tls_secrets" for item in found.left_out)


# Where it comes from, how it is written


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("base", BASES)
def test_a_snapshot_gives_the_same_roles(base: str, mode: str) -> None:
    site = site_of(world_of(base).copy())
    found = merged(rights(PACK, READS, None, Recorded(site, READS, mode), Terms(site.namespace)))
    assert text_of(found) == text_of(made(base, mode))


def test_the_file_binds_the_account_to_every_role() -> None:
    text = manifest(made("multi_node"), ["head"], "auditor", Account("monitoring", "exivity-audit"))
    items: list[Any] = [item for item in yaml.safe_load_all(text) if item]
    kinds = [item["kind"] for item in items]
    assert kinds[0] == "ServiceAccount"
    assert kinds.count("ClusterRole") == kinds.count("ClusterRoleBinding") == 1
    assert kinds.count("Role") == kinds.count("RoleBinding") > 1
    roles = {(item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"]) for item in items if item["kind"].endswith("Role")}
    for item in items:
        if item["kind"].endswith("Binding"):
            assert (item["roleRef"]["kind"], item["metadata"].get("namespace"), item["roleRef"]["name"]) in roles
            assert item["subjects"] == [{"kind": "ServiceAccount", "name": "exivity-audit", "namespace": "monitoring"}]


def test_every_rule_says_who_needs_it() -> None:
    lines = text_of(made("multi_node")).splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("  - apiGroups")]
    assert starts
    for number in starts:
        assert lines[number - 1].startswith("  #"), lines[number]
    assert max(map(len, lines)) < 400


def test_the_groups_of_built_in_resources_are_those_the_api_serves() -> None:
    served = {name.partition(".")[0]: name.partition(".")[2] for name in RESOURCES}
    asked = {read.resource for read in READS if "." not in read.resource and "/" not in read.resource}
    assert {plural: GROUPS.get(plural, "") for plural in asked} == {plural: served[plural] for plural in asked}
    assert {read.resource for read in READS if "." in read.resource} <= set(OPTIONAL)


def test_a_base_read_that_is_lost_is_null_and_says_why() -> None:
    world = world_of("multi_node").copy()
    world.deny = lambda resource, namespace, name: resource == "namespaces" and name in ("kube-system", "exivity")
    judgement = judged(world, namespace="exivity", release="exivity")
    assert judgement.snapshot.sites[0].cluster.uid is None
    lost = {record.name: record for _, record in judgement.unread if record.resource == "namespaces"}
    assert lost["cluster_uid"].place.name == "kube-system"
    assert lost["release_namespace"].place.name == "exivity"
    assert {record.reason for record in lost.values()} == {"forbidden"}
    assert seen(judgement) == of_the_admin("multi_node")


def test_the_only_write_has_rules_of_its_own_and_only_when_asked(tmp_path: Path) -> None:
    sample = Path(exivity_audit.__file__).parent / "data" / "sample.json"

    def roles(*more: str) -> list[Any]:
        file = tmp_path / f"{len(more)}.yaml"
        assert tool("rbac", "--snapshot", str(sample), "-o", str(file), *more).returncode == 0
        return [rule for item in yaml.safe_load_all(file.read_text()) if item for rule in item["rules"]]

    plain, writing = roles(), roles("--publish-policy-reports")
    added = [rule for rule in writing if rule not in plain]
    assert [rule for rule in plain if rule not in writing] == []
    assert {(*rule["apiGroups"], *rule["resources"], *rule["resourceNames"], *rule["verbs"]) for rule in added} == {
        (group, plural, "exivity-audit-exivity", verb)
        for group, plural in (("openreports.io", "reports"), ("wgpolicyk8s.io", "policyreports"))
        for verb in ("create", "get", "patch")
    }
