"""The wheel and the sdist hold the whole tree, and a clean environment finds its checks."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from tests.image import wheel

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wheel built from an sdist built from the tracked files."""
    folder = tmp_path_factory.mktemp("dist")
    source = folder / "source"
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for name in listed:
        if (ROOT / name).is_file():
            target = source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    done = subprocess.run([sys.executable, "-m", "build", "--outdir", str(folder), str(source)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


def tree() -> set[str]:
    found = set()
    for folder, package in (("exivity_audit", "exivity_audit"), ("checks", "exivity_audit_checks")):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts and path.suffix in (".py", ".yaml", ".json", ".typed", ".j2", ".css", ".js"):
                found.add(f"{package}/{path.relative_to(ROOT / folder).as_posix()}")
    return found


def test_the_wheel_is_the_tree(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == tree()


def test_two_builds_of_the_wheel_are_the_same_bytes(tmp_path: Path) -> None:
    """Whenever the files were written, and wherever they lie. Of the sdist setuptools promises no such thing."""
    first, second = (wheel(tmp_path / name, changed=when) for name, when in (("one", 1700000000.0), ("two", 1750000000.0)))
    assert first.read_bytes() == second.read_bytes()


def test_the_sdist_can_be_built_from(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        names = {name.split("/", 1)[1] for name in sdist.getnames() if "/" in name}
    assert {"pyproject.toml", "README.md", "LICENSE", "checks/checklist.yaml", "exivity_audit/data/sample.json"} <= names


def test_a_clean_environment_runs_demo_and_finds_its_checks(built: Path, tmp_path: Path) -> None:
    """Outside the repository, from the wheel alone; its dependencies come from this environment."""
    venv.create(tmp_path / "env", with_pip=False)
    python = tmp_path / "env" / "bin" / "python"
    wheel = next(built.glob("*.whl"))
    site = next((tmp_path / "env" / "lib").glob("python3*")) / "site-packages"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site), str(wheel)], check=True, cwd=tmp_path
    )
    own = [path for path in sys.path if path.endswith("site-packages")]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "EXIVITY"))}
    shared = tmp_path / "shared"
    shared.mkdir()
    for folder in own:
        for path in Path(folder).iterdir():
            if not path.name.startswith(("exivity", "__editable__")) and not (shared / path.name).exists():
                (shared / path.name).symlink_to(path)
    environment["PYTHONPATH"] = str(shared)
    found = subprocess.run([str(python), "-m", "exivity_audit", "demo"], capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    assert found.returncode == 0, found.stderr
    assert "NOT READY" in found.stdout
    where = subprocess.run([str(python), "-c", "import exivity_audit, exivity_audit_checks as c; print(exivity_audit.__file__, c.__path__[0])"],
                           capture_output=True, text=True, check=True, cwd=tmp_path, env=environment).stdout  # fmt: skip
    assert str(ROOT) not in where
    listed = subprocess.run(
        [str(python), "-m", "exivity_audit", "list"], capture_output=True, text=True, check=True, cwd=tmp_path, env=environment
    ).stdout
    assert "application/singletons" in listed
