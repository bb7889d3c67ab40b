"""Sites that have been read, and what is done once all are: groups of equal secrets numbered, values forgotten, texts strained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct, field

from exivity_audit.collect.describe import Vault, settle
from exivity_audit.collect.net import caught, strained
from exivity_audit.collect.parity import ParityKey
from exivity_audit.discreet import Discreet
from exivity_audit.keyring import described_in
from exivity_audit.snapshot import SiteSnapshot


class Gathered(Discreet, Struct, frozen=True):
    """A site as it was read, and the values whose descriptions are in it."""

    unprinted = ("vault",)

    site: SiteSnapshot
    vault: Vault = field(default_factory=Vault)


def settled(sites: Sequence[Gathered], key: ParityKey | None = None) -> tuple[SiteSnapshot, ...]:
    """The sites of one run, their groups numbered over all of them in path order, whichever was read first."""
    settle([(one.vault, _purposes(one.site, one.vault.reads)) for one in sites], key)
    return tuple(
        msgspec.structs.replace(
            one.site,
            reads=tuple(msgspec.structs.replace(record, objects=strained(record.objects), reason=caught(record.reason)) for record in one.site.reads),
            key_check=key.check if key is not None else "",
        )
        for one in sites
    )


def _purposes(site: SiteSnapshot, reads: set[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each description behind what the secret is: the read and the path, the same at every site. No others than these reads have any."""
    for record in site.reads:
        if record.name not in reads:
            continue
        for path, body in described_in(record.objects):
            yield f"{record.name}:{path}", body
