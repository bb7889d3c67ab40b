"""MetalLB: the controller's Service has an address of a pool. A variant: nothing of it stands on the plain clusters."""

from __future__ import annotations

from typing import Any

from tests.builders import made
from tests.mutation import put
from tests.world import OPTIONAL, Object, World

SERVED: tuple[str, ...] = ()
API, SPACE = "metallb.io/v1beta1", "metallb-system"
BROUGHT = ("ipaddresspools.metallb.io", "l2advertisements.metallb.io", "bgpadvertisements.metallb.io")
FROM_POOL = "metallb.io/ip-allocated-from-pool"


def multi_node(installation: Any) -> list[Object]:
    """Nothing."""
    return []


single_node = multi_node


def with_metallb(world: World) -> World:
    """The world with MetalLB: Traefik's address comes from its pool, which one L2Advertisement names."""
    world.resources |= {name: OPTIONAL[name] for name in BROUGHT}
    world.add(
        made("v1", "Namespace", SPACE),
        made(API, "IPAddressPool", "edge", SPACE, metadata={"labels": {"zone": "edge"}}, spec={"addresses": ["203.0.113.0-203.0.113.15"], "autoAssign": True}),
        made(API, "L2Advertisement", "edge", SPACE, spec={"ipAddressPools": ["edge"]}),
    )  # fmt: skip
    world.edit("Service", "traefik", put("metadata.annotations", {FROM_POOL: "edge"}))
    return world
