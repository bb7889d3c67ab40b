"""How a status looks: glyph, ASCII sign and one of the terminal's own 16 colours; glyph and word carry the meaning."""

from __future__ import annotations

from msgspec import Struct

from exivity_audit.score import Gate, RowVerdict
from exivity_audit.verdict import Status


class Look(Struct, frozen=True):
    """Glyph, ASCII sign and style of a status."""

    glyph: str
    ascii: str
    style: str


LOOKS = {
    Status.FAIL: Look("✘", "x", "bold red"),
    Status.ERROR: Look("E", "E", "bold magenta"),
    Status.UNKNOWN: Look("?", "?", "cyan"),
    Status.MANUAL: Look("✎", "m", "magenta"),
    Status.WARN: Look("▲", "!", "yellow"),
    Status.WAIVED: Look("~", "~", "dim"),
    Status.PASS: Look("✔", "+", "green"),
    Status.SKIP: Look("-", "-", "dim"),
}
OPEN = (Status.FAIL, Status.ERROR, Status.UNKNOWN, Status.MANUAL, Status.WARN, Status.WAIVED)
VERDICT_STATUS = {
    RowVerdict.NOT_MET: Status.FAIL,
    RowVerdict.UNVERIFIED: Status.UNKNOWN,
    RowVerdict.PARTLY: Status.WARN,
    RowVerdict.MET: Status.PASS,
    RowVerdict.NOT_APPLICABLE: Status.SKIP,
}
GATE_STYLE = {Gate.READY: "bold black on green", Gate.NOT_READY: "bold white on red", Gate.UNVERIFIED: "bold black on cyan"}
EVALUATION = "EVALUATION"
PHASES = {"foundation": "Foundations", "before-production": "Before production", "day-2": "Day 2"}
