"""Files that somebody made to harm who reads them: snapshots, reports, configs, evidence, kubeconfigs; each a name, arguments and bytes."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from typing import Any

Case = tuple[str, str, bytes]  # name, what reads it, content


def bomb(mebibytes: int) -> bytes:
    """So many MiB of spaces as gzip."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(b" " * 2**20) for _ in range(mebibytes)) + packer.flush()


def snapshots(good: bytes) -> Iterator[Case]:
    """Snapshots; ``good`` is a real one."""
    document: Any = json.loads(good)

    def changed(**values: Any) -> bytes:
        return json.dumps({**document, **values}).encode()

    def site(**values: Any) -> bytes:
        return changed(sites=[{**document["sites"][0], **values}])

    def read(**values: Any) -> bytes:
        return site(reads=[{**document["sites"][0]["reads"][0], **values}])

    yield "bomb of spaces", "snapshot", bomb(600)
    yield "bomb in a bomb", "snapshot", gzip.compress(bomb(600))
    yield "packed and cut", "snapshot", gzip.compress(good)[:-9]
    yield "two packed files", "snapshot", gzip.compress(good) + gzip.compress(good)
    yield "lists without end", "snapshot", b"[" * 5_000_000
    yield "objects without end", "snapshot", b'{"a":' * 2_000_000
    yield "a value without end", "snapshot", good[:-3] + b', "x": ' + b"[" * 1_000_000
    yield "an object as deep as a well", "snapshot", read(objects=[0]).replace(b"[0]", b"[" + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"]")
    yield "empty", "snapshot", b""
    yield "null", "snapshot", b"null"
    yield "NaN", "snapshot", b'{"format": NaN}'
    yield "UTF-16", "snapshot", good.decode().encode("utf-16")
    yield "bytes", "snapshot", bytes(range(256)) * 1000
    yield "two documents", "snapshot", good + good
    yield "another format", "snapshot", changed(format="exivity-audit/handover")
    yield "a later version", "snapshot", changed(version=99)
    yield "a version that is none", "snapshot", changed(version=[1])
    yield "no site", "snapshot", changed(sites=[])
    yield "sites a text", "snapshot", changed(sites="x")
    yield "the same site twice", "snapshot", changed(sites=document["sites"] * 2)
    yield "a time that is none", "snapshot", site(now="yesterday")
    yield "a time out of range", "snapshot", site(now="9999-12-31T23:59:59-23:00")
    yield "reads an object", "snapshot", site(reads={})
    yield "a read that is none", "snapshot", site(reads=[7])
    yield "objects a text", "snapshot", read(objects="abc")
    yield "a role that is none", "snapshot", site(role="standby")
    yield "a number as long as a book", "snapshot", changed(version="@").replace(b'"@"', b"9" * 1_000_000)
    yield "larger than any", "snapshot", b" " * (65 * 2**20)
    for name, case in (
        ("a report that is none", b"{}"),
        ("a report as deep as a well", b'{"schema_version": 1, "x": ' + b"[" * 1_000_000),
        ("a report of a later schema", b'{"schema_version": 99}'),
    ):
        yield name, "baseline", case


def configs() -> Iterator[Case]:
    """Configs, and what else is YAML."""
    laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12))
    merges = "a0: &a0 {x: 1}\n" + "\n".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 12))
    texts = {
        "aliases without end": laughs, "merges without end": merges, "an alias of itself": "a: &a [*a, *a]\n", "a merge of itself": "a: &a\n  <<: *a\n", "flow without end": "[" * 200_000,
        "maps without end": "{a: " * 50_000, "dashes without end": "- " * 100_000, "questions without end": "? " * 100_000, "a tag that runs": "a: !!python/object/apply:os.system [id]\n",
        "a tag of its own": "!x a\n", "two documents": "a: 1\n---\nb: 2\n", "a key twice": "purpose: production\npurpose: evaluation\n", "a key that is a list": "? [a, b]\n: 1\n", "a tab": "a:\n\t- b\n",
        "a number as long as a book": f"min: {'9' * 500_000}\n", "sixty in front": f"a: {':'.join(['59'] * 20_000)}\n", "an anchor of nothing": "a: *b\n", "a list": "- a\n", "a text": "just text\n",
        "a key in many words": f"{'k' * 200_000}: 1\n", "a null byte": "a: \0\n", "a bell": "a: \x07\n", "a control of terminals": 'x\x1b[31m: "\\e]0;x\\a"\n', "a path out of the folder": "lifecycle: ../../../../../../etc/passwd\n",
        "a device": "lifecycle: /dev/zero\n", "a folder": "lifecycle: /\n", "a pack by path": "packs: [../../etc]\n", "an evil threshold": "thresholds: {pvc.log: 1e999999999}\n", "binary": "a: !!binary |\n  R0lGOD\n",
        "a set": "!!set {a, b}\n", "an ordered map": "!!omap [a: 1]\n", "larger than any": "# " + "x" * (5 * 2**20),
    }  # fmt: skip
    for name, text in texts.items():
        yield name, "config", text.encode()
    yield "no UTF-8", "config", b"a: \xff\xfe\n"
    yield "UTF-16", "config", "purpose: production\n".encode("utf-16")
    for name in (
        "aliases without end",
        "merges without end",
        "flow without end",
        "a tag that runs",
        "an alias of itself",
        "a key twice",
        "dashes without end",
    ):
        yield name, "evidence", texts[name].encode()
        yield name, "kubeconfig", texts[name].encode()
    item = "check: upgrades/version-controlled, statement: x, by: J. Doe, date: 2026-11-02, valid_for: 180d"
    for name, more in {
        "an artefact that is a device": "artefact: {path: /dev/zero, sha256: '%s'}" % ("0" * 64), "an artefact out of the folder": "artefact: {path: ../../../../etc/passwd, sha256: '%s'}" % ("0" * 64),
        "an artefact that is a folder": "artefact: {path: /, sha256: '%s'}" % ("0" * 64), "a hash that is none": "artefact: {path: config, sha256: x}",
    }.items():  # fmt: skip
        yield name, "evidence", f"items:\n  - {{{item}, {more}}}\n".encode()
    for name, more in {
        "a date out of range": "10000-01-01",
        "a date that is none": "2026-02-31",
        "a date with a clock": "2026-11-02T12:00:00+99:00",
    }.items():
        yield name, "evidence", f"items:\n  - {{{item.replace('2026-11-02', more)}}}\n".encode()
    yield "a length of time beyond any", "evidence", f"items:\n  - {{{item.replace('180d', '9' * 30 + 'd')}}}\n".encode()
