"""The clusters that faults are tried on: conforming ones of every kind, and one that is not ready."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from tests import builders
from tests.faults.proxy import Backend, in_memory
from tests.mutation import put
from tests.sample import sample_world
from tests.world import World


def _not_ready() -> World:
    """The sample; its certificate is as old to cert-manager as in its Secret, for either may be what a run sees."""
    world = sample_world()
    world.edit("Certificate", "exivity-tls", put("status.notAfter", builders.stamp(-23)))
    return world


def _merged_flaws() -> World:
    """A cluster that fails as many checks as fit beside one another: findings that a fault must not turn to the better."""
    from tests.mutations import mutations

    world, taken = builders.multi_node(), set()
    for mutation in mutations():
        if mutation.base != "multi_node" or mutation.check in taken or mutation.check.startswith(("upgrades/", "gitops/")):
            continue
        before = world.copy()
        try:
            mutation.change(world)
        except (KeyError, IndexError, TypeError, StopIteration):  # what it changes was changed by another one before it
            world = before
        else:
            taken.add(mutation.check)
    unique = {(item["apiVersion"], item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"]): item for item in world.objects}
    world.objects = list(unique.values())  # an API server holds one object of a name
    return world


VARIANTS: dict[str, Callable[[], World]] = {
    "multi_node": builders.multi_node, "not ready": _not_ready, "single_node": builders.single_node, "flawed": _merged_flaws,
    "argo": builders.multi_node_argo, "flux": builders.multi_node_flux, "keda": builders.multi_node_keda, "gateway": builders.multi_node_gateway,
    "openshift": builders.multi_node_openshift, "metallb": builders.multi_node_metallb,
}  # fmt: skip


@cache
def backend(variant: str, size: int) -> Backend:
    """The API server of a variant with pages of a size."""
    return in_memory(VARIANTS[variant](), size)
