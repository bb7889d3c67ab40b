"""Ten thousand pods, five thousand claims, a thousand nodes: the memory and the requests of a whole run, in a process of its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.collect.fake_server import Pair, write_kubeconfig
from tests.faults import big_cluster
from tests.faults.proxy import FaultProxy
from tests.faults.scoreboard import board
from tests.faults.test_interruptions import environment

MEMORY, REQUESTS = 200, 150
# The peak of the process itself; what the operating system counts for a child holds its parent's.
MEASURED = """
import atexit, re, sys
from exivity_audit.cli import main
atexit.register(lambda: print("peak", re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1], file=sys.stderr))
main(sys.argv[1:])
"""


def test_a_big_cluster(proxy: FaultProxy, authority: Pair, tmp_path: Path) -> None:
    proxy.begin(big_cluster.big_cluster())
    config = write_kubeconfig(tmp_path / "config", proxy.url, authority.certificate, user={"token": "token"})
    report = tmp_path / "report.json"
    words = ["run", "--kubeconfig", str(config), "-n", "exivity", "--release", "exivity", "-q", "-o", f"json={report}"]
    found = subprocess.run(
        [sys.executable, "-c", MEASURED, *words], capture_output=True, text=True, env=environment(tmp_path), timeout=400, check=False
    )
    assert found.returncode in (1, 3), found.stderr
    peak = int(re.findall(r"^peak (\d+)$", found.stderr, re.MULTILINE)[0]) / 1024
    board.high("big memory", round(peak, 1))
    board.high("big requests", len(proxy.asked))
    counts = json.loads(report.read_text())["summary"]["counts"]
    assert counts["pass"] > 90, counts
    assert counts["error"] == 0, counts
    lists = [one for one in proxy.asked if "limit" in one.query]
    pods = [one for one in lists if one.path == "/api/v1/namespaces/exivity/pods"]
    assert len(pods) >= (big_cluster.EVICTED + big_cluster.OTHERS) / 500, "all pages of the audited namespace"
    assert all(one.query["limit"] == "500" for one in lists)
    assert [one.path for one in proxy.asked if one.path.endswith("/events") and "fieldSelector" not in one.query] == [], (
        "no events but those looked for"
    )
    assert [one.path for one in lists if one.path == "/api/v1/pods" and not {"fieldSelector", "labelSelector"} & set(one.query)] == [], (
        "no list of all pods"
    )
    assert report.stat().st_size < 20 * 2**20, "no finding quotes every node of the cluster"
    assert len(proxy.asked) <= REQUESTS
    assert peak <= MEMORY
