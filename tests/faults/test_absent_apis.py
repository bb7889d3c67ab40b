"""Operators that are not there: each optional API absent singly, with its objects, and all at once; and objects that go between two reads."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import pytest

from exivity_audit.collect.answer import Answer, Failure, failed
from exivity_audit.errors import UsageError
from exivity_audit.evaluate import Outcome
from exivity_audit.verdict import Status
from tests.faults.scoreboard import board
from tests.faults.variants import VARIANTS
from tests.judging import judged
from tests.world import OPTIONAL, World

BASES = ("multi_node", "single_node", "flawed", "argo", "flux", "keda", "gateway", "openshift", "metallb")
NAMESPACE = "/api/v1/namespaces/exivity"
# What passes once an API is gone and did not before, by cluster, group and check: there the absence is itself the answer.
ANSWERED_BY_ABSENCE = {
    ("flawed", "longhorn.io", "postgresql/storage-headroom"): "the full disk is Longhorn's figure of it; the database's own count is the next best, and the verdict says so",
    ("flawed", "postgresql.cnpg.io", "pvc_sizes/postgresql"): "what asks for too little is the Cluster; the claims themselves are large enough",
    ("flawed", "rabbitmq.com", "rabbitmq/tls"): "it is the RabbitmqCluster that offers no TLS; without it the configuration's word for it stands, as for a broker outside",
    ("flawed", "rabbitmq.com", "rabbitmq/persistence"): "it is the RabbitmqCluster that asks for no storage; the StatefulSet that is there has some",
    ("flawed", "/api/v1/namespaces/exivity/secrets/exivity-postgres-secret", "security/credential-rotation"): "a Secret that is gone is not old: it is missing, which others say",
}  # fmt: skip


def groups(world: World) -> list[str]:
    """The optional API groups that a cluster serves."""
    known = {name.partition(".")[2] for name in OPTIONAL}
    return sorted({name.partition(".")[2] for name in world.resources} & known)


@cache
def plain(base: str) -> dict[str, Outcome]:
    """Outcomes with everything served."""
    return {one.check.id: one for one in judged(VARIANTS[base]().copy(), namespace="exivity", release="exivity").outcomes}


def without(base: str, gone: Iterable[str]) -> dict[str, Outcome]:
    """Outcomes of a cluster that neither serves some groups nor has objects of theirs."""
    taken = set(gone)
    world = VARIANTS[base]().copy()
    world.resources = {name: told for name, told in world.resources.items() if name.partition(".")[2] not in taken}
    world.objects = [item for item in world.objects if item["apiVersion"].rpartition("/")[0] not in taken]
    return {one.check.id: one for one in judged(world, namespace="exivity", release="exivity").outcomes}


def excepted(base: str, gone: Iterable[str], check: str) -> bool:
    """Whether the table says so of one of the groups."""
    return any((base, group, check) in ANSWERED_BY_ABSENCE for group in gone)


def wrong(base: str, gone: Iterable[str], found: dict[str, Outcome]) -> list[str]:
    """What an absence may not do: lose an outcome, break a check, or make one pass that did not."""
    before = plain(base)
    said = [] if list(found) == list(before) else ["other outcomes"]
    for check, now in found.items():
        if any(verdict.status is Status.ERROR for verdict in now.verdicts):
            said.append(f"{check} broke: {now.verdicts[0].why}")
        if now.status is Status.PASS and before[check].status is not Status.PASS and not excepted(base, gone, check):
            said.append(f"{check}: {before[check].status} before, passes now: {now.verdicts[0].seen} {now.verdicts[0].remark}")
    return said


CASES = [(base, group) for base in BASES for group in groups(VARIANTS[base]())]


@pytest.mark.parametrize(("base", "group"), CASES)
def test_an_operator_that_is_not_there(base: str, group: str) -> None:
    board.add("absent")
    assert wrong(base, [group], without(base, [group])) == []


@pytest.mark.parametrize("base", BASES)
def test_no_operator_at_all(base: str) -> None:
    board.add("absent")
    every = groups(VARIANTS[base]())
    assert len(every) >= 9
    assert wrong(base, every, without(base, every)) == []


def test_each_exception_is_still_one() -> None:
    for base, what, check in ANSWERED_BY_ABSENCE:
        assert plain(base)[check].status is not Status.PASS
        found = vanishing(base, [what]) if what.startswith("/") else without(base, [what])
        assert found[check].status is Status.PASS, (base, what, check)


# Objects that were listed, or named by others, and are gone when they are asked for


def vanishing(base: str, gone: Iterable[str]) -> dict[str, Outcome]:
    """Outcomes of a cluster where some objects answer 404 to a GET of their own, while every list still holds them."""
    world, real, taken = VARIANTS[base]().copy(), World.get, set(gone)

    def get(path: str, query: Iterable[tuple[str, str]] = (), **named: str) -> Answer:
        return failed(Failure("not-found", 404, "not found")) if path in taken else real(world, path, query, **named)

    world.get = get  # type: ignore[method-assign]
    return {one.check.id: one for one in judged(world, namespace="exivity", release="exivity").outcomes}


@cache
def fetched(base: str) -> tuple[str, ...]:
    """The objects that a run gets one by one, and that are there."""
    world = VARIANTS[base]().copy()
    judged(world, namespace="exivity", release="exivity")
    asked = dict.fromkeys(path for method, path in world.requests if method == "GET" and path.startswith(("/api/", "/apis/")))
    found = [path for path in asked if isinstance(body := world.get(path).body, dict) and "items" not in body]
    return tuple(path for path in found if path != NAMESPACE)


@pytest.mark.parametrize(("base", "path"), [(base, path) for base in ("multi_node", "single_node", "flawed") for path in fetched(base)])
def test_an_object_that_is_gone_when_it_is_asked_for(base: str, path: str) -> None:
    board.add("absent")
    assert wrong(base, [path], vanishing(base, [path])) == []


def test_the_namespace_itself_gone_is_a_sentence() -> None:
    with pytest.raises(UsageError, match="does not exist in this cluster"):
        vanishing("multi_node", [NAMESPACE])


@pytest.mark.parametrize("base", ["multi_node", "single_node", "flawed"])
def test_all_of_them_gone(base: str) -> None:
    paths = fetched(base)
    assert len(paths) >= 5
    board.add("absent")
    assert wrong(base, paths, vanishing(base, paths)) == []
