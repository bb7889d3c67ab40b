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
from pathlib import Path

from exivity_audit.collect.reads import READS
from tests.cluster.controlplane import Cluster, ClusterError, write_kubeconfig

from . import filling, peers, product
from .audit_log import AuditLog, Request, depth, line
from .latency import LatencyProxy
from .peers import Program
from .plane import ACCOUNT, BenchPlane
from .process import Cost, Failed, average, best, measure
from .results import POPEYE, TOOL, Machine, Measurement, Results, Situation, today
from .starting import starts
from .up import binaries

SIZES = (0, 1000, 5000)
LARGE = 20_000
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

    def straight(self, situation: Situation, rounds: int, *, with_peers: bool = False) -> None:
        """Measures in a situation without a proxy."""
        with self.plane.standing_still():
            asked = self._asked(peers.tool(self._kubeconfig))  # unmeasured: caches of the server and the interpreter are warm for all
            programs = [(peers.tool(self._kubeconfig), rounds), (peers.bare(self._kubeconfig, asked, self.folder), rounds)]
            programs += [(program, min(rounds, PEER_ROUNDS)) for program in self._peers(asked)] if with_peers else []
            costs: dict[str, list[Cost]] = {program.name: [] for program, _ in programs}
            requests: dict[str, list[Request]] = {}
            for number in range(rounds):
                for program, wanted in programs:
                    if number < wanted:
                        self._log.mark()
                        costs[program.name].append(measure(program.command, codes=program.codes))
                        requests[program.name] = self._log.requests()
            received = self._received([program for program, _ in programs])
        for name, of_program in costs.items():
            self._keep(name, situation, of_program, requests[name], received[name])

    def delayed(self, situation: Situation) -> None:
        """Measures the tool and the bare reads through the proxy, at each latency in turn."""
        proxy = LatencyProxy(self.plane)
        with self.plane.standing_still(), proxy.running() as address:
            kubeconfig = self._behind(address)
            asked = self._asked(peers.tool(self._kubeconfig))
            for milliseconds in LATENCIES:
                for program in (peers.tool(kubeconfig), peers.bare(kubeconfig, asked, self.folder)):
                    costs = []
                    for _ in range(SLOW_ROUNDS):
                        proxy.begin(milliseconds / 1000)
                        costs.append(measure(program.command, codes=program.codes))
                    self._keep(program.name, replace(situation, latency=milliseconds), costs, proxy.seen(), proxy.bytes)
                    if program.name == TOOL:
                        self.found.chain = tuple(line(one) for one in depth(proxy.seen()))

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

    def _keep(self, name: str, situation: Situation, costs: Sequence[Cost], requests: Sequence[Request], received: int | None) -> None:
        cost = average(costs) if name == POPEYE else best(costs)
        if name == POPEYE:
            walls = sorted(one.wall for one in costs)
            self.found.notes.append(
                f"popeye took {walls[0]:.1f} to {walls[-1]:.1f} s (median {statistics.median(walls):.1f} s) in {len(walls)} rounds on the same cluster; "
                "its average stands for it."
            )
        row = Measurement(
            name,
            situation,
            len(costs),
            cost.wall,
            cost.cpu,
            cost.peak,
            len(requests),
            sum(one.writes for one in requests),
            received,
            len(depth(requests)),
        )
        self.found.measurements.append(row)
        say(f"  {name:18} {cost.wall:7.2f} s  cpu {cost.cpu:6.2f} s  peak {cost.peak / 2**20:5.0f} MiB  {len(requests)} requests")


def run() -> Results:
    """Everything, bounded; some ten minutes on two quiet cores."""
    machine = Machine.here()
    say("commands that ask no cluster")
    began = starts()
    found = Found()
    with tempfile.TemporaryDirectory() as scratch:
        for phase in (_plain, _operators):
            try:
                phase(Path(scratch, phase.__name__), found)
            except (ClusterError, Failed, OSError, subprocess.SubprocessError) as error:
                # The rest may still be measured; what is missing is a promise not kept.
                found.notes.append(f"{phase.__name__.strip('_')}: cut short, {error}"[:600])
                say(found.notes[-1])
    return Results(today(), machine, began, tuple(found.measurements), found.served, found.chain, tuple(found.notes))


def _plain(folder: Path, found: Found) -> None:
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
        for size in (*SIZES, LARGE) if os.environ.get("BENCH_PODS") == str(LARGE) else SIZES:
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
