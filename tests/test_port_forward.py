"""Servers inside the cluster: which way leads to them, and the port-forward that a probe from outside takes."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path as File
from typing import Any

import pytest

from exivity_audit.collect.connection import Connection
from exivity_audit.collect.credentials import Fixed
from exivity_audit.collect.discovery import discover
from exivity_audit.collect.place import NotAsked
from exivity_audit.collect.proxy import Proxy
from exivity_audit.probes.attempt import Attempt, Failed, Path
from exivity_audit.probes.port_forward import PortForwards
from exivity_audit.probes.ways import Pod, Ways, standing
from exivity_audit.probes.wire import client_context, connected, resolve, secured, sent
from tests.builders import made, multi_node
from tests.collect.fake_server import make_pair
from tests.forwarding import forwarding, frame
from tests.world import Object, World

POD = Pod("databases", "pg-1", 5432)
HOST = "pg.databases.svc"


@contextmanager
def echo(context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server that says everything again, at a port of loopback."""
    listener = socket.create_server(("127.0.0.1", 0))

    def one(plain: socket.socket) -> None:
        try:
            with context.wrap_socket(plain, server_side=True) if context else plain as talking:
                while content := talking.recv(4096):
                    talking.sendall(content)
        except OSError:
            pass

    def accepting() -> None:
        try:
            while True:
                threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()
        except OSError:
            pass

    threading.Thread(target=accepting, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def connection(port: int, context: ssl.SSLContext | None = None, **more: Any) -> Connection:
    """The way to the forwarding server."""
    return Connection(f"{'https' if context else 'http'}://localhost:{port}", context, Fixed("Bearer CANARY"), **more)


def said(attempt: Attempt, address: tuple[str, int], content: bytes) -> bytes:
    """What comes back for some bytes."""
    one = connected(attempt, *address, resolve)
    sent(attempt, one, content)
    found = b""
    while len(found) < len(content):
        part = one.recv(65536)
        if not part:
            break
        found += part
    one.close()
    return found


def test_bytes_go_both_ways_and_nothing_outlives_the_attempt() -> None:
    attempt = Attempt(10)
    with echo() as target, forwarding(target) as server:
        address = PortForwards(connection(server.port, impersonation=(("Impersonate-User", "jane"),)))(POD, attempt)
        assert address[0] == "127.0.0.1"
        content = bytes(range(256)) * 400
        for _ in range(3):
            assert said(attempt, address, content) == content
        head = server.asked[0]
        assert head.startswith("GET /api/v1/namespaces/databases/pods/pg-1/portforward?ports=5432 HTTP/1.1")
        assert "Authorization: Bearer CANARY" in head
        assert "Impersonate-User: jane" in head
        assert len(server.asked) == 3, "a connection each, the first one made beforehand"
        attempt.end()
        end = time.monotonic() + 5
        while server.open and time.monotonic() < end:
            time.sleep(0.02)
        assert server.open == 0
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(address, 1)


def test_the_name_of_the_service_is_verified_through_the_forward(tmp_path: File) -> None:
    authority = make_pair("authority", authority=True)
    pair = make_pair("server", authority, hosts=(HOST,))
    (tmp_path / "ca.pem").write_bytes(authority.certificate)
    (tmp_path / "pair.pem").write_bytes(pair.certificate + pair.key)
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(tmp_path / "pair.pem")
    attempt = Attempt(10)
    with echo(server_side) as target, forwarding(target) as server:
        address = PortForwards(connection(server.port))(POD, attempt)
        talking = secured(attempt, connected(attempt, *address, resolve), client_context(tmp_path / "ca.pem"), HOST)
        sent(attempt, talking, b"hello")
        assert talking.recv(5) == b"hello"
        with pytest.raises(ssl.SSLCertVerificationError):
            secured(attempt, connected(attempt, *address, resolve), client_context(tmp_path / "ca.pem"), "other.databases.svc")
    attempt.end()


def test_the_api_server_is_verified(tmp_path: File) -> None:
    authority = make_pair("authority", authority=True)
    pair = make_pair("server", authority, hosts=("localhost",))
    (tmp_path / "pair.pem").write_bytes(pair.certificate + pair.key)
    (tmp_path / "ca.pem").write_bytes(authority.certificate)
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(tmp_path / "pair.pem")
    attempt = Attempt(10)
    with echo() as target, forwarding(target, server_side) as server:
        trusted = PortForwards(connection(server.port, client_context(tmp_path / "ca.pem")))
        assert said(attempt, trusted(POD, attempt), b"hello") == b"hello"
        with pytest.raises(ssl.SSLCertVerificationError):
            PortForwards(connection(server.port, client_context(None)))(POD, attempt)
        assert "CANARY" not in str(server.asked[1:]), "the token went to no server that is not trusted"
    attempt.end()


@pytest.mark.parametrize("status", [401, 403])
def test_without_the_right_it_is_not_asked(status: int) -> None:
    attempt = Attempt(5)
    with forwarding(0, status=status) as server, pytest.raises(NotAsked, match="get and create pods/portforward") as error:
        PortForwards(connection(server.port))(POD, attempt)
    assert "CANARY" not in str(error.value)


@pytest.mark.parametrize("status", [200, 302, 400, 404, 500, 503])
def test_other_answers_are_failures(status: int) -> None:
    attempt = Attempt(5)
    with forwarding(0, status=status) as server, pytest.raises(Failed) as error:
        PortForwards(connection(server.port))(POD, attempt)
    assert error.value.kind == "forward"
    assert "CANARY" not in str(error.value)


@pytest.mark.parametrize("odd", [frame(b"\x09\x00\x00"), frame(b"\x00\x01"), frame(b""), frame(b"\x00\x01\x01"), b"\xff" * 64, frame(b"x", 1)])
def test_a_server_against_the_protocol_closes_the_forward_and_says_nothing(odd: bytes, capfd: Any) -> None:
    attempt = Attempt(3)
    with forwarding(0, odd=odd) as server:
        address = PortForwards(connection(server.port))(POD, attempt)
        with suppress(OSError):
            assert said(attempt, address, b"hello") == b""
    attempt.end()
    time.sleep(0.1)
    assert capfd.readouterr().err == ""


def test_an_api_server_that_hangs_costs_the_attempt_alone() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    attempt = Attempt(1)
    before = time.monotonic()
    with pytest.raises((Failed, OSError)):
        PortForwards(connection(listener.getsockname()[1]))(POD, attempt)
    assert time.monotonic() - before < 30
    listener.close()


def test_no_port_forward_through_a_proxy() -> None:
    with pytest.raises(NotAsked, match="without a proxy"):
        PortForwards(connection(1, proxy=Proxy("http://proxy.corp:3128")))(POD, Attempt(5))


def service(name: str, namespace: str = "exivity", **spec: Any) -> Object:
    """A Service."""
    return made(
        "v1",
        "Service",
        name,
        namespace,
        spec={
            "type": "ClusterIP",
            "clusterIP": "10.43.0.9",
            "selector": {"app": name},
            "ports": [{"port": 5432, "targetPort": "postgresql"}],
            **spec,
        },
    )


def pod(name: str, app: str, namespace: str = "exivity", ready: str = "True") -> Object:
    """A pod with a named port."""
    spec = {"containers": [{"name": "server", "ports": [{"name": "postgresql", "containerPort": 15432}]}]}
    return made(
        "v1", "Pod", name, namespace, metadata={"labels": {"app": app}}, spec=spec, status={"conditions": [{"type": "Ready", "status": ready}]}
    )


def ways(world: World, path: Path = Path.LAPTOP, forward: Any = None, connect: Any = None) -> Ways:
    """The ways of a world."""
    api: Any = world
    return Ways(api, discover(api), "exivity", path, connect or {}, forward)


def went(world: World, host: str, port: int = 5432) -> tuple[Any, Pod]:
    """The way through a forward, and the pod it leads to."""
    found: list[Pod] = []

    def forward(one: Pod, attempt: Attempt) -> tuple[str, int]:
        found.append(one)
        return "127.0.0.1", 40000

    attempt = Attempt(5)
    way = ways(world, forward=forward).to(host, port, attempt)
    assert way.path is attempt.path is Path.PORT_FORWARD
    return way, found[0]


def cluster(*objects: Object) -> World:
    """A world with a database of two pods."""
    world = multi_node()
    world.add(service("db"), pod("db-0", "db", ready="False"), pod("db-1", "db"), made("v1", "Namespace", "data"), *objects)
    return world


@pytest.mark.parametrize("host", ["db", "db.exivity", "db.exivity.svc", "db.exivity.svc.cluster.local", "db.exivity.svc.cluster.local."])
def test_a_service_is_forwarded_to_a_ready_pod_under_its_own_name(host: str) -> None:
    way, target = went(cluster(), host)
    assert (way.host, way.address, way.port) == (host.rstrip("."), "127.0.0.1", 40000)
    assert target == Pod("exivity", "db-1", 15432)


def test_services_of_other_namespaces_external_names_and_headless_ones() -> None:
    world = cluster(
        service("db", "data"), pod("x", "db", "data"), service("alias", type="ExternalName", externalName="db.data.svc.cluster.local", selector=None)
    )
    assert went(world, "db.data")[1] == Pod("data", "x", 15432)
    assert went(world, "alias")[1] == Pod("data", "x", 15432)
    world.add(service("headless", clusterIP="None"), pod("headless-0", "headless"), pod("headless-1", "headless"))
    assert went(world, "headless-1.headless.exivity.svc")[1] == Pod("exivity", "headless-1", 5432)
    world.add(
        service("out", type="ExternalName", externalName="db.corp.example", selector=None),
        service("loop", type="ExternalName", externalName="loop", selector=None),
    )
    assert ways(world).to("out", 5432, Attempt(5)).address == "db.corp.example"
    with pytest.raises(Failed, match="circle"):
        ways(world).to("loop", 5432, Attempt(5))


@pytest.mark.parametrize("host", ["db.corp", "db.corp.example", "10.0.0.5", "2001:db8::5", "[2001:db8::5]", "localhost"])
def test_hosts_outside_are_reached_straight(host: str) -> None:
    way = ways(cluster()).to(host, 5432, Attempt(5))
    assert (way.host, way.address, way.path) == (host.strip("[]"), host.strip("[]"), Path.LAPTOP)


def test_inside_the_cluster_the_whole_name_is_used() -> None:
    way = ways(cluster(), Path.IN_CLUSTER).to("db", 5432, Attempt(5, Path.IN_CLUSTER))
    assert (way.host, way.address, way.path) == ("db", "db.exivity.svc", Path.IN_CLUSTER)


def test_the_config_may_say_where_a_host_is_reached() -> None:
    way = ways(cluster(), connect={("db", 5432): ("10.1.2.3", 15432)}).to("db", 5432, Attempt(5))
    assert (way.host, way.address, way.port) == ("db", "10.1.2.3", 15432)


def test_without_the_flag_nothing_is_forwarded() -> None:
    with pytest.raises(NotAsked, match="--probe-port-forward"):
        ways(cluster()).to("db", 5432, Attempt(5))


@pytest.mark.parametrize(
    ("objects", "host", "port", "text"),
    [
        ((), "gone", 5432, "there is no Service gone"), ((service("bare", selector=None),), "bare", 5432, "no selector"),
        ((service("idle"), pod("idle-0", "idle", ready="False")), "idle", 5432, "no pod behind its Service is ready"), ((), "db", 1, "no port 1"),
        ((service("odd", ports=[{"port": 5432, "targetPort": "nameless"}]), pod("odd-0", "odd")), "odd", 5432, "no port 5432"),
        ((service("null", ports=None), pod("null-0", "null")), "null", 5432, "no port"),
    ],
)  # fmt: skip
def test_what_hinders_a_forward_is_said(objects: tuple[Object, ...], host: str, port: int, text: str) -> None:
    with pytest.raises(Failed, match=text):
        went(cluster(*objects), host, port)


def test_forbidden_services_and_pods_are_failures_of_their_own() -> None:
    for resource in ("services", "pods"):
        world = cluster()
        world.deny = lambda asked, namespace, name, resource=resource: asked == resource
        with pytest.raises(Failed, match="forbidden"):
            went(world, "db")


@pytest.mark.parametrize(
    ("server", "in_cluster", "own", "path"),
    [
        ("https://10.43.0.1:443", True, "10.43.0.1", Path.IN_CLUSTER), ("https://10.43.0.1:443", False, "10.43.0.1", Path.IN_CLUSTER),
        ("https://kubernetes.default.svc:443", False, "10.43.0.1", Path.IN_CLUSTER), ("https://api.other.corp:6443", False, "10.43.0.1", Path.LAPTOP),
        ("https://api.corp:6443", False, "", Path.LAPTOP),
    ],
)  # fmt: skip
def test_where_the_tool_stands(server: str, in_cluster: bool, own: str, path: Path) -> None:
    assert standing(Connection(server, in_cluster=in_cluster), {"KUBERNETES_SERVICE_HOST": own}) is path
