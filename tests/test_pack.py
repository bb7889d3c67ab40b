"""The checks of the pack keep the rules that checks keep (after refurb: a test of the checks)."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import exivity_audit_checks
import pytest

from exivity_audit.check import Check
from exivity_audit.collect.reads import BY_NAME, READS
from exivity_audit.errors import UsageError
from exivity_audit.fact import reads_behind
from exivity_audit.pack import folder_pack, merge, own_pack, validate

PACK = own_pack()
FOLDER = Path(next(iter(exivity_audit_checks.__path__)))
BUILT = [check for check in PACK.checks if check.built]
ROWS_BUILT = tuple(row.id for row in PACK.checklist.rows)
FORBIDDEN_WORDS = re.compile(r"\b(should|check|checks|ensure|verify|misconfigured|invalid|please)\b", re.IGNORECASE)


@pytest.mark.parametrize("check", PACK.checks, ids=lambda check: check.id)
def test_titles_are_claims(check: Check) -> None:
    assert 0 < len(check.title) <= 58, check.title
    assert not FORBIDDEN_WORDS.search(check.title), check.title
    assert check.title[0].isupper() or check.title[0].isdigit()
    assert not check.title.endswith(".")


@pytest.mark.parametrize("check", PACK.checks, ids=lambda check: check.id)
def test_slugs_clauses_and_scopes(check: Check) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", check.slug)
    assert check.clauses
    assert set(check.clauses) <= set(PACK.clauses), check.clauses
    assert check.applies
    assert check.why
    assert check.fix


def test_every_name_that_is_asked_for_exists() -> None:
    validate(PACK, BY_NAME)


def test_every_clause_has_a_check() -> None:
    judged = {clause for check in PACK.checks for clause in check.clauses}
    assert set(PACK.clauses) - judged == set()


def test_nothing_is_to_come() -> None:
    assert [check.id for check in PACK.checks if not check.built] == []
    assert set(PACK.clauses) == {clause for check in BUILT for clause in check.clauses}


def test_what_is_compared_over_sites_is_asked_of_sites() -> None:
    for check in PACK.checks:
        assert bool(check.across) == bool({"sites", "other_sites"} & {*check.needs, *check.alternates}), check.id


@pytest.mark.parametrize("row", ROWS_BUILT)
def test_rows_of_this_version_are_built_whole(row: str) -> None:
    checks = [check for check in PACK.checks if check.row == row]
    assert checks
    assert all(check.built for check in checks)


def test_every_row_has_checks() -> None:
    assert {check.row for check in PACK.checks} == {row.id for row in PACK.checklist.rows}


@pytest.mark.parametrize("module", sorted(FOLDER.rglob("*.py")), ids=lambda path: str(path.relative_to(FOLDER)))
def test_checks_import_the_engine_and_the_standard_library_alone(module: Path) -> None:
    import sys

    for node in ast.walk(ast.parse(module.read_text())):
        names = (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom) and not node.level
            else []
        )
        for name in names:
            top = name.split(".")[0]
            assert top == "exivity_audit" or top in sys.stdlib_module_names, f"{module.name} imports {name}"
            assert not name.startswith(("exivity_audit.collect", "exivity_audit.cli", "exivity_audit.reports"))


@pytest.mark.parametrize("module", sorted(FOLDER.rglob("*.py")), ids=lambda path: str(path.relative_to(FOLDER)))
def test_checks_do_nothing_but_judge(module: Path) -> None:
    calls = {node.func.id for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert not calls & {"open", "print", "exec", "eval", "input"}
    assert "datetime.now" not in module.read_text()


def test_only_collector_probes_and_publishing_know_the_network() -> None:
    root = FOLDER.parent / "exivity_audit"
    for path in root.rglob("*.py"):
        if path.parent.name in ("collect", "probes", "publishing"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            assert not {name.split(".")[0] for name in names} & {"kubernetes", "urllib3", "requests", "socket", "http"}, path


def test_every_read_is_used() -> None:
    used: set[str] = {"nodes"}
    for check in PACK.checks:
        needed, optional = reads_behind(PACK.facts, check.needs, check.looks_at)
        used |= needed | optional
    inputs = {name for read in READS for name in read.where.__code__.co_varnames[: read.where.__code__.co_argcount]}
    assert {read.name for read in READS} - used - inputs == set()


def test_reads_keep_no_whole_secret() -> None:
    for read in READS:
        if read.resource in ("secrets", "configmaps"):
            plain = [path for path, describer in read.keep.items() if describer is None]
            assert "data" not in plain
            assert read.resource == "configmaps" or not any(path.startswith("data") for path in plain), read.name
        assert not any(
            path.startswith(("metadata.managedFields", "metadata.annotations")) and "[" not in path and describer is None
            for path, describer in read.keep.items()
        )


PACK_FILES = {
    "__init__.py": '"""A pack."""\n',
    "checklist.yaml": 'name: Ours\nversion: "1"\nrows:\n  - {id: ours, title: Ours, phase: day-2, weight: 1}\n',
    "ours.py": 'from exivity_audit import LOW, check, ok\n\n\n@check("one", severity=LOW, clauses=("X4",))\ndef one(nodes):\n    """Nodes are there.\n\n    Because.\n\n    Fix: add some.\n    """\n    for node in nodes:\n        yield ok(node, "there")\n',
}


def _pack(folder: Path, **changes: str) -> Path:
    folder.mkdir()
    for name, text in {**PACK_FILES, **{key.replace("__", "."): value for key, value in changes.items()}}.items():
        (folder / name).write_text(text)
    return folder


def test_a_folder_is_a_pack(tmp_path: Path) -> None:
    pack = merge([PACK, folder_pack(_pack(tmp_path / "good"))])
    validate(pack, BY_NAME)
    assert "ours/one" in {check.id for check in pack.checks}
    assert pack.checklist.rows[-1].id == "ours"


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        (
            "unknown-fact",
            {"ours__py": PACK_FILES["ours.py"].replace("one(nodes)", "one(node)").replace("in nodes", "in node")},
            "did you mean 'nodes'?",
        ),
        ("no-fix", {"ours__py": PACK_FILES["ours.py"].replace("Fix: add", "Add")}, "ours.py"),
        ("syntax", {"ours__py": "def one(:\n"}, "ours.py"),
        ("crash", {"ours__py": "1 / 0\n"}, "ours.py:1"),
        ("no-row", {"other__py": PACK_FILES["ours.py"]}, "no row 'other'"),
        ("bad-list", {"checklist__yaml": 'name: Ours\nversion: "1"\nrowz: []\n'}, "did you mean 'rows'?"),
    ],
)
def test_a_broken_pack_names_file_and_fault(tmp_path: Path, name: str, changes: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError) as raised:
        validate(merge([PACK, folder_pack(_pack(tmp_path / name, **changes))]), BY_NAME)
    assert said in str(raised.value)
