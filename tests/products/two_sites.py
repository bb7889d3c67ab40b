"""A conforming pair: ams serves, fra stands by; each with Longhorn, CloudNativePG, a broker and Argo CD of its own, and one failover workflow.

``pair()`` gives both worlds; the functions above it are the pieces that mutations change. Those that take a cluster only edit and add,
so that they make the same of a running one.
"""

from __future__ import annotations

from typing import Any

from tests import builders
from tests.builders import built_once, made, stamp
from tests.mutation import Cluster, put
from tests.products import gitops, postgresql
from tests.world import Object, World

SERVED: tuple[str, ...] = ()
ACTIVE, PASSIVE = "ams", "fra"
ARGO = (
    "workflows.argoproj.io", "workflowtemplates.argoproj.io", "clusterworkflowtemplates.argoproj.io", "cronworkflows.argoproj.io",
    "sensors.argoproj.io",
)  # fmt: skip
API, SPACE, WORKFLOW = "argoproj.io/v1alpha1", "argo", "exivity-failover"
STEPS = (
    "fence-site-a", "scale-down-site-a", "promote-database", "ensure-rabbitmq", "attach-volumes", "scale-up-site-b", "switch-dns", "validate-application",
)  # fmt: skip
LINKS = ("shovels.rabbitmq.com", "federations.rabbitmq.com", "schemareplications.rabbitmq.com")
SYSTEM = "7412345678901234567"
REGIONS = {ACTIVE: "eu-1", PASSIVE: "eu-2"}
UIDS = {ACTIVE: "c3f1a0d2-7b64-4e0e-9c1d-5a2f90b1e7aa", PASSIVE: "0a9be7d4-11f2-4c55-8e31-6d1f7c02b9ee"}
TESTED = 60  # days ago
CANARIES = ("Vn7-tokenInArguments-42", "Kp3-keyInEnvironment-77")  # what the steps of a workflow carry beside their names


def multi_node(installation: Any) -> list[Object]:
    """Nothing: one site needs none of this."""
    return []


def single_node(installation: Any) -> list[Object]:
    """Nothing."""
    return []


# Argo Workflows


def acting(name: str) -> Object:
    """A template that does something itself; its script, arguments and environment are traps."""
    container = {"image": "bitnami/kubectl:1.36", "command": ["sh", "-c"], "args": [f"curl -H 'Authorization: Bearer {CANARIES[0]}'"],
                 "env": [{"name": "DNS_API_KEY", "value": CANARIES[1]}]}  # fmt: skip
    return {"name": f"do-{name}", "container": container}


def step(name: str, **more: Any) -> Object:
    """A step that calls the template of its name."""
    return {"name": name, "template": f"do-{name}", **more}


def serial(names: tuple[str, ...] = STEPS) -> list[Object]:
    """The templates of a workflow that runs its steps one after the other."""
    groups = [[step(name)] for name in names]
    return [{"name": "main", "steps": [[step("notify-operators")], *groups]}, *(acting(name) for name in ("notify-operators", *names))]


def graph(depends: dict[str, str], names: tuple[str, ...] = STEPS) -> list[Object]:
    """The templates of a workflow that is a DAG; ``depends`` gives what each task waits for."""
    tasks = [step(name, **({"depends": depends[name]} if depends.get(name) else {})) for name in names]
    return [{"name": "main", "dag": {"tasks": tasks}}, *(acting(name) for name in names)]


def chain(names: tuple[str, ...] = STEPS) -> dict[str, str]:
    """Each task behind the one before it."""
    return {name: f"{names[number - 1]}.Succeeded" for number, name in enumerate(names) if number}


def workflow_template(templates: list[Object] | None = None, name: str = WORKFLOW, **spec: Any) -> Object:
    """The WorkflowTemplate that fails over."""
    found = templates if templates is not None else serial()
    return made(API, "WorkflowTemplate", name, SPACE, spec={"entrypoint": "main", "templates": found, **spec})


def run(days: float = TESTED, phase: str = "Succeeded", name: str = f"{WORKFLOW}-x7k2p", of: str = WORKFLOW) -> Object:
    """A run of it."""
    return made(
        API, "Workflow", name, SPACE, metadata={"labels": {"workflows.argoproj.io/workflow-template": of, "workflows.argoproj.io/completed": "true"},
                                                "creationTimestamp": stamp(days + 0.05)},
        spec={"workflowTemplateRef": {"name": of}}, status={"phase": phase, "startedAt": stamp(days + 0.05), "finishedAt": stamp(days)},
    )  # fmt: skip


def workflows(*, runs: bool) -> list[Object]:
    """The failover workflow in Argo Workflows' namespace, and its run where it ran."""
    return [made("v1", "Namespace", SPACE, status={"phase": "Active"}), workflow_template(), *([run()] if runs else [])]


# The two sites


def at_home(cluster: Cluster, region: str) -> None:
    """Nodes and volumes are in a region of their own; the database is one and the same at both sites."""
    for item in list(cluster.all("Node")):
        if item["apiVersion"] == "v1":
            cluster.edit("Node", item["metadata"]["name"], put("metadata.labels.topology\\.kubernetes\\.io/region", region))
        else:
            cluster.edit("longhorn.io/Node", item["metadata"]["name"], put("status.region", region))
    cluster.edit("Cluster", postgresql.NAME, put("status.systemID", SYSTEM), postgresql.SPACE)


def site(name: str, **changes: Any) -> World:
    """One site's cluster: all products, kept by Argo CD, in a region and with an identity of its own."""
    world = gitops.serve(builders.multi_node_argo(**changes), *LINKS, *gitops.KEDA, *ARGO)
    world.edit("Namespace", "kube-system", lambda item: item["metadata"].update(uid=UIDS[name]))
    at_home(world, REGIONS[name])
    world.add(*workflows(runs=name == PASSIVE))
    return world


@built_once
def active(**changes: Any) -> World:
    """ams: the product runs here."""
    return site(ACTIVE, **changes)


@built_once
def passive(**changes: Any) -> World:
    """fra: prepared, no copy asked for, no pod; its database follows that of ams, its volumes wait."""
    world = site(PASSIVE, **changes)
    stand_by(world)
    follow(world)
    return world


@built_once
def passive_world() -> World:
    """A multi-node installation with everything prepared, no copy asked for and no pod."""
    world = builders.multi_node()
    stand_by(world)
    return world


def stand_by(world: World, namespace: str = "exivity") -> None:
    """Every service at 0, nothing mounted."""
    for item in world.all("Deployment"):
        if item["metadata"]["namespace"] == namespace:
            item["spec"]["replicas"] = 0
            item["status"] = {"observedGeneration": 1}
    ours = [item for item in world.all("Pod") if item["metadata"]["namespace"] == namespace]
    world.objects = [item for item in world.objects if item not in ours]
    for item in world.all("EndpointSlice"):
        if item["metadata"]["namespace"] == namespace:
            item["endpoints"] = []
    unmounted(world, namespace)
    for item in world.all("PodDisruptionBudget"):
        if item["metadata"]["namespace"] == namespace:
            item["status"] = {"disruptionsAllowed": 0, "expectedPods": 0}


def wake_up(world: World, namespace: str = "exivity") -> None:
    """Every pod, endpoint and status that controllers make where the services are asked for."""
    awake = builders.multi_node_argo()
    world.add(*(item for item in awake.all("Pod") if item["metadata"]["namespace"] == namespace))
    for kind, part in (("Deployment", "status"), ("EndpointSlice", "endpoints"), ("PodDisruptionBudget", "status")):
        for item in awake.all(kind):
            if item["metadata"]["namespace"] == namespace:
                world.edit(kind, item["metadata"]["name"], put(part, item[part]), namespace)


def unmounted(cluster: Cluster, namespace: str = "exivity") -> None:
    """Longhorn's view of volumes that no pod mounts."""
    detached = {"state": "detached", "robustness": "unknown", "currentNodeID": ""}
    for item in list(cluster.all("longhorn.io/Volume")):
        if (item["status"].get("kubernetesStatus") or {}).get("namespace") == namespace:
            cluster.edit("longhorn.io/Volume", item["metadata"]["name"], lambda found: found["status"].update(detached))
    for item in list(cluster.all("ShareManager")):
        cluster.edit("ShareManager", item["metadata"]["name"], put("status.state", "stopped"))


def follow(cluster: Cluster) -> None:
    """The database as a replica cluster of the active one: streamed, with the active one's store to fall back to."""
    plugin = {"name": postgresql.PLUGIN, "parameters": {"barmanObjectName": "ams-store", "serverName": postgresql.NAME}}
    parameters = {"host": "pg.ams.acme.eu", "user": "streaming_replica", "dbname": "postgres", "sslmode": "verify-full"}

    def change(item: Object) -> None:
        item["spec"]["replica"] = {"primary": "pg-ams", "source": "pg-ams", "enabled": True}
        item["spec"]["externalClusters"] = [{"name": "pg-ams", "connectionParameters": parameters, "plugin": plugin}]
        item["spec"]["bootstrap"] = {"pg_basebackup": {"source": "pg-ams"}}

    cluster.edit("Cluster", postgresql.NAME, change, postgresql.SPACE)
    store = postgresql.store("ams-store")
    own = put("spec.configuration.destinationPath", "s3://acme-backups/exivity-fra")
    cluster.edit("ObjectStore", f"{postgresql.NAME}-store", own, postgresql.SPACE)
    cluster.add(store)


def pair() -> dict[str, World]:
    """Both sites by name."""
    return {ACTIVE: active(), PASSIVE: passive()}
