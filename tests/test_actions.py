"""The action register and the values overlay: grouping, merging, what takes more than an upgrade, GitOps, hostile text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from exivity_audit.actions import Register, kubectl_patch, register
from exivity_audit.check import Check
from exivity_audit.cli.output import site_file
from exivity_audit.evaluate import Judgement, Outcome
from exivity_audit.overlay import UNKNOWN_GROWTH, State
from exivity_audit.paths import steps
from exivity_audit.remedy import NEW_SECRET, REINSTALL, UPGRADE, Fix, FixKind, patch, task, values
from exivity_audit.reports.action_register import action_register
from exivity_audit.reports.values_overlay import MARK, values_overlay
from exivity_audit.score import Scorecard, scorecard
from exivity_audit.subject import Subject
from exivity_audit.verdict import Severity, Status, Verdict
from tests import builders
from tests.judging import judged
from tests.products import gitops
from tests.reports import sample_scorecard as sample
from tests.reports.test_hostile_text import HOSTILE, RAW
from tests.world import World

GLASS, USE = Subject("Deployment", "exivity-glass", "exivity"), Subject("Deployment", "exivity-use", "exivity")


def card(*fixes: Fix | None, subjects: tuple[Subject, ...] = (), site: str | None = None) -> Scorecard:
    """The sample with one failing check, one finding for each fix."""
    judgement = sample.not_ready().judgement
    check: Check = judgement.outcomes[0].check
    found = tuple(
        Verdict(Status.FAIL, subjects[number] if number < len(subjects) else Subject("Thing", f"n{number}", "ns"), f"m{number}", fix=fix)
        for number, fix in enumerate(fixes)
    )
    outcome = Outcome(check, site or judgement.snapshot.sites[0].name, Severity.HIGH, found)
    return scorecard(replace(judgement, outcomes=(outcome,)))


def register_of(*fixes: Fix | None, **where: Any) -> Register:
    return register(card(*fixes, **where))


def overlay_of(*fixes: Fix | None, **where: Any) -> str:
    made = card(*fixes, **where)
    return values_overlay(made, register(made), made.judgement.snapshot.sites[0])


def taken_in(text: str) -> Any:
    """The overlay with all its comments for values taken in."""
    return yaml.safe_load(re.sub(rf"^( *){re.escape(MARK)}", r"\1", text, flags=re.M))


class TestGroups:
    def test_by_what_changes_them(self) -> None:
        found = register_of(values("a.b", 1), patch(GLASS, {"spec": {"x": 1}}, "Patch it"), task("Do it"), None)
        assert [sorted(action.text for action in found.of(kind)) for kind in FixKind][:2] == [["`a.b: 1`"], ["Patch it"]]
        assert len(found.of(FixKind.TASK)) == 2  # the check's own general sentence is one
        assert [action.number for action in found.actions] == [1, 2, 3, 4]

    def test_equal_remedies_are_one_action_with_all_findings(self) -> None:
        found = register_of(task("Do it"), task("Do it"))
        assert [len(action.findings) for action in found.actions] == [2]

    def test_a_patch_is_ready_to_copy(self) -> None:
        fix = patch(Subject("Volume", "pvc-1", "longhorn-system"), {"spec": {"numberOfReplicas": 3}}, "More")
        (action,) = register_of(fix, fix).actions
        assert [one.kubectl for one in action.patches] == [
            'kubectl patch volume pvc-1 -n longhorn-system --type merge -p \'{"spec": {"numberOfReplicas": 3}}\''
        ]

    def test_a_name_never_leaves_its_word_in_the_shell(self) -> None:
        assert "'; rm -rf /'" in kubectl_patch(Subject("Thing", "; rm -rf /"), "", "{}")


class TestMerging:
    @pytest.mark.parametrize(
        ("path", "one", "other", "stricter"),
        [
            ("storage.pvcSizes.data.exported", "50Gi", "100Gi", "100Gi"),
            ("storage.pvcSizes.log.glass", "9Gi", "10Gi", "10Gi"),
            ("postgresql.primary.persistence.size", "1Ti", "900Gi", "1Ti"),
            ("service.glass.replicas", 2, 3, 3),
            ("logfiles.deleteDays", 365, 90, 90),
        ],
    )
    def test_the_stricter_value_wins(self, path: str, one: Any, other: Any, stricter: Any) -> None:
        for pair in ((one, other), (other, one)):
            (setting,) = register_of(*(values(path, value, needs=UPGRADE) for value in pair)).settings
            assert (setting.value, setting.state, len(setting.findings)) == (stricter, State.SET, 2)
            assert {setting.value, *setting.others} == {one, other}

    @pytest.mark.parametrize(("one", "other"), [(5671, 5672), (True, False), ("a", "b"), (1, True), (1, "1")])
    def test_what_has_no_order_is_a_conflict_and_is_not_set(self, one: Any, other: Any) -> None:
        text = overlay_of(values("rabbitmq.port", one), values("rabbitmq.port", other))
        assert yaml.safe_load(text) is None
        assert text.count(f"{MARK}port:") == 2
        (setting,) = register_of(values("rabbitmq.port", one), values("rabbitmq.port", other)).settings
        assert setting.state is State.CONFLICT
        assert sorted(map(repr, (setting.value, *setting.others))) == sorted(map(repr, (one, other)))

    def test_what_one_finding_needs_holds_for_the_value(self) -> None:
        (setting,) = register_of(values("a.b", 1, needs=UPGRADE), values("a.b", 1, needs=NEW_SECRET), values("a.b", 1, needs=REINSTALL)).settings
        assert (setting.needs, setting.state) == (REINSTALL, State.LATER)

    def test_a_size_of_a_class_that_was_not_seen_waits(self) -> None:
        (setting,) = register_of(values("storage.pvcSizes.data.exported", "50Gi")).settings
        assert (setting.needs, setting.state) == (UNKNOWN_GROWTH, State.LATER)

    def test_a_value_that_was_found_beats_a_blank(self) -> None:
        (setting,) = register_of(task("Set it", fill="a.b"), values("a.b", "x")).settings
        assert (setting.value, setting.state) == ("x", State.SET)

    def test_a_placeholder_becomes_the_key_of_the_service(self) -> None:
        found = register_of(values("service.<name>.replicas", 2), values("service.<name>.replicas", 2), subjects=(GLASS, USE))
        assert [setting.path for setting in found.settings] == ["service.glass.replicas", "service.use.replicas"]
        (odd,) = register_of(values("service.<name>.replicas", 2)).settings
        assert (odd.state, odd.value) == (State.FILL_IN, None)

    def test_waived_and_passed_findings_ask_for_nothing(self) -> None:
        made = card(values("a.b", 1))
        (outcome,) = made.judgement.outcomes
        for status in (Status.WAIVED, Status.PASS, Status.SKIP, Status.UNKNOWN):
            verdict = replace(outcome.verdicts[0], status=status, underlying=Status.FAIL if status is Status.WAIVED else None, why="w")
            changed: Judgement = replace(made.judgement, outcomes=(replace(outcome, verdicts=(verdict,)),))
            assert register(scorecard(changed)).settings == ()


class TestOverlay:
    def test_it_is_a_values_file(self) -> None:
        text = overlay_of(
            values("service.glass.replicas", 2), values("ingress.annotations[nginx.ingress.kubernetes.io/force-ssl-redirect]", "true"),
            values("service.use.tag", ""), values("storage.permissions.enabled", False), values("a.on", 1.5),
        )  # fmt: skip
        assert yaml.safe_load(text) == {
            "service": {"glass": {"replicas": 2}, "use": {"tag": ""}}, "storage": {"permissions": {"enabled": False}}, "a": {"on": 1.5},
            "ingress": {"annotations": {"nginx.ingress.kubernetes.io/force-ssl-redirect": "true"}},
        }  # fmt: skip

    def test_what_takes_more_is_a_comment_that_can_be_taken_in(self) -> None:
        text = overlay_of(values("storage.sharedVolumeAccessMode", "ReadWriteMany", needs=REINSTALL), task("Set it", fill="storage.storageClass"))
        assert yaml.safe_load(text) is None  # an empty parent would take the chart's own defaults away
        assert "# needs reinstall" in text
        assert taken_in(text) == {"storage": {"sharedVolumeAccessMode": "ReadWriteMany", "storageClass": ""}}

    def test_a_secret_is_a_blank_never_a_value(self) -> None:
        text = overlay_of(task("Set `secret.appKey` to the live one", fill="secret.appKey", needs=NEW_SECRET))
        assert f'{MARK}appKey: ""' in text.replace("  ", "")
        assert "keep it out of version control" in text

    def test_nothing_red_is_an_empty_file(self) -> None:
        assert yaml.safe_load(overlay_of()) is None

    def test_it_is_the_same_each_time_and_in_any_order(self) -> None:
        fixes = [values("b.c", 1), values("a.b", 2), task("Fill", fill="c.d")]
        assert overlay_of(*fixes) == overlay_of(*fixes)
        assert yaml.safe_load(overlay_of(*fixes)) == yaml.safe_load(overlay_of(*reversed(fixes)))

    @pytest.mark.parametrize("hostile", HOSTILE)
    def test_hostile_text_stays_inside(self, hostile: str) -> None:
        subject = Subject(hostile or "Kind", hostile, hostile, hostile)
        fixes = (
            values(f"a.[{hostile}]", hostile),
            values("b.c", hostile),
            task(hostile or "x", fill="d.e"),
            patch(subject, {hostile: hostile}, hostile),
        )
        made = card(*fixes, subjects=(subject, subject.at("2"), subject.at("3"), subject.at("4")))
        found = register(made)
        text = values_overlay(made, found, made.judgement.snapshot.sites[0])
        assert not RAW.search(text)
        loaded = yaml.safe_load(text)
        assert set(loaded) <= {"a", "b"}
        assert loaded["b"] == {"c": hostile.encode("utf-16", "surrogatepass").decode("utf-16", "replace")}
        markdown = action_register(made, found)
        assert not RAW.search(markdown)
        assert "<script" not in re.sub(r"```.*?```", "", markdown, flags=re.S)

    def test_each_of_several_sites_has_a_file_of_its_own(self) -> None:
        file = Path("out/fixes.values.yaml")
        assert site_file(file, ["ams"], 0) == file
        assert site_file(file, ["ams", "fra"], 1) == Path("out/fixes.fra.values.yaml")
        assert [site_file(file, ["a/b", "a:b"], number).name for number in (0, 1)] == ["fixes.a-b-1.values.yaml", "fixes.a-b-2.values.yaml"]


class TestSample:
    def test_every_finding_of_the_sample_is_in_one_action(self) -> None:
        made = sample.not_ready()
        red = [verdict for outcome in made.judgement.outcomes for verdict in outcome.verdicts if verdict.status in (Status.FAIL, Status.WARN)]
        assert sum(len(action.findings) for action in register(made).actions) == len(red)

    def test_paths_of_a_joined_remedy_name_their_own_finding(self) -> None:
        world = builders.multi_node()
        for name in ("exivity-glass", "exivity-edify"):
            world.edit("Deployment", name, lambda item: item["spec"].update(replicas=1))
        found = register(scorecard(judged(world)))
        by_path = {setting.path: setting for setting in found.settings}
        subjects = {str(verdict.subject) for _, verdict in by_path["service.glass.replicas"].findings}
        assert subjects == {"Deployment exivity/exivity-glass"}
        assert steps("service.edify.replicas") == ("service", "edify", "replicas")
        assert by_path["service.edify.replicas"].value == 2


def _unmade(world: World) -> World:
    """One copy of glass where two are wanted, and a class that the Ingress lacks."""
    world.edit("Deployment", "exivity-glass", lambda item: item["spec"].update(replicas=1))
    for name in ("exivity-chronos", "exivity-griffon"):
        world.edit("Deployment", name, lambda item: item["spec"].update(strategy={"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}))
    return world


class TestGitops:
    def made(self, world: World) -> tuple[Scorecard, Register]:
        found = scorecard(judged(_unmade(world)))
        return found, register(found)

    @pytest.mark.parametrize(
        ("heal", "words"),
        [(True, "self-heal reverts a change by hand at once"), (False, "its next automatic sync reverts a change by hand")],
    )
    def test_argo_cd_is_named_with_its_repository(self, heal: bool, words: str) -> None:
        world = gitops.argo(builders.multi_node(helm=False))
        world.edit("Application", "exivity", lambda item: item["spec"].update(syncPolicy={"automated": {"selfHeal": heal}}))
        made, found = self.made(world)
        text = values_overlay(made, found, made.judgement.snapshot.sites[0])
        head = " ".join(text.partition("\n\n")[0].replace("\n#", "").split())
        assert f"Put the values into Application argocd/exivity (Git repository {gitops.REPOSITORY}): {words}" in head
        assert "helm upgrade exivity CHART" not in text
        (rollout,) = found.of(FixKind.PATCH)
        assert {patch.keeper.object for patch in rollout.patches if patch.keeper} == {"Application argocd/exivity"}
        assert all(patch.keeper for patch in rollout.patches)
        assert words in action_register(made, found)

    def test_without_automation_the_next_sync_reverts(self) -> None:
        world = gitops.argo(builders.multi_node(helm=False))
        world.edit("Application", "exivity", lambda item: item["spec"].pop("syncPolicy", None))
        _, found = self.made(world)
        assert found.keepers["default"].undoes == "its next sync reverts a change by hand"

    def test_flux_is_named_with_what_keeps_it(self) -> None:
        made, found = self.made(gitops.flux(builders.multi_node()))
        keeper = found.keepers["default"]
        assert (keeper.tool, keeper.object) == ("Flux", "HelmRelease flux-system/exivity")
        assert "its next upgrade overwrites a change by hand" in action_register(made, found)

    def test_helm_by_hand_is_undone_by_nobody(self) -> None:
        made, found = self.made(builders.multi_node())
        assert found.keepers == {}
        assert "helm upgrade exivity CHART -n exivity" in values_overlay(made, found, made.judgement.snapshot.sites[0])
        assert all(patch.keeper is None for action in found.actions for patch in action.patches)
