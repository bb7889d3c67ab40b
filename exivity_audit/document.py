"""One API object as it was kept, read through typed accessors that tell absent, malformed and not collected apart."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from msgspec import Struct

from exivity_audit.evidence import Source
from exivity_audit.paths import EACH, covers, steps
from exivity_audit.quantity import LARGEST, Size, quantity, size
from exivity_audit.subject import Subject


class NotCollected(Exception):
    """A path was asked for that the snapshot's allow-list does not hold: unknown, never absent."""

    def __init__(self, read: str, path: str) -> None:
        super().__init__(f"{path} was not collected by the read {read}")
        self.read, self.path = read, path


class Malformed(Exception):
    """A field holds something else than its API says."""

    def __init__(self, path: str, expected: str, value: Any) -> None:
        super().__init__(f"{path} is no {expected}: {type(value).__name__}")
        self.path = path


def parse_time(text: str) -> datetime:
    """An RFC 3339 timestamp in UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"a time out of range: {text[:40]!r}") from error


@lru_cache(maxsize=65536)
def _way(keep: tuple[str, ...], prefix: str, path: str) -> tuple[str, tuple[str, ...] | None]:
    """The full path, and the keys to go by; None where an allow-list does not cover it."""
    full = path if not prefix else prefix + path if path.startswith("[") else f"{prefix}.{path}"
    return full, steps(path) if covers(keep, full) else None


class Document(Struct, frozen=True):
    """An object, or a part of one, together with the read that kept it."""

    value: Any
    read: str
    resource: str
    kind: str
    keep: tuple[str, ...]
    prefix: str = ""

    def get(self, path: str) -> Any:
        """The value at a path; None where it is absent or null.

        Raises NotCollected outside the allow-list and Malformed where the way there is no object.
        """
        full, way = _way(self.keep, self.prefix, path)
        if way is None:
            raise NotCollected(self.read, full)
        value = self.value
        for step in way:
            if value is None:
                return None
            if not isinstance(value, dict) or (len(value) == 1 and "malformed" in value):
                raise Malformed(full, "object", value)
            value = value.get(step)
        if isinstance(value, dict) and len(value) == 1 and "malformed" in value:
            raise Malformed(full, "value of its type", value["malformed"])
        return value

    def _typed(self, path: str, kind: type | tuple[type, ...], word: str) -> Any:
        value = self.get(path)
        if value is None or value.__class__ is kind:  # as it should be
            return value
        if not isinstance(value, kind) or (isinstance(value, bool) and bool not in (kind if isinstance(kind, tuple) else (kind,))):
            raise Malformed(path, word, value)
        return value

    def text(self, path: str) -> str | None:
        """A string, or None."""
        found: str | None = self._typed(path, str, "string")
        return found

    def integer(self, path: str) -> int | None:
        """A whole number, or None."""
        found: int | None = self._typed(path, int, "whole number")
        if found is not None and abs(found) > LARGEST:  # the API's numbers have 64 bits
            raise Malformed(path, "number of 64 bits", found)
        return found

    def boolean(self, path: str) -> bool | None:
        """A boolean, or None."""
        found: bool | None = self._typed(path, bool, "boolean")
        return found

    def mapping(self, path: str) -> dict[str, Any]:
        """An object; empty where absent."""
        found: dict[str, Any] | None = self._typed(path, dict, "object")
        return found or {}

    def labels(self, path: str = "metadata.labels") -> dict[str, str]:
        """A map of strings; empty where absent."""
        found = self.mapping(path)
        if any(not isinstance(value, str) for value in found.values()):
            raise Malformed(path, "map of strings", found)
        return found

    def strings(self, path: str) -> tuple[str, ...]:
        """A list of strings; empty where absent."""
        found = self._typed(path, list, "list") or []
        if any(not isinstance(item, str) for item in found):
            raise Malformed(path, "list of strings", found)
        return tuple(found)

    def items(self, path: str) -> Iterator[Document]:
        """The elements of a list of objects, each as a document of its own."""
        full = f"{self.prefix}.{path}".lstrip(".") + EACH
        for item in self._typed(path, list, "list") or []:
            if not isinstance(item, dict):
                raise Malformed(full, "object", item)
            yield Document(item, self.read, self.resource, self.kind, self.keep, full)

    def size(self, path: str) -> Size | None:
        """A quantity in bytes, or None."""
        value = self._typed(path, (str, int, float), "quantity")
        try:
            return None if value is None else size(value)
        except ValueError as error:
            raise Malformed(path, "quantity", value) from error

    def number(self, path: str) -> float | None:
        """A quantity as a plain number (cores, shares), or None."""
        value = self._typed(path, (str, int, float), "quantity")
        try:
            return None if value is None else float(quantity(value))
        except ValueError as error:
            raise Malformed(path, "quantity", value) from error

    def time(self, path: str) -> datetime | None:
        """A timestamp in UTC, or None."""
        value = self.text(path)
        try:
            return None if value is None else parse_time(value)
        except (ValueError, OverflowError) as error:
            raise Malformed(path, "timestamp", value) from error

    def condition(self, kind: str, path: str = "status.conditions") -> tuple[str, str, str] | None:
        """Status, reason and message of the condition of this type, or None."""
        for item in self.items(path):
            if item.text("type") == kind:
                return item.text("status") or "", item.text("reason") or "", item.text("message") or ""
        return None

    @property
    def name(self) -> str:
        """``metadata.name``; Malformed where there is none."""
        return self._metadata("name") or ""

    @property
    def namespace(self) -> str | None:
        """``metadata.namespace``; None for cluster-scoped objects."""
        return self._metadata("namespace")

    def _metadata(self, key: str) -> str | None:
        metadata = self.value.get("metadata") if isinstance(self.value, dict) else None
        found = metadata.get(key) if isinstance(metadata, dict) else None
        if found is None and key == "name":
            raise Malformed("metadata.name", "string", found)
        if found is not None and not isinstance(found, str):
            raise Malformed(f"metadata.{key}", "string", found)
        return found

    @property
    def subject(self) -> Subject:
        """The object as a subject."""
        return Subject(self.kind, self.name, self.namespace)

    @property
    def source(self) -> Source:
        """Where the object was seen."""
        return Source(self.read, self.resource, self.namespace, self.name, self.kind)
