"""Where the users' traffic goes, as probes of names saw it from one site or two."""

from __future__ import annotations

from typing import Any

import pytest

from exivity_audit.verdict import Status, Verdict
from tests.builders import HOST
from tests.judging import pair_judged
from tests.probed import UNRESOLVED, Probed, leading
from tests.products import two_sites
from tests.products.two_sites import ACTIVE, PASSIVE
from tests.world import World

FAIL, PASS, MANUAL, SKIP = Status.FAIL, Status.PASS, Status.MANUAL, Status.SKIP
OF_AMS, OF_FRA, GLOBAL = "203.0.113.7", "198.51.100.7", "192.0.2.7"
TRAFFIC, NAMES = "disaster_recovery/traffic", "ingress/dns"


def pair(**seen: dict[str, Any]) -> dict[str, World]:
    """Both sites, each published at an address of its own, with what a probe from each saw."""
    worlds = two_sites.pair()
    for name, address in ((ACTIVE, OF_AMS), (PASSIVE, OF_FRA)):
        status = {"loadBalancer": {"ingress": [{"ip": address}]}}
        worlds[name].find("Service", "traefik")["status"] = status
        worlds[name].find("Ingress", "exivity")["status"] = status
        if name in seen:
            worlds[name].usage = Probed(dns={HOST: seen[name]})
    return worlds


def found(worlds: dict[str, World], roles: dict[str, str | None] | None = None) -> dict[tuple[str, str], Verdict]:
    """The verdicts by check and site."""
    judged = pair_judged(worlds, roles=roles, checks=frozenset({TRAFFIC, NAMES}))
    return {(one.check.id, one.site): verdict for one in judged.outcomes for verdict in one.verdicts}


@pytest.mark.parametrize(
    ("answer", "status", "active", "passive", "text"),
    [
        (leading(OF_AMS), PASS, PASS, PASS, f"leads to {OF_AMS} (probe from outside the cluster), ams alone"), (leading(OF_FRA), FAIL, MANUAL, SKIP, "which stands by"),
        (leading(OF_AMS, OF_FRA), FAIL, MANUAL, SKIP, f"of which {OF_FRA} is fra"), (leading(GLOBAL), MANUAL, MANUAL, PASS, "which no audited site publishes"),
        (UNRESOLVED, SKIP, FAIL, PASS, "does not resolve"), ({"failure": {"kind": "timeout", "reason": "late"}}, MANUAL, MANUAL, MANUAL, "show that"),
    ],
)  # fmt: skip
def test_what_both_sites_saw(answer: Any, status: Status, active: Status, passive: Status, text: str) -> None:
    verdicts = found(pair(ams=answer, fra=answer))
    assert (verdicts[TRAFFIC, "*"].status, text in verdicts[TRAFFIC, "*"].message) == (status, True), verdicts[TRAFFIC, "*"].message
    assert (verdicts[NAMES, ACTIVE].status, verdicts[NAMES, PASSIVE].status) == (active, passive)


def test_a_probe_from_one_site_is_enough_and_none_leaves_it_to_a_person() -> None:
    assert found(pair(fra=leading(OF_AMS)))[TRAFFIC, "*"].status is PASS
    assert found(pair(ams=leading(OF_FRA)))[TRAFFIC, "*"].status is FAIL
    assert found(pair())[TRAFFIC, "*"].status is MANUAL
    assert found(pair(fra=UNRESOLVED))[TRAFFIC, "*"].status is MANUAL, "nobody else says so"
    assert found(pair(ams=leading(OF_AMS), fra=leading(OF_FRA)))[TRAFFIC, "*"].status is FAIL, "two answers, and one of them leads to the standby"


def test_the_standby_alone_sees_what_leads_to_it() -> None:
    for answer, status in ((leading(OF_FRA), FAIL), (leading(OF_AMS), MANUAL)):
        worlds = {PASSIVE: pair(fra=answer)[PASSIVE]}
        verdicts = found(worlds, {PASSIVE: "passive"})
        assert {verdict.status for (check, _), verdict in verdicts.items() if check == TRAFFIC} == {status}
