"""Every fault on the way becomes a failure of the right kind: no traceback, no endless wait, no half list."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from exivity_audit.collect import pools
from exivity_audit.collect import transport as transport_module
from exivity_audit.collect.asking import Refused
from exivity_audit.collect.retry import LONGEST_WAIT, TRIES, Gate, retry_after
from exivity_audit.collect.transport import Deadline, Listing, Transport
from exivity_audit.errors import Unreachable
from tests.collect.fake_server import (
    VERSION,
    Asked,
    ConnectProxy,
    FakeServer,
    Pair,
    Reply,
    closed_port,
    make_pair,
    page,
    raw,
    reply,
    silent_port,
    status,
)

PODS = "/api/v1/pods"
CANARY = "CANARY-token"


def names(listing: Listing) -> list[object]:
    return list(listing.items)


def keep(item: dict[str, Any]) -> object:
    return item["metadata"]["name"] if isinstance(item, dict) else item


def listed(transport: Transport) -> Listing:
    return transport.list(PODS, limit=2, keep=keep)


class TestAnswers:
    def test_a_good_one_carries_body_and_date_and_sends_our_headers(self, server: FakeServer, transport: Callable[..., Any]) -> None:
        trial = transport()
        answer = trial.first_contact()
        assert answer.failure is None
        assert answer.status == 200
        assert answer.body == VERSION
        assert answer.date is not None
        assert answer.date.tzinfo is UTC
        asked = server.asked[0]
        assert asked.header("authorization") == [f"Bearer {CANARY}"]
        assert asked.header("user-agent")[0].startswith("exivity-audit/")
        assert asked.header("accept-encoding") == ["gzip"]
        stats = trial.stats.as_dict()
        assert stats["requests"] == 1
        assert stats["methods"] == {"GET": 1}
        assert stats["bytes_received"] == len(json.dumps(VERSION))

    def test_gzip_is_unpacked_and_counted_as_it_came(self, server: FakeServer, transport: Callable[..., Any]) -> None:
        packed = gzip.compress(json.dumps({"kind": "Pod", "long": "x" * 10000}).encode())
        server.route(PODS, Reply(200, packed, (("Content-Encoding", "gzip"),)))
        trial = transport()
        assert trial.get(PODS).body["long"] == "x" * 10000
        assert trial.stats.bytes_received == len(packed)

    @pytest.mark.parametrize(
        ("answer", "kind", "reason"),
        [
            (status(403, "Forbidden", "pods is forbidden"), "forbidden", "Forbidden"),
            (status(404, "NotFound"), "not-found", "NotFound"),
            (status(410, "Expired"), "gone", "Expired"),
            (status(400, "BadRequest"), "server", "BadRequest"),
            (status(406, "NotAcceptable"), "server", "NotAcceptable"),
            (Reply(404, b"404 page not found\n", content_type="text/plain"), "not-found", ""),
            (Reply(404, b"<html>nginx</html>", content_type="text/html"), "malformed", ""),
            (Reply(404, b"no route", content_type="text/plain"), "malformed", ""),
            (Reply(403, b"<html>denied</html>", content_type="text/html"), "malformed", ""),
            (Reply(403, b'{"message":"gateway"}'), "malformed", ""),
            (reply({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403, "reason": "Forbidden"}), "forbidden", "Forbidden"),
            (Reply(302, b"", (("Location", "https://login.example/"),)), "malformed", "Redirect"),
            (Reply(204, b""), "malformed", ""),
        ],
    )
    def test_a_status_becomes_its_kind(self, server: FakeServer, transport: Callable[..., Any], answer: Reply, kind: str, reason: str) -> None:
        server.route(PODS, answer)
        got = transport().get(PODS)
        assert got.failure is not None
        assert (got.failure.kind, got.reason) == (kind, reason)
        assert server.count(PODS) == 1

    @pytest.mark.parametrize(
        "answer",
        [
            Reply(body=b'{"kind": "PodList", "items": ['),
            Reply(body=b""),
            Reply(body=b"[]"),
            Reply(body=b"null"),
            Reply(body=b'\xef\xbb\xbf{"items": []}'),
            Reply(body=b'{"a": "\xff\xfe"}'),
            Reply(body=b'{"a": NaN}'),
            Reply(body=b'{"a":' * 20_000 + b"1" + b"}" * 5000),
            Reply(body=b"[" * 100000),
            Reply(body=b'{"a": ' + b"9" * 6000 + b"}"),
            Reply(body=b"<!DOCTYPE html><title>Log in</title>"),
            Reply(body=b"<html>Log in</html>", content_type="text/html"),
            Reply(body=b"{}", content_type="text/plain"),
            Reply(body=b"{}", content_type="application/vnd.kubernetes.protobuf"),
            Reply(body=b"not gzip at all", headers=(("Content-Encoding", "gzip"),)),
            Reply(body=gzip.compress(b'{"a": 1}')[:-6], headers=(("Content-Encoding", "gzip"),)),
            Reply(body=gzip.compress(b'{"a": 1}') + b"more", headers=(("Content-Encoding", "gzip"),)),
            Reply(body=b"{}", headers=(("Content-Encoding", "br"),)),
        ],
    )
    def test_a_corrupt_body_is_malformed(self, server: FakeServer, transport: Callable[..., Any], answer: Reply) -> None:
        server.route(PODS, answer)
        trial = transport()
        got = trial.get(PODS)
        assert got.failure is not None
        assert got.failure.kind == "malformed"
        assert got.body is None
        assert listed(trial).failure is not None

    def test_a_redirect_is_named_and_not_followed(self, server: FakeServer, transport: Callable[..., Any]) -> None:
        server.route(PODS, Reply(307, b"", (("Location", f"{server.url}/version"),)))
        failure = transport().get(PODS).failure
        assert "login page" in failure.reason
        assert "proxy" in failure.hint
        assert server.count("/version") == 0

    def test_a_body_over_the_limit_is_too_large_on_the_wire_and_unpacked(self, server: FakeServer, transport: Callable[..., Any]) -> None:
        trial = transport(largest_body=100_000)
        server.route(PODS, Reply(body=b" " * 200_000))
        assert trial.get(PODS).failure.kind == "too-large"
        server.route(PODS, Reply(body=gzip.compress(b" " * 50_000_000), headers=(("Content-Encoding", "gzip"),)))
        assert trial.get(PODS).failure.kind == "too-large"

    def test_our_token_echoed_by_the_server_is_taken_out(self, server: FakeServer, transport: Callable[..., Any]) -> None:
        server.route(PODS, status(403, "Forbidden", f"you sent Bearer {CANARY}\x1b[31m"))
        got = transport().get(PODS)
        assert got.message.startswith("you sent Bearer …")
        assert "\x1b" not in got.message
        assert CANARY not in repr((got.message, got.reason, got.failure))


class TestLists:
    def test_pages_are_walked_and_pruned(self, server: FakeServer, transport: Callable[..., Any]) -> None:
        server.route(PODS, page(["a", "b"], "t1"), page(["c", "d"], "t2"), page(["e"]))
        listing = listed(transport())
        assert names(listing) == ["a", "b", "c", "d", "e"]
        assert (listing.pages, listing.resource_version, listing.failure) == (3, "7", None)
        assert [asked.query for asked in server.asked] == [{"limit": "2"}, {"limit": "2", "continue": "t1"}, {"limit": "2", "continue": "t2"}]

    def test_one_that_never_ends_is_left(self, server: FakeServer, transport: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(transport_module, "MOST_PAGES", 5)
        server.route(PODS, lambda asked: page(["a", "b"], f"{asked.query.get('continue', '')}x"))
        found = listed(transport())
        assert found.failure is not None
        assert (found.failure.kind, found.failure.reason, found.items) == ("too-large", "the list does not end within 5 pages", ())
        assert len(server.asked) == 5

    @pytest.mark.parametrize("fresh", [{}, {"metadata": {"continue": "fresh"}}])
    def test_410_on_a_later_page_begins_anew_without_the_token(
        self, server: FakeServer, transport: Callable[..., Any], fresh: dict[str, Any]
    ) -> None:
        expired = reply({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Expired", "code": 410, **fresh}, 410)
        server.route(PODS, page(["a", "b"], "t1"), expired, page(["b", "c"], "t2", "9"), page(["d"], "", "9"))
        listing = listed(transport())
        assert names(listing) == ["b", "c", "d"]
        assert listing.resource_version == "9"
        assert [asked.query.get("continue") for asked in server.asked] == [None, "t1", None, "t2"]

    def test_410_on_the_first_page_begins_anew(self, server: FakeServer, transport: Callable[..., Any]) -> None:
        server.route(PODS, status(410, "Expired"), page(["a"]))
        assert names(listed(transport())) == ["a"]

    def test_a_second_410_is_gone_and_nothing_is_handed_out(self, server: FakeServer, transport: Callable[..., Any]) -> None:
        server.route(PODS, page(["a", "b"], "t1"), status(410, "Expired"), page(["a", "b"], "t2"), status(410, "Expired"))
        listing = listed(transport())
        assert listing.failure is not None
        assert listing.failure.kind == "gone"
        assert listing.items == ()

    def test_a_fault_on_a_later_page_hands_nothing_out(self, server: FakeServer, transport: Callable[..., Any]) -> None:
        server.route(PODS, page(["a", "b"], "t1"), status(403, "Forbidden"))
        listing = listed(transport())
        assert listing.failure is not None
        assert listing.failure.kind == "forbidden"
        assert listing.items == ()

    def test_odd_items_are_handed_to_keep(self, server: FakeServer, transport: Callable[..., Any]) -> None:
        server.route(PODS, reply({"kind": "PodList", "metadata": None, "items": [None, 3, {"metadata": {"name": "a"}}]}))
        assert names(listed(transport())) == [None, 3, "a"]

    @pytest.mark.parametrize(
        "body",
        [
            {"kind": "PodList", "items": None},
            {"kind": "PodList"},
            {"kind": "Pod", "items": []},
            {"kind": "PodList", "items": {}},
            {"kind": "PodList", "items": [], "metadata": []},
            {"kind": "PodList", "items": [], "metadata": {"continue": 5}},
        ],
    )
    def test_what_is_no_list_is_malformed_never_empty(self, server: FakeServer, transport: Callable[..., Any], body: object) -> None:
        server.route(PODS, reply(body))
        listing = listed(transport())
        assert listing.failure is not None
        assert listing.failure.kind == "malformed"

    def test_a_token_that_repeats_itself_ends_the_list(self, server: FakeServer, transport: Callable[..., Any]) -> None:
        server.route(PODS, page(["a"], "same"))
        assert listed(transport()).failure is not None
        assert server.count(PODS) == 2


class TestRetries:
    @pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
    def test_the_third_try_may_work(self, server: FakeServer, transport: Callable[..., Any], code: int) -> None:
        server.route(PODS, status(code, "Busy"), status(code, "Busy"), page(["a"]))
        trial = transport()
        assert names(listed(trial)) == ["a"]
        assert len(trial.slept) == trial.stats.retries == 2

    @pytest.mark.parametrize(("code", "kind"), [(429, "throttled"), (503, "server")])
    def test_five_tries_are_the_most(self, server: FakeServer, transport: Callable[..., Any], code: int, kind: str) -> None:
        server.route(PODS, status(code, "Busy"))
        got = transport().get(PODS)
        assert (got.failure.kind, got.failure.status) == (kind, code)
        assert server.count(PODS) == TRIES

    @pytest.mark.parametrize(
        ("value", "low", "high"),
        [("0", 0, 0.2), ("1", 1, 1.2), ("30", 30, 30), ("7200", 30, 30), ("abc", 0.2, 1), ("-5", 0.2, 1), ("9" * 400, 30, 30)],
    )
    def test_retry_after_is_honoured_up_to_its_limit(
        self, server: FakeServer, transport: Callable[..., Any], value: str, low: float, high: float
    ) -> None:
        server.route(PODS, status(429, "TooMany", Retry_After=value), page([]))
        trial = transport(seconds=100)
        assert trial.get(PODS).failure is None
        assert len(trial.slept) == 1
        assert low <= trial.slept[0] <= high

    def test_retry_after_as_a_date_counts_from_the_servers_clock(self) -> None:
        now = datetime(2001, 1, 1, tzinfo=UTC)
        assert retry_after(format_datetime(now + timedelta(seconds=7), usegmt=True), now) == 7
        assert retry_after(format_datetime(now - timedelta(seconds=7), usegmt=True), now) is None
        assert retry_after("Mon, 99 Foo 2001", now) is None
        assert retry_after("", now) is None

    def test_a_wait_longer_than_the_run_is_not_begun(self, server: FakeServer, transport: Callable[..., Any]) -> None:
        server.route(PODS, status(503, "Busy", Retry_After="7200"))
        trial = transport(seconds=LONGEST_WAIT - 1)
        got = trial.get(PODS)
        assert got.failure.kind == "server"
        assert "no time" in got.failure.reason
        assert trial.slept == []

    def test_a_reset_and_a_cut_body_are_asked_again(self, server: FakeServer, transport: Callable[..., Any]) -> None:
        cut = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"
        chunked = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"
        server.route(PODS, raw(b"", reset=True), raw(cut, reset=True), raw(cut), raw(chunked), page(["a"]))
        trial = transport()
        trial.first_contact()
        assert names(listed(trial)) == ["a"]
        assert trial.stats.retries == 4

    def test_resets_for_ever_are_a_connection_failure(self, server: FakeServer, transport: Callable[..., Any]) -> None:
        server.route(PODS, raw(b"", reset=True))
        trial = transport()
        trial.first_contact()
        assert trial.get(PODS).failure.kind == "connection"
        assert server.count(PODS) == TRIES

    def test_garbage_instead_of_http_is_a_failure(self, server: FakeServer, transport: Callable[..., Any]) -> None:
        server.route(PODS, raw(b"SSH-2.0-OpenSSH_9.6\r\n"))
        assert transport().get(PODS).failure.kind == "connection"


class TestConcurrency:
    def test_a_429_halves_it_down_to_one(self, server: FakeServer, transport: Callable[..., Any]) -> None:
        server.route(PODS, status(429, "TooMany"))
        trial = transport(concurrency=8)
        trial.get(PODS)
        assert trial.gate.size == 1

    def test_one_burst_halves_it_once(self) -> None:
        gate = Gate(8)
        tickets = [gate.enter(1) for _ in range(8)]
        for ticket in tickets:
            assert ticket is not None
            gate.halve(ticket)
        assert gate.size == 4
        assert gate.enter(0.01) is None
        for _ in range(5):
            gate.leave()
        assert gate.enter(0.01) is not None

    def test_a_503_without_retry_after_leaves_it(self, server: FakeServer, transport: Callable[..., Any]) -> None:
        server.route(PODS, status(503, "Busy"), page([]))
        trial = transport(concurrency=8)
        trial.get(PODS)
        assert trial.gate.size == 8

    def test_no_more_than_allowed_are_under_way(self, server: FakeServer, transport: Callable[..., Any]) -> None:
        most = 0
        inside = 0
        lock = threading.Lock()

        def slow(_: Asked) -> Reply:
            nonlocal inside, most
            with lock:
                inside += 1
                most = max(most, inside)
            threading.Event().wait(0.02)
            with lock:
                inside -= 1
            return page(["a"])

        server.route(PODS, slow)
        trial = transport(concurrency=3)
        with ThreadPoolExecutor(12) as workers:
            listings = list(workers.map(lambda _: listed(trial), range(24)))
        assert all(listing.failure is None for listing in listings)
        assert most <= 3
        assert trial.gate.peak == 3
        assert trial.stats.requests == 24


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


class TestTime:
    @pytest.mark.parametrize(
        "answer",
        [
            raw(b"", hang=True),
            raw(HEAD + b"X-Slow: " + b"x" * 2000, drip=0.05),
            raw(HEAD + b"Content-Length: 9000\r\n\r\n", hang=True),
            raw(HEAD + b"Content-Length: 9000\r\n\r\n" + b" " * 900, drip=0.05),
            raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1;" + b"x" * 2000, drip=0.05),
            raw(HEAD + b"\r\n" + b" " * 2000, drip=0.05),
        ],
        ids=["no-headers", "header-drip", "no-body", "body-drip", "chunk-drip", "endless-drip"],
    )
    @pytest.mark.parametrize(("named", "kind"), [({"request_timeout": 0.4}, "timeout"), ({"seconds": 0.4}, "deadline")], ids=["request", "deadline"])
    def test_a_stall_ends_with_the_request_or_the_run(
        self, server: FakeServer, transport: Callable[..., Any], answer: Reply, named: dict[str, float], kind: str
    ) -> None:
        server.route(PODS, answer)
        assert transport(**named).get(PODS).failure.kind == kind
        assert server.count(PODS) == 1

    def test_a_tls_handshake_that_never_comes(self, transport: Callable[..., Any], link: Callable[..., Any]) -> None:
        with silent_port() as port:
            trial = transport(link(f"https://127.0.0.1:{port}"), connect_timeout=0.3)
            with pytest.raises(Unreachable, match="in time"):
                trial.first_contact()

    def test_after_the_deadline_nothing_is_asked(self, server: FakeServer, transport: Callable[..., Any]) -> None:
        trial = transport(seconds=0)
        assert trial.get(PODS).failure.kind == "deadline"
        assert listed(trial).failure is not None
        assert server.asked == []

    def test_closing_ends_what_is_under_way(self, server: FakeServer, transport: Callable[..., Any]) -> None:
        server.route(PODS, raw(b"", hang=True))
        trial = transport()
        with ThreadPoolExecutor(1) as workers:
            waiting = workers.submit(trial.get, PODS)
            while not server.count(PODS):
                threading.Event().wait(0.01)
            trial.close()
            assert waiting.result(10).failure.kind == "deadline"
        assert trial.get(PODS).failure.kind == "deadline"

    def test_a_deadline_counts_by_its_clock(self) -> None:
        now = [5.0]
        deadline = Deadline(10, clock=lambda: now[0])
        assert deadline.remaining() == 10
        assert not deadline.expired
        now[0] = 16
        assert deadline.remaining() == 0
        assert deadline.expired


class TestLogin:
    def test_401_with_a_fixed_token_stops_everything(self, server: FakeServer, transport: Callable[..., Any]) -> None:
        server.route(PODS, status(401, "Unauthorized"))
        trial = transport()
        assert trial.get(PODS).failure.kind == "unauthorized"
        assert trial.get("/version").failure.kind == "unauthorized"
        assert listed(trial).failure is not None
        assert len(server.asked) == 1

    def test_a_rotated_token_file_is_read_again_once(
        self, server: FakeServer, transport: Callable[..., Any], link: Callable[..., Any], tmp_path: Path
    ) -> None:
        (tmp_path / "token").write_text("old\n")

        def judge(asked: Asked) -> Reply:
            return page(["a"]) if asked.header("authorization") == ["Bearer new"] else status(401, "Unauthorized")

        server.route(PODS, judge)
        trial = transport(link(server.url, user={"tokenFile": "token"}))
        (tmp_path / "token").write_text("new\n")
        assert names(listed(trial)) == ["a"]
        (tmp_path / "token").write_text("newer\n")
        server.route(PODS, status(401, "Unauthorized"))
        assert trial.get(PODS).failure.kind == "unauthorized"

    def test_many_at_once_renew_once(self, server: FakeServer, transport: Callable[..., Any], link: Callable[..., Any], tmp_path: Path) -> None:
        (tmp_path / "token").write_text("old")
        trial = transport(link(server.url, user={"tokenFile": "token"}))
        (tmp_path / "token").write_text("new")
        server.route(PODS, lambda asked: page(["a"]) if asked.header("authorization") == ["Bearer new"] else status(401, "Unauthorized"))
        with ThreadPoolExecutor(8) as workers:
            assert all(listing.failure is None for listing in workers.map(lambda _: listed(trial), range(16)))
        assert trial.connection.credentials.generation == 1

    def test_impersonation_goes_as_headers_groups_apart(self, server: FakeServer, transport: Callable[..., Any], link: Callable[..., Any]) -> None:
        user = {"token": CANARY, "as": "jane", "as-groups": ["dev, ops", "größe"], "as-user-extra": {"scope/x": ["1"]}}
        transport(link(server.url, user=user)).first_contact()
        asked = server.asked[0]
        assert asked.header("impersonate-user") == ["jane"]
        assert [value.encode("latin-1").decode() for value in asked.header("impersonate-group")] == ["dev, ops", "größe"]
        assert asked.header("impersonate-extra-scope%2Fx") == ["1"]


class TestReadOnly:
    @pytest.mark.parametrize(
        "path",
        [
            "/api/v1/namespaces/a/pods/b/exec",
            "/api/v1/namespaces/a/pods/b/log",
            "/api/v1/nodes/n/proxy",
            "/api/v1/namespaces/a/services/b/proxy/x",
            "/api/v1/proxy/nodes/n",
            "/api/v1/watch/pods",
            "/api/v1/persistentvolumes/../secrets",
            "/api/v1/persistentvolumes/%2e%2e/secrets",
            "/api/v1/pods?watch=true",
            "/api//v1/pods",
            "api/v1/pods",
            "/api/v1/pods/a b",
            "/api/v1/pods\r\nX: y",
        ],
    )
    def test_what_does_more_than_read_is_refused(self, server: FakeServer, transport: Callable[..., Any], path: str) -> None:
        with pytest.raises(Refused):
            transport().get(path)
        assert server.asked == []

    def test_a_watch_is_refused(self, transport: Callable[..., Any]) -> None:
        with pytest.raises(Refused):
            transport().get(PODS, [("watch", "true")])

    @pytest.mark.parametrize(
        "path",
        ["/api/v1/namespaces/a/secrets/proxy", "/apis/apps/v1/deployments", "/api/v1/namespaces/proxy", "/livez", "/api/v1/namespaces/watch/pods"],
    )
    def test_reads_pass(self, server: FakeServer, transport: Callable[..., Any], path: str) -> None:
        transport().get(path)
        assert server.count(path) == 1

    def test_only_reviews_of_ourselves_are_posted(self, server: FakeServer, transport: Callable[..., Any]) -> None:
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        server.route(path, reply({"kind": "SelfSubjectAccessReview", "status": {"allowed": True}}, 201))
        trial = transport()
        assert trial.post_review(path, {"spec": {}}).body["status"] == {"allowed": True}
        assert server.asked[0].method == "POST"
        assert json.loads(server.asked[0].body) == {"spec": {}}
        for other in ("/api/v1/namespaces/a/pods", "/apis/authorization.k8s.io/v1/subjectaccessreviews", path + "/", path + "?x"):
            with pytest.raises(Refused):
                trial.post_review(other, {})
        assert len(server.asked) == 1


class TestFirstContact:
    @pytest.mark.parametrize(
        ("answer", "said"),
        [
            (Reply(body=b"<html>Log in</html>", content_type="text/html"), "not a Kubernetes API server.*HTML"),
            (Reply(302, b"", (("Location", "/login"),)), "redirect"),
            (reply({"hello": "world"}), "not a Kubernetes API server"),
            (reply(["x"]), "not a Kubernetes API server"),
            (status(401, "Unauthorized"), "does not accept the credentials"),
            (Reply(401, b"<html>", content_type="text/html"), "does not accept the credentials"),
            (status(503, "Busy"), r"error \(503\)"),
            (Reply(404, b"404 page not found", content_type="text/plain"), "not a Kubernetes API server"),
        ],
    )
    def test_what_is_no_api_server_ends_the_run(self, server: FakeServer, transport: Callable[..., Any], answer: Reply, said: str) -> None:
        server.route("/version", answer)
        with pytest.raises(Unreachable, match=said) as error:
            transport().first_contact()
        assert error.value.exit_code == 4
        assert error.value.hint
        assert CANARY not in str(error.value)

    def test_forbidden_is_fine(self, server: FakeServer, transport: Callable[..., Any]) -> None:
        server.route("/version", status(403, "Forbidden"))
        assert transport().first_contact().status == 403

    def test_refused_is_said_soon(self, transport: Callable[..., Any], link: Callable[..., Any]) -> None:
        trial = transport(link(f"https://127.0.0.1:{closed_port()}"))
        with pytest.raises(Unreachable, match="connection was refused"):
            trial.first_contact()
        assert trial.stats.requests == 2

    def test_an_unknown_name(self, transport: Callable[..., Any], link: Callable[..., Any]) -> None:
        with pytest.raises(Unreachable, match="cannot be resolved"):
            transport(link("https://nowhere.invalid:6443")).first_contact()

    def test_a_port_without_tls(self, transport: Callable[..., Any], link: Callable[..., Any], tmp_path: Path) -> None:
        with FakeServer(None).running(tmp_path) as plain, pytest.raises(Unreachable, match="does not speak TLS"):
            transport(link(plain.url.replace("http:", "https:"))).first_contact()

    @pytest.mark.parametrize(
        ("make", "said"),
        [
            (lambda authority: make_pair("s", authority, hosts=("127.0.0.1",), days=(-9, -2)), "has expired"),
            (lambda authority: make_pair("s", authority, hosts=("127.0.0.1",), days=(2, 9)), "not valid yet"),
            (lambda authority: make_pair("s", authority, hosts=("other.example",)), "another host name"),
            (lambda authority: make_pair("127.0.0.1", authority), "another host name"),
            (lambda authority: make_pair("s", hosts=("127.0.0.1",)), "self-signed"),
            (lambda authority: make_pair("s", make_pair("stranger", authority=True), hosts=("127.0.0.1",)), "unknown authority"),
        ],
        ids=["expired", "not-yet", "wrong-host", "common-name-only", "self-signed", "unknown"],
    )
    def test_certificates_that_are_refused(
        self, authority: Pair, transport: Callable[..., Any], link: Callable[..., Any], tmp_path: Path, make: Callable[[Pair], Pair], said: str
    ) -> None:
        with FakeServer(make(authority)).running(tmp_path) as other:
            trial = transport(link(other.url))
            with pytest.raises(Unreachable, match=said) as error:
                trial.first_contact()
            assert error.value.hint
            assert trial.stats.requests == 1
            assert other.asked == []
            other.route("/version", reply(VERSION))
            trusting = link(other.url, insecure=True)
            assert trusting.insecure
            assert transport(trusting).first_contact().status == 200

    def test_the_servers_own_certificate_may_be_what_is_trusted(
        self, transport: Callable[..., Any], link: Callable[..., Any], tmp_path: Path
    ) -> None:
        own = make_pair("s", hosts=("127.0.0.1",))
        fake = FakeServer(own)
        fake.route("/version", reply(VERSION))
        with fake.running(tmp_path):
            assert transport(link(fake.url, own.certificate)).first_contact().status == 200

    def test_an_intermediate_authority_may_be_what_is_trusted(
        self, authority: Pair, transport: Callable[..., Any], link: Callable[..., Any], tmp_path: Path
    ) -> None:
        intermediate = make_pair("intermediate", authority, authority=True)
        fake = FakeServer(make_pair("s", intermediate, hosts=("127.0.0.1",)))
        fake.route("/version", reply(VERSION))
        with fake.running(tmp_path):
            assert transport(link(fake.url, intermediate.certificate)).first_contact().status == 200

    def test_a_wanted_client_certificate(
        self, authority: Pair, server_pair: Pair, transport: Callable[..., Any], link: Callable[..., Any], tmp_path: Path
    ) -> None:
        with (
            FakeServer(server_pair, authority.certificate).running(tmp_path) as strict,
            pytest.raises(Unreachable, match=r"client certificate|broken off"),
        ):
            transport(link(strict.url)).first_contact()


class TestWays:
    def test_tls_server_name(self, server: FakeServer, authority: Pair, transport: Callable[..., Any], link: Callable[..., Any]) -> None:
        assert transport(link(server.url, tls_server_name="api.example")).first_contact().status == 200
        with pytest.raises(Unreachable, match="another host name"):
            transport(link(server.url, tls_server_name="wrong.example")).first_contact()

    @pytest.mark.parametrize("name", ["", "api.example"])
    def test_a_proxy_of_the_kubeconfig(self, server: FakeServer, transport: Callable[..., Any], link: Callable[..., Any], name: str) -> None:
        named = {"tls_server_name": name} if name else {}
        with ConnectProxy().running() as proxy:
            connection = link(server.url, proxy_url=f"http://user:CANARY-pass@127.0.0.1:{proxy.port}", **named)
            assert "CANARY" not in repr(connection)
            trial = transport(connection)
            trial.first_contact()
            trial.get(PODS)
            assert proxy.targets == [f"127.0.0.1:{server.port}"]
            assert "Proxy-Authorization: Basic " in proxy.heads[0]
            assert CANARY not in proxy.heads[0]
        assert server.asked[0].header("proxy-authorization") == []

    def test_a_proxy_that_refuses_or_is_gone(self, server: FakeServer, transport: Callable[..., Any], link: Callable[..., Any]) -> None:
        with ConnectProxy(refuse=True).running() as proxy, pytest.raises(Unreachable, match="proxy") as error:
            transport(link(server.url, proxy_url=f"http://user:CANARY-pass@127.0.0.1:{proxy.port}")).first_contact()
        assert "CANARY" not in str(error.value)
        with pytest.raises(Unreachable, match="proxy"):
            transport(link(server.url, proxy_url=f"http://127.0.0.1:{closed_port()}")).first_contact()

    def test_a_proxy_that_hangs(self, server: FakeServer, transport: Callable[..., Any], link: Callable[..., Any]) -> None:
        with silent_port() as port:
            trial = transport(link(server.url, proxy_url=f"http://127.0.0.1:{port}"), connect_timeout=0.3, request_timeout=0.6)
            with pytest.raises(Unreachable, match="proxy"):
                trial.first_contact()

    def test_a_path_before_the_api(self, server: FakeServer, transport: Callable[..., Any], link: Callable[..., Any]) -> None:
        server.route("/k8s/clusters/c-1/version", reply(VERSION))
        assert transport(link(f"{server.url}/k8s/clusters/c-1/")).first_contact().status == 200


def test_a_request_that_must_end_before_those_under_way_is_cut_off_in_time() -> None:
    """The watchdog is woken for it alone: for one that ends later it wakes by itself."""
    dog, cut = pools.Watchdog(), threading.Event()
    woken: list[int] = []
    notify = dog._condition.notify
    dog._condition.notify = lambda n=1: woken.append(n) or notify(n)  # type: ignore[method-assign, func-returns-value]
    try:
        with dog.limit(3600):
            while not dog._wakes:
                assert not cut.wait(0.01)
            woken.clear()
            with dog.limit(7200):
                assert woken == []
            with dog.limit(0.05) as watch:
                assert woken == [1]
                watch.cut = cut.set  # type: ignore[method-assign]
                assert cut.wait(60)
    finally:
        dog.stop()
