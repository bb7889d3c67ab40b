"""Parses, merges and resolves kubeconfigs; no value of a file is ever part of an error, only names and keys."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from exivity_audit.collect import tls
from exivity_audit.discreet import Discreet
from exivity_audit.errors import UsageError, one_line
from exivity_audit.yaml_file import Loader, refuse_bombs


class Entry(Discreet, Struct, frozen=True):
    """One named cluster, user or context, with the folder its relative paths count from."""

    unprinted = ("values",)

    name: str
    values: Mapping[str, Any]
    base: Path

    def text(self, key: str) -> str:
        """Return a string value, empty when missing; refuse any other type."""
        value = self.values.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise UsageError(
                f"The key {key} of {one_line(self.name, 80)!r} in the kubeconfig is not text.",
                "Correct the kubeconfig, for instance by quoting the value.",
            )
        return value

    def path(self, key: str) -> Path | None:
        """Return a path value, relative ones counted from the kubeconfig's folder."""
        value = self.text(key)
        return self.base / value if value else None

    def material(self, key: str, what: str) -> bytes | None:
        """Return certificate or key bytes of `key-data` (which wins, as with kubectl) or of the file named by `key`."""
        data = self.text(f"{key}-data")
        if data:
            try:
                return base64.b64decode("".join(data.split()), validate=True)
            except ValueError:
                raise UsageError(f"The key {key}-data in the kubeconfig is not base64.", "Fetch the cluster's kubeconfig again.") from None
        path = self.path(key)
        return tls.read(path, what) if path else None


class Selected(Struct, frozen=True):
    """The context to use, with its cluster and its user (which may be empty: anonymous)."""

    context: Entry
    cluster: Entry
    user: Entry


def candidates(given: Path | None, environment: Mapping[str, str], home: Path) -> list[Path]:
    """Return the kubeconfig files to read, those that exist; a file named by a flag must exist."""
    if given is not None:
        if not given.expanduser().is_file():
            raise UsageError(f"The kubeconfig {one_line(given)} does not exist or is not a file.", "Name an existing one with --kubeconfig.")
        return [given.expanduser()]
    listed = environment.get("KUBECONFIG", "")
    paths = [Path(part).expanduser() for part in listed.split(":") if part] if listed else [home / ".kube" / "config"]
    return [path for path in dict.fromkeys(paths) if path.is_file()]


def load(paths: list[Path], context: str | None) -> Selected:
    """Merge the files (the first to say something wins) and select `context`, or the current one."""
    documents = [(path, document) for path in paths if (document := _document(path)) is not None]
    contexts, clusters, users = (
        _entries(documents, plural, singular) for plural, singular in (("contexts", "context"), ("clusters", "cluster"), ("users", "user"))
    )
    wanted = context or next((current for path, document in documents if (current := _current(path, document))), "")
    if not wanted:
        raise UsageError("The kubeconfig has no current context.", f"Choose one with --context; {_known('contexts', contexts)}.")
    chosen = _named(contexts, wanted, "context", "the kubeconfig", "Choose one with --context")
    inside = f"the context {one_line(wanted, 80)!r}"
    cluster = _named(clusters, chosen.text("cluster"), "cluster", inside, "Correct the kubeconfig")
    user = chosen.text("user")
    return Selected(chosen, cluster, _named(users, user, "user", inside, "Correct the kubeconfig") if user else Entry("", {}, chosen.base))


def _current(path: Path, document: Mapping[str, Any]) -> str:
    """The current context that one file names; what is no text is refused: the next file's would be another cluster."""
    found = document.get("current-context")
    if found is not None and not isinstance(found, str):
        raise UsageError(f"The current-context of the kubeconfig {one_line(path)} is not text.", "Quote it, or choose one with --context.")
    return found or ""


def _document(path: Path) -> Mapping[str, Any] | None:
    """The content of one file; an empty file counts as none, as with kubectl.

    The official package merges files too, but costs more time and memory to import than a whole audit spends on its reads.
    """
    import yaml

    try:
        if not path.stat().st_size:
            return None
        refuse_bombs(path)
        document = yaml.load(path.read_bytes(), Loader=Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise UsageError(f"The kubeconfig {one_line(path)} is not valid YAML{where}.", "Correct it, or name another one with --kubeconfig.") from None
    except OSError as error:
        raise UsageError(f"The kubeconfig {one_line(path)} cannot be read: {error.strerror}.", "Check its permissions.") from None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):  # a tag that its text does not fit
        raise _no_kubeconfig(path) from None
    if document is None:  # nothing but comments
        return None
    if not isinstance(document, dict) or document.get("kind", "Config") != "Config" or document.get("apiVersion", "v1") != "v1":
        raise _no_kubeconfig(path)
    return document


def _no_kubeconfig(path: Path) -> UsageError:
    return UsageError(f"The file {one_line(path)} is not a kubeconfig.", "Name another one with --kubeconfig.")


def _entries(documents: Iterable[tuple[Path, Mapping[str, Any]]], plural: str, singular: str) -> dict[str, Entry]:
    """The entries of a list of all files; of those with one name the first file's counts. One file with a name twice is refused, as by kubectl."""
    entries: dict[str, Entry] = {}
    for path, document in documents:
        listed = document.get(plural)
        if listed is None:
            continue
        if not isinstance(listed, list):
            raise _no_kubeconfig(path)
        own: set[str] = set()
        for one in listed:
            name, found = (one.get("name"), one.get(singular)) if isinstance(one, dict) else (None, None)
            values = {} if found is None else found
            if not isinstance(name, str) or not isinstance(values, dict):
                raise UsageError(f"The list {plural} of the kubeconfig is malformed.", "Each entry needs a name and a mapping.")
            if name in own:
                raise UsageError(
                    f"The {singular} {one_line(name, 80)!r} is twice in the kubeconfig {one_line(path)}.", "Rename or remove one of them."
                )
            own.add(name)
            entries.setdefault(name, Entry(name, values, path.absolute().parent))
    return entries


def _named(entries: Mapping[str, Entry], name: str, what: str, where: str, step: str) -> Entry:
    if name in entries:
        return entries[name]
    from difflib import get_close_matches  # only where something is wrong

    near = get_close_matches(name, entries, n=3, cutoff=0.5)
    known = f"nearest: {_shown(near)}" if near else _known(f"{what}s", entries)
    asked = f"The {what} {one_line(name, 80)!r}" if name else f"No {what}"
    missing = "is not in the kubeconfig" if where == "the kubeconfig" else f"of {where} is not in the kubeconfig" if name else f"is named by {where}"
    raise UsageError(f"{asked} {missing}.", f"{step}; {known}.")


def _known(what: str, names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = f" and {len(ordered) - 5} more" if len(ordered) > 5 else ""
    return f"known {what}: {_shown(ordered[:5])}{more}" if ordered else f"it has no {what}"


def _shown(names: Iterable[str]) -> str:
    return ", ".join(one_line(name, 120) for name in names)
