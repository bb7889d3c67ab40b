"""What is measured in turn: the tool, the bare reads, and peers."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from exivity_audit.collect.discovery import AGGREGATED

from .audit_log import Request
from .process import Failed
from .product import NAMESPACE
from .results import BARE, KUBECTL, POPEYE, TOOL

JSON = "application/json"
REVIEWS = {
    "selfsubjectreviews": {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"},
    "selfsubjectaccessreviews": {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"namespace": NAMESPACE, "verb": "list", "resource": "pods"}},
    },
}


@dataclass(frozen=True)
class Program:
    """One of them, as a command; any of ``codes`` is a run that did its work.

    ``proof`` says of its output what work it did, and raises ``Failed`` where it did none; every round must say the same.
    """

    name: str
    command: tuple[str, ...]
    codes: tuple[int, ...] = (0,)
    proof: Callable[[bytes], str] | None = None


def tool(kubeconfig: Path) -> Program:
    """The audit, with the report on standard output; findings are no failure."""
    return Program(TOOL, (sys.executable, "-m", "exivity_audit", "run", "--kubeconfig", str(kubeconfig)), (0, 1))


def bare(kubeconfig: Path, requests: Sequence[Request], folder: Path) -> Program:
    """The requests that the tool made, made by nobody but an HTTP client."""
    file = folder / f"requests-{kubeconfig.name}.json"
    rows = []
    for one in requests:
        body = json.dumps(REVIEWS[one.path.rpartition("/")[2]]) if one.verb == "create" else ""
        rows.append(["POST" if body else "GET", one.path, AGGREGATED if one.path in ("/api", "/apis") else JSON, body])
    file.write_text(json.dumps(rows))
    return Program(BARE, (sys.executable, str(Path(__file__).with_name("bare.py")), str(kubeconfig), str(file)))


def kubectl(kubeconfig: Path, requests: Sequence[Request], folder: Path) -> Program | None:
    """The same kinds in the same namespaces, one call for each namespace and one for the cluster's own, with discovery cached."""
    program = shutil.which("kubectl")
    if program is None:
        return None
    access = ("--kubeconfig", str(kubeconfig), "--cache-dir", str(folder / f"kubectl-{kubeconfig.name}"), "-o", "json")
    calls = [[program, "get", ",".join(kinds), *where, *access] for where, kinds in scopes(requests)]
    return Program(KUBECTL, ("/bin/sh", "-c", " && ".join(shlex.join(call) for call in calls)))


def scopes(requests: Sequence[Request]) -> list[tuple[list[str], list[str]]]:
    """The kinds of requests by namespace, and those that are in none. Kinds of a namespace that were listed over the whole cluster are left out."""
    found: dict[str, set[str]] = {}
    inside = {kind for space, kind in map(_kind, (one.path for one in requests)) if space}
    for request in requests:
        space, kind = _kind(request.path)
        if kind and (space or kind not in inside) and request.verb in ("get", "list"):
            found.setdefault(space, set()).add(kind)
    return [(["--namespace", space] if space else ["--all-namespaces"], sorted(kinds)) for space, kinds in sorted(found.items())]


def _kind(path: str) -> tuple[str, str]:
    """The namespace of a path of the API, and its kind as kubectl names it; two empty words where it has none."""
    parts = path.partition("?")[0].strip("/").split("/")
    group, version, rest = (
        ("", parts[1], parts[2:]) if parts[0] == "api" and len(parts) > 1 else (parts[1], parts[2], parts[3:]) if len(parts) > 3 else ("", "", [])
    )
    if not rest:
        return "", ""
    space = ""
    if rest[0] == "namespaces" and len(rest) > 2:
        space, rest = rest[1], rest[2:]
    return space, f"{rest[0]}.{version}.{group}" if group else rest[0]


def popeye(binary: Path, kubeconfig: Path) -> Program:
    """popeye, limited to the product's namespace. Without the flag it ends with 1 for what it finds and for what it cannot do alike, so its report counts."""
    flags = ("--namespace", NAMESPACE, "--out", "json", "--logs", "none", "--force-exit-zero")
    return Program(POPEYE, (str(binary), "--kubeconfig", str(kubeconfig), *flags), proof=popeye_report)


def popeye_report(output: bytes) -> str:
    """What popeye's report holds; it is the last line, after warnings that no flag keeps back."""
    try:
        sections = json.loads(output.rstrip().rpartition(b"\n")[2])["popeye"]["sections"]
        looked = sum(count for one in sections for kind, count in one["tally"].items() if kind != "score")
        found = sum(len(one.get("issues") or ()) for one in sections)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Failed(f"popeye gave no report: {output[-300:]!r}") from error
    if not looked:
        raise Failed("popeye gave an empty report")
    return f"{len(sections)} sections, {looked} objects looked at, {found} of them with issues"
