"""Handshakes with a real nginx and with peers that misbehave, through collector and snapshot to the verdicts of ingress/tls and certificate."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from exivity_audit.verdict import Status
from tests import builders
from tests.probes.edge import pki
from tests.probes.edge.nginx import MISSING, edge, free_port
from tests.probes.edge.peers import dripping, peer, saying, silent
from tests.probes.edge.pki import HOST
from tests.probes.edge.scene import SECRET, SUBJECT, UPSTREAM, Scene, own_pair, site, text_of, verdicts

FAIL, WARN, PASS, UNKNOWN, MANUAL, SKIP = Status.FAIL, Status.WARN, Status.PASS, Status.UNKNOWN, Status.MANUAL, Status.SKIP
BY = "(probe from outside the cluster)"
needs_nginx = pytest.mark.skipif(bool(MISSING), reason=MISSING)

SERVED: list[tuple[str, pki.Pair, bool, Status, str]] = [
    ("good", pki.issued(), True, PASS, "Test Issuing, valid until"),
    ("with the root sent as well", pki.issued(sent="leaf intermediate root"), True, PASS, "Test Issuing, valid until"),
    ("for a wildcard", pki.issued("*.acme.eu"), True, PASS, "valid until"),
    ("expired", pki.issued(end=-5), True, FAIL, "expired on"),
    ("not valid yet", pki.issued(begin=5), True, FAIL, "is valid from"),
    ("about to end", pki.issued(end=12), True, WARN, "valid until"),
    ("for another host", pki.issued("other.acme.eu"), True, FAIL, "for other.acme.eu"),
    ("the certificate alone", pki.issued(sent="leaf"), True, FAIL, "sent alone, without Test Issuing"),
    ("out of order", pki.issued(sent="leaf root intermediate"), True, FAIL, "is followed by"),
    ("self-signed", pki.self_signed(), True, WARN, "self-signed"),
    ("by an authority that this machine does not know", pki.issued(), False, UNKNOWN, "Test Root is not an authority that this machine trusts"),
    ("the same with its root sent", pki.issued(sent="leaf intermediate root"), False, UNKNOWN, "Test Root is not an authority"),
    ("made by the chart", pki.self_signed(issuer="exivity-ca"), True, FAIL, "made by the chart"),
]


@needs_nginx
@pytest.mark.parametrize(("name", "pair", "trusted", "status", "text"), SERVED, ids=[one[0] for one in SERVED])
def test_what_is_served_upstream(tmp_path: Path, name: str, pair: pki.Pair, trusted: bool, status: Status, text: str) -> None:
    with edge(tmp_path, pair) as served:
        found = verdicts("certificate", Scene(served.connect(), ca=pki.root() if trusted else None, folder=tmp_path), config=UPSTREAM)
    assert set(found) == {SUBJECT}
    assert (found[SUBJECT].status, text in found[SUBJECT].message, BY in found[SUBJECT].message or status is UNKNOWN) == (status, True, True), found
    if status is UNKNOWN:
        assert found[SUBJECT].needs == ("probes.ca_file in the config",)
    assert {one.read for one in found[SUBJECT].evidence} == {"probe_tls"}


@needs_nginx
@pytest.mark.parametrize(
    ("settings", "status", "text"),
    [
        ("ssl_protocols TLSv1.3;", PASS, "TLSv1.3"), ("ssl_protocols TLSv1.2;", PASS, "TLSv1.2"), ("ssl_protocols TLSv1.1 TLSv1.2 TLSv1.3;", PASS, "TLSv1.3"),
        ("ssl_protocols TLSv1.1; ssl_ciphers DEFAULT:@SECLEVEL=0;", FAIL, "TLSv1.1 alone"), ("ssl_protocols TLSv1; ssl_ciphers DEFAULT:@SECLEVEL=0;", FAIL, "TLSv1 alone"),
    ],
)  # fmt: skip
def test_protocols(tmp_path: Path, settings: str, status: Status, text: str) -> None:
    with edge(tmp_path, pki.issued(), settings=settings) as served:
        scene = Scene(served.connect(), ca=pki.root(), folder=tmp_path)
        declared, configured = verdicts("tls", scene, config=UPSTREAM)[SUBJECT], verdicts("tls", scene)[SUBJECT]
        chain = verdicts("certificate", scene, config=UPSTREAM)[SUBJECT]
    for found in (declared, configured):
        assert found.status is status
        assert text in found.message
        assert BY in found.message
    assert chain.status is (PASS if status is PASS else SKIP)
    assert chain.follows == (None if status is PASS else "ingress/tls")


@needs_nginx
def test_the_name_that_is_asked_for_chooses_the_certificate(tmp_path: Path) -> None:
    with edge(tmp_path, pki.self_signed("default.invalid"), others=((HOST, pki.issued()),)) as served:
        found = verdicts("certificate", Scene(served.connect(), ca=pki.root(), folder=tmp_path), config=UPSTREAM)
    assert found[SUBJECT].status is PASS


@needs_nginx
def test_the_secret_is_judged_and_what_differs_from_it(tmp_path: Path) -> None:
    pair = pki.issued()
    with edge(tmp_path, pair) as served:
        same = verdicts("certificate", Scene(served.connect(), ca=pki.root(), folder=tmp_path), world=own_pair(pair))
        assert (set(same), same[SECRET].status) == ({SECRET}, PASS), "what is served is what the Secret holds: one finding"
        expired = verdicts("certificate", Scene(served.connect(), ca=pki.root(), folder=tmp_path), world=own_pair(pki.issued(end=-1)))
        assert (expired[SECRET].status, expired[SUBJECT].status) == (FAIL, PASS)
        assert expired[SUBJECT].remark == f"not the one in {SECRET}"
    with edge(tmp_path, pki.issued(end=-1)) as served:
        found = verdicts("certificate", Scene(served.connect(), ca=pki.root(), folder=tmp_path), world=own_pair(pair))
    assert (found[SECRET].status, found[SUBJECT].status) == (PASS, FAIL)


@needs_nginx
def test_a_handshake_shows_what_a_forbidden_secret_hides(tmp_path: Path) -> None:
    world = builders.multi_node()
    world.deny = lambda resource, namespace, name: resource == "secrets"
    with edge(tmp_path, pki.issued()) as served:
        scene = Scene(served.connect(), ca=pki.root(), folder=tmp_path)
        assert verdicts("tls", scene, world=world)[SUBJECT].status is PASS
        kept = verdicts("certificate", scene, world=world)
        assert (kept[SUBJECT].status, len(kept)) == (PASS, 2), "what cert-manager says, and what is served"
        world.remove("Certificate", next(world.all("Certificate"))["metadata"]["name"])
        assert {subject: one.status for subject, one in verdicts("certificate", scene, world=world).items()} == {SUBJECT: PASS}
    with edge(tmp_path, pki.self_signed("ingress.local")) as served:
        scene = Scene(served.connect(), ca=pki.root(), folder=tmp_path)
        assert verdicts("tls", scene, world=world)[SUBJECT].status is UNKNOWN, "another pair proves nothing of the Secret's"
        assert verdicts("certificate", scene, world=world)[SUBJECT].status is FAIL
    for check in ("tls", "certificate"):
        assert verdicts(check, Scene(probes=()), world=world)[SUBJECT].status is UNKNOWN


@needs_nginx
def test_at_the_passive_site_the_host_leads_elsewhere_and_says_nothing(tmp_path: Path) -> None:
    with edge(tmp_path, pki.issued(end=-5)) as served:
        scene = Scene(served.connect(), ca=pki.root(), folder=tmp_path)
        found = verdicts("certificate", scene, role="passive", world=own_pair(pki.issued()))
        assert {subject: one.status for subject, one in found.items()} == {SECRET: PASS}


PEERS: list[tuple[str, Any, Status, str]] = [
    ("plain HTTP on the TLS port", saying(b"HTTP/1.1 400 Bad Request\r\n\r\n"), FAIL, "the TLS handshake failed"),
    ("closes at once", saying(b""), FAIL, "it closed the connection"),
    ("garbage", saying(bytes(range(256)) * 8), FAIL, "the TLS handshake failed"),
    ("never answers", silent, MANUAL, "no complete answer within 1 seconds"),
    ("drips the start of a record", dripping(b"\x16\x03\x03\x40\x00", b"\x02"), MANUAL, "no complete answer within 1 seconds"),
]


@pytest.mark.parametrize(("name", "behave", "status", "text"), PEERS, ids=[one[0] for one in PEERS])
def test_peers_that_speak_no_tls(name: str, behave: Any, status: Status, text: str) -> None:
    with peer(behave) as port:
        before = time.monotonic()
        found = verdicts("tls", Scene({(HOST, 443): ("127.0.0.1", port)}, seconds=1, probes=("tls",)), config=UPSTREAM)[SUBJECT]
        assert time.monotonic() - before < 30
    assert (found.status, text in found.message) == (status, True), found.message
    assert "probe from outside the cluster" in found.message


def test_a_key_that_is_too_short(tmp_path: Path) -> None:
    with peer(silent, pki.issued(weak=True), tmp_path) as port:
        scene = Scene({(HOST, 443): ("127.0.0.1", port)}, ca=pki.root(), folder=tmp_path, probes=("tls",))
        found = verdicts("certificate", scene, config=UPSTREAM)[SUBJECT]
    assert (found.status, "RSA 1024" in found.message) == (FAIL, True), found.message


def test_a_refused_connection_is_left_to_a_person() -> None:
    scene = Scene({(HOST, 443): ("127.0.0.1", free_port())}, probes=("tls",))
    assert verdicts("tls", scene, config=UPSTREAM)[SUBJECT].status is MANUAL
    assert "refused" in verdicts("certificate", scene, config=UPSTREAM)[SUBJECT].message
    assert {one.status for one in verdicts("tls", scene).values()} == {PASS}, "what the cluster shows stands"


@needs_nginx
def test_nothing_secret_is_kept(tmp_path: Path) -> None:
    pair = pki.issued()
    with edge(tmp_path, pair) as served:
        text = text_of(site("certificate", Scene(served.connect(), ca=pki.root(), folder=tmp_path)))
    assert "BEGIN" not in text
    assert pair.key.decode().splitlines()[1] not in text
    assert '"elsewhere"' in text, "a host that the config sends elsewhere says so"
