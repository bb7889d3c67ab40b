"""Where the host leads: a resolver in the test's words, through collector and snapshot to the verdict of ingress/dns."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from exivity_audit.config import Config, Declare, IngressIntent
from exivity_audit.probes.attempt import Failed
from exivity_audit.verdict import Status
from tests import builders
from tests.probes.edge.pki import HOST
from tests.probes.edge.scene import SUBJECT, Scene, published, site, verdicts
from tests.world import World

FAIL, PASS, MANUAL, SKIP = Status.FAIL, Status.PASS, Status.MANUAL, Status.SKIP
BALANCER = "a1b2.elb.eu-central-1.amazonaws.com"


def declared(*addresses: str) -> Config:
    """A config that names the addresses before the cluster."""
    return Config(declare=Declare(ingress=IngressIntent(addresses=addresses)))


CASES: list[tuple[str, World, Scene, Config, str | None, Status, str]] = [
    ("the published address", published("203.0.113.7"), Scene(names={HOST: ("203.0.113.7",)}), Config(), None, PASS, "leads to 203.0.113.7"),
    ("both families", published("203.0.113.7", "2001:db8::7"), Scene(names={HOST: ("203.0.113.7", "2001:0db8::0007")}), Config(), None, PASS, "2001"),
    ("elsewhere", published("203.0.113.7"), Scene(names={HOST: ("198.51.100.1",)}), Config(), None, MANUAL, "this cluster publishes 203.0.113.7"),
    ("here and elsewhere", published("203.0.113.7"), Scene(names={HOST: ("203.0.113.7", "198.51.100.1")}), Config(), None, MANUAL, "198.51.100.1"),
    ("the declared address", published("203.0.113.7"), Scene(names={HOST: ("198.51.100.1",)}), declared("198.51.100.1"), None, PASS, "leads to"),
    ("a declared range", published("203.0.113.7"), Scene(names={HOST: ("198.51.100.1",)}), declared("198.51.100.0/24"), None, PASS, "leads to"),
    ("declared and elsewhere", published("203.0.113.7"), Scene(names={HOST: ("192.0.2.9",)}), declared("198.51.100.1"), None, FAIL, "the declared 198.51.100.1"),
    ("nowhere", published("203.0.113.7"), Scene(), Config(), None, FAIL, "does not resolve"),
    ("no published address", published(), Scene(names={HOST: ("198.51.100.1",)}), Config(), None, MANUAL, "was not seen"),
    ("a load balancer's name", published(names=(BALANCER,)), Scene(names={HOST: ("198.51.100.1",), BALANCER: ("198.51.100.2",)}, canonical={HOST: BALANCER}), Config(), None, PASS, "leads to"),
    ("the addresses of a load balancer's name", published(names=(BALANCER,)), Scene(names={HOST: ("198.51.100.1",), BALANCER: ("198.51.100.2", "198.51.100.1")}), Config(), None, PASS, "leads to"),
    ("not the load balancer's", published(names=(BALANCER,)), Scene(names={HOST: ("198.51.100.9",), BALANCER: ("198.51.100.1",)}), Config(), None, MANUAL, BALANCER),
    ("passive: elsewhere", published("203.0.113.7"), Scene(names={HOST: ("198.51.100.1",)}), Config(), "passive", PASS, "not to this site"),
    ("passive: here", published("203.0.113.7"), Scene(names={HOST: ("203.0.113.7",)}), Config(), "passive", SKIP, "this site"),
    ("passive: here as well", published("203.0.113.7"), Scene(names={HOST: ("198.51.100.1", "203.0.113.7")}), declared("198.51.100.1", "203.0.113.7"), "passive", SKIP, "this site"),
    ("passive: nowhere", published("203.0.113.7"), Scene(), Config(), "passive", PASS, "does not resolve"),
    ("passive: what it publishes is not known", published(), Scene(names={HOST: ("198.51.100.1",)}), Config(), "passive", MANUAL, "was not seen"),
    ("a loopback address of this machine's own file", published("203.0.113.7"), Scene(names={HOST: ("127.0.0.1",)}), Config(), None, MANUAL, "127.0.0.1"),
    ("not asked", published("203.0.113.7"), Scene(probes=()), Config(), None, MANUAL, "show that exivity.acme.eu leads to this cluster, and record"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "world", "scene", "config", "role", "status", "text"), CASES, ids=[one[0] for one in CASES])
def test_where_the_host_leads(name: str, world: World, scene: Scene, config: Config, role: str | None, status: Status, text: str) -> None:
    found = verdicts("dns", scene, config=config, world=world.copy(), role=role)[SUBJECT]
    assert (found.status, text in found.message) == (status, True), found.message
    assert ("probe from outside the cluster" in found.message) is (name != "not asked")


def lost() -> Any:
    raise Failed("unreachable", "the resolver of this machine did not answer")


def test_a_resolver_that_does_not_answer_proves_nothing() -> None:
    over = threading.Event()

    def hanging() -> tuple[str, ...]:
        over.wait(120)
        return ("203.0.113.7",)

    for answer, text in ((lost, "did not answer"), (hanging, "no complete answer within 1 seconds")):
        before = time.monotonic()
        for role in (None, "passive"):
            found = verdicts("dns", Scene(names={HOST: answer}, seconds=1), role=role)[SUBJECT]
            assert (found.status, text in found.message) == (MANUAL, True), found.message
        assert time.monotonic() - before < 60
    over.set()


def test_all_probes_share_a_limit() -> None:
    over = threading.Event()

    def hanging() -> tuple[str, ...]:
        over.wait(120)
        return ()

    before = time.monotonic()
    found = site("dns", Scene(names={HOST: hanging}, seconds=10, total=1))
    assert time.monotonic() - before < 60
    over.set()
    (record,) = [one for one in found.reads if one.name == "probe_dns" and one.place.name == HOST]
    assert record.outcome == "failed"
    assert "would help: a longer --probe-limit" in record.reason


def test_a_snapshot_of_before_is_judged_as_it_was() -> None:
    found = site("dns", Scene(), builders.multi_node())
    assert any(one.name == "probe_dns" for one in found.reads)
