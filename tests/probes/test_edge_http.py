"""What an nginx answers over both ports, and peers that speak HTTP badly, to the verdicts of plain-http, routes and trusted-proxy."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from exivity_audit.probes.attempt import Path as Way
from exivity_audit.verdict import Status, Verdict
from tests import builders
from tests.mutation import put
from tests.probes.edge import pki
from tests.probes.edge.nginx import API, MISSING, PAGE, REDIRECT, edge, free_port
from tests.probes.edge.peers import Behaviour, dripping, flooding, peer, saying, silent
from tests.probes.edge.pki import HOST
from tests.probes.edge.scene import SUBJECT, UPSTREAM, Scene, published, site, text_of, verdicts
from tests.world import World

FAIL, WARN, PASS, UNKNOWN, MANUAL, SKIP = Status.FAIL, Status.WARN, Status.PASS, Status.UNKNOWN, Status.MANUAL, Status.SKIP
needs_nginx = pytest.mark.skipif(bool(MISSING), reason=MISSING)
HSTS = "Strict-Transport-Security was not seen"
PAIR = pki.issued()

PLAIN = [
    ("a redirect to https", REDIRECT, PASS, "308 to https"),
    ("a redirect of an old kind", f"return 301 https://{HOST}$request_uri;", PASS, "301 to https"),
    ("a page", PAGE, FAIL, "answers 200"),
    ("a login", "location / { return 401; }", FAIL, "answers 401"),
    ("a redirect that stays plain", f"return 302 http://{HOST}/login;", FAIL, "answers 302 to http"),
    ("a relative redirect", "absolute_redirect off; return 302 /login;", FAIL, "answers 302 to http"),
    ("nothing of the product", "return 404;", PASS, "answers 404, no page"),
    ("an error of the server", "return 503;", MANUAL, "show that port 80 redirects"),
]


@needs_nginx
@pytest.mark.parametrize(("name", "plain", "status", "text"), PLAIN, ids=[one[0] for one in PLAIN])
def test_what_port_80_answers_upstream(tmp_path: Path, name: str, plain: str, status: Status, text: str) -> None:
    with edge(tmp_path, PAIR, plain=plain) as served:
        found = verdicts("plain-http", Scene(served.connect()), config=UPSTREAM)[SUBJECT]
        assert (found.status, text in found.message) == (status, True), found.message
        assert found.remark == (HSTS if status is PASS else "")
        asked = served.requests()
    assert asked.count("GET") == len(asked.splitlines()), "nothing but GET"
    assert '"-" "-"' in asked, "no credentials and no cookies"


@needs_nginx
def test_a_redirect_to_another_host_is_told(tmp_path: Path) -> None:
    with edge(
        tmp_path, PAIR, plain="return 301 https://login.acme.eu/;", settings="add_header Strict-Transport-Security max-age=31536000 always;"
    ) as served:
        found = verdicts("plain-http", Scene(served.connect()), config=UPSTREAM)[SUBJECT]
    assert (found.status, found.remark) == (PASS, "to another host, login.acme.eu")


@needs_nginx
@pytest.mark.parametrize("kind", ["refused", "silent"])
def test_port_80_that_is_not_there_beside_a_443_that_is(tmp_path: Path, kind: str) -> None:
    with edge(tmp_path, PAIR) as served, peer(silent) as port:
        connect = {**served.connect(), (HOST, 80): ("127.0.0.1", free_port() if kind == "refused" else port)}
        found = verdicts("plain-http", Scene(connect, seconds=1), config=UPSTREAM)[SUBJECT]
        assert found.status is PASS
        assert found.message.endswith(
            f"port 80 {'refuses' if kind == 'refused' else 'does not answer'}, 443 answers (probe from outside the cluster)"
        )
        nowhere = verdicts("plain-http", Scene({**connect, (HOST, 443): ("127.0.0.1", free_port())}, seconds=1), config=UPSTREAM)[SUBJECT]
    assert nowhere.status is MANUAL, "where nothing is reached, nothing is proven"


def without_redirect(address: str) -> World:
    """The world whose controller redirects nothing, published at an address."""
    world = published(address)
    container = world.find("Deployment", "traefik")["spec"]["template"]["spec"]["containers"][0]
    container["args"] = [one for one in container["args"] if "redirections" not in one]
    return world


@needs_nginx
def test_what_is_set_and_what_is_tried(tmp_path: Path) -> None:
    with edge(tmp_path, PAIR) as served:
        scene = Scene(served.connect())
        both = verdicts("plain-http", scene)[SUBJECT]
        assert both.status is PASS
        assert {one.read for one in both.evidence} >= {"controller_deployments", "probe_http"}
        own = verdicts("plain-http", scene, world=without_redirect("127.0.0.1"))[SUBJECT]
        assert own.status is PASS
        assert "though set otherwise" in own.remark
        other = verdicts("plain-http", scene, world=without_redirect("203.0.113.9"))[SUBJECT]
        assert other.status is FAIL
        assert "at an address that this cluster does not publish" in other.remark
    with edge(tmp_path, PAIR, plain=PAGE) as served:
        assert verdicts("plain-http", Scene(served.connect()))[SUBJECT].status is FAIL, "set right, and served in the clear"
        passive = verdicts("plain-http", Scene(served.connect()), role="passive")[SUBJECT]
        assert passive.status is PASS, "at the passive site the host leads to the other one"


def routed(found: dict[str, Verdict]) -> dict[str, str]:
    """The status of each path."""
    return {subject.rpartition(HOST)[2]: str(one.status) for subject, one in found.items()}


@needs_nginx
@pytest.mark.parametrize(
    ("name", "tls", "wanted"),
    [
        ("right", f"{API} {PAGE}", {"/": PASS, "/v1/": PASS, "/v2/": PASS}),
        ("the page answers everything", PAGE, {"/": PASS, "/v1/": FAIL, "/v2/": FAIL}),
        ("nothing behind the API", f"location /v1/ {{ return 503; }} location /v2/ {{ return 502; }} {PAGE}", {"/": PASS, "/v1/": FAIL, "/v2/": FAIL}),
        ("no page", f"{API} location / {{ return 404; }}", {"/": FAIL, "/v1/": PASS, "/v2/": PASS}),
        ("the API answers the page", "location / { default_type application/json; return 200 '{}'; }", {"/": FAIL, "/v1/": PASS, "/v2/": PASS}),
        ("a login before it all", "location / { return 302 https://sso.acme.eu/; }", {"/": PASS, "/v1/": PASS, "/v2/": PASS}),
    ],
)  # fmt: skip
def test_paths(tmp_path: Path, name: str, tls: str, wanted: dict[str, Status]) -> None:
    with edge(tmp_path, PAIR, tls=tls) as served:
        found = verdicts("routes", Scene(served.connect()))
        passive = verdicts("routes", Scene(served.connect()), role="passive")
    assert routed(found) == {path: str(status) for path, status in wanted.items()}
    assert all("probe from outside" in one.message for one in found.values() if one.status is FAIL)
    assert set(routed(passive).values()) == {"pass"}
    told = [one for one in found.values() if "answers" in one.message]
    assert len(told) == (0 if name == "a login before it all" else 3), "of what cannot be told nothing is said"


FORGED = [
    ("nothing shows", f"{API} {PAGE}", REDIRECT, Way.LAPTOP, ""),
    ("the redirect goes away", PAGE, f"if ($http_x_forwarded_proto != https) {{ return 308 https://$host/; }} {PAGE}", Way.LAPTOP, "takes the redirect"),
    ("a redirect comes", f"if ($http_x_forwarded_proto = http) {{ return 308 https://$host/; }} {PAGE}", REDIRECT, Way.LAPTOP, "brings a redirect"),
    ("the host is believed", PAGE, "return 308 https://$http_x_forwarded_host/;", Way.LAPTOP, "carries what was forged"),
    ("the address comes back", "location / { default_type text/html; return 200 '<html>$http_x_forwarded_for</html>'; }", REDIRECT, Way.LAPTOP, "carries what was forged"),
    ("from inside it tells nothing", PAGE, f"if ($http_x_forwarded_proto != https) {{ return 308 https://$host/; }} {PAGE}", Way.IN_CLUSTER, ""),
]  # fmt: skip


@needs_nginx
@pytest.mark.parametrize(("name", "tls", "plain", "path", "text"), FORGED, ids=[one[0] for one in FORGED])
def test_forged_headers(tmp_path: Path, name: str, tls: str, plain: str, path: Way, text: str) -> None:
    with edge(tmp_path, PAIR, tls=tls, plain=plain) as served:
        found = verdicts("trusted-proxy", Scene(served.connect(), path=path))
    assert (SUBJECT in found) is bool(text)
    if text:
        assert found[SUBJECT].status is WARN
        assert text in found[SUBJECT].message
    assert found["ConfigMap exivity/exivity-proximity-api-env"].status is PASS


OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
BAD: list[tuple[str, Behaviour, str]] = [
    ("no HTTP at all", saying(b"SSH-2.0-OpenSSH_9.2\r\n"), "protocol"),
    ("a status that is none", saying(b"HTTP/1.1 banana\r\n\r\n"), "protocol"),
    ("closes without a word", saying(b""), "protocol"),
    ("headers without end", flooding(OK, b"X-Filler: 0123456789\r\n" * 100), "protocol"),
    ("one header without end", flooding(OK + b"X: ", b"a" * 10_000), "protocol"),
    ("headers a byte at a time", dripping(OK + b"X: ", b"a"), "timeout"),
    ("a body a byte at a time", dripping(OK + b"\r\n", b"a"), "timeout"),
    ("chunks a byte at a time", dripping(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"), "timeout"),
    ("says nothing", silent, "timeout"),
]


@pytest.mark.parametrize(("name", "behave", "kind"), BAD, ids=[one[0] for one in BAD])
def test_peers_that_speak_http_badly(name: str, behave: Behaviour, kind: str) -> None:
    with peer(behave) as port:
        before = time.monotonic()
        found = site("plain-http", Scene({(HOST, 80): ("127.0.0.1", port), (HOST, 443): ("127.0.0.1", port)}, seconds=1, probes=("http",)))
        assert time.monotonic() - before < 30
    kinds: dict[str, Any] = {
        one["metadata"]["name"]: one.get("failure", {}).get("kind") for read in found.reads if read.name == "probe_http" for one in read.objects
    }
    assert kinds[f"http://{HOST}/"] == kind


def test_what_was_answered_stays_where_forged_headers_are_met_with_silence() -> None:
    def behave(made: socket.socket, over: threading.Event) -> None:
        if b"X-Forwarded" in made.recv(4096):
            over.wait()
        made.sendall(OK + b"Content-Length: 6\r\n\r\n<html>")

    with peer(behave) as port:
        found = verdicts("plain-http", Scene({(HOST, 80): ("127.0.0.1", port)}, seconds=2, probes=("http",)), config=UPSTREAM)[SUBJECT]
    assert (found.status, "answers 200" in found.message) == (FAIL, True)


def test_a_body_without_end_is_read_in_part() -> None:
    with peer(flooding(OK + b"\r\n<html>", b"a" * 65536)) as port:
        found = verdicts("plain-http", Scene({(HOST, 80): ("127.0.0.1", port)}, seconds=2, probes=("http",)), config=UPSTREAM)[SUBJECT]
    assert found.status is FAIL


def test_what_a_server_says_of_itself_is_cut(tmp_path: Path) -> None:
    answer = (
        b"HTTP/1.1 302 Found\r\nServer: nginx/1.2 (CANARY-1 token)\r\nLocation: https://user:CANARY-2@exivity.acme.eu/CANARY-3?code=CANARY-4#CANARY-5\r\n"
        b"Set-Cookie: session=CANARY-6\r\nStrict-Transport-Security: max-age=1; CANARY-7\r\nContent-Type: text/CANARY-8\r\nContent-Length: 8\r\n\r\nCANARY-9"
    )
    with peer(saying(answer)) as port:
        text = text_of(site("plain-http", Scene({(HOST, 80): ("127.0.0.1", port)}, seconds=2, probes=("http",))))
    assert '"status": 302' in text
    assert "CANARY" not in text


@needs_nginx
def test_other_forms_of_the_way_in_are_probed(tmp_path: Path) -> None:
    for world in (builders.multi_node_gateway(), builders.multi_node_openshift()):
        hosts = {
            route
            for one in world.objects
            for route in (one["spec"].get("hostnames", []) if one["kind"] == "HTTPRoute" else [one["spec"]["host"]] if one["kind"] == "Route" else [])
        }
        (host,) = hosts
        with edge(tmp_path, pki.issued(host)) as served:
            found = site("plain-http", Scene(served.connect(host)), world)
        (seen,) = [one for read in found.reads if read.name == "probe_http" for one in read.objects if one["metadata"]["name"] == f"http://{host}/"]
        assert seen["status"] == 308


def test_names_that_cannot_be_asked_for_are_not() -> None:
    for host in ("*.acme.eu", "10.0.0.1", "a b", "-x.acme.eu", "x" * 300):
        world = builders.multi_node()
        world.edit("Ingress", "exivity", put("spec.rules.0.host", host))
        assert not [one for read in site("plain-http", Scene(), world).reads if read.resource.startswith("probe/") for one in read.objects]
