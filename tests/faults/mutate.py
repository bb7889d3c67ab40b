"""Mutation testing: one thing in a function made wrong, and whether a test notices; ``python -m tests.faults.mutate [MOST]``.

Every mutant runs in a fork that already has the tests imported: the function's code is replaced where it stands, so that everybody who imported it
sees the mutant. A mutant is killed when a test fails or the time is up.
"""

from __future__ import annotations

import ast
import copy
import functools
import importlib
import io
import json
import os
import random
import signal
import sys
import types
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.faults.scoreboard import FOLDER, ROOT

SECONDS = 60
# Module → the tests that are to notice.
MODULES: dict[str, list[str]] = {
    "exivity_audit.evaluate": ["tests/test_engine.py", "tests/test_two_sites.py"],
    "exivity_audit.collect.describe": ["tests/collect/test_describe.py"],
    "exivity_audit.collect.public": ["tests/collect/test_describe.py", "tests/test_canaries.py"],
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
    elif isinstance(node, ast.Return) and node.value is not None:
        yield ast.Return(ast.Constant(None))
    elif isinstance(node, ast.If):
        yield ast.If(test=ast.UnaryOp(ast.Not(), node.test), body=node.body, orelse=node.orelse)
    elif isinstance(node, ast.Expr | ast.AugAssign | ast.Continue | ast.Break | ast.Raise) and not (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    ):
        yield None


def _marks(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """The nodes of a function's body; annotations, defaults, decorators and texts of errors are left out."""
    for statement in function.body:
        yield from ast.walk(statement)


def mutants(source: str) -> Iterator[tuple[str, str, ast.Module]]:
    """Every mutant of a module: the function's name, what was changed, and the module with the change."""
    tree = ast.parse(source)
    holders: list[tuple[str, ast.FunctionDef]] = []
    for item in tree.body:
        if isinstance(item, ast.FunctionDef):
            holders.append((item.name, item))
        elif isinstance(item, ast.ClassDef):
            holders += [(f"{item.name}.{inner.name}", inner) for inner in item.body if isinstance(inner, ast.FunctionDef)]
    for name, function in holders:
        for place, node in _places(function):
            for changed in _changes(node):
                new = ast.unparse(changed) if changed is not None else "nothing"
                yield (
                    name,
                    f"{name}, line {getattr(node, 'lineno', 0)}: {ast.unparse(node)[:70]!r} → {new[:70]!r}",
                    _with(tree, function, place, changed),
                )


def _places(function: ast.FunctionDef) -> list[tuple[int, ast.AST]]:
    return [(number, node) for number, node in enumerate(_marks(function))]


def _with(tree: ast.Module, function: ast.FunctionDef, place: int, changed: ast.AST | None) -> ast.Module:
    """A copy of the module with one node of a function changed."""
    made = copy.deepcopy(tree)
    twin = next(one for one in ast.walk(made) if isinstance(one, ast.FunctionDef) and (one.name, one.lineno) == (function.name, function.lineno))
    target = list(_marks(twin))[place]

    class Swap(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            if node is target:
                return ast.copy_location(copy.deepcopy(changed) if changed is not None else ast.Pass(), node)
            return self.generic_visit(node)

    return ast.fix_missing_locations(Swap().visit(made))


def _function(module: types.ModuleType, name: str) -> types.FunctionType | None:
    found: object = module
    for step in name.split("."):
        found = vars(found).get(step) if hasattr(found, "__dict__") else None
    if isinstance(found, property):
        found = found.fget
    if isinstance(found, functools.cached_property):
        found = found.func
    found = getattr(found, "__func__", found)
    found = getattr(found, "__wrapped__", found)
    return found if isinstance(found, types.FunctionType) else None


def _code(tree: ast.Module, name: str, file: str) -> types.CodeType:
    code = compile(tree, file, "exec", dont_inherit=True, flags=0)
    for step in name.split("."):
        code = next(one for one in code.co_consts if isinstance(one, types.CodeType) and one.co_name == step)
    return code


def _survives(module: types.ModuleType, name: str, tree: ast.Module, tests: list[str]) -> bool:
    """Whether no test notices, tried in a fork."""
    process = os.fork()
    if process == 0:
        os.setpgid(0, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(SECONDS)
        code = 1
        try:
            function = _function(module, name)
            assert function is not None
            function.__code__ = _code(tree, name, module.__file__ or "")
            code = int(_tested(tests))
        finally:
            os._exit(0 if code == 0 else 1)
    _, status = os.waitpid(process, 0)
    return status == 0


def _tested(tests: list[str]) -> int:
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header", "--tb=no", *tests]))


def main() -> None:
    """Try mutants of every module, at most so many of each, and leave the figures for the document."""
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    wanted = sys.argv[2:] or list(MODULES)
    path = FOLDER / "mutants.json"
    kept = json.loads(path.read_text()) if path.exists() else {"modules": {}}
    for name in wanted:
        tests = [str(ROOT / one) for one in MODULES[name]]
        module = importlib.import_module(name)
        if _tested(tests) != 0:
            raise SystemExit(f"the tests of {name} fail without any mutant")
        source = Path(module.__file__ or "").read_text()
        every = [one for one in mutants(source) if _function(module, one[0]) is not None]
        chosen = every if len(every) <= most else random.Random(1).sample(every, most)
        alive = [told for function, told, tree in chosen if _survives(module, function, tree, tests)]
        killed = len(chosen) - len(alive)
        print(f"{name}: {killed} of {len(chosen)} killed ({100 * killed / len(chosen):.0f} %), of {len(every)} there are", flush=True)
        for told in alive:
            print(f"  alive: {told}", flush=True)
        kept["modules"][name] = {"mutants": len(chosen), "killed": killed}
        kept["date"] = datetime.now(UTC).strftime("%Y-%m-%d")
        FOLDER.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
