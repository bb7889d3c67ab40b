"""The terminal report: golden files, layout, colour, and what each section must hold."""

from __future__ import annotations

import re
from typing import Any

import pytest
from msgspec.structs import replace
from rich.cells import cell_len

from exivity_audit.fact import Reason, Unreadable
from exivity_audit.reports.node_loss import node_status
from exivity_audit.reports.terminal import render_terminal
from exivity_audit.scenario import Scenario
from exivity_audit.score import Gate, Scorecard, scorecard
from exivity_audit.verdict import Status
from tests.reports import sample_scorecard as sample
from tests.reports.golden_files import check_golden

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
CARDS = {
    "not_ready": sample.not_ready, "ready": sample.ready, "evaluation": sample.evaluation, "blind": sample.blind, "two_sites": sample.two_sites,
}  # fmt: skip


def render(card: Scorecard, *, width: int = 80, colour: bool = False, ascii: bool = False, verbose: bool = False, **more: Any) -> str:
    return render_terminal(card, sample.run_info(), width=width, colour=colour, ascii=ascii, verbose=verbose, **more)


GOLDEN: dict[str, tuple[str, dict[str, Any]]] = {
    "terminal-80.txt": ("not_ready", {"width": 80}),
    "terminal-120.txt": ("not_ready", {"width": 120}),
    "terminal-200.txt": ("not_ready", {"width": 200}),
    "terminal-80-ascii.txt": ("not_ready", {"width": 80, "ascii": True}),
    "terminal-80-colour.txt": ("not_ready", {"width": 80, "colour": True}),
    "terminal-80-verbose.txt": ("not_ready", {"width": 80, "verbose": True}),
    "terminal-100-explain-score.txt": ("not_ready", {"width": 100, "explain_score": True}),
    "terminal-ready.txt": ("ready", {"width": 80}),
    "terminal-evaluation.txt": ("evaluation", {"width": 80}),
    "terminal-blind.txt": ("blind", {"width": 80}),
    "terminal-two-sites.txt": ("two_sites", {"width": 100}),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_golden(name: str) -> None:
    card, options = GOLDEN[name]
    check_golden(name, render(CARDS[card](), **options))


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("width", [80, 81, 90, 99, 100, 109, 110, 120, 200])
def test_no_line_is_wider_than_the_layout(card: str, width: int) -> None:
    text = render(CARDS[card](), width=width, explain_score=True)
    assert max(cell_len(line) for line in text.splitlines()) <= min(width, 110)


def test_beyond_the_widest_layout_the_rest_is_margin() -> None:
    assert render(sample.not_ready(), width=120) == render(sample.not_ready(), width=200)


def test_narrower_than_80_the_terminal_wraps() -> None:
    assert render(sample.not_ready(), width=60) == render(sample.not_ready(), width=80)


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("verbose", [False, True])
def test_plain_text_has_no_escapes_and_no_trailing_blanks(card: str, verbose: bool) -> None:
    text = render(CARDS[card](), verbose=verbose)
    assert "\x1b" not in text
    assert not [line for line in text.splitlines() if line != line.rstrip()]
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


@pytest.mark.parametrize("card", CARDS)
def test_ascii_is_pure(card: str) -> None:
    text = render(CARDS[card](), ascii=True, verbose=True, explain_score=True)
    assert text.isascii()


def test_colour_says_nothing_that_plain_text_does_not() -> None:
    plain = render(sample.not_ready())
    coloured = ESCAPE.sub("", render(sample.not_ready(), colour=True))
    assert re.sub(" +", " ", coloured).replace(" \n", "\n") == re.sub(" +", " ", plain)


def test_colours_are_the_terminals_own_sixteen() -> None:
    codes = {code for group in re.findall(r"\x1b\[([0-9;]*)m", render(sample.not_ready(), colour=True)) for code in group.split(";")}
    assert codes <= {"0", "1", "2", *(str(code) for code in (*range(30, 38), *range(40, 48)))}


def test_the_environment_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = render(sample.not_ready(), colour=True)
    for name, value in {"NO_COLOR": "1", "FORCE_COLOR": "1", "TERM": "dumb", "COLUMNS": "40", "LC_ALL": "de_DE.UTF-8"}.items():
        monkeypatch.setenv(name, value)
    assert render(sample.not_ready(), colour=True) == before


def test_the_result_line_comes_first_and_last() -> None:
    text = render(sample.not_ready())
    line = next(line for line in text.splitlines() if line.startswith("  NOT READY   grade"))
    assert text.splitlines().index(line) == 5
    assert text.splitlines()[-1] == line


def test_the_sections_stand_in_the_designs_order() -> None:
    text = render(sample.not_ready(), explain_score=True)
    headings = (
        "CHECKLIST",
        "CLUSTER ",
        "APPLICATION ",
        "LOGS ",
        "COULD NOT LOOK",
        "TO ATTEST",
        "IF A NODE DIES",
        "FIX THESE FIRST",
        "HOW THE SCORE",
        "RESULT",
    )
    places = [text.index(f"\n{heading}") for heading in headings]
    assert places == sorted(places)


def test_a_remedy_is_said_once() -> None:
    text = render(sample.not_ready())
    body = text[: text.index("FIX THESE FIRST")]
    assert body.count("storage.pvcSizes.log: 10Gi") == 1
    assert "fix   as for pvc_sizes/logs" in body


def test_three_subjects_a_measurement_and_all_when_verbose() -> None:
    assert "exivity-chronos-log, exivity-edify-log, exivity-executor-log and 8" in render(sample.not_ready())
    verbose = render(sample.not_ready(), verbose=True)
    assert "and 8" not in verbose
    assert all(f"exivity-{name}-log" in verbose for name in ("glass", "pigeon", "use"))


def test_every_check_is_in_the_verbose_report() -> None:
    card = sample.not_ready()
    text = render(card, width=110, verbose=True)
    missing = [o.check.id for o in card.judgement.outcomes if o.check.id not in text and not (not o.check.built and o.check.slug in text)]
    assert missing == []


def test_every_open_check_is_in_the_report() -> None:
    card = sample.two_sites()
    text = render(card, width=110)
    quiet = (Status.PASS, Status.SKIP)
    missing = [o.check.id for o in card.judgement.outcomes if o.status not in quiet and o.check.built and o.check.id not in text]
    assert missing == []


def test_checks_to_come_share_one_line() -> None:
    text = " ".join(render(sample.not_ready()).split())
    assert "3 checks of PostgreSQL are not built yet; verify them by hand: reachable, tls, latency" in text
    assert "The database answers" not in text


def test_a_waiver_is_told_whole() -> None:
    assert "note  fail, waived until 31 Jan 2027 by J. de Boer: hardware balancer on order (CHG-4411)" in render(sample.not_ready(), width=110)


def test_the_general_remedy_stands_in_where_a_finding_has_none() -> None:
    assert "fix   Repair legacy-image" in render(sample.not_ready())


def test_together_is_honest() -> None:
    text = " ".join(render(sample.not_ready()).split())
    assert "Then still not met: Application, Ingress." in text
    assert " ".join(render(sample.ready()).split()).count("Both together: 98 → 100, grade stays A.") == 1


def test_nothing_to_fix_leaves_the_section_out() -> None:
    pairs = [(check, tuple(verdict for verdict in verdicts if verdict.status in (Status.PASS, Status.SKIP))) for check, verdicts in sample.mended()]
    card = scorecard(sample.judgement([(check, verdicts) for check, verdicts in pairs if verdicts]))
    assert card.gate is Gate.READY
    assert "FIX THESE FIRST" not in render(card)


def test_the_gate_of_an_evaluation_is_not_printed() -> None:
    text = render(sample.evaluation())
    assert "  EVALUATION   grade" in text
    assert "READY " not in text.replace("NOT READY", "READY ").replace("readiness", "")


def test_not_graded_and_no_score() -> None:
    text = render(sample.blind())
    assert "  UNVERIFIED   not graded   no score   0 of 45 checks decided" in text
    assert "pass `--scenario`" in text


@pytest.mark.parametrize("table", [None, Unreadable((Reason("pods", "forbidden: list pods"),)), object(), (), (1, 2)])
def test_a_node_table_that_is_not_there_is_left_out(table: Any) -> None:
    card = scorecard(sample.judgement(sample.told(), tables={"default": {"node_loss": table}}))
    assert "IF A NODE DIES" not in render(card)


def test_node_loss_is_one_sentence_where_there_is_no_room() -> None:
    assert "stops proximity-api · moves griffon, 1 chronos · RabbitMQ 2" in render(sample.not_ready(), width=99)
    assert "fits on the rest" in render(sample.not_ready(), width=100)


def test_what_perhaps_stops_with_a_node_is_unknown() -> None:
    row = sample.NodeLoss("odd", "ams-a", (), (), (), True, 0.5, ("chronos",))
    card = scorecard(sample.judgement(sample.told(), tables={"default": {"node_loss": (row,)}}))
    assert "stops perhaps chronos" in render(card, width=99)
    assert "perhaps chronos" in render(card, width=120)
    assert node_status(row) is Status.UNKNOWN


def test_nodes_whose_loss_changes_nothing_are_one_line_in_a_large_cluster() -> None:
    quiet = [sample.NodeLoss(f"quiet-{number}", "ams-a", (), (), (), True, 0.5) for number in range(40)]
    tight, moving = sample.NodeLoss("tight", "ams-a", (), (), (), True, 0.95), sample.NODE_LOSS[0]

    def shown(*rows: sample.NodeLoss, verbose: bool = False) -> str:
        return render(scorecard(sample.judgement(sample.told(), tables={"default": {"node_loss": rows}})), verbose=verbose)

    assert "each of 40 more nodes: nothing stops or moves; -v lists them" in shown(*quiet, tight, moving)
    assert "quiet-" not in shown(*quiet, tight, moving)
    assert "tight" in shown(*quiet, tight, moving)
    assert moving.node in shown(*quiet, tight, moving)
    assert "each of 40 nodes: nothing stops or moves" in shown(*quiet)
    assert "quiet-39" in shown(*quiet, tight, moving, verbose=True)
    assert "quiet-5" in shown(*quiet[:6], moving)


@pytest.mark.parametrize("table", [None, object(), (), (1, 2)])
def test_a_ledger_that_is_not_there_is_left_out(table: Any) -> None:
    card = scorecard(sample.judgement(sample.told(), tables={"default": {"copies": table}}))
    assert "BACKUP LEDGER" not in render(card)


def test_the_ledger_says_what_is_missing_or_late() -> None:
    narrow, wide = render(sample.not_ready(), width=80), render(sample.not_ready(), width=110)
    for text in (narrow, wide):
        assert "never: snapshots on its own storage alone" in " ".join(text.split())
        assert "3 of 8 fresh" in text
    assert "copied by" in wide
    assert "  ✘  exivity-report          20Gi  3 d 4 h ago, wanted 2 d · Longhorn, no job" in narrow
    assert all(len(line) <= 80 for line in narrow.splitlines())


def test_sites_are_listed_and_named() -> None:
    text = render(sample.two_sites(), width=110)
    assert "  ams  active · prod-ams · exivity/exivity 3.39.2" in text
    assert "  fra  passive · prod-fra" in text
    assert "fail · critical · fra" in text
    assert "as for storage/longhorn-replicas at ams" in text
    assert "IF A NODE DIES AT AMS" in text


def test_a_check_over_all_sites_says_so() -> None:
    card = sample.two_sites()
    outcomes = tuple(replace(outcome, site="*") if outcome.check.id == "ingress/trusted-proxy" else outcome for outcome in card.judgement.outcomes)
    text = render(scorecard(replace(card.judgement, outcomes=outcomes)), width=110)
    assert "fail · high · all sites" in text


def test_an_identity_that_was_not_seen_is_said() -> None:
    site = replace_site(sample.a_site())
    text = render(scorecard(sample.judgement(sample.told(), sites=(site,), scenario=Scenario.SINGLE_NODE)))
    assert "Kubernetes version not seen · nodes not seen" in text
    assert "  uid   not seen" in text


def replace_site(site: Any) -> Any:
    import msgspec

    return msgspec.structs.replace(site, cluster=msgspec.structs.replace(site.cluster, uid=None, version=None), reads=())


def test_a_judged_snapshot_sends_no_requests() -> None:
    run = sample.run_info(requests=None, bytes_received=None, seconds=None, identity=None, snapshot_file=None)
    text = render_terminal(sample.ready(), run, width=80, colour=False, ascii=False, verbose=False)
    assert "read  no requests, a snapshot was judged, 0 writes, as system:serviceaccount" in " ".join(text.split(" ")).replace("\n        ", " ")
    assert "  kept  " not in text
