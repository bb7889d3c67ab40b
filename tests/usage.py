"""What a Prometheus and the kubelets say of a world in memory: figures in a test's words, through the real reading of their answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from exivity_audit.collect.answer import Failure
from exivity_audit.collect.beside import Source, Told
from exivity_audit.snapshot import Place
from tests.world import NOW

GI = 2**30
WHEN = NOW.strftime("%Y-%m-%dT%H:%M:%SZ")
Figures = tuple[float, float]  # used and capacity, in Gi


@dataclass
class Usage:
    """Figures by claim (``namespace/name``) and by node; None: that server is not asked. ``earlier`` is what was used a week ago, in Gi."""

    prometheus: Mapping[str, Figures] | None = None
    kubelets: Mapping[str, Mapping[str, Figures]] | None = None  # node → claim → figures
    disks: Mapping[str, Figures] = field(default_factory=dict)  # node → its file system
    mounts: Mapping[str, Mapping[str, Figures]] = field(default_factory=dict)  # node → mount point → figures, to Prometheus
    earlier: Mapping[str, float] = field(default_factory=dict)  # claim or node
    failing: Mapping[str, Failure] = field(default_factory=dict)  # by resource, or by node

    def sources(self) -> dict[str, Source]:
        """What the collector is given in place of servers."""
        found: dict[str, Source] = {}
        if self.prometheus is not None:
            found |= {"prometheus/volumes": self._volumes, "prometheus/nodes": self._nodes}
        if self.kubelets is not None:
            found["kubelet/stats"] = self._kubelet
        return found

    def _volumes(self, place: Place, known: Mapping[str, Any]) -> Told:
        if failure := self.failing.get("prometheus/volumes"):
            return Told(failure=failure)
        found = []
        for claim, figures in (self.prometheus or {}).items():
            namespace, _, name = claim.partition("/")
            if namespace == place.namespace:
                one = {"metadata": {"namespace": namespace, "name": name}, "clusters": 1, **_figures(figures)}
                if claim in self.earlier:
                    one["earlier"] = {"used": int(self.earlier[claim] * GI), "seconds": 604800}
                found.append(one)
        return Told(tuple(found))

    def _nodes(self, place: Place, known: Mapping[str, Any]) -> Told:
        if failure := self.failing.get("prometheus/nodes"):
            return Told(failure=failure)
        found = []
        every = {**{node: {"/": figures} for node, figures in self.disks.items()}, **self.mounts}
        for node, mounts in every.items():
            filesystems = []
            for point, figures in mounts.items():
                one = {"mountpoint": point, **_figures(figures)}
                del one["used"]
                if node in self.earlier:
                    one["earlier"] = {"available": int((figures[1] - self.earlier[node]) * GI), "seconds": 604800}
                filesystems.append(one)
            found.append({"metadata": {"name": node}, "filesystems": filesystems})
        return Told(tuple(found))

    def _kubelet(self, place: Place, known: Mapping[str, Any]) -> Told:
        node = place.name or ""
        if failure := self.failing.get("kubelet/stats") or self.failing.get(node):
            return Told(failure=failure)
        volumes = []
        for claim, figures in (self.kubelets or {}).get(node, {}).items():
            namespace, _, name = claim.partition("/")
            volumes.append({"namespace": namespace, "name": name, **_figures(figures)})
        return Told(
            ({"metadata": {"name": node}, "fs": _figures(self.disks[node]) if node in self.disks else {}, "imageFs": {}, "volumes": volumes},)
        )


def _figures(figures: Figures) -> dict[str, Any]:
    used, capacity = figures
    return {"used": int(used * GI), "capacity": int(capacity * GI), "available": int((capacity - used) * GI), "time": WHEN}
