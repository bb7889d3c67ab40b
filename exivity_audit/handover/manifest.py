"""The manifest of a pack: what it is of, and every file with its size and SHA-256; and the seal over the manifest."""

from __future__ import annotations

import hashlib
from typing import Any, Literal

import msgspec

MANIFEST, SEAL = "manifest.json", "seal.json"
LARGEST_MANIFEST = 8 * 2**20
REPORT, PAGE, SNAPSHOT, CONFIG, EVIDENCE = "report.json", "report.html", "snapshot.json.gz", "exivity-audit.yaml", "evidence/"
FIXED = frozenset({REPORT, PAGE, SNAPSHOT, CONFIG})


class File(msgspec.Struct, frozen=True):
    """One file of the pack; ``origin`` is its path as the evidence names it."""

    name: str
    what: str
    size: int
    sha256: str
    origin: str | None = None


class Site(msgspec.Struct, frozen=True):
    """One audited site."""

    name: str
    cluster: str
    uid: str | None
    version: str | None
    namespace: str
    release: str


class Result(msgspec.Struct, frozen=True):
    """What the report in the pack says."""

    gate: str | None
    grade: str | None
    score: float | None
    decided: int  # checks
    applicable: int


class Versions(msgspec.Struct, frozen=True):
    """Which tool judged by which checklist."""

    tool: str
    checklist: str


class Manifest(msgspec.Struct, frozen=True):
    """The manifest; readers ignore keys they do not know."""

    format: Literal["exivity-audit/handover"]
    version: Literal[1]
    versions: Versions
    by: str | None  # who sealed it, as they said
    sites: list[Site]
    scenario: str | None
    purpose: str
    started: str  # of reading the cluster
    finished: str
    judged: str  # the time that was judged as of
    result: Result
    files: list[File]
    notes: list[str]


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An Ed25519 signature over the manifest's bytes; both in base64."""

    algorithm: Literal["ed25519"]
    public_key: str
    value: str


class Seal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What closes the pack."""

    manifest_sha256: str
    signature: Signature | None


def written(value: Any) -> bytes:
    """Manifest or seal as the pack's bytes: JSON with sorted keys, the same for the same content."""
    return msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=1) + b"\n"


def sha256(content: bytes | memoryview) -> str:
    """The hash of a file as the manifest writes it."""
    return hashlib.sha256(content).hexdigest()
