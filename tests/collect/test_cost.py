"""What reading a site costs: how many requests, how many of them one after another, and what is held of a large list. Counts, never seconds."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from exivity_audit.collect import body, collector, discovery, release, session
from exivity_audit.collect.answer import Failure, Listing
from exivity_audit.collect.asking import checked_path
from exivity_audit.collect.describe import DESCRIBERS
from exivity_audit.collect.net import MARK, marks, strained
from exivity_audit.collect.reads import BY_NAME, READS
from exivity_audit.collect.recorder import Recorder
from exivity_audit.collect.schedule import After, Ask, Schedule
from exivity_audit.collect.session import Access, open_session
from exivity_audit.paths import prune, pruner, shape, sharing_pruner
from exivity_audit.snapshot import Place
from tests import builders
from tests.granting import given_by, only
from tests.judging import site_of
from tests.test_rights import made, text_of
from tests.world import OPTIONAL, RESOURCES, World

NAMED_CONFIGS = 12  # ConfigMaps of the chart that are read; one list where the account may list them, and a question whether it may
DEEPEST = 15
EVERYTHING = (
    "single_node", "multi_node", "multi_node_argo", "multi_node_flux", "multi_node_keda", "multi_node_gateway", "multi_node_openshift",
    "multi_node_metallb",
)  # fmt: skip


def world_of(base: str) -> World:
    """One of the conforming clusters."""
    world: World = getattr(builders, base)()
    return world


def bare(base: str) -> World:
    """The same without any operator: no kind of theirs is served."""
    world = world_of(base)
    world.resources = dict(RESOURCES)
    return world


def allowed(world: World) -> int:
    """Sixty requests, and one for each kind of an operator that is served and read."""
    return 60 + len({read.resource for read in READS} & set(world.resources) & set(OPTIONAL))


# Requests


@pytest.mark.parametrize("named", [{}, {"namespace": "exivity", "release": "exivity"}], ids=["searched", "named"])
@pytest.mark.parametrize("base", EVERYTHING)
def test_a_run_asks_within_its_budget(base: str, named: dict[str, str]) -> None:
    """Also with a database and a broker that have namespaces of their own, each with six lists."""
    world = world_of(base)
    site_of(world, **named)
    assert len(world.requests) <= allowed(world)


@pytest.mark.parametrize("base", ["single_node", "multi_node"])
def test_without_operators_sixty_requests_are_enough(base: str) -> None:
    world = bare(base)
    site_of(world, namespace="exivity", release="exivity")
    assert allowed(world) == 60
    assert len(world.requests) <= 60


@pytest.mark.parametrize("base", ["single_node", "multi_node"])
def test_an_account_with_the_least_rights_asks_for_each_config_by_name(base: str) -> None:
    """The generated roles name the chart's ConfigMaps one by one: these requests come on top, and nothing that would be refused is asked."""
    world, everything = world_of(base), world_of(base)
    deny = only(given_by(text_of(made(base))))
    world.deny = world.review = deny
    site_of(world, namespace="exivity", release="exivity")
    site_of(everything, namespace="exivity", release="exivity")
    configs = "/api/v1/namespaces/exivity/configmaps"
    assert ("GET", configs) in everything.requests
    assert ("GET", configs) not in world.requests
    assert len([path for _, path in world.requests if path.startswith(f"{configs}/")]) == NAMED_CONFIGS
    assert len(world.requests) == len(everything.requests) + NAMED_CONFIGS - 1
    assert len(world.requests) <= allowed(world) + NAMED_CONFIGS - 1, "the price of rights that list no ConfigMaps (docs/performance.md)"
    assert sorted(set(world.requests)) == sorted(
        {*everything.requests, *((verb, path) for verb, path in world.requests if configs in path)} - {("GET", configs)}
    )


@pytest.mark.parametrize("base", ["single_node", "multi_node"])
def test_nothing_is_asked_twice(base: str) -> None:
    world = world_of(base)
    asked: list[tuple[str, tuple[tuple[str, str], ...]]] = []
    whole = world.get

    def get(path: str, query: Iterable[tuple[str, str]] = (), **named: Any) -> Any:
        asked.append((path, tuple(pair for pair in query if pair[0] != "resourceVersion")))
        return whole(path, query, **named)

    world.get = get  # type: ignore[method-assign]
    site_of(world)
    assert sorted(set(asked)) == sorted(asked)


def test_no_list_of_all_pods() -> None:
    """Of other namespaces only pods of one node, of a controller or of a provisioner are asked for, from the API server's cache and without a limit."""
    world = world_of("multi_node")
    lists: list[dict[str, str]] = []
    whole = world.list

    def listed(path: str, query: Iterable[tuple[str, str]] = (), **named: Any) -> Any:
        if path == "/api/v1/pods":
            lists.append({**dict(query), "limit": str(named["limit"])})
        return whole(path, query, **named)

    world.list = listed  # type: ignore[method-assign]
    site_of(world)
    assert lists
    for one in lists:
        assert one.get("labelSelector") or one.get("fieldSelector")
        assert (one["resourceVersion"], one["limit"]) == ("0", "0")


def test_configs_that_do_not_carry_the_label_are_asked_for_by_name() -> None:
    world, plain = world_of("multi_node"), world_of("multi_node")
    world.find("ConfigMap", "exivity-postgres-config")["metadata"]["labels"].pop("app.kubernetes.io/app")
    where = {"namespace": "exivity", "release": "exivity", "wanted": ["postgres_config", "service_configs"]}
    found, wanted = (site_of(one, **where).reads for one in (world, plain))
    path = "/api/v1/namespaces/exivity/configmaps"
    assert [one for _, one in world.requests if one.startswith(path)] == [path, f"{path}/exivity-postgres-config"]
    assert [(record.place, record.outcome) for record in found] == [(record.place, record.outcome) for record in wanted]


def test_a_list_that_breaks_costs_nothing_but_the_names() -> None:
    world = world_of("multi_node")
    whole = world.list

    def listed(path: str, query: Iterable[tuple[str, str]] = (), *, keep: Callable[[Any], Any], **named: Any) -> Any:
        found = whole(path, query, keep=keep, **named)
        return replace(found, items=(), failure=Failure("server", 500, "broken")) if path.endswith("/exivity/configmaps") else found

    world.list = listed  # type: ignore[method-assign]
    site = site_of(world, namespace="exivity", release="exivity")
    assert {record.outcome for record in site.reads if record.name == "service_configs"} == {"found"}
    assert len([path for _, path in world.requests if "/exivity/configmaps/" in path]) == NAMED_CONFIGS


# Round trips


class Clock:
    """Round trips so far, where all that need not wait for each other is asked at once."""

    def __init__(self) -> None:
        self.now = 0

    def together(self, *calls: Callable[[], Any]) -> list[Any]:
        """Run calls as if at once: it takes as long as the longest."""
        began, ends, answers = self.now, [self.now], []
        for call in calls:
            self.now = began
            answers.append(call())
            ends.append(self.now)
        self.now = max(ends)
        return answers


def round_trips(world: World, monkeypatch: pytest.MonkeyPatch, **access: Any) -> int:
    """The length of the critical path of a whole site, from the first contact on."""
    clock = Clock()
    get, review = world.get, world.post_review

    def counted(ask: Callable[..., Any]) -> Callable[..., Any]:
        def one(*arguments: Any, **named: Any) -> Any:
            clock.now += 1
            return ask(*arguments, **named)

        return one

    world.get, world.post_review = counted(get), counted(review)  # type: ignore[method-assign]

    class Way:
        def __init__(self, connection: Any, **_: Any) -> None:
            self.connection, self.deadline, self.stats = connection, None, None

        def __getattr__(self, name: str) -> Any:
            return getattr(world, name)

        def first_contact(self) -> Any:
            return world.get("/version")

        def close(self) -> None:
            """Nothing is open."""

    class Rounds(Schedule[Any]):
        def run(self) -> None:
            while True:
                self._advance()
                waiting = [one for questions in self._questions.values() for one in questions]
                for questions in self._questions.values():
                    questions.clear()
                if not waiting:
                    return
                for (*_, name, number, _), value in zip(waiting, clock.together(*(one[-1] for one in waiting)), strict=True):
                    self._under_way[False] += 1
                    self._home.put((name, number, value, None, False))
                    self._take()

    for module in (session, discovery, release, collector):
        monkeypatch.setattr(module, "together", clock.together)
    monkeypatch.setattr(collector, "Schedule", Rounds)
    monkeypatch.setattr(session, "Transport", Way)
    connection = SimpleNamespace(namespace="default", cluster_name="test", context="", insecure=False)
    monkeypatch.setattr(session, "connect", lambda **_: connection)
    opened = open_session(Access(**access))
    site = opened.collect(READS, BY_NAME)
    assert {record.name for record in site.reads} >= set(BY_NAME)
    return clock.now


@pytest.mark.parametrize("base", EVERYTHING)
def test_few_requests_wait_for_each_other(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert round_trips(world_of(base), monkeypatch) <= DEEPEST


def test_also_for_an_account_that_may_list_nothing_in_the_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    world = world_of("multi_node")
    world.deny = lambda resource, namespace, name: namespace is None and name is None
    assert round_trips(world, monkeypatch, namespace="exivity", release="exivity") <= DEEPEST


def test_courses_that_wait_for_each_other_are_an_error() -> None:
    def course(other: str) -> Any:
        yield After(frozenset({other}))
        return ()

    with pytest.raises(RuntimeError, match="a, b"):
        Schedule({"a": course("b"), "b": course("a")}, {}, 2, lambda name, made: None).run()


def test_the_longest_way_is_asked_first_and_never_more_at_once_than_there_are_places() -> None:
    order: list[str] = []

    def course(name: str, after: frozenset[str] = frozenset()) -> Any:
        yield After(after)
        yield Ask([lambda: order.append(name)])
        return ()

    courses = {
        **{f"leaf-{number}": course(f"leaf-{number}") for number in range(5)},
        "root": course("root"),
        "end": course("end", frozenset({"root"})),
    }
    Schedule(courses, {"root": 1}, 1, lambda name, made: None).run()
    assert order[0] == "root"
    assert set(order) == set(courses)


# Memory


def fat_pod(number: int) -> dict[str, Any]:
    """A pod as a cluster has them: most of it is never looked at."""
    fields = [{"name": f"VARIABLE_{one}", "value": f"value {one} of pod {number}"} for one in range(40)]
    managed = [{"manager": "kubelet", "fieldsV1": {f"f:{one}-{number}": {"f:x": {}} for one in range(60)}}]
    return {
        "metadata": {"name": f"pod-{number:05}", "namespace": "exivity", "labels": {"app": "x"}, "managedFields": managed},
        "spec": {"nodeName": "worker-1", "containers": [{"name": "c", "image": "x:1", "env": fields}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True", "message": None}]},
    }


def page_of(items: list[Any]) -> bytearray:
    return bytearray(json.dumps({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": items}).encode())


PODS = BY_NAME["pods"]
KEPT = dict.fromkeys(PODS.keep)


def traced(call: Callable[[], Any]) -> tuple[Any, int, int]:
    """What a call returns, the bytes held after it, and the most that were held in it."""
    tracemalloc.start()
    try:
        return (call(), *tracemalloc.get_traced_memory())
    finally:
        tracemalloc.stop()


def test_of_a_large_page_only_what_is_kept_becomes_objects() -> None:
    pods = [fat_pod(number) for number in range(300)]
    content = page_of(pods)
    assert len(content) > 5 * body.SMALL
    page, held, peak = traced(lambda: body.parse_page("application/json", content, lambda: shape(PODS.keep)))
    _, whole, _ = traced(lambda: body.parse("application/json", content))
    cut = pruner(KEPT)
    assert [cut(item) for item in page["items"]] == [cut(item) for item in pods]
    assert "env" not in str(page["items"])
    assert peak < len(content), "less than the page is long is needed beside it"
    assert held < whole / 5


@pytest.mark.parametrize(
    "odd",
    [
        None, "text", 5, [], {"metadata": "text"}, {"metadata": {"name": "x", "labels": None}, "spec": {"containers": {}}},
        {"metadata": {"name": "x"}, "spec": {"containers": [None, "text", {"name": 5}]}, "status": []},
    ],
)  # fmt: skip
def test_an_odd_object_in_a_large_page_is_cut_as_in_a_small_one(odd: Any) -> None:
    pods = [*(fat_pod(number) for number in range(100)), odd]
    page = body.parse_page("application/json", page_of(pods), lambda: shape(PODS.keep))
    assert all(isinstance(item, msgspec.Raw) for item in page["items"])  # type: ignore[attr-defined]
    assert [prune(body.decoded(item), KEPT) for item in page["items"]] == [prune(item, KEPT) for item in pods]  # type: ignore[attr-defined]


@pytest.mark.parametrize("read", [name for name in BY_NAME if not BY_NAME[name].opt_in])
def test_what_fits_the_shape_of_a_read_loses_nothing_that_is_kept(read: str) -> None:
    """Decoding into the shape and cutting gives the same as cutting the whole object."""
    keep = BY_NAME[read].keep
    resources = {**RESOURCES, **OPTIONAL}
    kinds = {kind for name, (_, kind, _) in resources.items() if BY_NAME[read].resource in (name, name.partition(".")[0])}
    objects = [item for base in ("multi_node", "single_node") for kind in kinds for item in _world(base).all(kind)]
    form = shape(keep)
    for item in objects:
        whole, cut = prune(item, dict.fromkeys(keep)), prune(msgspec.json.decode(json.dumps(item), type=form), dict.fromkeys(keep))
        assert json.dumps(cut) == json.dumps(whole)


def test_equal_parts_of_a_long_list_are_held_once() -> None:
    cut = sharing_pruner(KEPT, after=0)
    pods = [fat_pod(number) for number in range(3)]
    pods[2]["status"]["conditions"][0]["status"] = "False"
    one, same, other = (cut(pod) for pod in pods)
    assert [one, same, other] == [prune(pod, KEPT) for pod in pods]
    assert one["status"]["conditions"] is same["status"]["conditions"]
    assert one["status"]["conditions"] is not other["status"]["conditions"]
    assert one["metadata"] is not same["metadata"]


def test_equal_parts_are_sought_after_the_first_objects_alone() -> None:
    cut = sharing_pruner(KEPT, after=2)
    pods = [cut(fat_pod(number)) for number in range(5)]
    assert pods == [prune(fat_pod(number), KEPT) for number in range(5)]
    assert len({id(pod["status"]["conditions"]) for pod in pods}) == 3


def test_descriptions_are_never_shared() -> None:
    """They are completed later, each with the group of its own value."""
    cut = sharing_pruner({"metadata.name": None, "data.a": lambda value: {"secret": {"group": 0}}}, after=0)
    one, other = (cut({"metadata": {"name": "x"}, "data": {"a": "same"}}) for _ in range(2))
    one["data"]["a"]["secret"]["group"] = 1
    assert other["data"]["a"]["secret"]["group"] == 0
    assert one["metadata"] is other["metadata"]


def test_a_secret_is_caught_among_texts_that_recur() -> None:
    clean, dirty = {"text": "harmless", "more": "words"}, {"text": "harmless", "more": "password=hunter2hunter2"}
    assert strained((clean, dirty, clean, dirty))[1::2] == ({"text": "harmless", "more": f"password={MARK}"},) * 2
    assert marks(strained((clean, dirty, [dirty], MARK))) == 3


def test_a_secret_is_caught_across_a_quote_whichever_texts_came_before() -> None:
    """Its end alone holds a hint that catches nothing: known as harmless or not, the whole text is looked at."""
    end, whole = "rest@host", '//user:hunter2"rest@host'
    assert strained(({"text": end}, {"text": whole})) == ({"text": end}, {"text": f"//{MARK}@host"})


_WORLDS: dict[str, World] = {}


def _world(base: str) -> World:
    return _WORLDS.setdefault(base, world_of(base))


@pytest.mark.parametrize("shared", [False, True])
def test_of_a_list_of_named_objects_those_of_other_names_are_not_cut(shared: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """But one that has no name may be the one that is missed; and a read that needs the same list gets all."""
    items = [{"metadata": {"name": name}, "spec": {"nfs": {"server": f"{name}.example"}}} for name in ("a", "b", "c")]
    odd: list[Any] = [{"metadata": {"name": 5}}, {"spec": {}}, "text"]

    class Listed:
        def list(self, path: str, query: Any, *, keep: Any, **_: Any) -> Any:
            return Listing(tuple(map(keep, [*items, *odd])), None, "", 1, None, 200)

    seen: list[Any] = []
    monkeypatch.setitem(DESCRIBERS, "host", lambda value, vault: seen.append(value) or value)
    target: Any = SimpleNamespace(namespace="exivity", fullname_seen=True, marked=None)
    served = discovery.Served("", "v1", "persistentvolumes", "PersistentVolume", False, "/api/v1")
    api: Any = Listed()
    for names, found in ((frozenset({"b"}), ["b"]), (frozenset({"b", "x"}), ["b", 5, None, None])):
        seen.clear()
        recorder = Recorder(api, target)
        if shared:
            recorder.share((BY_NAME["persistentvolumes"], BY_NAME["node_volumes"]))
        record, rest = recorder.among(BY_NAME["persistentvolumes"], served, None, names)
        assert record is not None
        assert sorted((item.get("metadata", {}).get("name") for item in record.objects), key=str) == sorted(found, key=str)
        assert (rest, seen) == (frozenset(), ["b.example"])
        if shared:
            assert len(recorder.at(BY_NAME["node_volumes"], served, Place()).objects) == len(items) + len(odd)


def test_a_list_longer_than_the_names_are_many_is_left_after_a_page() -> None:
    asked: list[Any] = []

    class Listed:
        def list(self, path: str, query: Any, *, keep: Any, most: int | None = None, **_: Any) -> Any:
            asked.append((path, most))
            return Listing((keep({"metadata": {"name": "b"}}),), None, "", 1, None, 200, remaining=True)

    target: Any = SimpleNamespace(namespace="exivity", fullname_seen=True, marked=None)
    served = discovery.Served("", "v1", "persistentvolumes", "PersistentVolume", False, "/api/v1")
    api: Any = Listed()
    record, rest = Recorder(api, target).among(BY_NAME["persistentvolumes"], served, None, frozenset({"a", "b", "c"}))
    assert asked == [("/api/v1/persistentvolumes", 3)]
    assert record is not None
    assert [item["metadata"]["name"] for item in record.objects] == ["b"]
    assert rest == {"a", "c"}


@pytest.mark.parametrize("namespace", ["", ".."])
def test_a_namespace_that_cannot_be_asked_for_costs_its_own_reads_alone(namespace: str) -> None:
    """The release may be found in an object whose namespace is odd."""

    class Asked:
        def get(self, path: str, query: Any = ()) -> Any:
            checked_path(path)
            raise AssertionError("never reached")

        def list(self, path: str, query: Any, **_: Any) -> Any:
            checked_path(path)
            return Listing((), None, "", 1, None, 200)

        def post_review(self, path: str, body: Any) -> Any:
            raise AssertionError("not asked here")

    target: Any = SimpleNamespace(namespace=namespace, name="exivity", fullname="exivity", fullname_seen=True, marked=None, namespace_failure=None)
    api: Any = Asked()
    served = discovery.Served("", "v1", "configmaps", "ConfigMap", True, "/api/v1")
    recorder = Recorder(api, target)
    recorder.by_label(served, namespace, {"exivity-app-config": BY_NAME["service_configs"]})
    assert recorder.at(BY_NAME["service_configs"], served, Place(namespace, "exivity-app-config")).reason == "a name that cannot be asked for"
    assert recorder.among(BY_NAME["persistentvolumes"], served, namespace, frozenset({"a"})) == (None, frozenset({"a"}))


def test_provisioner_pods_are_asked_for_unless_every_class_was_seen_to_need_none() -> None:
    def asked(change: Callable[[World], None]) -> bool:
        world = world_of("multi_node")
        change(world)
        site = site_of(world, namespace="exivity", release="exivity", wanted=["provisioner_pods"])
        return any(record.place.labels for record in site.reads if record.name == "provisioner_pods")

    def spoil(kind: str, field: str, value: Any) -> Callable[[World], None]:
        return lambda world: next(iter(world.all(kind))).update({field: value})

    assert not asked(lambda world: None)
    assert asked(spoil("StorageClass", "provisioner", "rancher.io/local-path"))
    assert asked(spoil("StorageClass", "provisioner", 7))
    assert asked(spoil("StorageClass", "metadata", {"name": None}))
    assert asked(spoil("PersistentVolumeClaim", "spec", 5))
