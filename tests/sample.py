"""The demo's sample cluster: a handover that is not ready yet, made by the real collector from objects in memory.

``python -m tests.sample`` rewrites exivity_audit/data/sample.json; a test tells when it is not current.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from exivity_audit.snapshot import Snapshot, encode
from tests import builders
from tests.judging import site_of, snapshot_of
from tests.mutation import Object, drop, put
from tests.world import World

FILE = Path(__file__).resolve().parents[1] / "exivity_audit" / "data" / "sample.json"
LATE = ("exivity-exported", "exivity-import")


def sample_world() -> World:
    """A production cluster in which an experienced operator finds what handovers usually miss."""
    world = builders.multi_node(host="billing.acme.eu", log_size="1Gi")
    world.edit("Deployment", "exivity-chronos", put("spec.replicas", 2))
    first = next(item for item in world.all("Pod") if item["metadata"]["name"].startswith("exivity-chronos-"))
    second: Object = msgspec.convert(first, dict)
    second = {**second, "metadata": {**second["metadata"], "name": "exivity-chronos-6d5f-1"}, "spec": {**second["spec"], "nodeName": "worker-3"}}
    world.add(second)
    for pod in world.all("Pod"):
        if pod["metadata"]["name"].startswith("exivity-proximity-api-"):
            pod["spec"]["nodeName"] = "worker-2"
    for name in ("exivity-edify", "exivity-glass", "exivity-horizon", "exivity-proximity-api"):
        world.edit("Deployment", name, drop("spec.template.spec.topologySpreadConstraints"))
    world.edit("ConfigMap", "exivity-proximity-api-env", drop("data.TRUSTED_PROXY"))
    world.edit(
        "ConfigMap",
        "exivity-config-logfiles",
        lambda item: item["data"].update(EXIVITY_LOGFILES_DELETE_DAYS="365", EXIVITY_LOGFILES_COMPRESS_DAYS="30"),
    )
    world.edit("Secret", "exivity-licence-key", put("data.license\\.key", builders.encode("demo")))
    for claim in LATE:
        world.edit("longhorn.io/Volume", f"pvc-{claim}", put("spec.numberOfReplicas", 2))
        world.remove("longhorn.io/Replica", f"pvc-{claim}-r-2")
    world.edit("Node", "worker-3", put("spec.unschedulable", True))
    chain, key = builders.certificate("billing.acme.eu", days=23)
    world.edit("Secret", "exivity-tls", lambda item: item["data"].update({"tls.crt": builders.encode(chain), "tls.key": builders.encode(key)}))
    return world


def sample() -> Snapshot:
    """The sample as a snapshot."""
    site = site_of(sample_world())
    return snapshot_of(
        msgspec.structs.replace(
            site, cluster=msgspec.structs.replace(site.cluster, name="prod-ams"), identity="system:serviceaccount:exivity-audit:auditor"
        )
    )


def main() -> None:
    """Rewrite the file."""
    FILE.write_bytes(encode(sample()))
    print(f"{FILE}: {FILE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
