"""What a verdict is about: the object a person would edit, and the finding's stable fingerprint."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from msgspec import Struct

_WRITTEN = re.compile(r"[A-Z*][A-Za-z0-9*]*( \S[^#\n]*)?(#[^\n]+)?")
WRITTEN = "write it as the report does: `Kind namespace/name#part`; `*` stands for any text within a part"


class Subject(Struct, frozen=True, order=True):
    """``Kind namespace/name[#part]``: never a pod name, UID, hash or revision."""

    kind: str
    name: str | None = None
    namespace: str | None = None
    part: str | None = None

    def __str__(self) -> str:
        place = f"{self.namespace}/{self.name or '(no name)'}" if self.namespace else self.name
        text = f"{self.kind} {place}" if place else self.kind
        return f"{text}#{self.part}" if self.part else text

    def at(self, part: str) -> Subject:
        """The same object, narrowed to one part of it (a port, a host, a site of a restore)."""
        return Subject(self.kind, self.name, self.namespace, part)

    @property
    def short(self) -> str:
        """The name alone, as a report prints it beside a title."""
        text = self.name or self.kind
        return f"{text} {self.part}" if self.part else text


CLUSTER = Subject("Cluster")


def release_subject(namespace: str, name: str) -> Subject:
    """The subject of a verdict on the release as a whole."""
    return Subject("Release", name, namespace)


def fingerprint(check: str, site: str, subject: Subject | None) -> str:
    """16 hex digits that stay the same as long as check, site and subject do (contracts: subject and fingerprint)."""
    import hashlib  # its library of ciphers is large, and only reports print fingerprints

    return hashlib.sha256(f"v1|{check}|{site}|{subject or ''}".encode("utf-8", "backslashreplace")).hexdigest()[:16]


def matches(pattern: str, subject: Subject | None) -> bool:
    """Whether a waiver's or attestation's subject names this one; ``*`` matches within a part (no space, slash or hash)."""
    text = str(subject or "")
    pieces, wanted = _split(text), _split(pattern)
    return len(pieces) == len(wanted) and all(fnmatchcase(piece, _literal(want)) for piece, want in zip(pieces, wanted, strict=True))


def written_well(text: str) -> bool:
    """Whether a text has the form of a subject: a kind, perhaps a name with its namespace, perhaps a part."""
    return _WRITTEN.fullmatch(text) is not None


def _split(text: str) -> list[str]:
    for separator in " /#":
        text = text.replace(separator, "\n" + separator + "\n")
    return text.split("\n")


def _literal(pattern: str) -> str:
    return pattern.replace("[", "[[]").replace("?", "[?]")
