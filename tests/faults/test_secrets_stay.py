"""Hundreds of canaries over every trap: none in any format, at any log level, in a snapshot, a traceback or a file, under any fault, in any coding."""

from __future__ import annotations

import base64
import gzip
import json
import logging
import random
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from exivity_audit.cli.output import FORMATS
from exivity_audit.collect.connection import Connection
from tests import test_canaries
from tests.collect.fake_server import Pair, write_kubeconfig
from tests.faults.audit import audit
from tests.faults.canaries import CORE, NEEDLES, Nest, traces
from tests.faults.catalogue import KINDS
from tests.faults.command import command
from tests.faults.proxy import Backend, Fault, FaultProxy, in_memory
from tests.faults.scoreboard import LONG, board
from tests.faults.variants import VARIANTS
from tests.world import World

TOKEN = f"tokEn0{CORE}qq4242"
BASES = list(VARIANTS) if LONG else ["multi_node", "single_node", "openshift", "argo"]


@cache
def nest() -> Nest:
    """All canaries of this process."""
    return Nest()


@cache
def planted(name: str) -> World:
    """A variant with a canary at every trap, those of the describers' own test among them."""
    world = VARIANTS[name]()
    if name == "multi_node":
        kept = test_canaries.canary
        test_canaries.canary = lambda place: nest().canary(f"by hand: {place}")
        try:
            for plant in (test_canaries.product, test_canaries.helm, test_canaries.around, test_canaries.database):
                plant(world)
        finally:
            test_canaries.canary = kept
    return nest().plant(world)


@cache
def served(name: str) -> Backend:
    """The API server of a variant full of canaries."""
    return in_memory(planted(name), 500)


def searched(outputs: dict[str, bytes]) -> None:
    """No canary in any of these."""
    board.high("canaries", len(nest().planted))
    board.add("searched", len(outputs))
    found = sorted({f"{coding} in {name}" for name, content in outputs.items() for coding in traces(content)})
    board.add("canaries leaked", len(found))
    assert found == []


def files(folder: Path, *, but: tuple[str, ...] = ("config",)) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name not in but}


def everything(folder: Path) -> list[str]:
    """The flags that write every format there is."""
    return [word for name in FORMATS for word in ("-o", f"{name}={folder / name}")]


@pytest.mark.parametrize("base", BASES)
def test_every_format_and_the_snapshot(base: str, proxy: FaultProxy, authority: Pair, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    proxy.begin(served(base))
    config = write_kubeconfig(tmp_path / "config", proxy.url, authority.certificate, user={"token": TOKEN})
    words = ["run", "--kubeconfig", config, "-n", "exivity", "--release", "exivity", "--save", tmp_path / "snapshot.json.gz", *everything(tmp_path)]
    loud = command(*words, "-v", "--stats", "--explain-score")
    assert loud.code in (1, 3), loud.errors
    outputs = {**files(tmp_path), "standard output": loud.output.encode(), "standard error": loud.errors.encode(), "log": caplog.text.encode()}
    assert len(outputs) >= len(FORMATS) + 3
    short = command("run", "--snapshot", tmp_path / "snapshot.json.gz", "--short", "--ascii")
    sealed = command("seal", "--snapshot", tmp_path / "snapshot.json.gz", "-o", tmp_path / "pack.zip")
    assert sealed.code in (0, 1, 3), sealed.errors
    later = {"short": short.text.encode(), "seal": sealed.text.encode(), "pack": (tmp_path / "pack.zip").read_bytes()}
    searched(outputs | later)


def test_there_are_enough_of_them() -> None:
    for base in BASES:
        planted(base)
    values = list(nest().planted.values())
    assert len(values) == len(set(values)) >= 200
    assert all(len(value) == 24 and CORE in value for value in values)
    text = json.dumps([item for base in BASES for item in planted(base).objects])
    missing = [value for value in values if value not in text and base64.b64encode(value.encode()).decode() not in text]
    assert len(missing) < 0.15 * len(values), "nearly all stand in the objects as they are; the rest inside packed ones"


@pytest.mark.parametrize("coding", list(NEEDLES))
def test_the_search_finds_each_coding(coding: str) -> None:
    assert coding in set(traces(f"some text {NEEDLES[coding]} more".encode()))
    assert coding in set(traces(gzip.compress(f"x {NEEDLES[coding]}".encode())))
    for shift in range(3):
        whole = base64.b64encode(b"-" * shift + b"x1234cAnArYhUnTeRq123456 and more").decode()
        assert any(name.startswith("base64") for name in traces(whole.encode()))
        assert any(name.startswith("base64") for name in traces("\n".join(whole[at : at + 9] for at in range(0, len(whole), 9)).encode()))
    assert not set(traces(b"nothing to see, canary hunter"))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_under_every_fault(kind: Any, proxy: FaultProxy, connection: Callable[[], Connection], monkeypatch: pytest.MonkeyPatch) -> None:
    """What a fault makes of answers full of canaries, in the report and in the snapshot."""
    from tests.faults import catalogue

    generator = random.Random(kind.name)
    paths = [
        "/api/v1/namespaces/exivity/secrets",
        "/api/v1/namespaces/exivity/configmaps",
        "/api/v1/pods",
        "/apis/apps/v1/namespaces/exivity/deployments",
    ]
    for path in paths if LONG else generator.sample(paths, 1):
        proxy.begin(served("multi_node"), Fault(path, kind.spoil))
        slow = {"deadline": 3.0, "request_timeout": 0.5} if kind.slow else {}
        run = audit(connection(), **slow)
        texts = {name: text.encode() for name, text in {**run.texts, "sentence": run.said}.items()}
        assert not any(catalogue.CANARY.encode() in text for text in texts.values())
        searched({f"{kind.name} at {path}: {name}": text for name, text in texts.items()})


def test_a_bug_of_ours_quotes_nothing(proxy: FaultProxy, authority: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the tool itself breaks: a fact, a renderer, the collector; with what they hold in the exception's text."""
    from exivity_audit.cli import collecting
    from exivity_audit.collect.recorder import Recorder
    from exivity_audit.reports import json_report

    def broken(*arguments: Any, **named: Any) -> Any:
        raise RuntimeError(f"password={TOKEN} {planted('multi_node').objects[:3]}")

    proxy.begin(served("multi_node"))
    config = write_kubeconfig(tmp_path / "config", proxy.url, authority.certificate, user={"token": TOKEN})
    words = ("run", "--kubeconfig", config, "-n", "exivity", "--release", "exivity", "-v", "-o", f"json={tmp_path / 'report'}")
    outputs: dict[str, bytes] = {}
    for owner, name in ((collecting, "settled"), (json_report, "report_shape"), (Recorder, "_list")):
        with monkeypatch.context() as patched:
            patched.setattr(owner, name, broken)
            found = command(*words)
        assert found.code == 3, found.errors
        assert "a bug in this tool" in found.errors
        outputs[f"{name}: output"] = found.text.encode()
    searched(outputs | files(tmp_path))
