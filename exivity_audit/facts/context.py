"""What an attestation may be bound to, as it is today: the classes of the data claims, the database's major, the backup targets.

Each is a tuple of texts; empty where there is none. Which key of an attestation's ``context`` each stands for is in ``attestation.CONTEXT``.
"""

from __future__ import annotations

from exivity_audit.fact import Objects, fact
from exivity_audit.facts.claims import Claim, ClaimGroup


@fact
def data_classes(claims: Objects[Claim]) -> tuple[str, ...]:
    """The storage classes of the claims that hold the product's data."""
    return tuple(sorted({claim.class_name or "no class" for claim in claims.surely() if claim.group is ClaimGroup.DATA}))
