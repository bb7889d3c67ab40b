"""The image's tree runs as a pod runs it."""

from __future__ import annotations

from pathlib import Path

from tests import image


def test_demo_runs_as_nobody_with_a_read_only_root(app: Path) -> None:
    found = image.inside(app, ["demo"])
    assert found.returncode == 0, found.stderr
    assert "NOT READY" in found.stdout
    refused = image.inside(app, ["demo", "-o", "json=/report.json"])
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr
    written = image.inside(app, ["demo", "-o", "json=/tmp/report.json"])
    assert written.returncode == 0, written.stderr


def test_the_tree_holds_no_tests_and_nothing_to_build_with(app: Path) -> None:
    names = {path.name for path in app.iterdir()}
    assert {"exivity_audit", "exivity_audit_checks", "click", "psycopg", "minio"} <= names
    assert not names & {"pytest", "tests", "pip", "setuptools", "wheel"}
