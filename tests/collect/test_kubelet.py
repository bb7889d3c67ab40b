"""The kubelets asked over HTTPS on loopback: what is kept, what each fault means, and that nothing leaks or hangs."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from exivity_audit.collect import beside
from exivity_audit.collect.beside import Told, reason_of
from exivity_audit.collect.connection import Connection
from exivity_audit.collect.deadline import Deadline
from exivity_audit.collect.kubelet import Kubelets
from exivity_audit.collect.place import NotAsked
from exivity_audit.collect.release import Target
from exivity_audit.collect.stats import Stats
from exivity_audit.document import Document
from exivity_audit.fact import Objects
from exivity_audit.snapshot import Place
from tests.collect.fake_server import FakeServer, Pair, Reply, closed_port, make_pair, raw, reply, silent_port

PATH = "/stats/summary"
CANARY = "CANARY-token"


def volume(namespace: str, name: str, used: Any, **more: Any) -> dict[str, Any]:
    """A volume of a pod as a kubelet shows it."""
    figures = {"capacityBytes": 1000, "availableBytes": 400, "usedBytes": used, "inodes": 50, "inodesUsed": 5, "inodesFree": 45}
    return {"name": "data", "time": "2026-11-23T11:59:30Z", "pvcRef": {"namespace": namespace, "name": name}, **figures, **more}


def summary(*volumes: dict[str, Any]) -> dict[str, Any]:
    """A summary with one pod for each volume, and much that is nobody's business."""
    fs = {
        "time": "2026-11-23T11:59:31Z",
        "availableBytes": 300,
        "capacityBytes": 900,
        "usedBytes": 600,
        "inodes": 9,
        "inodesFree": 8,
        "inodesUsed": 1,
    }
    pods = [{"podRef": {"name": f"CANARY-pod-{number}", "namespace": "x"}, "volume": [one]} for number, one in enumerate(volumes)]
    return {"node": {"nodeName": "worker-1", "cpu": {"usageNanoCores": 1}, "fs": fs, "runtime": {"imageFs": fs}}, "pods": pods}


def known(port: int, address: str = "127.0.0.1", **status: Any) -> dict[str, Any]:
    """What the read's places follow from: the node with its kubelet's port."""
    node = {
        "metadata": {"name": "worker-1"},
        "status": {
            "addresses": [{"type": "Hostname", "address": "worker-1"}, {"type": "InternalIP", "address": address}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
            **status,
        },
    }
    keep = ("metadata.name", "status.addresses", "status.daemonEndpoints")
    return {
        "release": Target("exivity", "exivity", "exivity"),
        "nodes": Objects([Document(node, "nodes", "nodes", "Node", keep)]),
        "middleware_pods": Objects(),
    }


@pytest.fixture
def ask(link: Callable[..., Connection]) -> Iterator[Callable[..., Told]]:
    """Ask the kubelet of worker-1 at a port."""
    opened: list[Kubelets] = []

    def one(port: int, *, seconds: float = 10, deadline: float = 20, connection: Connection | None = None, **more: Any) -> Told:
        kubelets = Kubelets(connection or link("https://api.example:6443"), Deadline(deadline), Stats(), seconds)
        opened.append(kubelets)
        return kubelets(Place(None, "worker-1"), known(port, **more))

    yield one
    for kubelets in opened:
        kubelets.close()


def test_only_the_figures_of_the_namespaces_are_kept(server: FakeServer, ask: Callable[..., Told]) -> None:
    shared = volume("exivity", "exivity-extracted", 700)
    server.route(PATH, reply(summary(volume("exivity", "exivity-extracted", 600), shared, volume("shop", "CANARY-claim", 1), {"name": "no-claim"})))
    told = ask(server.port)
    assert told.failure is None
    (found,) = told.objects
    assert found["metadata"] == {"name": "worker-1"}
    assert found["fs"] == {"capacity": 900, "available": 300, "used": 600, "inodes": 9, "inodesUsed": 1, "time": "2026-11-23T11:59:31Z"}
    assert [(one["namespace"], one["name"], one["used"]) for one in found["volumes"]] == [("exivity", "exivity-extracted", 700)]
    assert "CANARY" not in json.dumps(found)
    assert server.asked[0].method == "GET"
    assert server.asked[0].path == PATH
    assert server.asked[0].header("Authorization") == [f"Bearer {CANARY}"]
    assert not any("proxy" in asked.path for asked in server.asked)


@pytest.mark.parametrize("value", [-1, True, "600", None, 1e400, 2**70, [1]])
def test_what_is_no_amount_is_left_out(server: FakeServer, ask: Callable[..., Told], value: Any) -> None:
    body = json.dumps(summary(volume("exivity", "exivity-extracted", value))).replace("Infinity", "1e400")
    server.route(PATH, Reply(200, body.encode()))
    told = ask(server.port)
    assert told.failure is not None or "used" not in told.objects[0]["volumes"][0]


@pytest.mark.parametrize(
    ("answer", "kind", "said", "helps"),
    [
        (Reply(401, b"Unauthorized", content_type="text/plain"), "unauthorized", "does not accept", "webhook"),
        (Reply(403, b"Forbidden (user=CANARY, verb=get)", content_type="text/plain"), "forbidden", "may not read", "get nodes/stats"),
        (Reply(404, b"404 page not found", content_type="text/plain"), "not-found", "no such thing", ""),
        (Reply(500, b"CANARY trace"), "server", "an error (500)", ""),
        (Reply(302, b"", (("Location", "https://login.CANARY"),)), "malformed", "redirect", ""),
        (Reply(200, b"<html>CANARY</html>", content_type="text/html"), "malformed", "HTML page", ""),
        (Reply(200, b'{"node": CANARY'), "malformed", "not valid JSON", ""),
        (Reply(200, b'{"node": {"fs": {"usedBytes": NaN}}, "pods": []}'), "malformed", "not valid JSON", ""),
        (reply({"node": "CANARY", "pods": []}), "malformed", "no kubelet's summary", ""),
        (reply({"kind": "Status"}), "malformed", "no kubelet's summary", ""),
        (raw(b"CANARY\r\n\r\n"), "connection", "broken off", "a route"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_fault_is_said_without_its_text(server: FakeServer, ask: Callable[..., Told], answer: Reply, kind: str, said: str, helps: str) -> None:
    server.route(PATH, answer)
    told = ask(server.port)
    assert told.failure is not None
    assert told.failure.kind == kind
    text = reason_of(told)
    assert said in text
    assert helps in text
    assert "CANARY" not in text
    assert told.objects == ()


def test_a_hang_ends_in_its_time(server: FakeServer, ask: Callable[..., Told]) -> None:
    server.route(PATH, raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{", hang=True))
    began = time.monotonic()
    told = ask(server.port, seconds=0.5)
    assert told.failure is not None
    assert told.failure.kind == "timeout"
    assert time.monotonic() - began < 30
    with silent_port() as port:
        assert ask(port, seconds=0.5).failure.kind == "timeout"  # type: ignore[union-attr]
    assert ask(server.port, deadline=0).failure.kind == "deadline"  # type: ignore[union-attr]


def test_a_huge_answer_is_not_read_to_its_end(server: FakeServer, ask: Callable[..., Told], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside.Client.__init__, "__kwdefaults__", {"seconds": 10.0, "largest": 100_000, "lists": False})
    server.route(PATH, Reply(200, b'{"node": "' + b"x" * 400_000 + b'"}'))
    told = ask(server.port)
    assert told.failure is not None
    assert told.failure.kind == "too-large"


def test_nobody_listens(ask: Callable[..., Told]) -> None:
    told = ask(closed_port())
    assert told.failure is not None
    assert "refused" in reason_of(told)


def test_a_self_signed_certificate_is_a_failed_read_and_gets_no_token(tmp_path: Path, ask: Callable[..., Told]) -> None:
    for pair in (make_pair("worker-1@1700000000", hosts=("127.0.0.1",)), make_pair("other", hosts=("elsewhere.example",))):
        server = FakeServer(pair)
        server.route(PATH, reply(summary()))
        with server.running(tmp_path):
            told = ask(server.port)
        assert told.failure is not None
        assert told.failure.kind == "tls"
        assert "serverTLSBootstrap" in reason_of(told)
        assert server.asked == [], "nothing was sent to a server that nobody vouches for"


def test_an_insecure_kubeconfig_is_followed(tmp_path: Path, ask: Callable[..., Told], link: Callable[..., Connection]) -> None:
    server = FakeServer(make_pair("worker-1", hosts=("127.0.0.1",)))
    server.route(PATH, reply(summary()))
    with server.running(tmp_path):
        connection = link("https://api.example:6443", insecure=True)
        assert connection.insecure
        assert ask(server.port, connection=connection).failure is None


def test_neither_the_api_servers_proxy_nor_its_other_name_is_used(
    server: FakeServer, ask: Callable[..., Told], link: Callable[..., Connection]
) -> None:
    server.route(PATH, reply(summary()))
    connection = link("https://api.example:6443", tls_server_name="nobody.example", proxy_url=f"http://127.0.0.1:{closed_port()}")
    assert ask(server.port, connection=connection).failure is None


def test_a_client_certificate_is_shown(
    tmp_path: Path, authority: Pair, server_pair: Pair, ask: Callable[..., Told], link: Callable[..., Connection]
) -> None:
    import base64

    client = make_pair("auditor", authority)
    server = FakeServer(server_pair, client_authority=authority.certificate)
    server.route(PATH, reply(summary()))
    user = {"client-certificate-data": base64.b64encode(client.certificate).decode(), "client-key-data": base64.b64encode(client.key).decode()}
    with server.running(tmp_path):
        assert ask(server.port, connection=link("https://api.example:6443", user=user)).failure is None
    assert server.asked[0].client


def test_impersonation_is_refused_for_a_kubelet_would_ignore_it(
    server: FakeServer, ask: Callable[..., Told], link: Callable[..., Connection]
) -> None:
    connection = replace(link("https://api.example:6443"), impersonation=(("Impersonate-User", "jane"),))
    with pytest.raises(NotAsked, match="impersonation"):
        ask(server.port, connection=connection)
    assert server.asked == []


def test_without_tls_to_the_api_server_no_kubelet_is_asked(server: FakeServer, ask: Callable[..., Told]) -> None:
    told = ask(server.port, connection=Connection("http://127.0.0.1:1"))
    assert told.failure is not None
    assert "vouches" in told.failure.reason
    assert server.asked == []


@pytest.mark.parametrize("address", ["", "worker-1.evil.example", "10.0.0.1/../../", "user@10.0.0.1"])
def test_an_address_that_is_none_is_not_asked(server: FakeServer, ask: Callable[..., Told], address: str) -> None:
    told = ask(server.port, address=address)
    assert told.failure is not None
    assert "no address" in told.failure.reason
    assert server.asked == []


def test_the_context_still_verifies(link: Callable[..., Connection]) -> None:
    context = link("https://api.example:6443").ssl_context
    assert context is not None
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_the_collector_asks_the_nodes_that_run_the_product(server: FakeServer, link: Callable[..., Connection]) -> None:
    from exivity_audit.collect.collector import base, collect_site
    from exivity_audit.collect.discovery import discover
    from exivity_audit.collect.reads import READS
    from exivity_audit.snapshot import Outcome
    from tests import builders

    world: Any = builders.single_node()
    port = {"kubeletEndpoint": {"Port": server.port}}
    for name in ("only", "idle"):
        world.add(builders.node(name, None)) if name == "idle" else None
        world.edit("Node", name, lambda item: item["status"].update(addresses=[{"type": "InternalIP", "address": "127.0.0.1"}], daemonEndpoints=port))
    server.route(PATH, reply(summary(volume("exivity", "exivity-extracted", 600), volume("shop", "CANARY-claim", 1))))
    kubelets = Kubelets(link("https://api.example:6443"), Deadline(20), Stats(), 10)
    found, version = discover(world), world.get("/version")
    site = collect_site(
        world, found, READS, ["kubelet_stats"], Target("exivity", "exivity", "exivity"), base(world, found, version, "test"), site="default", role=None,
        insecure=False, secrets="none", sources={"kubelet/stats": kubelets},
    )  # fmt: skip
    kubelets.close()
    (record,) = [record for record in site.reads if record.name == "kubelet_stats"]
    assert (record.outcome, record.place.name, server.count(PATH)) == (Outcome.FOUND, "only", 1)
    assert record.objects[0]["volumes"][0]["used"] == 600
    assert record.objects[0]["fs"]["capacity"] == 900
    assert "CANARY" not in str(record)
