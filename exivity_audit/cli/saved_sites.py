"""Sites in saved files: ``--snapshot FILE`` and ``--snapshot NAME=FILE[:role]``, and the names under which they stand in one report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from exivity_audit.config import SITE_NAME
from exivity_audit.errors import UsageError
from exivity_audit.snapshot import Snapshot, load

FORM = "write FILE, NAME=FILE or NAME=FILE:passive"


class Saved(Struct, frozen=True):
    """A snapshot file, with the role that its only site was given by hand."""

    path: Path
    snapshot: Snapshot
    role: Literal["active", "passive"] | None = None

    @classmethod
    def open(cls, path: Path, name: str | None, role: Literal["active", "passive"] | None) -> Saved:
        """The file, its site named; of a file with several sites the one of that name. Raises UsageError."""
        found = load(path)
        names = [site.name for site in found.sites]
        sites = found.sites
        if name is not None and len(sites) > 1:
            sites = tuple(site for site in sites if site.name == name)
            if not sites:
                raise UsageError(
                    f"{path} holds the sites {', '.join(names)}, none is named {name}", "name one of them, or leave the name out for all"
                )
        elif name is not None:
            sites = (msgspec.structs.replace(sites[0], name=name),)
        if role is not None and len(sites) > 1:
            raise UsageError(f"{path} holds the sites {', '.join(names)}: which of them is {role}?", f"write {names[0]}={path}:{role}")
        return cls(path, msgspec.structs.replace(found, sites=sites), role)


def opened(specs: Sequence[str]) -> tuple[Saved, ...]:
    """The files of ``--snapshot``. Raises UsageError."""
    return tuple(Saved.open(*_parts(text)) for text in specs)


def _parts(text: str) -> tuple[Path, str | None, Literal["active", "passive"] | None]:
    """File, name and role; a file that exists as it is written is that file, whatever signs are in its name."""
    if Path(text).exists():
        return Path(text), None, None
    name, sep, rest = text.partition("=")
    if not sep or not SITE_NAME.fullmatch(name):
        name, rest = "", text
    role: Literal["active", "passive"] | None = None
    head, colon, tail = rest.rpartition(":")
    if colon and tail in ("active", "passive") and not Path(rest).exists():
        rest, role = head, "active" if tail == "active" else "passive"
    if not rest:
        raise UsageError(f"--snapshot {text[:80]} names no file", FORM)
    return Path(rest), name or None, role


def refuse_doubled(named: Iterable[tuple[str, str]], hint: str) -> None:
    """Refuse two sites of one name; each is given behind where it was found. Raises UsageError."""
    seen: dict[str, str] = {}
    for where, name in named:
        if name in seen:
            both = f"{seen[name]} and {where} both hold" if seen[name] != where else f"{where} twice names"
            raise UsageError(f"{both} a site {name!r}", hint)
        seen[name] = where
