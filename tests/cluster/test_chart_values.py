"""Every chart value that a fix names is one that the chart has, and those that belong together render together."""

from __future__ import annotations

import ast
import io
import itertools
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from exivity_audit import chart
from exivity_audit.paths import steps

from .controlplane import Object, chart_path

pytestmark = pytest.mark.skipif(chart_path() is None, reason="the Exivity chart is not there")

CHECKS = Path(__file__).resolve().parents[2] / "checks"
# What stands for the variable parts of a path.
SAMPLES = {"service.key": ("glass", "proximityApi"), "unexplained[0].key": ("glass",), "part": ("postgresql", "rabbitmq"), "name": ("any.io/name",)}
# Decided elsewhere: by `Claim.values_path`, and by a parameter of the calling function.
ELSEWHERE = ("claim.values_path", "one.values_path", "path", "value")
# Keys that a map of the values may hold, which no default names.
OPEN = (
    "ingress.annotations",
    "global.nodeSelector",
    "service.glass.resources",
    "service.proximityApi.resources",
    "global.security",
    "postgresql.primary.persistence",
)


@cache
def defaults() -> Object:
    """The chart's values with those of its two sub-charts under their names."""
    path = chart_path()
    assert path is not None
    found: Object = _values(path.read_bytes(), "exivity")
    with tarfile.open(path) as archive:
        for member in archive.getnames():
            if "/charts/" in member and member.endswith(".tgz"):
                file = archive.extractfile(member)
                assert file is not None
                name = member.rpartition("/")[2].split("-")[0]
                found[name] = over(_values(file.read(), name), found[name])
    return found


def over(base: Object, above: Object) -> Object:
    """Two trees of values as one, the second above the first."""
    found = dict(base)
    for key, value in above.items():
        found[key] = over(found[key], value) if isinstance(value, dict) and isinstance(found.get(key), dict) else value
    return found


def _values(content: bytes, name: str) -> Object:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        file = archive.extractfile(f"{name}/values.yaml")
        assert file is not None
        loaded: Any = yaml.safe_load(file.read())
    return dict(loaded)


def known(path: str) -> bool:
    """Whether the chart has a default for a path, or takes any key at its place."""
    node: Any = defaults()
    for step in steps(path):
        if not isinstance(node, dict) or step not in node:
            return path.startswith(OPEN)
        node = node[step]
    return True


def named() -> Iterator[tuple[str, str]]:
    """Every path that a check gives to `values(…)` or `fill=`, with where."""
    for file in sorted(CHECKS.rglob("*.py")):
        tree = ast.parse(file.read_text())
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.Module)):
            for call in (node for node in ast.walk(function) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                places = [call.args[0]] if call.func.id == "values" and call.args else []  # type: ignore[attr-defined]
                places += [keyword.value for keyword in call.keywords if keyword.arg == "fill"]
                for place in places:
                    for path in _paths(place, function, tree, file):
                        yield path, f"{file.relative_to(CHECKS)}:{call.lineno}"


def _paths(node: ast.expr, function: ast.AST, tree: ast.Module, file: Path) -> Iterator[str]:
    text = ast.unparse(node)
    if isinstance(node, ast.Constant):
        yield node.value
    elif isinstance(node, ast.Tuple):
        for item in node.elts:
            yield from _paths(item, function, tree, file)
    elif isinstance(node, ast.IfExp):
        yield from _paths(node.body, function, tree, file)
        yield from _paths(node.orelse, function, tree, file)
    elif isinstance(node, ast.JoinedStr):
        parts = [_part(part, function, tree, file) for part in node.values]
        yield from ("".join(choice) for choice in itertools.product(*parts))
    elif isinstance(node, ast.Name):
        assigned = [one for one in ast.walk(function if isinstance(function, ast.FunctionDef) else tree) if _assigns(one, text)]
        constant = getattr(sys.modules.get(_module(file)), text, None) if text.isupper() else None
        if isinstance(constant, str):
            yield constant
        elif constant is None and assigned:
            yield from _paths(assigned[0].value, function, tree, file)  # type: ignore[attr-defined]
        elif constant is None:
            assert text in ELSEWHERE, f"{file.name}: {text}"
    else:
        assert text in ELSEWHERE, f"{file.name}: {text}"


def _part(part: ast.expr, function: ast.AST, tree: ast.Module, file: Path) -> tuple[str, ...]:
    if isinstance(part, ast.Constant):
        return (part.value,)
    assert isinstance(part, ast.FormattedValue)
    text = ast.unparse(part.value)
    return SAMPLES[text] if text in SAMPLES else tuple(_paths(part.value, function, tree, file))


def _assigns(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Assign) and any(isinstance(target, ast.Name) and target.id == name for target in node.targets)


def _module(file: Path) -> str:
    return "exivity_audit_checks." + ".".join(file.relative_to(CHECKS).with_suffix("").parts)


def test_every_path_exists_in_the_chart() -> None:
    import exivity_audit_checks  # noqa: F401
    from exivity_audit_checks.disaster_recovery.parity import SECRETS

    from exivity_audit.pack import own_pack

    own_pack()
    found = dict(named()) | {path: f"disaster_recovery/parity.py, {thing}" for thing, _, path, *_ in SECRETS}
    assert len(found) > 30
    unknown = {path: place for path, place in found.items() if path and not known(path)}
    assert not unknown, unknown


def test_every_size_exists_in_the_chart() -> None:
    for group, names in chart.SIZED_CLAIMS.items():
        assert set(names) == set(defaults()["storage"]["pvcSizes"][group])
    assert known("postgresql.primary.persistence.size")
    assert not known("postgresql.primary.persistance.size")


@pytest.mark.parametrize(
    "together",
    [
        "postgresql.tls.enabled=true,postgresql.tls.autoGenerated=true,postgresql.sslmode=require",
        "rabbitmq.auth.tls.enabled=true,rabbitmq.auth.tls.autoGenerated=true,rabbitmq.auth.tls.failIfNoPeerCert=false,"
        "rabbitmq.auth.tls.sslOptionsVerify=verify_none,rabbitmq.secure=true,rabbitmq.port=5671",
        "postgresql.image.registry=registry.corp,rabbitmq.image.registry=registry.corp,global.security.allowInsecureImages=true,service.registry=registry.corp",
        "global.securityContext.runAsNonRoot=true,global.securityContext.runAsUser=1000,global.nodeSelector.kubernetes\\.io/os=linux",
        "ingress.tls.enabled=true,ingress.tls.secret=exivity-tls,ingress.annotations.nginx\\.ingress\\.kubernetes\\.io/force-ssl-redirect=x",
    ],
)
def test_what_belongs_together_renders(binaries: Path, together: str) -> None:
    done = subprocess.run(
        [str(binaries / "helm"), "template", "exivity", str(chart_path()), "--no-hooks", "--set", together],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-800:]
