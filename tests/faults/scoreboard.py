"""The scoreboard of the fault suites: each process counts, the session adds up and prints; ``python -m tests.faults.scoreboard`` writes the document.

A measure is a count (they add up), a count of distinct things (each once, whatever process saw it) or a height (the highest stands). Every figure of docs/reliability.md comes from files that a run left behind.
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
SUITES, SUITES_FOLDER = "suites", ROOT / "tests" / "faults"  # the suites of which a test ran
NOT_RUN = "not run"
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
    Line("lost", "… outcomes or reports lost", most=0),
    Line("leak", "… secrets leaked", most=0),
    Line("code", "… wrong exit codes", most=0),
    Line("other clusters", "… of them another cluster by the API's own word (objects absent or empty, decades off)"),
    Line("no report", "… of them without a report, so without a pass"),
    Line("looked for passes", "… of them compared with the run without a fault", (600, 5000)),
    Line("false pass", "… … false passes, findings that turned to a skip", most=0),
    Line("score", "… … points that rose, gates that turned READY, scores that rose without less coverage", most=0),
    Line("overrun", "worst overrun past a deadline", most=5, unit=" s", height=True),
    Line("commands", "runs of the whole command under a fault (TLS, plug-ins, log-in, hangs)", (40, 40)),
    Line("canaries", "canaries planted, each seen in what the API servers serve", (200, 200), height=True),
    Line("canaries carried", "… of which the answers to one run carried", (200, 200), height=True),
    Line("searched", "outputs searched for every canary in every encoding", (30, 30)),
    Line("canaries leaked", "… canaries found", most=0),
    Line("key formats", "formats of keys that the second net catches", (30, 30)),
    Line("kept texts", "… texts of good clusters that it looked at", (1000, 1000), height=True),
    Line("caught by mistake", "… share of them caught by mistake", most=1, unit=" %", height=True),
    Line("distinct objects", "different mutated objects judged", (2000, 200_000)),
    Line("uncaught", "… uncaught errors", most=0),
    Line("siblings", "findings that a malformed sibling did not hide", (500, 20_000)),
    Line("malformed findings", "… failing objects made malformed that did not turn to a pass", (60, 5000)),
    Line("sibling kinds", "… conforming clusters with a malformed object, named and failing no other", (50, 500)),
    Line("odd lists", "lists with an object of odd JSON (too deep, a key twice, a mebibyte, 100,000 labels) that changed no verdict", (100, 100)),
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

LIVE = (
    Line("live combinations", "fault combinations before the real API server", (100, 100)),
    Line("live broken", "… of them that broke an invariant", most=0),
)


@dataclass
class Scoreboard:
    """What this process measured so far."""

    figures: dict[str, float] = field(default_factory=dict)
    seen: dict[str, set[str]] = field(default_factory=dict)

    def add(self, name: str, count: float = 1) -> None:
        """Count something; nought too, so that it stands on the board."""
        self.figures[name] = self.figures.get(name, 0) + count

    def high(self, name: str, value: float) -> None:
        """Keep the highest."""
        self.figures[name] = max(self.figures.get(name, value), value)

    def distinct(self, name: str, marks: Iterable[str]) -> None:
        """Count what was not counted before, by any process of the run."""
        self.seen.setdefault(name, set()).update(marks)

    def totals(self) -> dict[str, float]:
        """Every figure of this board."""
        return self.figures | {name: len(marks) for name, marks in self.seen.items() if name != SUITES}

    def write(self, folder: Path) -> None:
        """Leave the figures behind for the session."""
        folder.mkdir(parents=True, exist_ok=True)
        part = {"figures": self.figures, "seen": {name: sorted(marks) for name, marks in self.seen.items()}}
        (folder / f"part-{_OWN}.json").write_text(json.dumps(part))


board = Scoreboard()


def merged(parts: Iterable[Scoreboard]) -> Scoreboard:
    """The boards of several processes as one."""
    heights = {line.name for line in LINES if line.height}
    found = Scoreboard()
    for part in parts:
        for name, value in part.figures.items():
            (found.high if name in heights else found.add)(name, value)
        for name, marks in part.seen.items():
            found.distinct(name, marks)
    return found


def gathered(folder: Path) -> Scoreboard:
    """What the processes of a session left behind."""
    parts = (json.loads(path.read_text()) for path in sorted(folder.glob("part-*.json")))
    return merged(Scoreboard(part["figures"], {name: set(marks) for name, marks in part["seen"].items()}) for part in parts)


def rows(figures: dict[str, float], long: bool, lines: Iterable[Line] = LINES) -> list[tuple[str, str, str, str]]:
    """Measure, figure, limit and verdict of every line; one that was not measured says so."""
    found = []
    for line in lines:
        value = figures.get(line.name)
        if value is None:
            found.append((line.title, NOT_RUN, _limit(line, long), "–"))
            continue
        shown = f"{value:,.1f}" if value != int(value) else f"{int(value):,}"
        found.append((line.title, f"{shown}{line.unit}", _limit(line, long), "yes" if line.holds(value, long) else "NO"))
    return found


def _limit(line: Line, long: bool) -> str:
    return f"≥ {line.least[long]:,}" if line.least else f"≤ {line.most:g}{line.unit}" if line.most is not None else ""


def printed(figures: dict[str, float], long: bool) -> str:
    """The board for a terminal: what this session measured."""
    measured = (line for line in LINES if line.name in figures)
    return "\n".join(f"  {title:<88} {value:>12}  {limit:<10} {good}" for title, value, limit, good in rows(figures, long, measured))


def save(found: Scoreboard) -> Path:
    """Keep the figures of a whole run for the document."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{PROFILE}.json"
    figures = found.totals()
    kept = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "python": platform.python_version(),
        "seconds": round(figures["seconds"]),
        "exit_code": int(figures["failed sessions"] > 0),
        "suites": sorted(found.seen.get(SUITES, ())),
        "figures": figures,
    }
    path.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    return path


def table(path: Path, long: bool) -> str:
    """The section of the document on one run."""
    kept = json.loads(path.read_text())
    head = "The long run (`make faults-long`)" if long else "The run of every push (`make test-faults`)"
    said = f"Measured on {kept['date']} with Python {kept['python']}, in {kept['seconds'] / 60:.0f} minutes{'' if kept['exit_code'] == 0 else '; some of its tests failed'}."
    return "\n".join([f"### {head}", "", f"{said} {_which(kept.get('suites'))}", "", *_markdown(rows(kept["figures"], long))]) + "\n"


def _which(suites: list[str] | None) -> str:
    """Which suites a run had, in words."""
    if suites is None:
        return "Which suites ran was not recorded; what none of them measured is marked."
    missing = sorted({path.name for path in SUITES_FOLDER.glob("test_*.py")} - set(suites))
    named = ", ".join(f"`{name}`" for name in missing)
    return f"Every suite ran but {named}, whose measures are marked." if missing else f"Every suite ran, {len(suites)} of them."


def _markdown(lines: Iterable[tuple[str, str, str, str]]) -> list[str]:
    return ["| measure | figure | limit | holds |", "|---|---:|---|---|", *(f"| {' | '.join(line)} |" for line in lines)]


def live() -> str:
    """The section on the faults before a real API server."""
    path = FOLDER / "live.json"
    figures = json.loads(path.read_text()) if path.exists() else {}
    head = "### Before the real API server (`make test-cluster`, `tests/cluster/test_faults.py`)"
    return "\n".join([head, "", *_markdown(rows(figures, False, LIVE))]) + "\n"


def main() -> None:
    """Write the measured figures into the document."""
    parts = [table(path, name == "long") for name in ("ci", "long") if (path := FOLDER / f"{name}.json").exists()]
    parts.insert(1, live())
    mutants = FOLDER / "mutants.json"
    if mutants.exists():
        kept = json.loads(mutants.read_text())
        lines = [
            "### Mutation testing (`make mutants`)",
            "",
            "| module | mutants | killed | share | measured |",
            "|---|---:|---:|---:|---|",
        ]
        lines += [
            f"| `{name}` | {one['mutants']} | {one['killed']} | {100 * one['killed'] / one['mutants']:.0f} % | {one.get('date', 'not recorded')} |"
            for name, one in kept["modules"].items()
        ]
        parts.append("\n".join(lines) + "\n")
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    PAGE.write_text(before + BEGIN + "\n" + "\n".join(parts) + "\n" + END + rest.partition(END)[2])
    print(PAGE.relative_to(ROOT))


if __name__ == "__main__":
    main()
