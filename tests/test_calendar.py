"""The calendar: what it holds, in which order, and what it says of what could not be seen."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from exivity_audit.attestation import Attestation
from exivity_audit.calendar import Due, calendars, due, due_by_site
from exivity_audit.config import Config, Waiver
from exivity_audit.evaluate import Judgement, evaluate
from exivity_audit.fact import Broken, Objects, Reason, Unreadable
from exivity_audit.lifecycle import load_lifecycle
from exivity_audit.pack import own_pack
from exivity_audit.reports.identity import why
from exivity_audit.reports.texts import ENGLISH
from exivity_audit.score import Scorecard, scorecard
from tests import builders
from tests.judging import judged, site_of, snapshot_of
from tests.world import World

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
WAIVER = Waiver("row/rule", "r", "J. Doe", "2027-01-31")
PAPER = Attestation("row/rule", "Thing ns/a", "ams", "s", "M. Smit", "2026-11-02", "2026-12-01", None)


def lines(world: World, **rest: Any) -> list[tuple[str, str]]:
    found = due_by_site(judged(world, **rest).tables)
    assert found is not None
    return [(row.date, row.what) for _, row in found]


def test_days_left_are_whole_days_and_negative_when_past() -> None:
    assert due(date(2026, 11, 23), "waiver", "x", None, NOW).days_left == 0
    assert due(datetime(2026, 11, 24, 1, tzinfo=UTC), "certificate", "x", None, NOW).days_left == 1
    assert due(date(2026, 11, 1), "support", "x", None, NOW).days_left == -22


def test_the_conforming_cluster_has_its_certificates_and_releases_in_order() -> None:
    found = lines(builders.multi_node())
    assert found == sorted(found)
    words = [what for _, what in found]
    assert "certificate exivity.acme.eu ends" in words
    assert "Kubernetes 1.36 leaves upstream support" in words
    assert "Longhorn 1.11 leaves support" in words
    assert "PostgreSQL 17 leaves support" in words
    assert any("unless the operator renews it" in what for what in words), "the database's own certificates"


def test_a_certificate_of_cert_manager_says_who_renews_it() -> None:
    world = builders.multi_node()
    world.edit("Secret", "exivity-tls", lambda item: item["metadata"].setdefault("annotations", {}).update({"cert-manager.io/certificate-name": "x"}))
    assert ("2027-06-11", "certificate exivity.acme.eu ends, unless cert-manager renews it") in lines(world)


def test_a_certificate_whose_secret_is_hidden_is_told_by_cert_manager() -> None:
    kept = builders.made(
        "cert-manager.io/v1", "Certificate", "exivity", "exivity", spec={"secretName": "exivity-tls", "dnsNames": ["exivity.acme.eu"], "issuerRef": {"name": "acme"}},
        status={"notAfter": "2027-01-05T00:00:00Z", "renewalTime": "2026-12-05T00:00:00Z", "conditions": [{"type": "Ready", "status": "True"}]},
    )  # fmt: skip
    world = builders.multi_node()
    world.add(kept)
    told = ("2027-01-05", "certificate exivity.acme.eu ends, unless cert-manager renews it")
    assert told not in lines(world), "the Secret itself was read, and says when"
    world.deny = lambda resource, namespace, name: resource == "secrets"
    assert told in lines(world)


def test_the_end_of_an_ingress_controller_is_there() -> None:
    world = builders.multi_node(ingress_class="nginx")
    world.add(*builders.ingress_nginx())
    assert ("2026-03-24", "ingress-nginx leaves support") in lines(world)


def test_what_was_not_seen_is_said_and_the_rest_is_there() -> None:
    world = builders.multi_node()
    world.deny = lambda resource, namespace, name: resource == "secrets"
    judgement = judged(world)
    rows = judgement.tables["default"]["calendar"]
    assert [reason.text for reason in rows.partial if "exivity-tls" in reason.text] == ["forbidden: get secrets exivity-tls in exivity"]
    assert "Kubernetes 1.36 leaves upstream support" in [row.what for row in rows]


def test_a_broken_certificate_is_said_and_hides_nothing_else() -> None:
    world = builders.multi_node()
    world.edit("Secret", "exivity-tls", lambda item: item["data"].update({"tls.crt": "bm9uZQ=="}))
    rows = judged(world).tables["default"]["calendar"]
    assert not [row for row in rows if row.subject == "Secret exivity/exivity-tls"]
    assert [row for row in rows if row.kind == "support"]


def test_papers_stand_at_their_site_or_at_all() -> None:
    one = Due("2026-12-15", "certificate", "c", None, 22)
    found = calendars({"ams": Objects((one,)), "fra": Objects()}, (WAIVER,), (PAPER,), NOW)
    assert [(site, [row.kind for row in rows]) for site, rows in found.items()] == [
        ("ams", ["attestation", "certificate"]),
        ("fra", []),
        ("*", ["waiver"]),
    ]
    assert found["ams"][0] == Due("2026-12-01", "attestation", "attestation for row/rule ends (M. Smit)", "Thing ns/a", 8)
    alone = calendars({"default": Objects((one,))}, (WAIVER,), (PAPER,), NOW)
    assert list(alone) == ["default"], "with one site everything is that site's"
    assert [site for site, _ in due_by_site({site: {"calendar": rows} for site, rows in found.items()}) or []] == ["ams", "ams", "*"]


@pytest.mark.parametrize("value", [Unreadable((Reason("x", "not seen"),)), Broken("calendar", "KeyError in fact calendar")])
def test_a_calendar_that_could_not_be_made_still_holds_the_papers(value: Any) -> None:
    found = calendars({"default": value}, (WAIVER, Waiver("a/b", "r", "o", "never")), (), NOW)["default"]
    assert [row.kind for row in found] == ["waiver"]
    assert found.partial


def lifecycle_of(**changes: Any) -> Any:
    return msgspec.structs.replace(load_lifecycle(None), **changes)


def with_table(table: Any, file: str | None = None) -> Judgement:
    pack = own_pack()
    config = Config(lifecycle=file)
    return evaluate(
        snapshot_of(site_of(builders.single_node())),
        pack,
        config,
        thresholds={name: one.value for name, one in pack.thresholds.items()},
        lifecycle=table,
    )


def sentences(card: Scorecard) -> list[str]:
    return [str(one) for one in why(card, ENGLISH)]


def test_an_old_table_of_releases_is_one_remark_with_its_date() -> None:
    judgement = with_table(lifecycle_of(date=date(2026, 5, 1)))
    told = [sentence for sentence in sentences(scorecard(judgement)) if "table of supported releases" in sentence]
    assert told == ["The table of supported releases is of 1 May 2026, older than 180 days: what ended since is not in it."]
    remarks = [one.remark for outcome in judgement.outcomes for one in outcome.verdicts if outcome.check.id == "cluster/kubernetes-version"]
    assert not any("table" in remark for remark in remarks)
    assert not [sentence for sentence in sentences(scorecard(with_table(lifecycle_of()))) if "table of supported" in sentence]


def test_a_sites_own_table_is_named_old_or_not() -> None:
    assert "Supported releases by ours/lifecycle.yaml, of 23 Nov 2026." in sentences(scorecard(with_table(lifecycle_of(), "ours/lifecycle.yaml")))
    told = " ".join(sentences(scorecard(with_table(lifecycle_of(date=date(2025, 1, 1)), "ours/lifecycle.yaml"))))
    assert "The table of supported releases in ours/lifecycle.yaml is of 1 Jan 2025" in told
