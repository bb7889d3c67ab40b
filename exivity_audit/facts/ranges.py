"""Address ranges in a setting: whether together they name everyone."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
NOBODY = (ipaddress.IPv4Network("0.0.0.0/8"), ipaddress.IPv4Network("224.0.0.0/3"))  # no client has one: without them it is still everyone
PUBLIC = ipaddress.IPv6Network("2000::/3")  # every public address of IPv6


@lru_cache(maxsize=4096)
def network(text: str) -> Network | None:
    """An address or range; None where it is neither. The ranges of nodes are looked at several times."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def everyone(items: Iterable[str]) -> bool:
    """Whether addresses and ranges together hold every address a client may have; what is neither counts for nothing."""
    found = [one for item in items if (one := network(item.strip())) is not None]
    old = [*NOBODY, *(one for one in found if isinstance(one, ipaddress.IPv4Network))]
    new = [one for one in found if isinstance(one, ipaddress.IPv6Network)]
    return any(one.prefixlen == 0 for one in ipaddress.collapse_addresses(old)) or any(
        PUBLIC.subnet_of(one) for one in ipaddress.collapse_addresses(new)
    )
