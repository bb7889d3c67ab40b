"""What is kept of Longhorn's settings and of a backup target's URL: scheme, bucket or host, path; no login, no other parameter."""

from __future__ import annotations

import re
from typing import Any

from exivity_audit import chart
from exivity_audit.collect.public import LONGEST_TEXT, malformed, plain

_URL = re.compile(r"^(?P<scheme>[a-z][a-z0-9+-]*)://(?P<place>[^/?#]*)(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,62}")
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[\w.-]+)(?::\d{0,5})?")
_PATH = re.compile(r"[\w./-]*")
_NAMES = re.compile(r"(?:^|&)(backup|volume)=([\w.-]+)(?=&|$)")
BUCKET_BEFORE_PLACE = ("s3", "azblob", "gs")
"""Schemes that write ``bucket@region`` where others would write a login."""


def backup_url(value: Any) -> Any:
    """A backup target's or a backup's URL as text; what does not fit the form is left out, and an URL that is none is malformed."""
    if value is None or value == "":
        return value
    match = _URL.match(value.strip()) if isinstance(value, str) else None
    if match is None:
        return malformed(value)
    path = _PATH.match(match["path"] or "")
    names = "&".join(f"{key}={name}" for key, name in _NAMES.findall(match["query"] or ""))
    text = f"{match['scheme']}://{_place(match['scheme'], match['place'])}{path[0] if path else ''}"
    return (f"{text}?{names}" if names else text)[: 4 * LONGEST_TEXT]


def _place(scheme: str, text: str) -> str:
    """Bucket and region, or the host alone."""
    before, found, after = text.rpartition("@")
    if not _HOST.fullmatch(after):
        return ""
    return f"{before}@{after}" if found and scheme in BUCKET_BEFORE_PLACE and _BUCKET.fullmatch(before) else after


def longhorn_restore(item: Any) -> Any:
    """A Longhorn Volume that was made from a backup; others are not kept."""
    spec = item.get("spec") if isinstance(item, dict) else None
    return item if not isinstance(spec, dict) or spec.get("fromBackup") else None


def longhorn_setting(item: Any) -> Any:
    """A Longhorn Setting: of those that the facts do not use, the name alone; the backup target of old releases as an URL."""
    if not isinstance(item, dict):
        return item
    metadata = item.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if name in chart.LONGHORN_SETTINGS and "value" in item:
        return {**item, "value": (backup_url if name == chart.LONGHORN_OLD_TARGET else plain)(item["value"])}
    return item if name in chart.LONGHORN_SETTINGS else {key: content for key, content in item.items() if key != "value"}
