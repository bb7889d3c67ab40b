"""The command: what it prints, where it writes, how it ends; in a process of its own where that matters."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from exivity_audit.snapshot import save
from tests import builders
from tests.command import audit
from tests.judging import site_of, snapshot_of
from tests.world_server import serving


def command(
    *arguments: str, folder: Path | None = None, environment: dict[str, str] | None = None, fresh: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run the command with no kubeconfig and no service account; ``fresh`` is by ``python -m exivity_audit``."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("KUBE", "EXIVITY_AUDIT", "NO_COLOR"))}
    clean |= {"HOME": str(folder or "/nonexistent"), "PYTHONUTF8": "1", **(environment or {})}
    if not fresh:
        return audit(*arguments, env=clean, cwd=folder)
    return subprocess.run(
        [sys.executable, "-m", "exivity_audit", *arguments], capture_output=True, text=True, cwd=folder, env=clean, check=False, timeout=60
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of the conforming multi-node cluster."""
    path = tmp_path_factory.mktemp("saved") / "cluster.json"
    save(snapshot_of(site_of(builders.multi_node())), path)
    return path


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot with two schedulers."""
    world = builders.multi_node()
    world.edit("Deployment", "exivity-chronos", lambda item: item["spec"].update(replicas=2))
    path = tmp_path_factory.mktemp("broken") / "cluster.json.gz"
    save(snapshot_of(site_of(world)), path)
    return path


def test_help_names_every_command() -> None:
    found = command("--help", fresh=True)
    assert found.returncode == 0
    for word in ("run", "demo", "collect", "list", "explain", "preflight", "evidence", "waivers", "schema"):
        assert f"  {word} " in found.stdout
        assert command(word, "--help").returncode == 0


def test_demo_audits_the_bundled_cluster() -> None:
    found = command("demo", fresh=True)
    assert found.returncode == 0, found.stderr
    assert "NOT READY" in found.stdout
    assert "FIX THESE FIRST" in found.stdout
    assert "\x1b" not in found.stdout
    assert found.stderr == ""


def test_demo_json_fits_the_published_schema(tmp_path: Path) -> None:
    schema = json.loads(command("schema").stdout)
    assert command("demo", "-o", f"json={tmp_path / 'r.json'}", "--quiet").stdout == ""
    report = json.loads((tmp_path / "r.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(report, schema)
    assert report["schema_version"] == 1
    assert report["summary"]["gate"] == "NOT READY"


def test_run_judges_a_snapshot(saved: Path, broken: Path) -> None:
    assert command("run", "--snapshot", str(saved)).returncode == 3, "checks to come are unknown"
    found = command("run", "--snapshot", str(broken))
    assert found.returncode == 1
    assert "The four singletons run exactly once" in found.stdout
    assert "service.chronos.replicas: 1" in found.stdout


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        (("--fail-on", "critical"), 1),
        (("--fail-on", "gate"), 1),
        (("--report-only",), 0),
        (("--skip", "application/singletons", "--checks", "application"), 0),
        (("--checks", "application/singletons"), 1),
        (("--checks", "application/sing*", "--min-score", "50"), 1),
        (("--checks", "application/services-present"), 0),
        (("--checks", "capacity/growth"), 3),
    ],
)
def test_exit_codes(broken: Path, flags: tuple[str, ...], code: int) -> None:
    found = command("run", "--snapshot", str(broken), *flags)
    assert found.returncode == code, found.stdout[-1500:] + found.stderr


BAD = [
    (("run",), "no ~/.kube/config"),
    (("run", "--kubeconfig", "/nowhere"), "/nowhere"),
    (("run", "--snapshot", "/nowhere"), "cannot read the snapshot /nowhere"),
    (("run", "--config", "/nowhere.yaml", "--snapshot", "x"), "cannot read /nowhere.yaml"),
    (("run", "--checks", "application/singleton", "--snapshot", "x"), "did you mean 'application/singletons'?"),
    (("run", "--fail-on", "severe", "--snapshot", "x"), "'severe' is no severity"),
    (("run", "-o", "jsn=x"), "did you mean 'json'?"),
    (("run", "-o", "json="), "names no file"),
    (("run", "-o", "json=/nowhere/x.json"), "cannot write /nowhere/x.json"),
    (("run", "-o", "json", "-o", "table"), "two outputs go to standard output"),
    (("run", "--deadline", "soon"), "--deadline"),
    (("run", "--scenario", "cloud"), "--scenario"),
    (("explain", "application/singleton"), "did you mean 'application/singletons'?"),
    (("rnu",), "did you mean 'run'?"),
    (("run", "--nonsense"), "--nonsense"),
    (("collect",), "--output"),
    (("run", "--min-score", "nan"), "--min-score nan is no score"),
    (("run", "--min-score", "500"), "is no score"),
    (("run", "--evidence", "/nowhere.yaml"), "cannot read /nowhere.yaml"),
    (("run", "--save", "/nowhere/x.json"), "cannot write /nowhere/x.json"),
    (("run", "-n", ".."), "is no name that Kubernetes takes"),
    (("run", "--as", ""), "--as names nobody"),
]


@pytest.mark.parametrize(("arguments", "said"), BAD, ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_bad_input_is_one_sentence_and_a_next_step(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    found = command(*arguments, folder=tmp_path)
    assert found.returncode == 2, found.stderr
    assert said in found.stderr
    assert "Traceback" not in found.stderr
    assert found.stdout == ""
    assert len(found.stderr.strip().splitlines()) <= 2


def test_a_run_of_some_checks_never_says_ready(saved: Path) -> None:
    found = command("run", "--snapshot", str(saved), "--checks", "logs", "--fail-on", "gate")
    assert found.returncode == 1, found.stdout
    assert "UNVERIFIED   not graded" in found.stdout
    assert "some checks were left out of this run" in " ".join(found.stdout.split())


def test_flags_that_a_snapshot_cannot_answer_are_refused(saved: Path) -> None:
    for flags in (("--context", "x"), ("-n", "other"), ("--release", "other"), ("--as", "x")):
        found = command("run", "--snapshot", str(saved), *flags)
        assert found.returncode == 2, flags
        assert found.stdout == ""
    assert command("run", "--snapshot", str(saved), "-n", "exivity", "--release", "exivity").returncode == 3
    passive = command("run", "--snapshot", str(saved), "--site-role", "passive")
    assert "multi-site" in passive.stdout


@pytest.mark.parametrize("now", ["yesterday", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_times_out_of_range_are_refused(saved: Path, tmp_path: Path, now: str) -> None:
    found = command("run", "--snapshot", str(saved), "--now", now)
    assert found.returncode == 2
    assert "is no time" in found.stderr
    path = tmp_path / "s.json"
    content = json.loads(saved.read_text())
    content["sites"][0]["now"] = now
    path.write_text(json.dumps(content))
    found = command("run", "--snapshot", str(path))
    assert found.returncode == 2
    assert "no timestamp" in found.stderr


def test_unused_and_expired_waivers_are_listed(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(
        "waivers:\n  - {check: application/singletons, reason: agreed, owner: J. Doe, expires: 9999-12-31}\n"
        "  - {check: logs/retention, reason: agreed, owner: J. Doe, expires: 2020-01-31}\n"
    )
    found = command("run", "--snapshot", str(saved), "--config", str(tmp_path / "c.yaml"), "-o", f"json={tmp_path / 'r.json'}")
    text = " ".join(found.stdout.split())
    assert "1 waiver unused: application/singletons." in text
    assert "1 waiver expired: logs/retention." in text
    assert [item["state"] for item in json.loads((tmp_path / "r.json").read_text())["waivers"]] == ["unused", "expired"]


def test_no_server_is_4(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: x\nclusters: [{name: x, cluster: {server: 'http://127.0.0.1:9'}}]\n"
        "users: [{name: x, user: {}}]\ncontexts: [{name: x, context: {cluster: x, user: x}}]\n"
    )
    found = command("run", "--kubeconfig", str(path), folder=tmp_path, fresh=True)
    assert found.returncode == 4, found.stderr
    assert "cannot be reached" in found.stderr
    assert "Traceback" not in found.stderr


def test_ascii_and_plain_output(broken: Path) -> None:
    assert command("run", "--snapshot", str(broken), "--ascii").stdout.isascii()
    narrow = {"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    assert command("run", "--snapshot", str(broken), environment=narrow, fresh=True).stdout.isascii()
    short = command("run", "--snapshot", str(broken), "--short").stdout
    assert len(short.splitlines()) <= 14
    assert "application/singletons" in short


def test_a_closed_pipe_is_no_traceback(broken: Path) -> None:
    text = f"{sys.executable} -m exivity_audit run --snapshot {broken} | head -1"
    found = subprocess.run(["bash", "-c", text], capture_output=True, text=True, check=False, timeout=60)
    assert "Traceback" not in found.stderr


def test_the_judged_time_is_the_snapshots(saved: Path, tmp_path: Path) -> None:
    reports = []
    for number in (1, 2):
        command(
            "run",
            "--snapshot",
            str(saved),
            "-o",
            f"json={tmp_path / str(number)}",
            "--quiet",
            environment={"TZ": "Asia/Tokyo" if number == 2 else "UTC"},
        )
        reports.append(json.loads((tmp_path / str(number)).read_text()))
    for key in ("sites", "rows", "results", "summary", "tables", "fixes"):
        assert reports[0][key] == reports[1][key]
    late = command("run", "--snapshot", str(saved), "--now", "2027-12-23T12:00:00Z", "--checks", "ingress/certificate")
    assert late.returncode == 1, late.stdout


def test_config_flag_and_variable_have_their_order(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "exivity-audit.yaml").write_text("scenario: multi-site\n")
    assert "multi-site" in command("run", "--snapshot", str(saved), folder=tmp_path).stdout
    assert "single-node" in command("run", "--snapshot", str(saved), folder=tmp_path, environment={"EXIVITY_AUDIT_SCENARIO": "single-node"}).stdout
    assert (
        "multi-node"
        in command(
            "run", "--snapshot", str(saved), "--scenario", "multi-node", folder=tmp_path, environment={"EXIVITY_AUDIT_SCENARIO": "single-node"}
        ).stdout
    )


def test_a_waiver_in_the_config_is_counted(broken: Path, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(
        "waivers:\n  - {check: application/singletons, reason: agreed, owner: J. Doe, expires: 2027-01-31, ticket: OPS-1}\n"
    )
    found = command("run", "--snapshot", str(broken), "--config", str(tmp_path / "c.yaml"), "-o", f"json={tmp_path / 'r.json'}")
    assert "waived until 31 Jan 2027 by J. Doe: agreed (OPS-1)" in " ".join(found.stdout.split())
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["summary"]["waivers"] == 1
    assert report["summary"]["score_without_waivers"] <= report["summary"]["score"]


HEAVY = ("kubernetes", "rich", "urllib3", "cryptography", "requests", "asyncio", "jinja2", "email", "hashlib", "tempfile", "difflib")


@pytest.mark.parametrize(
    ("arguments", "most"),
    [
        (("--help",), 175),
        (("list",), 390),
        (("explain", "application/singletons"), 415),
        (("evidence", "--help"), 175),
        (("evidence", "template", "--help"), 180),
        (("waivers", "draft", "--help"), 180),
        (("demo", "--quiet"), 430),
    ],
)
def test_a_command_imports_what_it_needs_and_no_more(arguments: tuple[str, ...], most: int) -> None:
    """Neither the client nor a renderer, nor what looks for installed packages, draws random names or hashes."""
    heavy, count = imported(*arguments)
    assert heavy == set()
    assert count <= most


def test_an_audit_imports_what_it_needs_and_no_more(saved: Path, tmp_path: Path) -> None:
    """With its report on the terminal: of a snapshot nothing that talks to a cluster, of a cluster no client but the one for HTTP."""
    heavy, count = imported("demo")
    assert heavy == {"rich"}
    assert count <= 505
    heavy, count = imported("run", "--snapshot", str(saved))
    assert heavy == {"rich", "hashlib"}
    assert count <= 520
    with serving(builders.multi_node(), tmp_path) as (kubeconfig, _):
        heavy, count = imported("run", "--kubeconfig", str(kubeconfig))
    assert heavy == {"rich", "hashlib", "urllib3", "cryptography", "email", "tempfile", "importlib.metadata"}  # the last is urllib3's
    assert count <= 725


def imported(*arguments: str) -> tuple[set[str], int]:
    """The heavy packages that a process of its own has loaded when a command is over, and how many modules there are."""
    code = (
        f"import sys\nfrom exivity_audit.cli import main\nHEAVY = {HEAVY}\n"
        f"try:\n    main({list(arguments)!r})\nexcept SystemExit:\n    pass\n"
        "heavy = {name if name == 'importlib.metadata' else name.split('.')[0] for name in sys.modules"
        " if name.split('.')[0] in HEAVY or name == 'importlib.metadata'}\n"
        "print()\nprint('LOADED', len(sys.modules), *sorted(heavy))\n"
    )
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("KUBE", "EXIVITY_AUDIT", "NO_COLOR"))}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120, env=clean)
    mark, count, *heavy = found.stdout.splitlines()[-1].split()
    assert mark == "LOADED", found.stdout[-300:] + found.stderr
    return set(heavy), int(count)


def test_list_and_explain_know_every_check() -> None:
    listed = command("list").stdout
    from exivity_audit.pack import own_pack

    for check in own_pack().checks:
        assert check.id in listed
    text = command("explain", "storage/longhorn-replicas").stdout
    assert "Fix:" in text
    assert "L1: three replicas per volume" in text
    assert "volumes.longhorn.io" in text


@pytest.mark.parametrize(
    ("ending", "code", "said"),
    [
        ("", 0, ""),
        (">/dev/full", 2, "No space left on device"),
        (">&-", 2, "standard output is closed"),
        ("2>&-", 0, ""),
        ("--nonsense", 2, "No such option"),
    ],
)
def test_the_process_ends_with_its_code_and_all_is_said(ending: str, code: int, said: str) -> None:
    """The interpreter is not taken apart at the end: nothing may be lost by that."""
    found = subprocess.run(
        f"exec {sys.executable} -m exivity_audit list {ending}", shell=True, capture_output=True, text=True, check=False, timeout=60
    )
    assert found.returncode == code
    assert said in found.stderr
    assert code or found.stdout.endswith("`exivity-audit explain ID` tells more.\n")
