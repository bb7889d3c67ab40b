"""Canaries: a value of its own for every place where people and operators leave secrets, and how to find one again in any coding."""

from __future__ import annotations

import base64
import codecs
import gzip
import html
import json
import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from tests.builders import encode
from tests.world import Object, World

CORE = "cAnArYhUnTeR"  # every canary holds it, so that one search finds them all
POD_SPECS = {
    "Deployment": ("spec", "template", "spec"), "StatefulSet": ("spec", "template", "spec"), "DaemonSet": ("spec", "template", "spec"), "Job": ("spec", "template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"), "Pod": ("spec",),
}  # fmt: skip
URL = re.compile(r"^([a-z0-9+]+)://(?:[^@/]*@)?(.+)$")


class Nest:
    """Hands out canaries and remembers where each was planted."""

    def __init__(self) -> None:
        self.planted: dict[str, str] = {}

    def canary(self, place: str) -> str:
        """The canary of a place: 24 characters, no two alike."""
        return self.planted.setdefault(place, f"x{len(self.planted):04d}{CORE}q{len(self.planted) * 7919 % 1_000_000:06d}"[:24])

    def plant(self, world: World) -> World:
        """Put one at every trap of every kind of object in a world."""
        for item in world.objects:
            kind = f"{item['apiVersion']}/{item['kind']}"
            self._around(item, kind)
            if item["kind"] in POD_SPECS:
                self._pods(item, kind)
            if item["kind"] == "Secret":
                item.setdefault("data", {})["more"] = encode(self.canary("Secret data"))
                item["stringData"] = {"x": self.canary("Secret stringData")}
            if item["kind"] == "ConfigMap":
                item.setdefault("data", {})["more.conf"] = f"password = {self.canary('ConfigMap data')}"
                item["binaryData"] = {"x": encode(self.canary("ConfigMap binaryData"))}
            self._urls(item, kind)
        return world

    def _around(self, item: Object, kind: str) -> None:
        metadata = item["metadata"]
        annotations = metadata["annotations"] = dict(metadata.get("annotations") or {})
        annotations["kubectl.kubernetes.io/last-applied-configuration"] = json.dumps({"data": {"password": self.canary(f"{kind} last applied")}})
        annotations["internal.corp/note"] = self.canary(f"{kind} annotation")
        metadata["managedFields"] = [
            {
                "manager": f"kubectl {self.canary(f'{kind} manager')}",
                "operation": "Update",
                "fieldsV1": {f"f:{self.canary(f'{kind} managed field')}": {}},
            }
        ]
        metadata["selfLink"] = f"/{self.canary(f'{kind} self link')}"
        metadata["finalizers"] = [*(metadata.get("finalizers") or []), self.canary(f"{kind} finalizer")]
        for part in ("spec", "status"):
            if isinstance(item.get(part), dict):
                item[part]["zzNote"] = self.canary(f"{kind} unknown {part}")
                item[part]["password"] = self.canary(f"{kind} {part}.password")
                item[part]["error"] = item[part]["message"] = f"token={self.canary(f'{kind} {part} message')}"
        for condition in (item.get("status") or {}).get("conditions") or []:
            condition["message"] = f"login https://u:{self.canary(f'{kind} condition')}@h failed"

    def _pods(self, item: Object, kind: str) -> None:
        spec: Any = item
        for step in POD_SPECS[item["kind"]]:
            spec = spec[step]
        for container in spec.get("containers") or []:
            container["env"] = [
                {"name": "PASSWORD", "value": self.canary(f"{kind} env")},
                {"name": f"X_{self.canary(f'{kind} env name')}", "value": "1"},
            ]
            container["envFrom"] = [{"prefix": self.canary(f"{kind} env prefix")}]
            container["args"] = [
                *(container.get("args") or []),
                f"--password={self.canary(f'{kind} args')}",
                "--token",
                self.canary(f"{kind} args in two"),
            ]
            container["livenessProbe"] = {"httpGet": {"httpHeaders": [{"name": "Authorization", "value": self.canary(f"{kind} probe header")}]}}
            container["lifecycle"] = {"preStop": {"exec": {"command": [self.canary(f"{kind} hook")]}}}
        spec["initContainers"] = [{"name": "first", "image": "busybox", "env": [{"name": "P", "value": self.canary(f"{kind} init env")}]}]
        spec["volumes"] = [
            *(spec.get("volumes") or []),
            {"name": "x", "csi": {"driver": "smb", "volumeAttributes": {"password": self.canary(f"{kind} volume")}}},
        ]
        spec["hostAliases"] = [{"ip": "10.0.0.1", "hostnames": [self.canary(f"{kind} host alias")]}]

    def _urls(self, value: Any, kind: str) -> None:
        """User info and a signature in every URL there is."""
        pairs: Any = list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
        for key, inner in pairs:
            found = URL.match(inner) if isinstance(inner, str) else None
            if found and CORE not in inner and found[1] in ("http", "https", "s3", "cifs", "nfs", "amqp", "postgresql"):
                place = f"{kind} {key}"
                value[key] = f"{found[1]}://u:{self.canary(f'{place} user info')}@{found[2]}?X-Amz-Signature={self.canary(f'{place} signature')}"
            else:
                self._urls(inner, kind)


def codings(core: str = CORE) -> dict[str, str]:
    """What is left of a text that holds the core in each coding; the edges that depend on what stands beside it are cut off."""
    raw = core.encode()
    found = {}
    for shift in range(3):  # the characters that the core alone decides
        coded = base64.b64encode(b"\0" * shift + raw).decode()
        found[f"base64 at {shift}"] = coded[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6]
    found |= {
        "raw": core, "hex": raw.hex(), "HEX": raw.hex().upper(), "percent": "".join(f"%{byte:02X}" for byte in raw), "JSON": "".join(f"\\u{byte:04x}" for byte in raw),
        "HTML": "".join(f"&#{byte};" for byte in raw), "HTML hex": "".join(f"&#x{byte:x};" for byte in raw), "reversed": core[::-1], "rot13": codecs.encode(core, "rot13"),
        "spaced": " ".join(core), "UTF-16": "\0".join(core), "base32": base64.b32encode(raw + b"\0" * (-len(raw) % 5)).decode()[:16], "octal": "".join(f"\\{byte:03o}" for byte in raw),
    }  # fmt: skip
    return found


NEEDLES = codings()
FOLDED = {name: needle.casefold() for name, needle in NEEDLES.items()}


def traces(content: bytes) -> Iterator[str]:
    """The codings in which a canary stands in some bytes, also inside what is packed, and across line wraps."""
    for text in _texts(content):
        folded, joined = text.casefold(), re.sub(r"\s+", "", text)
        for name, needle in NEEDLES.items():
            if needle in text or needle in joined or (not name.startswith("base64") and FOLDED[name] in folded):
                yield name


def _texts(content: bytes) -> Iterator[str]:
    yield content.decode("utf-8", "replace")
    yield html.unescape(content.decode("latin-1"))
    if content.startswith(b"\x1f\x8b"):
        yield from _texts(gzip.decompress(content))
    if content.startswith(b"PK"):
        with zipfile.ZipFile(BytesIO(content)) as packed:
            for name in packed.namelist():
                yield name
                yield from _texts(packed.read(name))
