"""Compare a JSON report with what a bare kind cluster gives (kind-expected.json): prints what differs, and ends with 1 where something does."""

import json
import sys
from pathlib import Path

report = json.loads(Path(sys.argv[1]).read_text())
expected = json.loads((Path(__file__).parent / "kind-expected.json").read_text())
worst = ["error", "fail", "unknown", "warn", "manual", "pass", "skip"]
found = {}
for result in report["results"]:
    known = found.get(result["id"], "skip")
    found[result["id"]] = min(known, result["status"], key=worst.index)
found = {check: status for check, status in found.items() if status in ("fail", "warn")}
for check in sorted(found.keys() | expected.keys()):
    if found.get(check) != expected.get(check):
        print(f"{check}: {found.get(check, 'nothing found')}, expected {expected.get(check, 'nothing')}")
print(f"{len(found)} findings, {len(expected)} expected")
sys.exit(found != expected)
