"""The row ingress with probes, in memory: what each answer makes of each check, and that none leaves every verdict as it was."""

from __future__ import annotations

from typing import Any

import pytest

from exivity_audit.config import Config, Declare, IngressIntent
from exivity_audit.verdict import Status, Verdict
from tests.builders import HOST, certificate, multi_node
from tests.judging import judged, verdicts
from tests.probed import UNRESOLVED, Probed, answering, leading, shaken
from tests.world import World

FAIL, WARN, PASS, UNKNOWN, MANUAL, SKIP = Status.FAIL, Status.WARN, Status.PASS, Status.UNKNOWN, Status.MANUAL, Status.SKIP
UPSTREAM = Config(declare=Declare(ingress=IngressIntent(tls="upstream")))
SUBJECT, SECRET = f"Ingress exivity/exivity#{HOST}", "Secret exivity/exivity-tls"
CHAIN = certificate(HOST)[0]
GOOD = {
    "dns": {HOST: leading("203.0.113.7")}, "tls": {f"{HOST}:443": shaken(CHAIN)},
    "http": {
        f"http://{HOST}/": answering(308, "empty", HOST), f"https://{HOST}/": {**answering(200), "hsts": {"seconds": 31536000}},
        f"https://{HOST}/v1/": answering(404, "json"), f"https://{HOST}/v2/": answering(404, "json"),
    },
}  # fmt: skip


def world(**answers: Any) -> World:
    """The multi-node cluster and what probes see of it."""
    found = multi_node()
    found.usage = Probed(**answers)
    return found


def one(check: str, config: Config | None = None, role: str | None = None, **answers: Any) -> Verdict:
    """The verdict on the host."""
    return verdicts(world(**answers), f"ingress/{check}", config=config, role=role)[SUBJECT]


def test_all_is_well() -> None:
    found = {outcome.check.slug: outcome for outcome in judged(world(**GOOD)).outcomes if outcome.check.row == "ingress"}
    assert {outcome.status for outcome in found.values()} == {PASS}
    for slug, text in {"dns": "leads to 203.0.113.7", "tls": "TLSv1.3", "plain-http": "308 to https", "routes": "answers 404 json"}.items():
        (message, *_) = [verdict.message for verdict in found[slug].verdicts if text in verdict.message]
        assert "(probe from outside the cluster)" in message
    assert [verdict.remark for verdict in found["plain-http"].verdicts] == [""], "HSTS was seen"


@pytest.mark.parametrize("slug", ["routes", "dns", "tls", "certificate", "plain-http", "trusted-proxy"])
def test_without_probes_and_with_probes_that_came_to_nothing(slug: str) -> None:
    plain, lost = verdicts(multi_node(), f"ingress/{slug}"), verdicts(world(), f"ingress/{slug}")
    assert {subject: verdict.status for subject, verdict in plain.items()} == {subject: verdict.status for subject, verdict in lost.items()}
    reads = {item.read for verdict in plain.values() for item in verdict.evidence if item.object is None}
    assert any(read.startswith("probe_") for read in reads), "a probe that was not made is named as unread"


@pytest.mark.parametrize("slug", ["tls", "certificate", "plain-http"])
def test_upstream_without_an_answer_is_left_to_a_person(slug: str) -> None:
    assert one(slug, UPSTREAM).status is MANUAL


@pytest.mark.parametrize(
    ("slug", "answers", "status"),
    [
        ("tls", {"tls": GOOD["tls"]}, PASS), ("tls", {"tls": {f"{HOST}:443": shaken(CHAIN, protocol="TLSv1.1", trouble="old-protocol")}}, FAIL),
        ("tls", {"tls": {f"{HOST}:443": {"failure": {"kind": "tls", "reason": "the TLS handshake failed"}}}}, FAIL),
        ("certificate", {"tls": GOOD["tls"]}, PASS), ("certificate", {"tls": {f"{HOST}:443": shaken(CHAIN, trouble="unknown-authority")}}, UNKNOWN),
        ("certificate", {"tls": {f"{HOST}:443": shaken(CHAIN, trouble="revoked")}}, FAIL), ("certificate", {"tls": {f"{HOST}:443": shaken(b"")}}, UNKNOWN),
        ("certificate", {"tls": {f"{HOST}:443": shaken(CHAIN, protocol="TLSv1.1", trouble="old-protocol")}}, SKIP),
        ("plain-http", {"http": {f"http://{HOST}/": answering(301, "empty", HOST)}}, PASS), ("plain-http", {"http": {f"http://{HOST}/": answering(200)}}, FAIL),
        ("plain-http", {"tls": GOOD["tls"]}, PASS), ("plain-http", {"http": {f"http://{HOST}/": answering(500)}}, MANUAL),
    ],
)  # fmt: skip
def test_upstream(slug: str, answers: dict[str, Any], status: Status) -> None:
    assert one(slug, UPSTREAM, **answers).status is status


def test_the_way_of_measuring_is_told() -> None:
    for path, words in (("laptop", "from outside the cluster"), ("in-cluster", "from inside the cluster")):
        assert f"(probe {words})" in one("dns", **GOOD, path=path).message


def test_the_passive_site() -> None:
    led = one("dns", role="passive", dns={HOST: leading("203.0.113.7")})
    assert (led.status, led.follows) == (SKIP, "disaster_recovery/traffic")
    assert one("dns", role="passive", dns={HOST: leading("198.51.100.7")}).status is PASS
    assert one("dns", role="passive", dns={HOST: UNRESOLVED}).status is PASS
    broken = {"tls": {f"{HOST}:443": shaken(b"", protocol="TLSv1.1", trouble="old-protocol")}, "http": {f"http://{HOST}/": answering(200)}}
    for slug in ("tls", "certificate", "plain-http", "routes"):
        found = verdicts(world(**broken), f"ingress/{slug}", role="passive")
        assert {verdict.status for verdict in found.values()} == {PASS}, "the name leads to the other site"


def test_forged_headers_from_outside_alone() -> None:
    plain = {**answering(308, "empty", HOST), "forged": {"status": 200, "location": None, "reflected": False}}
    assert one("trusted-proxy", http={f"http://{HOST}/": plain}).status is WARN
    assert SUBJECT not in verdicts(world(http={f"http://{HOST}/": plain}, path="in-cluster"), "ingress/trusted-proxy")
    same = {**plain, "forged": {"status": 308, "location": plain["location"], "reflected": False}}
    assert SUBJECT not in verdicts(world(http={f"http://{HOST}/": same}), "ingress/trusted-proxy")


@pytest.mark.parametrize(
    "odd",
    [
        {"addresses": "203.0.113.7"}, {"addresses": [7]}, {"canonical": 3, "addresses": []}, {"failure": "timeout"}, {"failure": {"kind": 5}},
        {"status": "200", "content": "html"}, {"status": 200, "location": "x"}, {"chain": {"certificates": [{"malformed": "x"}]}}, {"chain": [], "verified": "yes"},
    ],
)  # fmt: skip
def test_answers_that_are_malformed_count_for_nothing(odd: dict[str, Any]) -> None:
    places = {HOST: odd, f"{HOST}:443": odd, **{f"{scheme}://{HOST}{path}": odd for scheme in ("http", "https") for path in ("/", "/v1/", "/v2/")}}
    found = judged(world(dns=places, tls=places, http=places))
    assert not [outcome.check.id for outcome in found.outcomes if outcome.check.row == "ingress" and outcome.status in (FAIL, Status.ERROR)]
