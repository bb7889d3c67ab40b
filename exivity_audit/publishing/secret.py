"""Secrets of destinations: named on the command line or in the config, read when they are used, kept by nobody."""

from __future__ import annotations

import os
import re
from pathlib import Path

from msgspec import Struct

from exivity_audit.errors import UsageError, one_line
from exivity_audit.publishing.destination import Trouble

LARGEST = 16 * 1024
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Secret(Struct, frozen=True):
    """Where a secret stands: an environment variable, or a file."""

    variable: str = ""
    file: Path | None = None

    def __str__(self) -> str:
        return f"env:{self.variable}" if self.variable else one_line(self.file, 200)

    def read(self) -> str:
        """The secret: one line without blanks around it. Raises Trouble, which never holds it."""
        text = os.environ.get(self.variable, "") if self.variable else self._content()
        found = text.strip()
        if not found:
            what = f"the environment variable {self.variable} is not set or empty" if self.variable else f"{self} is empty"
            raise Trouble(what, "check how the secret reaches the process" if self.variable else "write the secret into it, on one line")
        if not found.isprintable() or " " in found:
            raise Trouble(f"what {self} holds is not one line without blanks", "write the secret alone, on one line")
        return found

    def _content(self) -> str:
        assert self.file is not None
        try:
            with self.file.open("rb") as opened:
                content = opened.read(LARGEST + 1)
            text = content.decode()
        except OSError as error:
            raise Trouble(
                f"{self} cannot be read: {error.strerror or 'it is no file'}", "check the path, how the Secret is mounted, and its mode"
            ) from None
        except ValueError:
            raise Trouble(f"{self} holds no text", "write the secret alone, on one line") from None
        if len(content) > LARGEST:
            raise Trouble(f"{self} is larger than any secret", "name the file of the secret alone")
        return text


def secret_of(text: str, what: str) -> Secret:
    """``env:NAME`` or a file. Raises UsageError, which does not show the text: it may be the secret itself."""
    if "://" in text or not text.isprintable() or not text.strip():
        raise UsageError(f"{what} takes the name of what holds the secret, never the secret", "write env:NAME of a variable, or a file")
    if text.startswith("env:"):
        if not _VARIABLE.fullmatch(text[4:]):
            raise UsageError(f"{what}: what follows env: is no name of a variable", "write env:NAME")
        return Secret(variable=text[4:])
    return Secret(file=Path(text))
