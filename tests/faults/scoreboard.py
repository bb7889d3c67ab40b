"""The scoreboard of the fault suites: each process counts, the session adds up and prints; ``python -m tests.faults.scoreboard`` writes the document.

A measure is a count (they add up) or a height (the highest stands). Every figure of docs/reliability.md comes from files that a run left behind.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROFILE = os.environ.get("FAULTS", "ci")
LONG = PROFILE == "long"
FOLDER = ROOT / "build" / "faults"
PAGE = ROOT / "docs" / "reliability.md"
_OWN = f"{os.getpid()}-{time.time_ns()}"  # of this process, also among those of earlier sessions
BEGIN, END = "<!-- scoreboard -->\n", "<!-- end of the scoreboard -->"


@dataclass(frozen=True)
class Line:
    """One line of the scoreboard: what is measured, and the least or most it must be (in CI and in the long run)."""

    name: str
    title: str
    least: tuple[float, float] | None = None
    most: float | None = None
    unit: str = ""
    height: bool = False

    def holds(self, value: float | None, long: bool) -> bool | None:
        """Whether a measured value is good; None where nothing was measured."""
        if value is None:
            return None
        return (self.least is None or value >= self.least[long]) and (self.most is None or value <= self.most)


LINES = (
    Line("combinations", "fault combinations injected", (600, 5000)),
    Line("crash", "… crashes", most=0),
    Line("hang", "… hangs", most=0),
    Line("false pass", "… false passes", most=0),
    Line("score", "… scores that rose", most=0),
    Line("lost", "… outcomes or reports lost", most=0),
    Line("leak", "… secrets leaked", most=0),
    Line("code", "… wrong exit codes", most=0),
    Line("overrun", "worst overrun past a deadline", most=5, unit=" s", height=True),
    Line("live combinations", "fault combinations before the real API server"),
    Line("commands", "runs of the whole command under a fault (TLS, plug-ins, log-in, hangs)", (40, 40)),
    Line("canaries", "canaries planted, each seen in what the API servers serve", (200, 200), height=True),
    Line("canaries carried", "… of which the answers to one run carried", (200, 200), height=True),
    Line("searched", "outputs searched for every canary in every encoding", (30, 30)),
    Line("canaries leaked", "… canaries found", most=0),
    Line("key formats", "formats of keys that the second net catches", (30, 30)),
    Line("kept texts", "… texts of good clusters that it looked at", (1000, 1000), height=True),
    Line("caught by mistake", "… share of them caught by mistake", most=1, unit=" %", height=True),
    Line("objects", "mutated objects judged", (2000, 200_000)),
    Line("uncaught", "… uncaught errors", most=0),
    Line("siblings", "findings that a malformed sibling did not hide", (500, 20_000)),
    Line("malformed findings", "… failing objects made malformed that did not turn to a pass", (60, 5000)),
    Line("sibling kinds", "… conforming clusters with a malformed object, named and failing no other", (50, 500)),
    Line("hostile files", "hostile snapshots, configs, evidence and packs", (60, 60)),
    Line("hostile accepted", "… accepted, or refused without a sentence", most=0),
    Line("hostile seconds", "… slowest refusal", most=5, unit=" s", height=True),
    Line("hostile memory", "… highest memory on top of the start", most=150, unit=" MiB", height=True),
    Line("rogues", "rogue checks of foreign packs", (30, 30)),
    Line("rogues escaped", "… not contained", most=0),
    Line("interruptions", "interruptions (signals, pipes, disks, two at once)", (10, 10)),
    Line("kills", "runs killed at a random moment, on a cluster full of canaries", (20, 200)),
    Line("kill files searched", "… files left then, searched for every canary in every encoding", (20, 200)),
    Line("corrupted", "… files corrupted, left behind half, or with a canary", most=0),
    Line("flips", "bytes of a sealed pack flipped", (1000, 10_000)),
    Line("flips missed", "… flips not detected", most=0),
    Line("hostile strings", "hostile strings planted in names, labels, messages, papers, config and errors", (100, 100), height=True),
    Line("hostile shown", "… of one run that its report shows", (25, 25), height=True),
    Line("hostile outputs", "outputs read by the readers of their formats", (200, 1000)),
    Line("payloads", "… payloads of their own for page, spreadsheet and Markdown", (150, 150)),
    Line("hostile acted", "… raw controls, elements, formulas, commands, links, forged lines", most=0),
    Line("fuzzed strings", "random strings in JSON, JUnit, SARIF, metrics and the other machine formats", (1000, 10_000)),
    Line("fuzzed unreadable", "… reports that their schema or parser refuses", most=0),
    Line("in flight", "requests in flight before a small API server that throttles", most=8, height=True),
    Line("version layouts", "other versions of an operator's API (beside ours, alone, with other fields)", (9, 100)),
    Line("versions misread", "… verdicts that differ, or pass without being seen", most=0),
    Line("absent", "clusters without an operator's API or any, or with an object gone between two reads: no pass out of it", (150, 150)),
    Line("page cuts", "lists cut into random pages, with tokens that expire", (150, 1000)),
    Line("page cuts wrong", "… objects twice or lost", most=0),
    Line("places", "time zones and languages that give the same bytes", (6, 12)),
    Line("ways", "ways to a server: proxy, NO_PROXY, SOCKS, IPv6, tls-server-name, a forwarded port", (6, 6)),
    Line("ways failed", "… that did not hold", most=0),
    Line("big memory", "peak memory of a whole run on 10,000 pods", most=200, unit=" MiB", height=True),
    Line("big requests", "… requests", most=150, height=True),
)  # fmt: skip


@dataclass
class Scoreboard:
    """What this process measured so far."""

    figures: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, count: float = 1) -> None:
        """Count something; nought too, so that it stands on the board."""
        self.figures[name] = self.figures.get(name, 0) + count

    def high(self, name: str, value: float) -> None:
        """Keep the highest."""
        self.figures[name] = max(self.figures.get(name, value), value)

    def write(self, folder: Path) -> None:
        """Leave the figures behind for the session."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"part-{_OWN}.json").write_text(json.dumps(self.figures))


board = Scoreboard()


def merged(parts: Iterable[dict[str, float]]) -> dict[str, float]:
    """The figures of several processes as one."""
    heights = {line.name for line in LINES if line.height}
    found = Scoreboard()
    for part in parts:
        for name, value in part.items():
            (found.high if name in heights else found.add)(name, value)
    return found.figures


def gathered(folder: Path) -> dict[str, float]:
    """The figures that the processes of a session left behind."""
    return merged(json.loads(path.read_text()) for path in sorted(folder.glob("part-*.json")))


def rows(figures: dict[str, float], long: bool) -> list[tuple[str, str, str, str]]:
    """Measure, figure, limit and verdict of every line that was measured."""
    found = []
    for line in LINES:
        value = figures.get(line.name)
        if value is None:
            continue
        shown = f"{value:,.1f}" if value != int(value) else f"{int(value):,}"
        limit = f"≥ {line.least[long]:,g}" if line.least else f"≤ {line.most:g}{line.unit}" if line.most is not None else ""
        found.append((line.title, f"{shown}{line.unit}", limit.replace("2e+05", "200,000"), "yes" if line.holds(value, long) else "NO"))
    return found


def printed(figures: dict[str, float], long: bool) -> str:
    """The board for a terminal."""
    return "\n".join(f"  {title:<72} {value:>12}  {limit:<10} {good}" for title, value, limit, good in rows(figures, long))


def save(figures: dict[str, float]) -> Path:
    """Keep the figures of a whole run for the document."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{PROFILE}.json"
    stamp = datetime.now(UTC).strftime("%Y-%m-%d")
    kept = {
        "date": stamp,
        "python": platform.python_version(),
        "seconds": round(figures["seconds"]),
        "exit_code": int(figures["failed sessions"] > 0),
        "figures": figures,
    }
    path.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    return path


def table(path: Path, long: bool) -> str:
    """The section of the document on one run."""
    kept, live = json.loads(path.read_text()), FOLDER / "live.json"
    if live.exists() and not long:  # of tests/cluster/test_faults.py
        kept["figures"] |= json.loads(live.read_text())
    head = "The long run (`make faults-long`)" if long else "The run of every push (`make test-faults`)"
    lines = [f"### {head}", "", f"Measured on {kept['date']} with Python {kept['python']}, in {kept['seconds'] / 60:.0f} minutes{'' if kept['exit_code'] == 0 else '; some of its tests failed'}.", "",
             "| measure | figure | limit | holds |", "|---|---:|---|---|"]  # fmt: skip
    lines += [f"| {title} | {value} | {limit} | {good} |" for title, value, limit, good in rows(kept["figures"], long)]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the measured figures into the document."""
    parts = [table(path, name == "long") for name in ("ci", "long") if (path := FOLDER / f"{name}.json").exists()]
    mutants = FOLDER / "mutants.json"
    if mutants.exists():
        kept = json.loads(mutants.read_text())
        lines = [
            "### Mutation testing (`make mutants`)",
            "",
            f"Measured on {kept['date']}.",
            "",
            "| module | mutants | killed | share |",
            "|---|---:|---:|---:|",
        ]
        lines += [
            f"| `{name}` | {one['mutants']} | {one['killed']} | {100 * one['killed'] / one['mutants']:.0f} % |"
            for name, one in kept["modules"].items()
        ]
        parts.append("\n".join(lines) + "\n")
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    PAGE.write_text(before + BEGIN + "\n" + "\n".join(parts) + "\n" + END + rest.partition(END)[2])
    print(PAGE.relative_to(ROOT))


if __name__ == "__main__":
    main()
