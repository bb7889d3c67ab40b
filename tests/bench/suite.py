"""The whole benchmark: one situation after the other, in each the programs in turn, so that what disturbs one disturbs all."""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from exivity_audit.collect.reads import READS
from exivity_audit.quantity import whole
from tests.cluster.controlplane import Cluster, ClusterError, write_kubeconfig

from . import filling, peers, product
from .audit_log import AuditLog, Request, depth, line
from .latency import LatencyProxy
from .peers import Program
from .plane import ACCOUNT, BenchPlane
from .process import Cost, Failed, measure
from .results import POPEYE, TOOL, Machine, Measurement, Results, Situation, spread, today
from .starting import starts
from .up import binaries

SIZES = (0, 1000, 5000)
STEP, MOST = 1000, 100_000  # what more may be asked for
FULL = 5000  # where everything else is measured
OWN = 1000
INSIDE = 10_000
LATENCIES = (0, 20, 100)
ROUNDS, PEER_ROUNDS, SLOW_ROUNDS = 15, 9, 2


@dataclass
class Found:
    """What was measured so far."""

    measurements: list[Measurement] = field(default_factory=list)
    chain: tuple[str, ...] = ()
    served: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Round:
    """One run of a program: what it cost, what it asked, what shows that it did its work."""

    cost: Cost
    requests: Sequence[Request]
    proof: str = ""


@dataclass
class Bench:
    """One control plane that is measured, and where what is found goes."""

    plane: BenchPlane
    folder: Path
    found: Found
    popeye: Path | None = None

    def __post_init__(self) -> None:
        self._kubeconfig = self.plane.account(self.folder / "kubeconfig")
        self._log = AuditLog(self.plane.audit_log, ACCOUNT)
        self._proofs: dict[str, str] = {}

    def straight(self, situation: Situation, rounds: int, *, with_peers: bool = False) -> None:
        """Measures in a situation without a proxy."""
        pods = product.pods(self.plane)
        with self.plane.standing_still():
            asked = self._asked(peers.tool(self._kubeconfig))  # unmeasured: caches of the server and the interpreter are warm for all
            programs = [(peers.tool(self._kubeconfig), rounds), (peers.bare(self._kubeconfig, asked, self.folder), rounds)]
            programs += [(program, min(rounds, PEER_ROUNDS)) for program in self._peers(asked)] if with_peers else []
            turns: dict[str, list[Round]] = {program.name: [] for program, _ in programs}
            for number in range(rounds):
                for program, wanted in programs:
                    if number < wanted and program.name in turns:
                        try:
                            turns[program.name].append(self._round(program, number))
                        except Failed as error:
                            self._refuse(program, turns, error)
            received = self._received([program for program, _ in programs if program.name in turns])
        for name, of_program in turns.items():
            self._keep(name, situation, of_program, received[name], pods)

    def _refuse(self, program: Program, turns: dict[str, list[Round]], error: Failed) -> None:
        """A peer that did not do its work is not measured at all: its good rounds alone would say nothing. Without the tool or the bare reads nothing is."""
        if program.proof is None:
            raise error
        del turns[program.name]
        self.found.notes.append(f"{program.name} was not measured: {error}"[:600])

    def _round(self, program: Program, number: int) -> Round:
        """One run of a program; what it printed is kept where it is to show what it did."""
        output = self.folder / f"{program.name.split()[0]}-{number}.out" if program.proof else None
        self._log.mark()
        cost = measure(program.command, codes=program.codes, output=output)
        proof = program.proof(output.read_bytes()) if program.proof and output else ""
        if proof != self._proofs.setdefault(program.name, proof):
            raise Failed(f"its rounds did not all do the same: {self._proofs[program.name]}; {proof}")
        return Round(cost, self._log.requests(), proof)

    def delayed(self, situation: Situation) -> None:
        """Measures the tool and the bare reads through the proxy, at each latency in turn."""
        proxy = LatencyProxy(self.plane)
        pods = product.pods(self.plane)
        with self.plane.standing_still(), proxy.running() as address:
            kubeconfig = self._behind(address)
            asked = self._asked(peers.tool(self._kubeconfig))
            for milliseconds in LATENCIES:
                for program in (peers.tool(kubeconfig), peers.bare(kubeconfig, asked, self.folder)):
                    turns = []
                    for _ in range(SLOW_ROUNDS):
                        proxy.begin(milliseconds / 1000)
                        turns.append(Round(measure(program.command, codes=program.codes), proxy.seen()))
                    self._keep(program.name, replace(situation, latency=milliseconds), turns, proxy.bytes, pods)
                    if program.name == TOOL:
                        self.found.chain = tuple(line(one) for one in max((depth(turn.requests) for turn in turns), key=len))

    def _behind(self, address: str) -> Path:
        return write_kubeconfig(self.folder / "proxied", address, self.plane._authority, {"token": self.plane.tokens[ACCOUNT]})

    def _received(self, programs: Sequence[Program]) -> dict[str, int]:
        """The bytes that each program is sent, by runs through the proxy: an audit log does not tell. The first of each warms what it caches of a server."""
        found: dict[str, int] = {}
        proxy = LatencyProxy(self.plane)
        with proxy.running() as address:
            self._behind(address)
            for program in programs:
                command = tuple(word.replace(str(self._kubeconfig), str(self.folder / "proxied")) for word in program.command)
                for _ in range(2):
                    proxy.begin(0)
                    measure(command, codes=program.codes)
                found[program.name] = proxy.bytes
        return found

    def _asked(self, program: Program) -> list[Request]:
        self._log.mark()
        measure(program.command, codes=program.codes)
        return self._log.requests()

    def _peers(self, asked: Sequence[Request]) -> list[Program]:
        found = [peers.kubectl(self._kubeconfig, asked, self.folder), self.popeye and peers.popeye(self.popeye, self._kubeconfig)]
        return [program for program in found if program]

    def _keep(self, name: str, situation: Situation, turns: Sequence[Round], received: int | None, pods: int) -> None:
        row = measured(name, situation, turns, received, pods)
        self.found.measurements.append(row)
        if name == POPEYE:
            self.found.notes.append(
                f"popeye took {min(row.walls):.1f} to {max(row.walls):.1f} s (median {row.median:.1f} s, on average {row.wall:.1f} s) in {row.rounds} rounds "
                f"on the same cluster; its average stands for it in the tables. Every round gave the same report: {turns[0].proof}."
            )
        say(f"  {name:18} {row.wall:7.2f} s  cpu {row.cpu:6.2f} s  peak {row.peak / 2**20:5.0f} MiB  {spread(row.asked)} requests")


def measured(name: str, situation: Situation, turns: Sequence[Round], received: int | None, pods: int) -> Measurement:
    """What the rounds of a program come to.

    The least time of each counts, for what else runs on a machine can only add to it; of popeye, whose own work differs, the average. Of memory the most.
    """
    costs = [turn.cost for turn in turns]
    stands = statistics.fmean if name == POPEYE else min
    return Measurement(
        name, situation, tuple(cost.wall for cost in costs), stands([cost.wall for cost in costs]), stands([cost.cpu for cost in costs]),
        max(cost.peak for cost in costs), tuple(len(turn.requests) for turn in turns), sum(one.writes for turn in turns for one in turn.requests),
        received, max(len(depth(turn.requests)) for turn in turns), pods,
    )  # fmt: skip


def sizes_wanted(given: str) -> tuple[int, ...]:
    """The numbers of unrelated pods, with one more where BENCH_PODS gives it. Raises SystemExit where that is none."""
    if not given:
        return SIZES
    pods = whole(given)
    if not pods or pods > MOST or pods % STEP:
        raise SystemExit(f"BENCH_PODS is {given!r}: it must be a number of pods in whole thousands, up to {MOST}, such as 20000")
    return tuple(sorted({*SIZES, pods}))


def run() -> Results:
    """Everything, bounded; some ten minutes on two quiet cores."""
    sizes = sizes_wanted(os.environ.get("BENCH_PODS", ""))
    machine = Machine.here()
    say("commands that ask no cluster")
    began = starts()
    found = Found()
    with tempfile.TemporaryDirectory() as scratch:
        for name, phase in (("plain", partial(_plain, sizes)), ("operators", _operators)):
            try:
                phase(Path(scratch, name), found)
            except (ClusterError, Failed, OSError, subprocess.SubprocessError) as error:
                # The rest may still be measured; what is missing is a promise not kept.
                found.notes.append(f"{name}: cut short, {error}"[:600])
                say(found.notes[-1])
    return Results(today(), machine, began, tuple(found.measurements), found.served, found.chain, tuple(found.notes))


def _plain(sizes: Sequence[int], folder: Path, found: Found) -> None:
    """No operator: growing numbers of pods, latency, pods of the product's own, pods of others in its namespace."""
    popeye = Path(os.environ["POPEYE"]).resolve() if os.environ.get("POPEYE") else None
    if popeye is None:
        found.notes.append("popeye was not measured: POPEYE named no binary")
    with started(folder) as plane:
        filling.nodes_and_class(plane)
        product.plain(plane)
        filling.surroundings(plane)
        bench = Bench(plane, folder, found, popeye)
        there = 0
        for size in sizes:
            _grow(plane, there, size)
            there = size
            bench.straight(Situation(unrelated=size), ROUNDS, with_peers=size == FULL)
            if size == FULL:
                bench.delayed(Situation(unrelated=size))
        say(f"{OWN} pods of the product")
        product.scale(plane, OWN)
        plane.quiet()
        bench.straight(Situation(unrelated=there, own=OWN), SLOW_ROUNDS)
        product.scale(plane)
        say(f"{INSIDE} pods of others in the product's namespace")
        with plane.standing_still("kwok"):
            filling.pods_inside(plane, product.NAMESPACE, INSIDE)
        plane.quiet()
        bench.straight(Situation(unrelated=there, inside=INSIDE), SLOW_ROUNDS)


def _operators(folder: Path, found: Found) -> None:
    """Every operator that is known, conforming."""
    with started(folder) as plane:
        filling.nodes_and_class(plane)
        product.with_operators(plane)
        filling.surroundings(plane)
        _grow(plane, 0, FULL)
        Bench(plane, folder, found).straight(Situation(unrelated=FULL, operators=True), ROUNDS)
        found.served = served(plane)


@contextlib.contextmanager
def started(folder: Path) -> Iterator[BenchPlane]:
    """A control plane of its own while this lasts."""
    say("a control plane")
    folder.mkdir()
    plane = BenchPlane.start(binaries(), folder)
    try:
        yield plane
    finally:
        plane.stop()


def served(cluster: Cluster) -> int:
    """The kinds of operators that a cluster serves and the tool may read."""
    listed = cluster.items("/apis/apiextensions.k8s.io/v1/customresourcedefinitions")
    return len({f"{one['spec']['names']['plural']}.{one['spec']['group']}" for one in listed} & {read.resource for read in READS})


def _grow(plane: BenchPlane, before: int, after: int) -> None:
    began = time.monotonic()
    if after > before:
        with plane.standing_still("kwok"):
            filling.unrelated_pods(plane, before, after)
    plane.quiet()
    say(f"{after} unrelated pods ({time.monotonic() - began:.0f} s)")


def say(text: str) -> None:
    """Progress."""
    print(text, flush=True)
