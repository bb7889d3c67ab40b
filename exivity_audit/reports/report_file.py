"""A JSON report read back: unknown keys are ignored, anything else that is wrong refuses the whole file."""

from __future__ import annotations

from pathlib import Path

import msgspec

from exivity_audit.errors import UsageError, one_line
from exivity_audit.reports.json_shape import ReportShape
from exivity_audit.snapshot import FORMAT, LARGEST_FILE

HINT = "give a report written with `-o json=FILE`, or a snapshot written with `--save`"


def is_snapshot(content: bytes) -> bool:
    """Whether a file's content is a snapshot of this tool, packed or not, and no report."""
    return content[:2] == b"\x1f\x8b" or f'"{FORMAT}"'.encode() in content


def read_bytes(path: Path) -> bytes:
    """A file of at most 64 MiB. Raises UsageError."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", HINT) from error
    if len(content) > LARGEST_FILE:
        raise UsageError(f"{path} is larger than {LARGEST_FILE // 2**20} MiB", HINT)
    return content


def decode_report(content: bytes, name: str) -> ReportShape:
    """The report in a file's content. Raises UsageError where it is none, or of a later schema."""
    try:
        return msgspec.json.decode(content, type=ReportShape)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise UsageError(f"{name} is no report of this tool: {one_line(error)}", HINT) from error
