"""What a pod spec lets its containers do on their node: as which user they run, with which privileges and whose namespaces."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from exivity_audit.document import Document, Malformed

HOST_NAMESPACES = ("hostNetwork", "hostPID", "hostIPC")


class ContainerSecurity(Struct, frozen=True):
    """One container with what holds for it: its own security context, else the pod's."""

    name: str
    first: bool  # an init container that ends before the others start
    user: int | None  # None: the image says it
    non_root: bool  # the kubelet refuses to start it as root
    privileged: bool

    @property
    def root(self) -> bool | None:
        """Whether it runs as root; None where only its image says it."""
        if self.user is not None:
            return self.user == 0
        return False if self.non_root else None


class PodSecurity(Struct, frozen=True):
    """A pod spec as its node sees it."""

    host_namespaces: tuple[str, ...] = ()
    containers: tuple[ContainerSecurity, ...] = ()


UNSAID = PodSecurity()


def pod_security(item: Document, spec: str) -> PodSecurity:
    """The security of the pod spec at a path. Raises Malformed."""
    shared = item.mapping(f"{spec}.securityContext")
    main = [_container(one, shared, False) for one in item.items(f"{spec}.containers")]
    first = [_container(one, shared, one.text("restartPolicy") != "Always") for one in item.items(f"{spec}.initContainers")]
    return PodSecurity(tuple(name for name in HOST_NAMESPACES if item.boolean(f"{spec}.{name}")), (*main, *first))


def _container(item: Document, shared: dict[str, Any], first: bool) -> ContainerSecurity:
    own = item.mapping("securityContext")
    user, non_root = (own.get(key) if own.get(key) is not None else shared.get(key) for key in ("runAsUser", "runAsNonRoot"))
    if isinstance(user, bool) or not isinstance(user, int | None):
        raise Malformed("securityContext.runAsUser", "whole number", user)
    if not isinstance(non_root, bool | None) or not isinstance(own.get("privileged"), bool | None):
        raise Malformed("securityContext", "booleans", own)
    return ContainerSecurity(item.text("name") or "", first, user, bool(non_root), bool(own.get("privileged")))
