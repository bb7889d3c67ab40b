"""The errors an operator may see: one sentence of what happened, one of what to do next, and an exit code."""

from __future__ import annotations

from exivity_audit.characters import escape, with_unseen


def one_line(text: object, limit: int = 160) -> str:
    """Return `text` as a single printable line of at most `limit` characters, safe to show on a terminal.

    Line breaks and other blanks become one blank; what else is not seen is an escape, so that two names never look alike for it.
    """
    shown = " ".join(with_unseen(str(text), lambda one: " " if one.isspace() else escape(one)).split())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


class AuditError(Exception):
    """Base of every foreseeable error; `str(error)` is what happened followed by the next step."""

    exit_code: int = 2

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UsageError(AuditError):
    """Something the operator wrote is wrong: a flag, a context, a config, evidence, pack or snapshot file."""

    exit_code = 2


class Unreachable(AuditError):
    """No API server answers, or it does not let us in: network, TLS, 401, exec plug-in, deadline before the first answer."""

    exit_code = 4
