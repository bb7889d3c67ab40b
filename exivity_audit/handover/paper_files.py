"""The files of people that go into a pack: the config without its credentials, the evidence with its artefacts; none that shows a secret."""

from __future__ import annotations

import re
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec
import yaml
from msgspec import Struct

from exivity_audit.attestation import Evidence, Item
from exivity_audit.collect.net import MARK, caught
from exivity_audit.config import Config
from exivity_audit.errors import UsageError
from exivity_audit.handover.archive import LARGEST_MEMBER, NAME
from exivity_audit.handover.manifest import CONFIG, EVIDENCE, sha256
from exivity_audit.yaml_file import read_entries, read_yaml

PAPER = f"{EVIDENCE}evidence.yaml"


class Paper(Struct, frozen=True):
    """One file for the pack."""

    name: str
    what: str
    content: bytes
    origin: str | None = None


def config_paper(path: Path) -> Paper:
    """The config as it was understood: comments are left out, and of the Prometheus its user info and where its token lies. Raises UsageError."""
    content: dict[str, Any] = msgspec.to_builtins(read_yaml(path, Config))
    if isinstance(server := content.get("prometheus"), dict):
        server["url"] = _bare(str(server["url"]))
        if "token_file" in server:
            server["token_file"] = MARK
    if isinstance(probes := content.get("probes"), dict):
        for login in (one for name in ("postgresql", "rabbitmq") if isinstance(one := probes.get(name), dict)):
            for key in ("user", "password_file", "password_variable"):
                if key in login:
                    login[key] = MARK
        if isinstance(broker := probes.get("rabbitmq"), dict) and "management" in broker:
            broker["management"] = _bare(str(broker["management"]))
    content.pop("publish", None)  # where results go says nothing of the cluster
    text = yaml.safe_dump(content, sort_keys=True, allow_unicode=True, width=120)
    paper = Paper(CONFIG, "config, without comments and credentials", text.encode())
    refuse_secrets(paper.content.replace(MARK.encode(), b""), str(path))
    return paper


def _bare(url: str) -> str:
    """A URL without user info, query and fragment."""
    try:
        parts = urlsplit(url.strip())
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return MARK
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def evidence_papers(path: Path) -> list[Paper]:
    """``evidence.yaml`` as it is, and each file that proves an item, under the path it is named by where that is plain. Raises UsageError."""
    content = _read(path)
    refuse_secrets(content, str(path))
    found = [Paper(PAPER, "attestations", content)]
    by_origin: dict[str, Paper] = {}
    for entry in read_entries(path, "items", Item, Evidence):
        artefact = entry.value.artefact if entry.value is not None else None
        if artefact is None:
            continue
        origin = artefact.path.strip()
        if origin not in by_origin:
            taken = {paper.name.lower() for paper in (*found, *by_origin.values())}
            proof = _read(path.parent / origin)
            refuse_secrets(proof, f"the artefact {origin}")
            by_origin[origin] = Paper(_member(origin, len(by_origin) + 1, taken), "artefact", proof, origin)
        if sha256(by_origin[origin].content) != artefact.sha256.strip().lower():
            raise UsageError(f"{path}:{entry.line('artefact')}: the artefact {origin[:200]} changed while it was packed", "run it again")
    return found + list(by_origin.values())


def _member(origin: str, number: int, taken: set[str]) -> str:
    """The name of an artefact in the pack."""
    plain = EVIDENCE + origin.removeprefix("./")
    if NAME.fullmatch(plain.encode("utf-8", "replace")) and len(plain) <= 200 and plain.lower() not in taken:
        return plain
    last = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(origin).stem).strip("-") or "artefact"
    ending = Path(origin).suffix if re.fullmatch(r"\.[A-Za-z0-9]{1,8}", Path(origin).suffix) else ""
    return f"{EVIDENCE}renamed/{number:04d}-{last[:80]}{ending}"


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_MEMBER + 1)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", "put the file where it is named, or correct the name") from error
    if len(content) > LARGEST_MEMBER:
        raise UsageError(f"{path} is larger than {LARGEST_MEMBER >> 20} MiB", "attach a shorter extract of it")
    return content


def refuse_secrets(content: bytes, name: str) -> None:
    """Refuse a text, packed by gzip or not, in which something looks like a secret; its line is told, never what stands there."""
    if content[:2] == b"\x1f\x8b":
        try:
            content = zlib.decompressobj(wbits=31).decompress(content, LARGEST_MEMBER)
        except zlib.error:
            return
    try:
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        return
    if caught(text) == text:
        return
    lines = [number for number, line in enumerate(text.splitlines(), 1) if caught(line) != line]
    where = f" in line {lines[0]}" if lines else ""
    raise UsageError(f"{name}: something{where} looks like a secret, and a pack is handed on", "take it out of the file, and attest the file anew")
