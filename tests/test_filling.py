"""``evidence template|lint`` and ``waivers draft|lint``: what they write is accepted once it is filled in, and blanks are refused."""

from __future__ import annotations

import hashlib
import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from exivity_audit.config import Config, load_config
from exivity_audit.measure import at_least, at_most, exactly
from exivity_audit.pack import own_pack
from exivity_audit.quantity import Duration, size
from exivity_audit.reports.evidence_template import evidence_template, needed, relevant
from exivity_audit.reports.waivers_draft import acceptable, waivers_draft
from exivity_audit.reports.yaml_text import comment, quoted
from exivity_audit.snapshot import save
from exivity_audit.subject import Subject
from exivity_audit.verdict import fail
from tests import builders
from tests.judging import judged, site_of, snapshot_of
from tests.reports.test_hostile_text import HOSTILE, hostile_judgement
from tests.test_cli import command
from tests.world import World

CHECKS = {one.id: one for one in own_pack().checks}
TODAY = "2026-11-23T12:00:00Z"


def broken_world() -> World:
    world = builders.multi_node(log_size="1Gi")
    world.edit("Deployment", "exivity-chronos", lambda item: item["spec"].update(replicas=2))
    return world


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a conforming snapshot, a broken one, and a file that proves something."""
    path = tmp_path_factory.mktemp("filling")
    save(snapshot_of(site_of(builders.multi_node())), path / "good.json")
    save(snapshot_of(site_of(broken_world())), path / "bad.json")
    (path / "proof.log").write_text("seen")
    return path


def filled(text: str) -> str:
    """A template as somebody fills it in."""
    digest = hashlib.sha256(b"seen").hexdigest()
    text = text.replace('statement: ""', "statement: done").replace('by: ""', "by: J. Doe").replace('date: ""', "date: 2026-11-02")
    return text.replace('{path: "", sha256: ""}', f"{{path: proof.log, sha256: {digest}}}")


def drafted(text: str) -> str:
    """A draft as somebody fills it in."""
    text = text.replace('reason: ""', "reason: agreed").replace('owner: ""', "owner: J. Doe").replace('expires: ""', "expires: 2027-01-31")
    return re.sub(r'accepts: ""  # (\S+) now', r"accepts: \1  #", text)


def test_the_template_filled_in_makes_every_manual_check_pass(folder: Path) -> None:
    made = command("evidence", "template", "--snapshot", "good.json", "-o", "evidence.yaml", "--force", folder=folder)
    assert made.returncode == 0, made.stderr
    count = len(yaml.safe_load((folder / "evidence.yaml").read_text())["items"])
    assert made.stdout == f"evidence.yaml: {count} items to fill in\n"
    blank = command("evidence", "lint", "--now", TODAY, folder=folder)
    assert blank.returncode == 2
    assert f"evidence.yaml: {4 * count} to mend" in blank.stdout
    assert "statement is blank\n  next: say what was done and what came of it" in blank.stdout
    (folder / "evidence.yaml").write_text(filled((folder / "evidence.yaml").read_text()))
    sound = command("evidence", "lint", "--now", TODAY, folder=folder)
    assert sound.returncode == 0, sound.stdout
    assert sound.stdout == f"evidence.yaml: {count} items, nothing to mend; the first ends on 2027-05-01\n"
    run = command("run", "--snapshot", "good.json", "--evidence", "evidence.yaml", "--quiet", "-o", "json=r.json", folder=folder)
    assert run.returncode in (0, 3), run.stderr
    report = json.loads((folder / "r.json").read_text())
    assert report["summary"]["counts"]["manual"] == 0
    assert {item["state"] for item in report["attestations"]} == {"used"}
    again = command("evidence", "template", "--snapshot", "good.json", "--evidence", "evidence.yaml", folder=folder)
    assert again.stdout.rstrip().splitlines()[-1].startswith(("items: []", "# "))
    assert yaml.safe_load(again.stdout) == {"items": []}


def test_the_template_asks_what_the_check_says_and_knows_todays_context() -> None:
    judgement = judged(builders.multi_node())
    text = evidence_template(judgement)
    items = yaml.safe_load(text)["items"]
    assert [(item["check"], item["subject"]) for item in items] == [
        (outcome.check.id, str(verdict.subject)) for outcome, verdict in needed(judgement)
    ]
    plain = " ".join(text.replace("#", "").split())
    for item in items:
        assert " ".join((CHECKS[item["check"]].attest or "").replace("#", "").split()) in plain
    today = judgement.context["default"]
    for item in items:
        wanted = {key: list(today[key]) for key in relevant(own_pack(), CHECKS[item["check"]])}
        found = {key: value if isinstance(value, list) else [value] for key, value in item.get("context", {}).items()}
        assert found == wanted, item
        assert item["valid_for"] == (CHECKS[item["check"]].attest_for or "180d")
    assert any("context" in item for item in items)
    assert "context" not in next(item for item in items if item["check"] == "application/duplicate-tasks"), "it rests on none of it"


def test_a_context_belongs_to_the_checks_that_look_at_it() -> None:
    pack = own_pack()
    assert relevant(pack, CHECKS["ingress/dns"]) == ()
    assert relevant(pack, CHECKS["storage/rwx-validated"]) == ("class",)
    assert relevant(pack, CHECKS["backups/restore-test"]) == ("postgresql_major", "target", "class")


def test_what_a_right_would_show_is_not_asked_of_a_person() -> None:
    world = builders.multi_node()
    world.deny = lambda resource, namespace, name: resource == "pods"
    text = evidence_template(judged(world))
    assert "- check: storage/rwx-validated" not in text
    assert "a permission or a flag decides them" in text


def test_files_are_never_written_over_without_being_told(folder: Path) -> None:
    (folder / "mine.yaml").write_text("mine")
    for words in (("evidence", "template"), ("waivers", "draft")):
        found = command(*words, "--snapshot", "good.json", "-o", "mine.yaml", folder=folder)
        assert found.returncode == 2
        assert "mine.yaml exists, and somebody may have filled it in" in found.stderr
        assert (folder / "mine.yaml").read_text() == "mine"
    assert command("evidence", "template", "--snapshot", "good.json", "-o", "/nowhere/x.yaml", folder=folder).returncode == 2
    forced = command("waivers", "draft", "--snapshot", "good.json", "-o", "mine.yaml", "--force", folder=folder)
    assert forced.returncode == 0
    assert "waivers:" in (folder / "mine.yaml").read_text()
    assert not (folder / "mine.yaml").stat().st_mode & stat.S_IXUSR


def test_the_draft_filled_in_covers_every_finding(folder: Path) -> None:
    made = command("waivers", "draft", "--snapshot", "bad.json", folder=folder)
    assert made.returncode == 0
    assert "waivers to fill in or to take away" in made.stderr
    (folder / "exivity-audit.yaml").write_text(made.stdout)
    blank = command("waivers", "lint", "--now", TODAY, folder=folder)
    assert blank.returncode == 2
    assert "reason is blank\n  next: say why it is accepted" in blank.stdout
    refused = command("run", "--snapshot", "bad.json", folder=folder)
    assert refused.returncode == 2
    assert "reason is blank (and " in refused.stderr
    (folder / "exivity-audit.yaml").write_text(drafted(made.stdout))
    sound = command("waivers", "lint", "--snapshot", "bad.json", folder=folder)
    assert sound.returncode == 0, sound.stdout
    run = command("run", "--snapshot", "bad.json", "-o", "json=r.json", folder=folder)
    report = json.loads((folder / "r.json").read_text())
    assert report["summary"]["counts"]["fail"] == report["summary"]["counts"]["warn"] == 0
    assert "Without its" in run.stdout
    assert {item["state"] for item in report["waivers"]} == {"used"}
    unused = command("waivers", "lint", "--snapshot", "good.json", folder=folder)
    assert unused.returncode == 2
    assert "unused: the check has no fail and no warn here that it covers (pass)" in unused.stdout
    assert "waivers: []" in command("waivers", "draft", "--snapshot", "bad.json", folder=folder).stdout
    (folder / "exivity-audit.yaml").unlink()


@pytest.mark.parametrize(
    ("waiver", "said"),
    [
        ({"check": "application/singletons", "subject": "Deployment exivity/exivity-kronos"}, "has the subject 'Deployment exivity/exivity-kronos'; did you mean 'Deployment exivity/exivity-chronos'?"),
        ({"check": "application/singletons", "site": "fra"}, "no site is named 'fra'"),
        ({"check": "pvc_sizes/logs", "accepts": "five"}, "cannot be compared with 1Gi"),
        ({"check": "pvc_sizes/logs", "accepts": "2Gi"}, "it accepts 2Gi, and 1Gi is worse"),
        ({"check": "monitoring/delivery"}, "unused: the check has no fail and no warn"),
        ({"check": "application/singletons", "expires": "2026-11-22"}, "it expired on 2026-11-22"),
        ({"check": "application/singleton"}, "did you mean 'application/singletons'?"),
    ],
)  # fmt: skip
def test_a_snapshot_shows_what_a_waiver_misses(folder: Path, waiver: dict[str, str], said: str) -> None:
    item = {"reason": "r", "owner": "o", "expires": "2027-01-31", **waiver}
    (folder / "c.yaml").write_text("waivers:\n  - " + json.dumps(item) + "\n")
    found = command("waivers", "lint", "--config", "c.yaml", "--snapshot", "bad.json", folder=folder)
    assert found.returncode == 2, found.stdout
    assert said in found.stdout
    assert found.stdout.startswith("c.yaml:2: waiver for ")


def test_sites_of_the_config_are_known_without_a_snapshot(folder: Path) -> None:
    item = {"check": "application/singletons", "reason": "r", "owner": "o", "expires": "2027-01-31", "site": "amz"}
    (folder / "c.yaml").write_text("sites: [{name: ams}, {name: fra}]\nwaivers:\n  - " + json.dumps(item) + "\n")
    found = command("waivers", "lint", "--config", "c.yaml", "--now", TODAY, folder=folder)
    assert "c.yaml:3: waiver for application/singletons: no site is named 'amz'; did you mean 'ams'?" in found.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("waivers", "lint"), "exivity-audit.yaml is no file"),
        (("evidence", "lint"), "cannot read evidence.yaml"),
        (("evidence", "lnt"), "did you mean 'lint'?"),
        (("waivers", "draught"), "did you mean 'draft'?"),
        (("evidence", "lint", "--now", "later", "x.yaml"), "--now 'later' is no time"),
        (("evidence", "template"), "no ~/.kube/config"),
        (("waivers", "draft", "--snapshot", "/nowhere"), "cannot read the snapshot /nowhere"),
    ],
)
def test_bad_input_is_one_sentence_and_a_next_step(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    (tmp_path / "x.yaml").write_text("items: []\n")
    found = command(*words, folder=tmp_path)
    assert found.returncode == 2, found.stdout
    assert said in found.stderr
    assert "Traceback" not in found.stderr
    assert len(found.stderr.strip().splitlines()) <= 2


def test_a_run_goes_on_with_an_expired_attestation_and_names_it(folder: Path) -> None:
    item = {"check": "application/duplicate-tasks", "statement": "done", "by": "J. Doe", "date": "2026-01-02", "valid_for": "30d"}
    (folder / "old.yaml").write_text("items:\n  - " + json.dumps(item) + "\n")
    found = command("run", "--snapshot", "good.json", "--evidence", "old.yaml", "-o", "json=r.json", folder=folder)
    assert "note: old.yaml:2: application/duplicate-tasks: it expired on 2026-02-01 and covers nothing" in found.stderr
    text = " ".join(found.stdout.split())
    assert "1 attestation expired: application/duplicate-tasks." in text
    assert "J. Doe's attestation of 2026-01-02: it expired on 2026-02-01" in text
    report = json.loads((folder / "r.json").read_text())
    assert report["attestations"][0]["state"] == "expired"
    assert {one["status"] for one in report["results"] if one["id"] == "application/duplicate-tasks"} == {"manual"}
    assert command("evidence", "lint", "old.yaml", folder=folder).returncode == 2


@pytest.mark.parametrize(
    ("measured", "want", "accepts"),
    [
        (size("1Gi"), at_least("5Gi"), "1Gi"), (size(2**30 + 1), at_least("5Gi"), 2**30 + 1), (2, exactly(1), 2), (1, at_least(2), 1),
        (Duration(36.2 * 3600), at_most("24h"), "37h"), (Duration(23.9 * 3600), at_least("30d"), "23h"), (Duration(0.0201), at_most("15ms"), "21ms"),
        ("disable", exactly("require"), None), (True, exactly(False), None), (float("nan"), at_least(1), None), (3, None, None),
    ],
)  # fmt: skip
def test_what_has_an_order_is_accepted_as_it_was_measured(measured: Any, want: Any, accepts: Any) -> None:
    verdict = fail(Subject("Thing", "a"), measured, wanted=want)
    assert acceptable(verdict) == accepts
    if accepts is not None:
        from exivity_audit.config import Waiver
        from exivity_audit.waiver import objection

        assert objection(Waiver("a/b", "r", "o", "2027-01-31", accepts=accepts), verdict) == ""


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(tmp_path: Path, text: str) -> None:
    assert yaml.safe_load(quoted(text)) == text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert all(line.startswith("  # ") or line == "  #" for line in comment(text))
    judgement = hostile_judgement(text)
    for made in (evidence_template(judgement), waivers_draft(judgement)):
        made.encode()
        found = yaml.safe_load(made)
        assert set(found) <= {"items", "waivers"}
    path = tmp_path / "c.yaml"
    path.write_text(drafted(waivers_draft(judgement)), encoding="utf-8")
    assert isinstance(load_config(path)[0], Config)


def test_a_template_for_two_sites_names_them() -> None:
    from exivity_audit.evaluate import evaluate
    from exivity_audit.lifecycle import load_lifecycle

    pair = snapshot_of(site_of(builders.multi_node(), name="ams", role="active"), site_of(broken_world(), name="fra", role="passive"))
    pack = own_pack()
    judgement = evaluate(pair, pack, Config(), thresholds={name: one.value for name, one in pack.thresholds.items()}, lifecycle=load_lifecycle(None))
    items = yaml.safe_load(evidence_template(judgement))["items"]
    assert {item.get("site") for item in items} >= {"ams"}
    assert {item.get("site") for item in yaml.safe_load(waivers_draft(judgement))["waivers"]} <= {"ams", "fra", None}
