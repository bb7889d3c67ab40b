"""An Alertmanager configuration as what may be kept of it: the route tree's receivers and matchers, and the kinds of each receiver's integrations.

URLs, keys, addresses and templates stay behind; a receiver whose name does not look like one is numbered instead.
"""

from __future__ import annotations

import re
import zlib
from typing import Any

from exivity_audit.collect.public import malformed
from exivity_audit.errors import UsageError
from exivity_audit.yaml_file import parse_yaml

LARGEST = 4 * 2**20
DEEPEST = 20
MOST_ROUTES = 2000
JUDGED_LABELS = ("alertname", "namespace", "severity")  # whose values decide whether an alert of the release takes a route
_GZIP = b"\x1f\x8b"
_NAME = re.compile(r"[A-Za-z0-9][\w. /-]{0,199}")
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")
_VALUE = re.compile(r"[\w .*+?|()^$:-]{0,253}")
_MATCHER = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|([^\s"=!~,{}]+))\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",{}]*))\s*""")


def describe_config(raw: bytes) -> dict[str, Any]:
    """The content of ``alertmanager.yaml``, plain or gzipped."""
    text = _text(raw)
    if text is None:
        return {"malformed": "text"}
    try:
        content = parse_yaml(text, dict[str, Any], "alertmanager.yaml") if text.strip() else {}
    except UsageError:  # its text may quote the file
        return {"malformed": "yaml"}
    return _Cut("_configs").config(content)


def describe_object(spec: Any) -> Any:
    """The spec of an AlertmanagerConfig."""
    return _Cut("Configs").config(spec) if isinstance(spec, dict) else malformed(spec)


def _text(raw: bytes) -> str | None:
    try:
        if raw[:2] == _GZIP:
            unpacker = zlib.decompressobj(wbits=31)
            raw = unpacker.decompress(raw, LARGEST)
            if not unpacker.eof:
                return None
        return raw.decode() if len(raw) <= LARGEST else None
    except (zlib.error, UnicodeDecodeError):
        return None


class _Cut:
    """Cuts one configuration; ``ending`` is how its integrations' keys end."""

    def __init__(self, ending: str) -> None:
        self._ending, self._known, self._routes = ending, dict[str, str](), 0

    def config(self, content: dict[str, Any]) -> dict[str, Any]:
        receivers, route = content.get("receivers"), content.get("route")
        kept: dict[str, Any] = {"receivers": malformed(receivers) if not isinstance(receivers, list | None) else []}
        for item in receivers if isinstance(receivers, list) else ():
            kept["receivers"].append(
                {"name": self._name(item.get("name")), "integrations": self._integrations(item)} if isinstance(item, dict) else malformed(item)
            )
        kept["route"] = self._route(route, 0) if isinstance(route, dict) else None if route is None else malformed(route)
        return kept

    def _integrations(self, receiver: dict[str, Any]) -> list[str]:
        found = (
            key.removesuffix(self._ending)
            for key, value in receiver.items()
            if isinstance(key, str) and key.endswith(self._ending) and isinstance(value, list) and value
        )
        return sorted(name for name in found if name.isidentifier() and len(name) <= 40)

    def _name(self, name: Any) -> str | None:
        """A receiver's name as it is, or a number where it may hold something else."""
        if not isinstance(name, str) or not name:
            return None
        plain = _NAME.fullmatch(name) is not None and "://" not in name
        return name if plain else self._known.setdefault(name, f"receiver {len(self._known) + 1}")

    def _route(self, route: dict[str, Any], depth: int) -> dict[str, Any]:
        self._routes += 1
        if depth > DEEPEST or self._routes > MOST_ROUTES:
            return {"malformed": "route"}
        children = route.get("routes")
        matchers, legible = _matchers(route)
        return {
            "receiver": self._name(route.get("receiver")), "continue": route.get("continue") is True, "matchers": matchers, "legible": legible,
            "routes": [self._route(one, depth + 1) if isinstance(one, dict) else malformed(one) for one in children]
            if isinstance(children, list) else [] if children is None else malformed(children),
        }  # fmt: skip


def _matchers(route: dict[str, Any]) -> tuple[list[dict[str, str]], bool]:
    """The matchers of a route, and whether all of them could be read; of labels that are not judged the name alone."""
    found: list[tuple[Any, str, Any]] = []
    legible = True
    for key, operator in (("match", "="), ("match_re", "=~")):
        pairs = route.get(key)
        found += [(label, operator, value) for label, value in pairs.items()] if isinstance(pairs, dict) else []
        legible &= isinstance(pairs, dict | None)
    given = route.get("matchers")
    legible &= isinstance(given, list | None)
    for one in given if isinstance(given, list) else ():
        if isinstance(one, dict):
            found.append((one.get("name"), str(one.get("matchType") or ("=~" if one.get("regex") is True else "=")), one.get("value") or ""))
            continue
        parts = _parsed(one) if isinstance(one, str) else None
        legible &= parts is not None
        found += parts or []
    kept = [_matcher(*one) for one in found]
    return [one for one in kept if one is not None], legible and None not in kept


def _matcher(label: Any, operator: str, value: Any) -> dict[str, str] | None:
    if not isinstance(label, str) or not _LABEL.fullmatch(label) or operator not in ("=", "!=", "=~", "!~") or not isinstance(value, str):
        return None
    if label not in JUDGED_LABELS:
        return {"label": label, "operator": operator}
    return {"label": label, "operator": operator, "value": value} if _VALUE.fullmatch(value) else None


def _parsed(text: str) -> list[tuple[Any, str, Any]] | None:
    """The matchers of one text, ``severity="critical"`` or ``{a="b", c=~"d|e"}``; None where it is none."""
    rest = text.strip()
    if rest.startswith("{") and rest.endswith("}"):
        rest = rest[1:-1]
    found: list[tuple[Any, str, Any]] = []
    while rest.strip():
        match = _MATCHER.match(rest)
        if match is None:
            return None
        quoted, bare, operator, value, word = match.groups()
        found.append((quoted if bare is None else bare, operator, word if value is None else value))
        rest = rest[match.end() :]
        if rest and not rest.startswith(","):
            return None
        rest = rest[1:]
    return found
