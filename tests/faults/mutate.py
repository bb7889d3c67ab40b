"""Mutation testing: one thing in a function made wrong, and whether a test notices; ``python -m tests.faults.mutate [MOST] [MODULE…]``.

Every mutant runs in a fork that already has the tests collected: the function's code is replaced where it stands, so that everybody who imported it
sees the mutant, and what it had cached before is forgotten. A mutant is killed when a test fails or its time or memory is up; one that cannot be
put in place is told as such, never counted.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import functools
import gc
import importlib
import io
import json
import os
import random
import resource
import signal
import sys
import time
import types
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.faults.scoreboard import FOLDER, ROOT

SECONDS = 60  # of waiting
OWN_SECONDS = 20  # of computing: a loop that never ends
MEMORY = 2 * 2**30  # beyond what a fork begins with: a list that never ends
KILLED, ALIVE, NOT_PLACED = 1, 0, 3
# Module → the tests that are to notice.
MODULES: dict[str, list[str]] = {
    "exivity_audit.evaluate": ["tests/test_evaluation.py", "tests/test_engine.py"],
    "exivity_audit.sites": ["tests/test_evaluation.py", "tests/test_engine.py"],
    "exivity_audit.gaps": ["tests/test_evaluation.py", "tests/test_engine.py"],
    "exivity_audit.collect.describe": ["tests/collect/test_describers.py"],
    "exivity_audit.collect.public": ["tests/collect/test_public.py"],
    "exivity_audit.collect.pem": ["tests/collect/test_pem.py"],
    "exivity_audit.collect.alertmanager": ["tests/collect/test_alertmanager_config.py"],
    "exivity_audit.collect.broker": ["tests/collect/test_broker_settings.py"],
    "exivity_audit.collect.chart_values": ["tests/collect/test_chart_values.py"],
    "exivity_audit.collect.targets": ["tests/collect/test_targets.py"],
    "exivity_audit.collect.workflows": ["tests/collect/test_workflows.py"],
    "exivity_audit.collect.net": ["tests/collect/test_net.py", "tests/faults/test_key_formats.py", "tests/collect/test_cost.py"],
    "exivity_audit.paths": [
        "tests/test_paths.py",
        *(
            f"tests/collect/test_cost.py::{name}"
            for name in (
                "test_an_odd_object_in_a_large_page_is_cut_as_in_a_small_one",
                "test_what_fits_the_shape_of_a_read_loses_nothing_that_is_kept",
                "test_equal_parts_of_a_long_list_are_held_once",
                "test_descriptions_are_never_shared",
            )
        ),
    ],
    "exivity_audit.handover.archive": ["tests/handover_pack/test_archive_bytes.py"],
}
COMPARED = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
COUNTED = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr}


def _changes(node: ast.AST) -> Iterator[ast.AST | None]:
    """What a node may become; None takes a statement away."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARED:
        changed = copy.deepcopy(node)
        changed.ops[0] = COMPARED[type(node.ops[0])]()
        yield changed
    elif isinstance(node, ast.BoolOp):
        changed_op = copy.deepcopy(node)
        changed_op.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield changed_op
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.BinOp) and type(node.op) in COUNTED:
        changed_bin = copy.deepcopy(node)
        changed_bin.op = COUNTED[type(node.op)]()
        yield changed_bin
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield ast.Constant(node.value + 1)
    elif isinstance(node, ast.IfExp):
        yield ast.IfExp(test=node.test, body=node.orelse, orelse=node.body)
    elif isinstance(node, ast.Return) and node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
        yield ast.Return(ast.Constant(None))
    elif isinstance(node, ast.If):
        yield ast.If(test=ast.UnaryOp(ast.Not(), node.test), body=node.body, orelse=node.orelse)
    elif isinstance(node, ast.Expr | ast.AugAssign | ast.Continue | ast.Break | ast.Raise) and not (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    ):
        yield None


def _marks(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """The nodes of a function's body; decorators, defaults and annotations, which nobody evaluates, are left out."""
    for statement in function.body:
        yield from _below(statement)


def _below(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for name, field in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for child in field if isinstance(field, list) else [field]:
            if isinstance(child, ast.AST):
                yield from _below(child)


@dataclass(frozen=True)
class Mutant:
    """One change of one function."""

    function: str  # as it is found in the module: ``name`` or ``Class.name``
    line: int
    place: int  # which of the function's nodes is changed
    changed: ast.AST | None  # what it becomes; None: nothing
    told: str


def _holders(body: list[ast.stmt], before: str = "") -> Iterator[tuple[str, ast.FunctionDef]]:
    """The functions of a module and the methods of its classes, also of those inside classes."""
    for item in body:
        if isinstance(item, ast.FunctionDef):
            yield before + item.name, item
        elif isinstance(item, ast.ClassDef):
            yield from _holders(item.body, f"{before}{item.name}.")


def mutants(tree: ast.Module) -> Iterator[Mutant]:
    """Every mutant of a module."""
    for name, function in _holders(tree.body):
        for place, node in enumerate(_marks(function)):
            for changed in _changes(node):
                new = ast.unparse(changed) if changed is not None else "nothing"
                told = f"{name}, line {getattr(node, 'lineno', 0)}: {ast.unparse(node)[:70]!r} → {new[:70]!r}"
                yield Mutant(name, function.lineno, place, changed, told)


def _with(tree: ast.Module, mutant: Mutant) -> ast.Module:
    """A copy of the module with one node of a function changed."""
    made = copy.deepcopy(tree)
    twin = next(one for name, one in _holders(made.body) if (name, one.lineno) == (mutant.function, mutant.line))
    target = list(_marks(twin))[mutant.place]

    class Swap(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            if node is target:
                return ast.copy_location(copy.deepcopy(mutant.changed) if mutant.changed is not None else ast.Pass(), node)
            return self.generic_visit(node)

    Swap().visit(made)
    return ast.fix_missing_locations(made)


def _function(module: types.ModuleType, name: str) -> types.FunctionType | None:
    """The function behind a name, whatever wraps it: a property, a cache, a class method."""
    found: object = module
    for step in name.split("."):
        found = vars(found).get(step) if hasattr(found, "__dict__") else None
    while not isinstance(found, types.FunctionType):
        inner = {property: "fget", functools.cached_property: "func"}.get(type(found))
        inner = inner or next((one for one in ("__func__", "__wrapped__", "function") if hasattr(found, one)), None)
        if inner is None:
            return None
        found = getattr(found, inner)
    return getattr(found, "__wrapped__", found)


def _code(tree: ast.Module, mutant: Mutant, file: str) -> types.CodeType:
    code = compile(tree, file, "exec", dont_inherit=True, flags=0)
    for step in mutant.function.split("."):
        code = next(one for one in code.co_consts if isinstance(one, types.CodeType) and one.co_name == step)
    return code


def _placed(module: types.ModuleType, tree: ast.Module, mutant: Mutant) -> bool:
    """Put a mutant in place; False where it cannot be."""
    function = _function(module, mutant.function)
    if function is None:
        return False
    try:
        function.__code__ = _code(_with(tree, mutant), mutant, module.__file__ or "")
    except (ValueError, StopIteration, SyntaxError):  # it has other free variables, or is no function any more
        return False
    for one in gc.get_objects():
        if isinstance(one, functools._lru_cache_wrapper) and one.__module__.startswith("exivity_audit"):
            one.cache_clear()
    return True


class _Trial:
    """Takes the place of pytest's loop over collected tests: they are run once as they are, then once for every mutant, each time in a fork."""

    def __init__(self, module: types.ModuleType, most: int, workers: int) -> None:
        self._module, self._workers = module, workers
        self._tree = ast.parse(Path(module.__file__ or "").read_text())
        self._every = list(mutants(self._tree))
        self._chosen = self._every if len(self._every) <= most else random.Random(1).sample(self._every, most)
        self._running: dict[int, Mutant | None] = {}
        self.alive: list[Mutant] = []
        self.unplaced: list[Mutant] = []
        self.finished = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        began = time.monotonic()
        self._start(session, None)
        if self._ended()[1] != ALIVE:
            return True
        gc.freeze()
        tell(
            f"{self._module.__name__}: {len(self._chosen)} of {len(self._every)} mutants, {len(session.items)} tests of {time.monotonic() - began:.1f} s"
        )
        left = list(reversed(self._chosen))
        while left or self._running:
            while left and len(self._running) < self._workers:
                self._start(session, left.pop())
            mutant, code = self._ended()
            assert mutant is not None
            if code == ALIVE:
                self.alive.append(mutant)
                tell(f"  alive: {mutant.told}")
            elif code == NOT_PLACED:
                self.unplaced.append(mutant)
                tell(f"  cannot be put in place: {mutant.told}")
            done = len(self._chosen) - len(left) - len(self._running)
            if done % 25 == 0:
                tell(f"  … {done} of {len(self._chosen)}, {time.monotonic() - began:.0f} s")
        self.finished = True
        return True

    def _start(self, session: pytest.Session, mutant: Mutant | None) -> None:
        """A fork in which the tests look at a mutant, or at the module as it is."""
        process = os.fork()
        if process:
            self._running[process] = mutant
            return
        os.setpgid(0, 0)
        code = KILLED
        try:
            _bounded()
            placed = mutant is None or _placed(self._module, self._tree, mutant)
            code = NOT_PLACED if not placed else ALIVE if _all_pass(session) else KILLED
        finally:
            os._exit(code)

    def _ended(self) -> tuple[Mutant | None, int]:
        """The next mutant that a fork is done with, and how that ended."""
        process, status = os.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process, signal.SIGKILL)  # what the tests of a killed fork left behind
        return self._running.pop(process), os.waitstatus_to_exitcode(status)

    def told(self) -> dict[str, int]:
        """The figures, printed too."""
        tried = len(self._chosen) - len(self.unplaced)
        killed = tried - len(self.alive)
        beside = f"; {len(self.unplaced)} could not be put in place" if self.unplaced else ""
        tell(f"{self._module.__name__}: {killed} of {tried} killed ({100 * killed / tried:.0f} %), of {len(self._every)} there are{beside}")
        return {"mutants": tried, "killed": killed}


def _bounded() -> None:
    """Bounds on what this process may take, and silence."""
    for number in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(number, signal.SIG_DFL)
    signal.alarm(SECONDS)
    signal.setitimer(signal.ITIMER_PROF, OWN_SECONDS)
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, size + MEMORY))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)


def _all_pass(session: pytest.Session) -> bool:
    """Whether every test passes; it ends at the first that does not."""
    for number, item in enumerate(session.items):
        following = session.items[number + 1] if number + 1 < len(session.items) else None
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            return False
    return True


def tell(line: str) -> None:
    """A line for whoever waits; pytest has the usual output."""
    print(line, file=sys.__stdout__, flush=True)


def _measured(name: str, most: int, workers: int) -> dict[str, Any]:
    """The figures of one module."""
    trial = _Trial(importlib.import_module(name), most, workers)
    with redirect_stdout(io.StringIO()) as shown:
        pytest.main(["-q", "-s", "-p", "no:cacheprovider", "-p", "no:xdist", *(str(ROOT / one) for one in MODULES[name])], plugins=[trial])
    if not trial.finished:
        raise SystemExit(f"the tests of {name} fail without any mutant\n{shown.getvalue()}")
    return trial.told()


def main() -> None:
    """Try mutants of every module, at most so many of each, and leave the figures for the document."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.mutate", description=main.__doc__)
    parser.add_argument("most", nargs="?", type=int, default=10_000, help="how many mutants of each module; all by default")
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"one of {', '.join(MODULES)}; all by default")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="how many mutants are tried at a time; one a core by default")
    given = parser.parse_args()
    path = FOLDER / "mutants.json"
    for name in given.modules or MODULES:
        found = _measured(name, given.most, given.workers) | {"date": datetime.now(UTC).strftime("%Y-%m-%d")}
        kept = json.loads(path.read_text()) if path.exists() else {"modules": {}}
        kept["modules"][name] = found
        FOLDER.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
