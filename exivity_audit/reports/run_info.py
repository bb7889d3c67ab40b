"""What the renderers know about the process: its version, times, traffic, identity and how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from exivity_audit.baseline import Baseline


class RunInfo(Struct, frozen=True):
    """One run of the program; everything about the cluster is in the Scorecard."""

    tool_version: str
    started: str
    finished: str
    flags: tuple[str, ...]
    requests: int | None  # None where a snapshot was judged
    bytes_received: int | None
    seconds: float | None
    writes: int
    identity: str | None
    snapshot_file: str | None
    exit_code: int
    exit_reason: str
    baseline: Baseline | None = None
