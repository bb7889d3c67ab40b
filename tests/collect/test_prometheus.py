"""A Prometheus asked on loopback: which figures are kept, what each fault means, and that neither token nor URL leaks."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from exivity_audit.collect.beside import Told, reason_of
from exivity_audit.collect.deadline import Deadline
from exivity_audit.collect.prometheus import Prometheus, Server, server_of
from exivity_audit.collect.stats import Stats
from exivity_audit.document import Document
from exivity_audit.errors import UsageError
from exivity_audit.fact import Objects
from exivity_audit.snapshot import Place
from tests.collect.fake_server import Asked, FakeServer, Pair, Reply, closed_port, make_pair, raw, reply

PATH = "/prom/api/v1/query"
NOW = 1_795_000_000.5
NODE = {"metadata": {"name": "worker-1"}, "status": {"addresses": [{"type": "InternalIP", "address": "10.0.0.11"}]}}
KNOWN = {"nodes": Objects([Document(NODE, "nodes", "nodes", "Node", ("metadata.name", "status.addresses"))])}


def vector(*series: tuple[dict[str, str], Any]) -> Reply:
    """An instant vector."""
    result = [{"metric": labels, "value": [NOW, value]} for labels, value in series]
    return reply({"status": "success", "data": {"resultType": "vector", "result": result}})


def script(server: FakeServer, answers: dict[str, Reply]) -> None:
    """Answer a query by the longest text it contains, an empty vector else."""

    def answer(asked: Asked) -> Reply:
        fitting = [part for part in answers if all(word in asked.query["query"] for word in part.split(" & "))]
        return answers[max(fitting, key=len)] if fitting else vector()

    server.route(PATH, answer)


@pytest.fixture
def trusted(tmp_path: Path, authority: Pair) -> Path:
    """The file of the authority."""
    path = tmp_path / "ca.pem"
    path.write_bytes(authority.certificate)
    return path


@pytest.fixture
def ask(trusted: Path) -> Iterator[Callable[..., Told]]:
    """Ask a Prometheus for one namespace, or for the nodes."""
    opened: list[Prometheus] = []

    def one(server: Server | FakeServer, *, nodes: bool = False, seconds: float = 10, namespace: str = "exivity", wanted: str = "worker-1") -> Told:
        place = server if isinstance(server, Server) else Server(f"{server.url}/prom", ca_file=trusted)
        prometheus = Prometheus(place, Deadline(20), Stats(), seconds)
        opened.append(prometheus)
        return prometheus.nodes(Place(None, wanted), KNOWN) if nodes else prometheus.volumes(Place(namespace), KNOWN)

    yield one
    for prometheus in opened:
        prometheus.close()


def series(claim: str = "exivity-extracted", **labels: str) -> dict[str, str]:
    return {"namespace": "exivity", "persistentvolumeclaim": claim, "node": "worker-1", **labels}


def test_figures_of_a_claim_with_those_of_a_week_ago(server: FakeServer, ask: Callable[..., Told]) -> None:
    script(server, {
        "used_bytes": vector(({"__name__": "kubelet_volume_stats_used_bytes", **series()}, "600")), "capacity_bytes": vector((series(), "1000")),
        "available_bytes": vector((series(), "350")), "stats_inodes{": vector((series(), "50")), "inodes_used": vector((series(), "5")),
        "used_bytes & offset 7d": vector((series(node="worker-9"), "250")),
    })  # fmt: skip
    told = ask(server)
    assert told.failure is None
    (found,) = told.objects
    assert found == {
        "metadata": {"namespace": "exivity", "name": "exivity-extracted"}, "clusters": 1, "used": 600, "capacity": 1000, "available": 350, "inodes": 50,
        "inodesUsed": 5, "time": "2026-11-18T11:06:40Z", "earlier": {"used": 250, "seconds": 604800},
    }  # fmt: skip
    assert all('namespace="exivity"' in asked.query["query"] for asked in server.asked)
    assert {asked.method for asked in server.asked} == {"GET"}
    assert {asked.path for asked in server.asked} == {PATH}


def test_a_shared_claim_is_one_and_its_figures_are_of_one_series(server: FakeServer, ask: Callable[..., Told]) -> None:
    script(server, {
        "used_bytes": vector((series(), "600"), (series(node="worker-2"), "700")),
        "capacity_bytes": vector((series(), "999"), (series(node="worker-2"), "1000")),
    })  # fmt: skip
    (found,) = ask(server).objects
    assert (found["used"], found["capacity"]) == (700, 1000)


def test_two_clusters_with_one_claim_give_no_figure(server: FakeServer, ask: Callable[..., Told]) -> None:
    script(server, {"used_bytes": vector((series(cluster="ams"), "600"), (series(cluster="fra"), "700"))})
    (found,) = ask(server).objects
    assert found == {"metadata": {"namespace": "exivity", "name": "exivity-extracted"}, "clusters": 2}


def test_labels_that_the_scrape_did_not_honour(server: FakeServer, ask: Callable[..., Told]) -> None:
    labels = {"namespace": "kube-system", "exported_namespace": "exivity", "persistentvolumeclaim": "exivity-extracted"}
    script(
        server,
        {'used_bytes & exported_namespace="exivity"': vector((labels, "1")), 'capacity_bytes & exported_namespace="exivity"': vector((labels, "2"))},
    )
    (found,) = ask(server).objects
    assert (found["used"], found["capacity"]) == (1, 2)


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf", "-5"])
def test_a_value_that_is_no_amount_is_left_out(server: FakeServer, ask: Callable[..., Told], value: str) -> None:
    script(server, {"used_bytes": vector((series(), value), (series("exivity-exported"), "7"))})
    assert [found["metadata"]["name"] for found in ask(server).objects] == ["exivity-exported"]


def test_the_nodes_file_systems(server: FakeServer, ask: Callable[..., Told]) -> None:
    by_address = {"instance": "10.0.0.11:9100", "device": "/dev/sda1", "fstype": "ext4", "mountpoint": "/"}
    other = {**by_address, "mountpoint": "/data"}
    foreign = {**by_address, "instance": "10.0.0.99:9100"}
    pods = {**by_address, "mountpoint": "/var/lib/kubelet/pods/CANARY"}
    script(server, {
        "size_bytes": vector((by_address, "500"), (other, "900"), (foreign, "1"), (pods, "1")),
        "avail_bytes": vector((by_address, "300"), (other, "100"), (foreign, "1"), (pods, "1")), "avail_bytes & offset 7d": vector((by_address, "400")),
    })  # fmt: skip
    (found,) = ask(server, nodes=True).objects
    assert found["metadata"] == {"name": "worker-1"}
    assert [(one["mountpoint"], one["capacity"], one["available"]) for one in found["filesystems"]] == [("/", 500, 300), ("/data", 900, 100)]
    assert found["filesystems"][0]["earlier"] == {"available": 400, "seconds": 604800}
    assert ask(server, nodes=True, wanted="worker-2").objects == ()


def test_nothing_is_known_there(server: FakeServer, ask: Callable[..., Told]) -> None:
    script(server, {})
    assert ask(server) == Told(())
    assert ask(server, namespace='x"} or vector(1) #') == Told(())
    assert not any("vector" in asked.query["query"] for asked in server.asked)


@pytest.mark.parametrize(
    ("answer", "kind", "said", "helps"),
    [
        (Reply(401, b"CANARY", content_type="text/plain"), "unauthorized", "does not accept", "token_file"),
        (Reply(403, b"<html>CANARY</html>", content_type="text/html"), "forbidden", "may not read", "token_file"),
        (Reply(404, b"CANARY"), "not-found", "no such thing", "prometheus.url"),
        (reply({"status": "error", "error": "CANARY"}, 422), "server", "an error (422)", ""),
        (Reply(302, b"", (("Location", "https://login.CANARY"),)), "malformed", "redirect", "prometheus.url"),
        (Reply(200, b"<html>CANARY</html>", content_type="text/html"), "malformed", "HTML page", "prometheus.url"),
        (Reply(200, b"{CANARY"), "malformed", "not valid JSON", ""),
        (reply({"status": "success", "data": {"resultType": "matrix", "result": []}}), "malformed", "no instant vector", ""),
        (
            reply({"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "CANARY"]}]}}),
            "malformed",
            "no number",
            "",
        ),
        (reply({"status": "success", "data": {"resultType": "vector", "result": ["CANARY"]}}), "malformed", "without labels", ""),
        (raw(b"CANARY\r\n\r\n"), "connection", "broken off", "a route"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_fault_is_said_without_its_text(server: FakeServer, ask: Callable[..., Told], answer: Reply, kind: str, said: str, helps: str) -> None:
    server.route(PATH, answer)
    told = ask(server)
    assert told.failure is not None
    assert told.failure.kind == kind
    text = reason_of(told)
    assert said in text
    assert helps in text
    assert "CANARY" not in text
    assert told.objects == ()


def test_one_query_that_fails_leaves_no_half_figures(server: FakeServer, ask: Callable[..., Told]) -> None:
    script(server, {"used_bytes": vector((series(), "600")), "capacity_bytes": Reply(503, b"")})
    assert ask(server).failure is not None


def test_a_hang_ends_in_its_time(server: FakeServer, ask: Callable[..., Told]) -> None:
    server.route(PATH, raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + b" " * 1000, drip=0.05))
    began = time.monotonic()
    told = ask(server, seconds=0.5)
    assert told.failure is not None
    assert told.failure.kind == "timeout"
    assert time.monotonic() - began < 30


def test_an_untrusted_certificate_gets_no_token(tmp_path: Path, ask: Callable[..., Told], trusted: Path) -> None:
    token = tmp_path / "token"
    token.write_text("CANARY-token\n")
    server = FakeServer(make_pair("prometheus", hosts=("127.0.0.1",)))
    server.route(PATH, vector())
    with server.running(tmp_path):
        told = ask(Server(f"{server.url}/prom", token, trusted))
    assert told.failure is not None
    assert told.failure.kind == "tls"
    assert "prometheus.ca_file" in reason_of(told)
    assert "kubeconfig" not in reason_of(told)
    assert server.asked == []


def test_the_token_is_sent_and_nowhere_kept(tmp_path: Path, server: FakeServer, ask: Callable[..., Told], trusted: Path) -> None:
    token = tmp_path / "token"
    token.write_text("CANARY-token\n")
    script(server, {"used_bytes": vector((series(), "1"))})
    told = ask(Server(f"{server.url}/prom", token, trusted))
    assert {tuple(asked.header("Authorization")) for asked in server.asked} == {("Bearer CANARY-token",)}
    assert "CANARY" not in json.dumps(told.objects)


def test_a_user_name_in_the_url_is_sent_and_never_shown(server: FakeServer, ask: Callable[..., Told], trusted: Path) -> None:
    place = server_of(f"https://CANARY-user:CANARY-word@127.0.0.1:{server.port}/prom/", None, str(trusted))
    assert "CANARY" not in repr(place)
    server.route(PATH, Reply(401, b""))
    told = ask(place)
    assert server.asked[0].header("Authorization")[0].startswith("Basic ")
    assert "CANARY" not in reason_of(told)


@pytest.mark.parametrize("name", ["token", "ca"])
def test_a_file_that_cannot_be_used_is_a_failed_read(tmp_path: Path, server: FakeServer, ask: Callable[..., Told], trusted: Path, name: str) -> None:
    missing = tmp_path / "CANARY"
    told = ask(Server(f"{server.url}/prom", missing if name == "token" else None, missing if name == "ca" else trusted))
    assert told.failure is not None
    assert "cannot be used" in told.failure.reason
    assert "CANARY" not in reason_of(told)
    assert server.asked == []


@pytest.mark.parametrize(
    ("url", "token", "said"),
    [
        ("prometheus:9090", None, "no URL"), ("ftp://CANARY", None, "no URL"), ("https://", None, "no URL"), ("https://h/?query=CANARY", None, "no URL"),
        ("https://CANARY:x@h:99999999", None, "no URL"), ("https://h h", None, "no URL"), ("http://CANARY:w@prometheus.corp", None, "in the clear"),
        ("http://prometheus.corp", "t", "in the clear"), ("https://CANARY:w@h", "t", "keep one"),
    ],
)  # fmt: skip
def test_a_bad_url_is_refused_and_not_shown(url: str, token: str | None, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        server_of(url, token, None)
    assert said in f"{raised.value.message} {raised.value.hint}"
    assert "CANARY" not in f"{raised.value.message} {raised.value.hint}"


def test_plain_http_without_credentials_is_asked(ask: Callable[..., Told], tmp_path: Path) -> None:
    plain = FakeServer(None)
    script(plain, {"used_bytes": vector((series(), "1"))})
    with plain.running(tmp_path):
        assert len(ask(server_of(f"{plain.url}/prom", None, None)).objects) == 1
    assert plain.asked[0].header("Authorization") == []
    assert ask(server_of(f"http://127.0.0.1:{closed_port()}", None, None)).failure is not None
