"""Single mutations of the conforming pair, each at one site (or alike at both), and the check that must say so.

The clusters are those of ``tests/products/two_sites.py``; a change is given the cluster of its site, in memory or a real API server.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from exivity_audit import chart
from exivity_audit.config import Config
from exivity_audit.evaluate import Judgement
from exivity_audit.verdict import Status
from tests.builders import STATELESS, WORKERS, certificate, encode, made, stamp
from tests.judging import place_statuses
from tests.mutation import Mutation, Object, drop, put
from tests.products import postgresql, rabbitmq, two_sites
from tests.products.gitops import scaled_object
from tests.products.two_sites import ACTIVE, PASSIVE, STEPS, WORKFLOW, chain, graph, run, serial
from tests.world import World

MUTATIONS: list[Mutation] = []  # of one cluster: none here
WARN, MANUAL = Status.WARN, Status.MANUAL
EVERYWHERE = "*"
RUN = f"{WORKFLOW}-x7k2p"


@dataclass(frozen=True)
class PairMutation:
    """``site`` is where the change is made (``*``: at both), ``check`` turns to ``to`` at ``at`` (its own site, or ``*`` where it compares).

    ``roles`` declares other roles than active and passive, before the change too; ``also`` and ``live`` as in ``Mutation``.
    ``answer`` is what the controllers of a real control plane make of the change: done to a world in memory, which has none.
    """

    name: str
    site: str
    check: str
    change: Callable[[Any], Any]
    to: Status = Status.FAIL
    at: str = EVERYWHERE
    also: tuple[str, ...] = ()
    live: bool = True
    answer: Callable[[World], Any] | None = None
    roles: Mapping[str, str | None] = field(default_factory=dict)
    config: Config = field(default_factory=Config)

    def apply(self, world: World) -> None:
        """Breaks a site in memory."""
        self.change(world)
        if self.answer is not None:
            self.answer(world)

    @property
    def sites(self) -> tuple[str, ...]:
        """Where the change is made."""
        return (ACTIVE, PASSIVE) if self.site == EVERYWHERE else (self.site,)

    def assert_caught(self, before: Mapping[tuple[str, str], Status], found: Judgement) -> None:
        """Its check turns to what is meant, nothing else turns, and who follows it does not find it good."""
        after = place_statuses(found)
        assert after[self.check, self.at] is self.to, said(found, self.check)
        bad = {Status.FAIL, Status.ERROR} if self.to is Status.FAIL else {Status.FAIL, Status.ERROR, Status.WARN}
        turned = {place for place, now in after.items() if now in bad and before[place] is not now}
        others = {place for place in turned if place[0] not in (self.check, *self.also)}
        assert others == set(), {place: said(found, place[0]) for place in others}
        leaders = {verdict.follows for outcome in found.outcomes for verdict in outcome.verdicts if verdict.follows == self.check}
        assert all(after[leader, self.at] is not Status.PASS for leader in leaders)


def said(found: Judgement, check: str) -> list[str]:
    """What a check says at each site: the message of a failed assertion."""
    return [
        f"{outcome.site} {verdict.status}: {verdict.message}"
        for outcome in found.outcomes
        if outcome.check.id == check
        for verdict in outcome.verdicts
    ]


def deployments_of(cluster: Any) -> list[str]:
    """The names of the product's Deployments."""
    return [item["metadata"]["name"] for item in cluster.all("Deployment") if item["metadata"].get("namespace") == "exivity"]


def asks(component: str, count: int) -> Callable[[Any], None]:
    """One service is asked for this often."""
    return lambda cluster: cluster.edit("Deployment", f"exivity-{component}", put("spec.replicas", count), "exivity")


def all_ask(count: int) -> Callable[[Any], None]:
    """Every service is asked for this often."""

    def change(cluster: Any) -> None:
        for name in deployments_of(cluster):
            cluster.edit("Deployment", name, put("spec.replicas", count), "exivity")

    return change


def serves(cluster: Any) -> None:
    """Every service is asked for as a site that serves asks for it."""
    for name in deployments_of(cluster):
        asks(name.removeprefix("exivity-"), 2 if name.removeprefix("exivity-") in STATELESS else 1)(cluster)


def left_over(cluster: Any) -> None:
    """A pod of chronos that nothing asks for."""
    labels = {chart.APP_LABEL: chart.APP, chart.NAME_LABEL: "exivity", chart.INSTANCE_LABEL: "exivity", chart.COMPONENT_LABEL: "chronos"}
    pod = {"containers": [{"name": "chronos", "image": "docker.io/exivity/chronos:exivity-3.39.2"}], "nodeName": "worker-1"}
    cluster.add(made("v1", "Pod", "exivity-chronos-6d5f-0", "exivity", metadata={"labels": labels}, spec=pod, status={"phase": "Running"}))


def application(change: Callable[[Object], Any]) -> Callable[[Any], None]:
    """A change of the Application."""
    return lambda cluster: cluster.edit("Application", "exivity", change, "argocd")


def undoing(item: Object) -> None:
    """Argo CD sees other copies than Git asks for, and heals itself."""
    entry = next(one for one in item["status"]["resources"] if one["name"] == "exivity-glass" and one["kind"] == "Deployment")
    entry["status"] = item["status"]["sync"]["status"] = "OutOfSync"


def drifted(item: Object) -> None:
    """A ConfigMap is not as Git says."""
    entry = next(one for one in item["status"]["resources"] if one["kind"] == "ConfigMap")
    entry["status"] = item["status"]["sync"]["status"] = "OutOfSync"


def by_hand(cluster: Any) -> None:
    """Nobody but Helm keeps the release."""
    cluster.remove("Application", "exivity")
    for kind in ("Deployment", "Ingress", "ConfigMap", "Secret", "PersistentVolumeClaim", "Service"):
        for item in list(cluster.all(kind)):
            if item["metadata"].get("labels", {}).get(chart.APP_LABEL) == chart.APP:
                marks = {chart.HELM_RELEASE: "exivity", "meta.helm.sh/release-namespace": "exivity"}
                cluster.edit(kind, item["metadata"]["name"], put("metadata.annotations", marks), item["metadata"].get("namespace"))


def written(templates: list[Object], **spec: Any) -> Callable[[Any], None]:
    """The failover workflow with other templates."""

    def change(item: Object) -> None:
        item["spec"] = {"entrypoint": "main", "templates": templates, **spec}

    return lambda cluster: cluster.edit("WorkflowTemplate", WORKFLOW, change, two_sites.SPACE)


def without(number: int) -> Callable[[Any], None]:
    """The workflow without one of its steps."""
    return written(serial((*STEPS[: number - 1], *STEPS[number:])))


def grouped() -> list[Object]:
    """The database is promoted and the application scaled up in one group of steps."""
    templates = serial()
    groups = templates[0]["steps"]
    groups[3] = [*groups[3], *groups[6]]
    del groups[6]
    return templates


def swapped() -> list[Object]:
    """The traffic is switched before the application runs."""
    return serial((*STEPS[:5], STEPS[6], STEPS[5], STEPS[7]))


def database(change: Callable[[Object], Any]) -> Callable[[Any], None]:
    """A change of the product's Cluster."""
    return lambda cluster: cluster.edit("Cluster", postgresql.NAME, change, postgresql.SPACE)


def another_store(cluster: Any) -> None:
    """An operator that tells no identifier, and a replica that reads another server's store."""
    cluster.edit("Cluster", postgresql.NAME, drop("status.systemID"), postgresql.SPACE)
    cluster.edit("ObjectStore", "ams-store", put("spec.configuration.destinationPath", "s3://acme-backups/test"), postgresql.SPACE)


def follower_too(item: Object) -> None:
    """The active site's cluster follows another one."""
    item["spec"]["replica"] = {"primary": "pg-other", "source": "pg-other", "enabled": True}
    item["spec"]["externalClusters"] = [{"name": "pg-other", "connectionParameters": {"host": "pg.other.acme.eu"}}]


KEPT = ("PersistentVolume", "PersistentVolumeClaim", "Volume", "Replica")


def stretched(cluster: Any) -> None:
    """The broker has three nodes, one of them in the other region."""
    cluster.edit("Node", "worker-2", put("metadata.labels.topology\\.kubernetes\\.io/region", two_sites.REGIONS[ACTIVE]))
    there = {(kind, item["metadata"]["name"]) for kind in KEPT for item in cluster.all(kind)}
    wanted = rabbitmq.broker(WORKERS, "longhorn", count=3)
    cluster.add(*(item for item in wanted if item["kind"] in KEPT and (item["kind"], item["metadata"]["name"]) not in there))
    cluster.edit("RabbitmqCluster", rabbitmq.NAME, put("spec.replicas", 3))
    cluster.edit("StatefulSet", f"{rabbitmq.NAME}-server", put("spec.replicas", 3))


def more_brokers(world: World) -> None:
    """The pods of three brokers, which are Ready."""
    for item in rabbitmq.broker(WORKERS, "longhorn", count=3):
        name = item["metadata"]["name"]
        if item["kind"] in ("Pod", "EndpointSlice"):
            world.objects = [one for one in world.objects if (one["kind"], one["metadata"]["name"]) != (item["kind"], name)]
            world.add(item)
        elif item["kind"] == "StatefulSet":
            world.edit("StatefulSet", name, put("status", item["status"]), rabbitmq.SPACE)


def external_broker(cluster: Any) -> None:
    """Every config.json names a broker outside."""
    for item in list(cluster.all("ConfigMap")):
        if "config.json" in (item.get("data") or {}):
            content = json.loads(item["data"]["config.json"])
            content["mq"]["servers"] = [{"host": "mq.acme.eu", "port": 5671, "secure": True}]
            told = json.dumps(content)
            cluster.edit("ConfigMap", item["metadata"]["name"], put("data.config\\.json", told), item["metadata"].get("namespace"))


def link(kind: str, **spec: Any) -> Callable[[Any], None]:
    """Something that carries the broker's state elsewhere."""
    reference = {"rabbitmqClusterReference": {"name": "mq"}}
    return lambda cluster: cluster.add(made("rabbitmq.com/v1beta1", kind, "to-the-other-site", "rabbitmq", spec={**reference, **spec}))


def target(change: Callable[[Object], Any]) -> Callable[[Any], None]:
    """A change of Longhorn's backup target."""
    return lambda cluster: cluster.edit("BackupTarget", "default", change, "longhorn-system")


def unavailable(item: Object) -> None:
    """Longhorn cannot reach the target."""
    item["status"]["available"] = False
    item["status"]["conditions"][0] |= {"status": "True", "reason": "Unavailable", "message": "failed to list backup volumes"}


def secret(name: str, key: str, value: str) -> Callable[[Any], None]:
    """A Secret of the chart holds another value."""
    path = "data." + key.replace(".", "\\.")
    return lambda cluster: cluster.edit("Secret", f"exivity-{name}", put(path, encode(value)), "exivity")


def password(cluster: Any) -> None:
    """Another database password, in every place that the application reads it from."""
    other = "jW3-xK8_bN2vQ7rT5mZs"
    secret("postgres-secret", "POSTGRES_PASSWORD", other)(cluster)
    told(cluster, lambda parameters: parameters.update(password=other))


def told(cluster: Any, change: Callable[[Object], Any]) -> None:
    """A change of the database's parameters in every config.json."""
    for item in list(cluster.all("ConfigMap")):
        if "config.json" in (item.get("data") or {}):
            content = json.loads(item["data"]["config.json"])
            change(content["db"]["parameters"])
            place = item["metadata"].get("namespace")
            cluster.edit("ConfigMap", item["metadata"]["name"], put("data.config\\.json", json.dumps(content)), place)


def another_user(cluster: Any) -> None:
    """The standby logs in to the database as another user."""
    cluster.edit("ConfigMap", "exivity-postgres-config", put("data.POSTGRES_USER", "exivity-fra"), "exivity")
    told(cluster, lambda parameters: parameters.update(user="exivity-fra"))


def image(cluster: Any) -> None:
    """One service runs an older image."""
    cluster.edit("Deployment", "exivity-glass", put("spec.template.spec.containers.0.image", "docker.io/exivity/glass:exivity-3.39.1"), "exivity")


def upgraded(cluster: Any) -> None:
    """Every service of the standby is a version ahead."""
    for name in deployments_of(cluster):
        component = name.removeprefix("exivity-")

        def change(item: Object, component: str = component) -> None:
            item["metadata"]["labels"][chart.VERSION_LABEL] = "3.40.0"
            item["spec"]["template"]["spec"]["containers"][0]["image"] = f"docker.io/exivity/{component}:exivity-3.40.0"

        cluster.edit("Deployment", name, change, "exivity")


def ingress(change: Callable[[Object], Any]) -> Callable[[Any], None]:
    """A change of the Ingress."""
    return lambda cluster: cluster.edit("Ingress", "exivity", change, "exivity")


def renamed(cluster: Any) -> None:
    """The standby waits for another host, with a certificate for it."""
    host = "exivity-fra.acme.eu"

    def change(item: Object) -> None:
        item["spec"]["rules"][0]["host"] = host
        item["spec"]["tls"][0]["hosts"] = [host]

    cluster.edit("Ingress", "exivity", change, "exivity")
    pair, key = certificate(host)
    cluster.edit("Secret", "exivity-tls", lambda item: item["data"].update({"tls.crt": encode(pair), "tls.key": encode(key)}), "exivity")


def expired(cluster: Any) -> None:
    """The standby's certificate has ended."""
    pair, key = certificate("exivity.acme.eu", days=-3)
    cluster.edit("Secret", "exivity-tls", lambda item: item["data"].update({"tls.crt": encode(pair), "tls.key": encode(key)}), "exivity")


def older_server(cluster: Any) -> None:
    """The standby's server is a minor behind."""
    cluster.version = "v1.35.6+rke2r1"
    for item in [one for one in cluster.all("Node") if one["apiVersion"] == "v1"]:
        cluster.edit("Node", item["metadata"]["name"], put("status.nodeInfo.kubeletVersion", "v1.35.6+rke2r1"))


GITOPS, AUTOMATION, TESTED = "disaster_recovery/gitops", "disaster_recovery/failover-automation", "disaster_recovery/failover-tested"
STANDING, PARITY, DATA = "disaster_recovery/passive-replicas", "disaster_recovery/site-parity", "disaster_recovery/data-replicated"
FOLLOWS, BROKERS = "postgresql/replication", "rabbitmq/not-stretched"
BEHIND = {f"{name}": text for name, text in chain().items()}
UNORDERED = {**BEHIND, STEPS[6]: f"{STEPS[2]}.Succeeded"}  # the switch waits for the promotion alone
RING = {**BEHIND, STEPS[2]: f"{STEPS[3]}.Succeeded"}

# fmt: off
PAIR = [
    PairMutation("glass is asked for at the standby", PASSIVE, STANDING, asks("glass", 2), at=PASSIVE, also=("application/replicas-ready",)),
    PairMutation("the standby runs the whole application", PASSIVE, STANDING, all_ask(1), at=PASSIVE, also=("application/replicas-ready",)),
    PairMutation("a pod of chronos is left at the standby", PASSIVE, STANDING, left_over, at=PASSIVE),
    PairMutation("KEDA may start glass at the standby", PASSIVE, STANDING, lambda c: c.add(scaled_object("glass", 2, 4)), at=PASSIVE),
    PairMutation("KEDA is paused at two copies", PASSIVE, STANDING,
                 lambda c: c.add(scaled_object("glass", 2, 4, annotations={"autoscaling.keda.sh/paused-replicas": "2"})), at=PASSIVE),
    PairMutation("Argo CD would put the copies back", PASSIVE, STANDING, application(undoing), at=PASSIVE),
    PairMutation("the active site asks for nothing", ACTIVE, "disaster_recovery/active-replicas", all_ask(0), at=ACTIVE, answer=two_sites.stand_by),
    PairMutation("the standby's Application is OutOfSync", PASSIVE, GITOPS, application(drifted)),
    PairMutation("the active site's Application is OutOfSync", ACTIVE, GITOPS, application(drifted)),
    PairMutation("Argo CD is told to leave the standby alone", PASSIVE, GITOPS,
                 application(put("metadata.annotations", {"argocd.argoproj.io/skip-reconcile": "true"}))),
    PairMutation("the standby's Application is Degraded", PASSIVE, GITOPS, application(put("status.health.status", "Degraded")), WARN),
    PairMutation("the standby is installed by hand", PASSIVE, GITOPS, by_hand),
    *(PairMutation(f"the workflow has no step {number}", PASSIVE, AUTOMATION, without(number)) for number in range(1, 9)),
    PairMutation("the active site's copy of the workflow lacks a step", ACTIVE, AUTOMATION, without(5)),
    PairMutation("the traffic is switched before the application runs", PASSIVE, AUTOMATION, written(swapped())),
    PairMutation("two steps run in one group", PASSIVE, AUTOMATION, written(grouped())),
    PairMutation("a task of the DAG waits for too little", PASSIVE, AUTOMATION, written(graph(UNORDERED))),
    PairMutation("the tasks of the DAG wait for nothing", PASSIVE, AUTOMATION, written(graph({}))),
    PairMutation("two tasks of the DAG wait for each other", PASSIVE, AUTOMATION, written(graph(RING))),
    PairMutation("a step has a name that says nothing", PASSIVE, AUTOMATION, written(serial((*STEPS[:2], "phase-three", *STEPS[3:])))),
    PairMutation("a step calls a template that is not there", PASSIVE, AUTOMATION,
                 written([{"name": "main", "steps": [*([two_sites.step(name)] for name in STEPS), [{"name": "notify", "templateRef": {"name": "gone", "template": "x"}}]]},
                          *(two_sites.acting(name) for name in STEPS)])),
    PairMutation("no site has a failover workflow", EVERYWHERE, AUTOMATION, lambda c: c.remove("WorkflowTemplate", WORKFLOW)),
    PairMutation("the failover test failed", PASSIVE, TESTED, lambda c: c.edit("Workflow", RUN, put("status.phase", "Failed"), two_sites.SPACE)),
    PairMutation("the failover test is too old", PASSIVE, TESTED,
                 lambda c: c.edit("Workflow", RUN, put("status.finishedAt", stamp(200)), two_sites.SPACE), MANUAL),
    PairMutation("no failover test is seen", PASSIVE, TESTED, lambda c: c.remove("Workflow", RUN), MANUAL),
    PairMutation("the run is of another workflow", PASSIVE, TESTED,
                 lambda c: (c.remove("Workflow", RUN), c.add(run(of="nightly-report"))), MANUAL),
    PairMutation("the standby's database was promoted", PASSIVE, FOLLOWS, database(put("spec.replica.enabled", False)), at=PASSIVE),
    PairMutation("the standby holds another database", PASSIVE, FOLLOWS, database(put("status.systemID", "7499999999999999999")), at=PASSIVE),
    PairMutation("the standby reads another server's store", PASSIVE, FOLLOWS, another_store, at=PASSIVE),
    PairMutation("the replica cluster is not healthy", PASSIVE, FOLLOWS, database(put("status.phase", "Waiting for the instances to become active")), at=PASSIVE),
    PairMutation("the active site's database follows too", ACTIVE, "postgresql/reachable", database(follower_too), at=ACTIVE),
    PairMutation("a broker spans two regions", PASSIVE, BROKERS, stretched, also=("storage/site-local",), answer=more_brokers),
    PairMutation("both sites use one broker outside", EVERYWHERE, BROKERS, external_broker),
    PairMutation("a Shovel leads out of the standby's broker", PASSIVE, BROKERS, link("Shovel", name="s", uriSecret={"name": "shovel-uri"}, srcQueue="a", destQueue="a")),
    PairMutation("a Federation feeds the active broker", ACTIVE, BROKERS, link("Federation", name="f", vhost="/", uriSecret={"name": "upstream-uri"})),
    PairMutation("the broker's schema is replicated", PASSIVE, BROKERS,
                 link("SchemaReplication", upstreamSecret={"name": "upstream"}, endpoints="mq.ams.acme.eu:5671")),
    # An API server gives the uid of a namespace, and says its own version.
    PairMutation("both sites are one cluster", PASSIVE, BROKERS,
                 lambda c: c.edit("Namespace", "kube-system", lambda item: item["metadata"].update(uid=two_sites.UIDS[ACTIVE])), live=False),
    PairMutation("the standby cannot reach the backup target", PASSIVE, "backups/target-available", target(unavailable), at=PASSIVE),
    PairMutation("the standby has another backup target", PASSIVE, DATA, target(put("spec.backupTargetURL", "s3://fra-backups@eu-west-1/prod"))),
    PairMutation("the standby has no Ingress", PASSIVE, "disaster_recovery/standby-ingress", lambda c: c.remove("Ingress", "exivity"), at=PASSIVE),
    PairMutation("the standby's certificate has expired", PASSIVE, "ingress/certificate", expired, at=PASSIVE),
    PairMutation("another appKey", PASSIVE, PARITY, secret("app-key", "EXIVITY_APP_KEY", "pL8-vM2_Yr6tHw4zXq9sBn3dKf7gJc5aVe")),
    PairMutation("another jwtSecret", PASSIVE, PARITY, secret("jwt-secret", "EXIVITY_JWT_SECRET", "Zb5-kN8_Gt2yRw7mXc4vLq9sHd3fJp6aTe")),
    PairMutation("another licence", PASSIVE, PARITY, secret("licence-key", "license.key", "LICENCE-11aa-22bb-FRA-2026")),
    PairMutation("another database password", PASSIVE, PARITY, password),
    PairMutation("another database user", PASSIVE, PARITY, another_user),
    PairMutation("an older image of glass", PASSIVE, PARITY, image, also=("upgrades/versions-aligned",)),
    PairMutation("the standby is a version ahead", PASSIVE, PARITY, upgraded),
    PairMutation("a smaller claim", PASSIVE, PARITY,
                 lambda c: c.edit("PersistentVolumeClaim", "exivity-extracted", put("spec.resources.requests.storage", "60Gi"), "exivity"), WARN),
    PairMutation("a missing claim", PASSIVE, PARITY, lambda c: c.remove("PersistentVolumeClaim", "exivity-report"), WARN),
    PairMutation("another class behind the claims", PASSIVE, PARITY,
                 lambda c: c.edit("StorageClass", "longhorn", put("parameters.dataLocality", "best-effort")), WARN),
    PairMutation("the standby waits for another host", PASSIVE, PARITY, renamed, WARN),
    PairMutation("the standby's Kubernetes is a minor behind", PASSIVE, PARITY, older_server, WARN, live=False),
    PairMutation("both sites are declared active and run", PASSIVE, "disaster_recovery/single-active", serves, roles={PASSIVE: "active"}, answer=two_sites.wake_up),
    PairMutation("both sites stand by", ACTIVE, "disaster_recovery/single-active", all_ask(0), roles={ACTIVE: "passive"}, answer=two_sites.stand_by),
]
# fmt: on
