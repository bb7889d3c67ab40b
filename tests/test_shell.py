"""Completion in a shell, and the manual page."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from exivity_audit.cli import COMMANDS
from tests.command import audit


def ran(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return audit(*arguments, env={**os.environ, **environment})


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_for_each_shell(shell: str) -> None:
    found = ran("completion", shell)
    assert found.returncode == 0, found.stderr
    assert "exivity-audit" in found.stdout
    assert f"_EXIVITY_AUDIT_COMPLETE={shell}_complete" in found.stdout
    if shutil.which(shell) and shell != "fish":
        subprocess.run([shell, "-n"], input=found.stdout, text=True, check=True)


@pytest.mark.parametrize(("line", "position", "wanted"), [("exivity-audit pre", "1", "preflight"), ("exivity-audit run --sec", "2", "--secrets")])
def test_commands_and_flags_are_completed(line: str, position: str, wanted: str) -> None:
    found = ran(_EXIVITY_AUDIT_COMPLETE="bash_complete", COMP_WORDS=line, COMP_CWORD=position)
    assert f"plain,{wanted}" in found.stdout.splitlines(), found.stderr


def test_an_unknown_shell_is_refused() -> None:
    assert ran("completion", "csh").returncode == 2


def test_the_manual_holds_every_command_and_variable() -> None:
    found = ran("manual")
    assert found.returncode == 0, found.stderr
    for name in COMMANDS:
        assert f".SS {name}".replace("-", "\\-") in found.stdout
    for word in ("EXIVITY_AUDIT_NAMESPACE", "EXIVITY_AUDIT_FAIL_ON", ".SH EXIT STATUS", ".SH FILES"):
        assert word in found.stdout
    assert found.stdout.count("\\fBEXIVITY_AUDIT_NAMESPACE\\fR") == 1


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_roff_takes_the_manual_without_a_warning() -> None:
    page = ran("manual").stdout
    done = subprocess.run(["groff", "-man", "-Tascii", "-ww", "-z"], input=page, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
