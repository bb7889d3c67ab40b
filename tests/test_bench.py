"""The benchmark's own arithmetic: what it counts, how deep questions build on each other, what a process cost, what the page says."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import ssl
import sys
import urllib.request
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.bench import document, limits
from tests.bench.audit_log import AuditLog, Request, depth, parsed
from tests.bench.filling import pod, replica_set, running
from tests.bench.latency import LatencyProxy
from tests.bench.peers import popeye_report, scopes
from tests.bench.process import Cost, Failed, measure
from tests.bench.results import BARE, KUBECTL, POPEYE, TOOL, Machine, Measurement, Results, Situation, Start
from tests.bench.starting import BARE_CODE, BARE_IMPORT
from tests.bench.suite import Round, sizes_wanted
from tests.bench.suite import measured as over_rounds
from tests.collect.fake_server import FakeServer, make_pair, reply

MIB = 2**20


def record(path: str, began: float, ended: float, *, user: str = "auditor", verb: str = "list", stage: str = "ResponseComplete") -> bytes:
    moments = [f"2026-11-26T10:00:{moment:09.6f}Z" for moment in (began, ended)]
    found = {
        "stage": stage, "verb": verb, "requestURI": path, "user": {"username": user}, "responseStatus": {"code": 200},
        "requestReceivedTimestamp": moments[0], "stageTimestamp": moments[1],
    }  # fmt: skip
    return json.dumps(found, separators=(",", ":")).encode() + b"\n"


def asked(began: float, ended: float, path: str = "/api/v1/nodes", verb: str = "get") -> Request:
    return Request(verb, path, 200, began, ended)


# The audit log


def test_requests_are_those_of_the_user_that_were_answered_in_order() -> None:
    lines = [
        record("/b", 2, 3),
        record("/a", 1, 4),
        record("/of-another", 1, 2, user="kwok"),
        record("/another-of-that-name", 1, 2, user="auditor-2"),
        record("/not-yet-answered", 1, 2, stage="RequestReceived"),
        record("/half-written", 5, 6).rstrip(b"\n"),
    ]
    found = parsed(lines, "auditor")
    assert [request.path for request in found] == ["/a", "/b"]
    assert found[0].ended - found[0].began == pytest.approx(3)


def test_what_was_before_the_mark_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_bytes(record("/before", 1, 2))
    log = AuditLog(path, "auditor")
    log.mark()
    with path.open("ab") as file:
        file.write(record("/after", 3, 4))
    assert [request.path for request in log.requests(settled=0.01)] == ["/after"]


def test_reviews_of_oneself_are_no_writes_and_everything_else_is() -> None:
    review = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    assert not asked(0, 1, review, "create").writes
    assert not asked(0, 1, verb="list").writes
    assert asked(0, 1, "/api/v1/namespaces/x/pods", "create").writes
    assert asked(0, 1, "/api/v1/namespaces/x/pods/selfsubjectreviews", "patch").writes


@pytest.mark.parametrize(
    ("spans", "longest"),
    [
        ([], 0),
        ([(0, 1), (1, 2), (2, 3)], 3),
        ([(0, 1), (0, 1), (0, 1)], 1),
        ([(0, 10), (0, 1), (2, 3), (4, 5)], 3),
        ([(0, 2), (1, 3), (2, 4), (3, 5)], 2),
    ],
)
def test_a_chain_is_of_requests_that_waited_for_each_other(spans: list[tuple[float, float]], longest: int) -> None:
    chain = depth([asked(*span) for span in spans])
    assert len(chain) == longest
    assert all(later.began >= earlier.ended for earlier, later in itertools.pairwise(chain))


# Processes


def test_a_process_is_measured_by_itself_however_large_who_starts_it_is() -> None:
    ballast = bytearray(64 * MIB)
    ballast[::4096] = b"x" * len(ballast[::4096])
    small = measure([shutil.which("true") or "true"])
    large = measure([sys.executable, "-S", "-c", f"kept = bytearray({80 * MIB}); kept[::4096] = b'x' * len(kept[::4096])"])
    assert small.peak < 40 * MIB < 80 * MIB < large.peak < 140 * MIB
    assert large.wall > 0
    assert large.cpu > 0


def test_a_program_that_ends_otherwise_is_no_measurement() -> None:
    command = [sys.executable, "-S", "-c", "import sys; sys.exit('no such cluster')"]
    with pytest.raises(Failed, match="ended with 1: no such cluster"):
        measure(command)
    assert measure(command, codes=(0, 1)).code == 1


def test_what_does_not_end_in_time_is_killed_with_what_it_started(tmp_path: Path) -> None:
    """The launcher is ours to wait for, the program its child: a fifo stays open for writing as long as that lives."""
    fifo = tmp_path / "alive"
    os.mkfifo(fifo)
    end = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    program = f"import time; kept = open({str(fifo)!r}, 'w'); kept.write('x'); kept.flush(); time.sleep(600)"
    with pytest.raises(Failed, match="did not end within 5 s"):
        measure([sys.executable, "-S", "-c", program], timeout=5)
    os.set_blocking(end, True)
    assert os.read(end, 10) in (b"x", b"")
    assert os.read(end, 10) == b"", "nobody holds the other end"
    os.close(end)


def test_the_output_of_a_program_may_be_kept(tmp_path: Path) -> None:
    measure([shutil.which("echo") or "echo", "said"], output=tmp_path / "output")
    assert (tmp_path / "output").read_text() == "said\n"


def turn(cost: Cost, *verbs: str) -> Round:
    return Round(cost, [asked(number, number + 1, verb=verb) for number, verb in enumerate(verbs)])


def test_the_best_of_rounds_is_the_least_time_and_the_most_memory_and_requests() -> None:
    turns = [turn(Cost(2.0, 0.5, 10, 1), "get"), turn(Cost(1.0, 0.7, 30, 1), "get", "patch", "get"), turn(Cost(3.0, 0.7, 20, 1), "get", "get")]
    found = over_rounds(TOOL, Situation(), turns, 7, 24)
    assert (found.wall, found.cpu, found.peak, found.rounds, found.median) == (1.0, 0.5, 30, 3, 2.0)
    assert (found.asked, found.requests, found.depth) == ((1, 3, 2), 3, 3)
    assert found.writes == 1, "that of a round in the middle counts"


def test_of_a_program_that_does_not_always_do_the_same_the_average_counts() -> None:
    found = over_rounds(POPEYE, Situation(), [turn(Cost(*one, 0)) for one in ((0.5, 0.25, 80), (9.0, 6.0, 990), (8.5, 5.0, 980))], None, 24)
    assert (found.wall, found.cpu, found.peak, found.median) == (6.0, 3.75, 990, 8.5)


@pytest.mark.parametrize(
    ("given", "sizes"), [("", (0, 1000, 5000)), ("20000", (0, 1000, 5000, 20_000)), ("3000", (0, 1000, 3000, 5000)), ("5000", (0, 1000, 5000))]
)
def test_more_pods_may_be_asked_for(given: str, sizes: tuple[int, ...]) -> None:
    assert sizes_wanted(given) == sizes


@pytest.mark.parametrize("given", ["many", "20k", "-1000", "0", "1500", "2000000", "２０００"])
def test_a_number_of_pods_that_is_none_is_refused(given: str) -> None:
    with pytest.raises(SystemExit, match="whole thousands"):
        sizes_wanted(given)


# Programs


def test_kubectl_is_asked_for_the_same_kinds_in_the_same_namespaces() -> None:
    paths = [
        "/version", "/api", "/apis", "/api/v1/nodes?limit=500", "/apis/apps/v1/namespaces/exivity/deployments?limit=500",
        "/api/v1/namespaces/exivity/secrets/exivity-tls", "/api/v1/namespaces/kube-system", "/api/v1/pods?labelSelector=app",
        "/api/v1/namespaces/exivity/pods", "/apis/storage.k8s.io/v1/storageclasses",
    ]  # fmt: skip
    requests = [*(asked(0, 1, path) for path in paths), asked(0, 1, "/apis/authentication.k8s.io/v1/selfsubjectreviews", "create")]
    assert scopes(requests) == [
        (["--all-namespaces"], ["namespaces", "nodes", "storageclasses.v1.storage.k8s.io"]),
        (["--namespace", "exivity"], ["deployments.v1.apps", "pods", "secrets"]),
    ]


REPORT = {"popeye": {"score": 86, "sections": [{"linter": "pods", "tally": {"ok": 14, "error": 2, "score": 87}, "issues": {"a/b": [], "a/c": []}}]}}


def test_popeye_shows_what_it_did_after_its_warnings() -> None:
    said = b"WRN no metrics server detected\n" + json.dumps(REPORT).encode() + b"\n"
    assert popeye_report(said) == "1 sections, 16 objects looked at, 2 of them with issues"


@pytest.mark.parametrize(
    "said", [b"", b"WRN no cluster\n", b"{}", b"[]", b'{"popeye": {"score": 100}}', b'{"popeye": {"sections": []}}', b'{"popeye": {"sections": [7]}}'],
)  # fmt: skip
def test_popeye_without_a_report_did_nothing(said: bytes) -> None:
    with pytest.raises(Failed, match="report"):
        popeye_report(said)


def test_the_bare_import_is_what_its_label_says() -> None:
    assert BARE_CODE == "import rich"
    assert f'python -c "{BARE_CODE}"' == BARE_IMPORT


OWNER = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-7-6d4cf56db6", "uid": "7"}


def test_what_kubelets_would_write_fits_the_pod() -> None:
    item = pod("web-35", "node-258", OWNER)
    status = running(item)
    assert [one["name"] for one in status["containerStatuses"]] == [one["name"] for one in item["spec"]["containers"]]
    assert ({"type": "Ready", "status": "True"}.items()) <= next(one for one in status["conditions"] if one["type"] == "Ready").items()
    assert status["hostIP"] == "10.1.1.2"


def test_pods_differ_as_in_life() -> None:
    """What equal parts of a list cost is not what a best case would: of 100 pods nothing is the same in all that differs in life."""
    owners = [replica_set(f"web-{number}")["metadata"]["name"] for number in range(20)]
    pods = [pod(f"web-{number}", f"node-{number}", OWNER | {"name": owners[number // 5]}, number) for number in range(100)]
    states = [running(item) for item in pods]
    assert len({item["metadata"]["labels"]["pod-template-hash"] for item in pods}) == len(set(owners)) == 20
    assert len({item["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] for item in pods}) == 100
    for path in ("podIP", "hostIP", "startTime"):
        assert len({status[path] for status in states}) > 95, path
    assert len({one["containerID"] for status in states for one in status["containerStatuses"]}) == 200


def test_the_proxy_delays_counts_and_changes_nothing(tmp_path: Path) -> None:
    pair = make_pair("server", hosts=("127.0.0.1",))
    (tmp_path / "server.crt").write_bytes(pair.certificate)
    (tmp_path / "server.key").write_bytes(pair.key)
    context = ssl.create_default_context(cadata=pair.certificate.decode())
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    backend = FakeServer(pair)
    backend.route("/api/v1/nodes", reply({"kind": "NodeList", "items": []}, Audit_Id="7"))
    with backend.running(tmp_path):
        proxy = LatencyProxy(cast(Any, SimpleNamespace(server=backend.url, _context=context, directory=tmp_path)))
        with proxy.running() as address:
            proxy.begin(0.05)
            with opener.open(f"{address}/api/v1/nodes?limit=500") as answer:
                assert (answer.status, answer.headers["Audit-Id"]) == (200, "7")
                content = answer.read()
            assert json.loads(content) == {"kind": "NodeList", "items": []}
            (seen,) = proxy.seen()
            assert (seen.path, seen.code, proxy.bytes) == ("/api/v1/nodes?limit=500", 200, len(content))
            assert seen.ended - seen.began >= 0.05
            assert backend.asked[0].query == {"limit": "500"}
            proxy.begin(0)
            assert (proxy.seen(), proxy.bytes) == ([], 0)


# What it says


def measured(program: str, wall: float, *, peak: int = 90, requests: int = 55, depth: int = 12, pods: int = 24, **situation: Any) -> Measurement:
    return Measurement(program, Situation(**situation), (wall, wall, wall), wall, wall / 2, peak * MIB, (requests,) * 3, 0, 800_000, depth, pods)


@pytest.fixture
def results() -> Results:
    """A run that keeps everything."""
    return Results(
        "2026-11-26",
        Machine(2, 24 * 2**30, "3.11.7", "Linux x86_64", 0.1),
        (Start(BARE_IMPORT, 0.1, None), Start("exivity-audit list", 0.2, 0.25)),
        (
            measured(TOOL, 0.80, unrelated=0), measured(BARE, 0.40, unrelated=0),
            measured(TOOL, 0.88, unrelated=5000), measured(BARE, 0.44, unrelated=5000),
            measured(KUBECTL, 1.0, unrelated=5000), measured(POPEYE, 8.8, unrelated=5000),
            measured(TOOL, 0.9, unrelated=5000, latency=0), measured(TOOL, 2.1, unrelated=5000, latency=100),
            measured(TOOL, 1.76, peak=180, pods=1008, unrelated=5000, own=1000),
            measured(TOOL, 2.0, peak=180, unrelated=5000, inside=10_000), measured(TOOL, 1.5, requests=80, unrelated=5000, operators=True),
        ),
        25,
        ("200 get /version", "200 get /apis"),
    )  # fmt: skip


def figure(results: Results, start: str) -> limits.Line:
    return next(line for line in limits.lines(results) if start in line.title)


def test_a_run_that_keeps_everything_has_nothing_broken(results: Results) -> None:
    assert limits.broken(results) == []
    assert all(line.kept for line in limits.lines(results))
    assert figure(results, "popeye").measured == pytest.approx(10)
    assert figure(results, "bare reads").measured == pytest.approx(2)
    assert figure(results, "growth").measured == pytest.approx(10)
    assert figure(results, "added time").measured == pytest.approx(12)
    assert "NOT KEPT" not in limits.table(results)


@pytest.mark.parametrize(
    ("title", "worse"),
    [
        ("wall", measured(TOOL, 1.01, unrelated=5000)),
        ("peak memory of the whole", measured(TOOL, 0.88, peak=101, unrelated=5000)),
        ("popeye", measured(POPEYE, 4.0, unrelated=5000)),
        ("bare reads", measured(BARE, 0.2, unrelated=5000)),
        ("growth", measured(TOOL, 0.70, unrelated=0)),
        ("no operator", measured(TOOL, 0.88, requests=61, unrelated=5000)),
        ("every operator", measured(TOOL, 1.5, requests=86, unrelated=5000, operators=True)),
        ("requests that write", replace(measured(TOOL, 0.88, unrelated=5000), writes=1)),
        ("10,000 pods", measured(TOOL, 2.0, peak=201, unrelated=5000, inside=10_000)),
        ("longest chain", measured(TOOL, 2.1, depth=16, unrelated=5000, latency=100)),
        ("added time", measured(TOOL, 2.5, unrelated=5000, latency=100)),
    ],
)  # fmt: skip
def test_each_promise_can_be_broken(results: Results, title: str, worse: Measurement) -> None:
    others = [one for one in results.measurements if (one.program, one.situation) != (worse.program, worse.situation)]
    found = replace(results, measurements=(*others, worse))
    assert [line for line in limits.broken(found) if title in line.title]
    assert "NOT KEPT" in limits.table(found)


def test_starts_have_five_times_the_bare_import_on_a_slow_machine(results: Results) -> None:
    late = replace(results, starts=(Start(BARE_IMPORT, 0.1, None), Start("exivity-audit list", 0.51, 0.25)))
    slow = replace(results, starts=(Start(BARE_IMPORT, 0.2, None), Start("exivity-audit list", 0.51, 0.25)))
    assert [line.title for line in limits.broken(late)] == ["exivity-audit list"]
    assert limits.broken(slow) == []


def test_a_run_of_starts_alone_promises_nothing_of_clusters(results: Results) -> None:
    starts = replace(results, measurements=())
    assert limits.broken(starts) == []
    assert "not measured" in limits.table(starts)


def test_what_could_not_be_measured_is_not_kept_but_for_a_peer_that_nobody_gave(results: Results) -> None:
    without_popeye = replace(results, measurements=tuple(one for one in results.measurements if one.program != POPEYE))
    assert limits.broken(without_popeye) == []
    without_operators = replace(results, measurements=tuple(one for one in results.measurements if not one.situation.operators))
    assert [line.title for line in limits.broken(without_operators)] == ["… requests, every operator installed"]


def test_a_run_is_kept_as_a_file(results: Results, tmp_path: Path) -> None:
    results.write(tmp_path / "bench" / "results.json")
    assert Results.read(tmp_path / "bench" / "results.json") == results


def test_the_figures_replace_those_of_before_and_nothing_else(results: Results) -> None:
    page = f"# Before\n\n{document.BEGIN}old figures\n{document.END}\n\nafter\n"
    written = document.current(page, results)
    assert written.startswith("# Before\n")
    assert written.endswith(f"{document.END}\n\nafter\n")
    assert "old figures" not in written
    assert document.current(written, results) == written
    with pytest.raises(ValueError, match="marks"):
        document.current("# Before\n", results)


def test_the_page_shows_ratios_limits_plots_and_the_chain(results: Results) -> None:
    page = document.figures(results)
    assert "| 5,000 | popeye | 3 | 8.80 s | 20.0 | 10.0 | 4.40 s | 90 MiB | 55 | 800 kB |" in page
    assert "| … growth from 0 to 5,000 unrelated pods | 10.0 % | ≤ 15.0 % | kept |" in page
    assert "| 100 ms | exivity-audit run | 3 | 2.10 s | 12.0 | 12 | 55 |" in page
    assert "line [2.00, 2.20]" in page
    assert "bar [1.00, 2.00, 2.27, 20.00]" in page
    assert "200 get /version" in page
    assert "The product has 24 pods of its own there" in page
    assert "| 5,000 pods of others, 1,008 of the product | exivity-audit run | 3 | 1.76 s |" in page
    assert "With 1,008 pods of the product in place of 24 `exivity-audit run` took 2.0 × the time (0.88 → 1.76 s)" in page


def test_rounds_that_differ_are_shown_as_they_were(results: Results) -> None:
    uneven = Measurement(POPEYE, Situation(unrelated=5000), (0.2, 0.2, 0.2, 0.2, 36.0), 7.36, 4.0, 900 * MIB, (35, 35, 35, 35, 37), 0, 700_000, 9, 24)
    others = tuple(one for one in results.measurements if one.program != POPEYE)
    found = replace(results, measurements=(*others, uneven))
    by_average, by_median = (figure(found, f"popeye of the same namespace, {how}") for how in ("on average", "by the median"))
    assert (by_average.kept, by_median.kept) == (True, False)
    said = "in 1 of its 5 rounds it loaded every pod of the cluster"
    assert (by_average.verdict, by_median.verdict) == (f"kept: {said}", f"NOT KEPT: {said}")
    assert by_median in limits.broken(found)
    page = document.figures(found)
    assert by_average.verdict in page
    assert by_median.verdict in page
    assert "| 35–37 |" in page


def test_less_than_no_time_is_noise(results: Results) -> None:
    quick = tuple(replace(one, wall=0.5) if one.situation.latency == 100 else one for one in results.measurements)
    found = replace(results, measurements=quick)
    assert figure(found, "added time").measured == 0
    assert "| 100 ms | exivity-audit run | 3 | 0.50 s | 0.0 |" in document.figures(found)


def test_the_page_says_when_the_machine_was_busy(results: Results) -> None:
    busy = replace(results, machine=replace(results.machine, load=2.5))
    assert "busy" in document.figures(busy)
    assert "busy" not in document.figures(results)


def test_the_page_in_the_repository_tells_of_every_promise(results: Results) -> None:
    text = document.PAGE.read_text()
    _, begin, rest = text.partition(document.BEGIN)
    table, end, _ = rest.partition(document.END)
    assert begin
    assert end
    for line in limits.lines(results):
        assert line.title in table, "measure anew and run `make performance`"
