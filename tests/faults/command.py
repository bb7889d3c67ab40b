"""The whole command in this process: arguments in; exit code, both outputs and the files it wrote out."""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from pathlib import Path

from exivity_audit.cli import main

OWN = ("KUBE", "EXIVITY_AUDIT", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    output: str
    errors: str
    seconds: float

    @property
    def text(self) -> str:
        """Both outputs."""
        return self.output + self.errors


class _Output(io.TextIOWrapper):
    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8")

    def fileno(self) -> int:
        return 1

    def text(self) -> str:
        """What was written."""
        self.flush()
        return self.buffer.getvalue().decode()  # type: ignore[attr-defined]


@contextmanager
def _alone(environment: Mapping[str, str]) -> Iterator[None]:
    """Without the variables that lead to a cluster or set flags, but with those given."""
    kept = {key: os.environ.pop(key) for key in list(os.environ) if key.startswith(OWN)}
    os.environ.update(environment)
    try:
        yield
    finally:
        for key in environment:
            del os.environ[key]
        os.environ.update(kept)


def command(*words: str | Path, environment: Mapping[str, str] | None = None) -> Ran:
    """Run ``exivity-audit`` with these words."""
    arguments, output, errors = [str(word) for word in words], _Output(), io.StringIO()
    began, before, argv = time.monotonic(), sys.stdout, sys.argv
    code: object = None
    sys.stdout, sys.argv = output, ["exivity-audit", *arguments]
    try:
        with _alone(environment or {}), redirect_stderr(errors):
            main(arguments)
    except SystemExit as error:
        code = error.code
    finally:
        sys.stdout, sys.argv = before, argv
    assert isinstance(code, int)
    return Ran(code, output.text(), errors.getvalue(), time.monotonic() - began)
