"""What a run of the benchmark found, as a file: measurements in the situations they were made in, and the machine."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .process import REPOSITORY

FOLDER = REPOSITORY / "build" / "bench"
FILE = FOLDER / "results.json"

TOOL, BARE, POPEYE, KUBECTL = "exivity-audit run", "bare reads", "popeye", "kubectl get"


@dataclass(frozen=True)
class Situation:
    """The cluster a measurement was made on, and the way to it."""

    unrelated: int = 0  # pods in other namespaces
    own: int = 0  # pods of the product; 0: as installed
    inside: int = 0  # pods of others in the product's namespace
    operators: bool = False
    latency: int | None = None  # milliseconds added to each request by the proxy; None: no proxy


@dataclass(frozen=True)
class Measurement:
    """One program in one situation, over all of its rounds."""

    program: str
    situation: Situation
    walls: tuple[float, ...]  # of each round
    wall: float  # what stands for it: the best of its rounds, or their average where its own work differs
    cpu: float
    peak: int
    asked: tuple[int, ...] = ()  # requests of each round
    writes: int | None = None  # requests that write, of all rounds together
    received: int | None = None  # bytes of answers, as they came over the wire
    depth: int | None = None  # requests of the longest chain, in any round, of which each began when the one before had ended
    pods: int | None = None  # of the product, as they were counted

    @property
    def rounds(self) -> int:
        """How often it ran."""
        return len(self.walls)

    @property
    def average(self) -> float:
        """Wall time of its rounds on average."""
        return statistics.fmean(self.walls)

    @property
    def median(self) -> float:
        """Wall time of the middle round."""
        return statistics.median(self.walls)

    @property
    def requests(self) -> int | None:
        """The most requests of any round."""
        return max(self.asked, default=None)


@dataclass(frozen=True)
class Start:
    """What one command takes that asks no cluster."""

    command: str
    seconds: float
    limit: float | None


@dataclass(frozen=True)
class Machine:
    """The class of machine; not its name."""

    cores: int
    memory: int
    python: str
    system: str
    load: float  # of the minute before the run

    @classmethod
    def here(cls) -> Machine:
        """This one."""
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return cls(os.cpu_count() or 1, memory, platform.python_version(), f"{platform.system()} {platform.machine()}", os.getloadavg()[0])


@dataclass(frozen=True)
class Results:
    """A whole run."""

    day: str
    machine: Machine
    starts: tuple[Start, ...]
    measurements: tuple[Measurement, ...]
    served: int  # kinds of operators that the cluster with all of them serves and the tool reads
    chain: tuple[str, ...]  # the longest chain of requests at the highest latency
    notes: tuple[str, ...] = ()

    def find(self, program: str, **situation: Any) -> Measurement | None:
        """The measurement of a program in a situation, where it was made."""
        wanted = Situation(**situation)
        return next((one for one in self.measurements if one.program == program and one.situation == wanted), None)

    def write(self, path: Path = FILE) -> None:
        """Keep it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(dataclasses.asdict(self), indent=1) + "\n")

    @classmethod
    def read(cls, path: Path = FILE) -> Results:
        """What a run left."""
        found = json.loads(path.read_text())
        return cls(
            found["day"],
            Machine(**found["machine"]),
            tuple(Start(**one) for one in found["starts"]),
            tuple(_measurement(one) for one in found["measurements"]),
            found["served"],
            tuple(found["chain"]),
            tuple(found["notes"]),
        )


def spread(counts: Sequence[int]) -> str:
    """Counts of several rounds: one figure where they are equal."""
    if not counts:
        return "–"
    return f"{min(counts):,}" if min(counts) == max(counts) else f"{min(counts):,}–{max(counts):,}"


def _measurement(found: dict[str, Any]) -> Measurement:
    return Measurement(**{**found, "situation": Situation(**found["situation"]), "walls": tuple(found["walls"]), "asked": tuple(found["asked"])})


def today() -> str:
    """The day of a run."""
    return datetime.now(UTC).strftime("%Y-%m-%d")
