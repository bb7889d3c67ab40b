"""Hundreds of canaries over every trap: none in any format, at any log level, in a snapshot, a traceback or a file, under any fault, in any coding."""

from __future__ import annotations

import base64
import gzip
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from exivity_audit.cli import collecting
from exivity_audit.cli.output import FORMATS
from exivity_audit.collect import session
from exivity_audit.collect.deadline import Deadline
from exivity_audit.collect.transport import Transport
from tests import test_canaries
from tests.collect.fake_server import Asked, Pair, Reply, write_kubeconfig
from tests.faults import catalogue
from tests.faults.audit import Clock
from tests.faults.canaries import CORE, NEEDLES, Nest, standing, traces
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


@dataclass
class Carrying:
    """An API server that keeps what it answered."""

    backend: Backend
    answers: list[bytes] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Reply:
        found = self.backend(asked)
        self.answers.append(found.body)
        return found


def held(name: str) -> Iterator[bytes]:
    """Every list that the API server of a variant serves."""
    for resource, (version, _, _) in planted(name).resources.items():
        plural, _, group = resource.partition(".")
        found = served(name)(Asked("GET", f"/apis/{group}/{version}/{plural}" if group else f"/api/{version}/{plural}", {}, [], b""))
        assert found.status == 200, resource
        yield found.body


def searched(outputs: dict[str, bytes]) -> None:
    """No canary in any of these."""
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
    server = Carrying(served(base))
    proxy.begin(server)
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
    carried = standing(nest(), server.answers)
    board.high("canaries carried", len(carried))
    assert len(carried) >= 200, "the rest stands where nothing is read by design"


NAMED = (  # a part of the name of each trap that the plan names: that it is planted, and served
    "last applied", "manager", "managed field", " env", "args", "user info", "CloudNativePG uri", "CloudNativePG jdbc-uri", "CloudNativePG pgpass", "RabbitMQ connection_string",
    "Application repoURL", "Argo CD parameter", "Alertmanager webhook (given)", "Alertmanager slack (generated)", "AlertmanagerConfig webhook", "Velero config", "Velero hook",
    "Ingress basic-auth", "event FailedAttachVolume", "event note", "pull secret auth", "Secret data", "ConfigMap data", "condition", "by hand: values app key",
)  # fmt: skip


def test_there_are_enough_of_them() -> None:
    """What is counted stands in what the API servers serve, as it is or packed: all of it, at every trap that the plan names."""
    for base in BASES:
        planted(base)
    values = list(nest().planted.values())
    assert len(values) == len(set(values))
    assert all(len(value) == 24 and CORE in value for value in values)
    there = {place for base in BASES for place in standing(nest(), held(base))}
    board.high("canaries", len(there))
    assert sorted(set(nest().planted) - there) == []
    assert len(there) >= 700
    assert [name for name in NAMED if not any(name in place for place in there)] == []


@pytest.mark.parametrize("coding", list(NEEDLES))
def test_the_search_finds_each_coding(coding: str) -> None:
    assert coding in set(traces(f"some text {NEEDLES[coding]} more".encode()))
    assert coding in set(traces(gzip.compress(f"x {NEEDLES[coding]}".encode())))
    for shift in range(3):
        whole = base64.b64encode(b"-" * shift + b"x1234cAnArYhUnTeRq123456 and more").decode()
        assert any(name.startswith("base64") for name in traces(whole.encode()))
        assert any(name.startswith("base64") for name in traces("\n".join(whole[at : at + 9] for at in range(0, len(whole), 9)).encode()))
    assert not set(traces(b"nothing to see, canary hunter"))


LEVELS: tuple[tuple[str, ...], ...] = (("-q",), (), ("-v",), ("-v", "--stats", "--explain-score"))
PATHS = (
    "/api/v1/namespaces/exivity/secrets",
    "/api/v1/namespaces/exivity/configmaps",
    "/api/v1/pods",
    "/apis/apps/v1/namespaces/exivity/deployments",
)


def faulty(number: int) -> list[tuple[str, str, tuple[str, ...]]]:
    """Where the fault of a number is tried, and the format and level that it is looked at in: over all faults each format meets each level."""
    path, turn = PATHS[number % len(PATHS)], number % (len(FORMATS) * len(LEVELS))
    if not LONG:
        return [(path, FORMATS[turn % len(FORMATS)], LEVELS[turn // len(FORMATS)])]
    return [
        (path, FORMATS[(number + shift) % len(FORMATS)], LEVELS[(number + shift) // len(FORMATS) % len(LEVELS)]) for shift, path in enumerate(PATHS)
    ]


def test_each_format_and_level_is_met_under_a_fault() -> None:
    met = {(name, level) for number in range(len(KINDS)) for _, name, level in faulty(number)}
    assert met == {(name, level) for name in FORMATS for level in LEVELS}
    assert {path for number in range(len(KINDS)) for path, _, _ in faulty(number)} == set(PATHS)


@pytest.mark.parametrize("number", range(len(KINDS)), ids=lambda number: KINDS[number].name)
def test_under_every_fault(
    number: int, proxy: FaultProxy, authority: Pair, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a fault makes of answers full of canaries, by the whole command: one format on standard output, what every format is made of (the snapshot), the log."""
    caplog.set_level(logging.DEBUG)
    kind, clock = KINDS[number], Clock()
    monkeypatch.setattr(session, "Transport", partial(Transport, sleep=clock.sleep))
    for module in (session, collecting):
        monkeypatch.setattr(module, "Deadline", partial(Deadline, clock=clock))
    config = write_kubeconfig(tmp_path / "config", proxy.url, authority.certificate, user={"token": TOKEN})
    for path, name, level in faulty(number):
        caplog.clear()
        proxy.begin(served("multi_node"), Fault(path, kind.spoil))
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        words = ["--kubeconfig", config, "-n", "exivity", "--release", "exivity", *level, "-o", name, "--save", folder / "snapshot.json"]
        limits = ["--deadline", "3s", "--request-timeout", "500ms"] if kind.slow else []
        found = command("run", *words, *limits)
        assert found.code in (1, 3), found.errors
        assert found.output, "the report of this format"
        assert any(one.path == path for one in proxy.asked), "the fault was met"
        outputs = {**files(folder), "standard output": found.output.encode(), "standard error": found.errors.encode(), "log": caplog.text.encode()}
        assert not any(catalogue.CANARY.encode() in text for text in outputs.values())
        searched({f"{kind.name} at {path}: {output}": text for output, text in outputs.items()})


def test_a_bug_of_ours_quotes_nothing(proxy: FaultProxy, authority: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the tool itself breaks: a fact, a renderer, the collector; with what they hold in the exception's text."""
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
