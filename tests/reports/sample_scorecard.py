"""A hand-made Scorecard with every status and every kind of finding; the same at every call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from exivity_audit.attestation import Attestation
from exivity_audit.calendar import calendars, due
from exivity_audit.check import AS_IS, Check
from exivity_audit.config import Config, Waiver
from exivity_audit.evaluate import Judgement, Outcome
from exivity_audit.evidence import Evidence
from exivity_audit.fact import Objects, Reason
from exivity_audit.facts.copies import Copy
from exivity_audit.lifecycle import Lifecycle
from exivity_audit.measure import Unit, Wanted, at_least, exactly, wanted
from exivity_audit.pack import Checklist, Pack, Row
from exivity_audit.quantity import Duration, size
from exivity_audit.remedy import Fix, patch, task, values
from exivity_audit.reports.run_info import RunInfo
from exivity_audit.scenario import EVERYWHERE, Purpose, Scenario, ScenarioUsed
from exivity_audit.score import Scorecard, scorecard
from exivity_audit.snapshot import Cluster, Place, Record, SiteSnapshot, Snapshot, Tool
from exivity_audit.snapshot import Outcome as ReadOutcome
from exivity_audit.subject import Subject, release_subject
from exivity_audit.verdict import Objection, Severity, Status, Verdict, skip, to_attest, unknown  # fmt: skip

CRITICAL, HIGH, MEDIUM, LOW = Severity
NOW = datetime(2026, 11, 23, 14, 2, 11, tzinfo=UTC)
RELEASE = release_subject("exivity", "exivity")
ROWS = [
    Row("cluster", "Cluster", "foundation", 2),
    Row("application", "Application", "foundation", 2),
    Row("storage", "Storage", "before-production", 3),
    Row("pvc_sizes", "PVC sizes", "before-production", 3),
    Row("postgresql", "PostgreSQL", "before-production", 3),
    Row("rabbitmq", "RabbitMQ", "before-production", 3),
    Row("ingress", "Ingress", "before-production", 3),
    Row("secrets", "Secrets", "before-production", 3),
    Row("backups", "Backups", "before-production", 3),
    Row("monitoring", "Monitoring", "before-production", 3),
    Row("upgrades", "Upgrades", "day-2", 1),
    Row("capacity", "Capacity", "day-2", 1),
    Row("logs", "Logs", "day-2", 1),
    Row("disaster_recovery", "Disaster recovery", "day-2", 1, 3),
    Row("security", "Security", "day-2", 1),
]
WAIVER = Waiver("ingress/load-balancer", "hardware balancer on order", "J. de Boer", "2027-01-31", ticket="CHG-4411")
ATTESTED = Attestation(
    "backups/restore-test",
    None,
    None,
    "Restored into a scratch namespace",
    "J. Doe",
    "2026-11-02",
    "2027-05-01",
    "restore.log",
    (("postgresql_major", 17),),
)


WAIVERS = (
    WAIVER,
    Waiver("rabbitmq/tls", "site-local, moved in spring", "J. de Boer", "2027-03-31", accepts=5671),
    Waiver("logs/level", "debug for the support case", "M. Smit", "2026-10-31", ticket="OPS-7"),
    Waiver("capacity/data", "grows in December", "M. Smit", "2026-12-15", subject="PersistentVolumeClaim exivity/exivity-exported"),
)
ATTESTATIONS = (
    ATTESTED,
    Attestation("monitoring/delivery", None, None, "Test alert reached the pager", "A. Jansen", "2026-05-02", "2026-10-29", None),
)


class NodeLoss(msgspec.Struct, frozen=True):
    """As the fact ``node_loss`` writes it."""

    node: str
    zone: str | None
    stops: tuple[str, ...]
    moves: tuple[str, ...]
    notes: tuple[str, ...]
    fits: bool | None
    memory: float | None
    perhaps: tuple[str, ...] = ()


DUES = (
    due(date(2026, 12, 16), "certificate", "certificate billing.acme.eu ends", "Secret exivity/exivity-tls", NOW),
    due(date(2026, 11, 12), "support", "PostgreSQL 14 leaves support", "Cluster exivity/exivity-db", NOW),
    due(date(2027, 2, 28), "support", "Kubernetes 1.35 leaves support", "Cluster", NOW),
)
NODE_LOSS = (
    NodeLoss("ams-w-1", "ams-a", (), ("executor",), ("PostgreSQL primary → standby on ams-w-3",), True, 0.71),
    NodeLoss("ams-w-2", "ams-a", ("proximity-api",), ("griffon", "1 chronos"), ("RabbitMQ 2 of 3 left",), True, 0.74),
    NodeLoss("ams-w-3", "ams-b", (), ("proximity-cli", "1 chronos"), ("6 share-managers restart",), None, None),
    NodeLoss("ams-w-4", "ams-b", (), (), ("RabbitMQ 2 of 3 left",), True, 0.94),
)


def a_copy(item: str, size: int | None, by: str, hours: float | None, state: str, kind: str = "claim", note: str = "") -> Copy:
    """A line of the ledger; the limit is two days."""
    last = None if hours is None else (NOW - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Copy(item, kind, size, by, last, None if hours is None else hours * 3600, 172800.0, state, note)


COPIES = (
    a_copy("exivity-extracted", 100 * 2**30, "Longhorn job nightly", 6, "fresh"), a_copy("exivity-exported", 100 * 2**30, "Longhorn job nightly", 6, "fresh"),
    a_copy("exivity-import", 20 * 2**30, "", None, "none", note="snapshots on its own storage alone"),
    a_copy("exivity-report", 20 * 2**30, "Longhorn, no job now", 76, "late"), a_copy("exivity-etl-config", 2**30, "Longhorn job nightly", 6, "fresh"),
    a_copy("PostgreSQL exivity-db", None, "Barman Cloud plugin → s3://exivity-backup/db", 220, "late", "database"),
    a_copy("Secrets (4)", None, "", None, "unknown", "secrets", "no cluster shows where else they are kept"),
    a_copy("Log claims (11)", 11 * 10 * 2**30, "", None, "not needed", "logs", "0 of 11 copied; log lines may be lost"),
)  # fmt: skip


def built(**_: Any) -> Iterator[Verdict]:
    """Stands for a check's code."""
    yield from ()


def a_check(
    name: str, severity: Severity, title: str, *, fix: str = "", attest: str | None = None, judge: Any = built, clauses: tuple[str, ...] = ("F1",)
) -> Check:
    """A check by ``row/slug``."""
    row, slug = name.split("/", 1)
    return Check(
        slug, row, title, "Why it matters.", fix or f"Repair {slug}", severity, clauses, EVERYWHERE, AS_IS, attest, (), (), "here:1", None, judge
    )


def evidence(kind: str, name: str, path: str, value: Any = None) -> tuple[Evidence, ...]:
    """Where something was seen."""
    return (Evidence("read", f"{kind} {name}", path, value, f"kubectl get {kind} {name.rpartition('/')[2]} -n exivity -o jsonpath='{{.{path}}}'"),)


def found(
    status: Status,
    kind: str,
    name: str,
    measured: Any = None,
    *,
    seen: str = "",
    want: Wanted | None = None,
    fix: Fix | None = None,
    unit: Unit = Unit.TEXT,
    remark: str = "",
    where: tuple[Evidence, ...] = (),
    part: str | None = None,
    against: tuple[Any, str] | None = None,
) -> Verdict:
    """A verdict about an object of the release."""
    objections = (Objection(*against),) if against else ()
    return Verdict(status, Subject(kind, name, "exivity", part), measured, unit, want, seen, "", remark, fix, evidence=where, objections=objections)


FAIL, WARN, PASS = Status.FAIL, Status.WARN, Status.PASS
Told = tuple[Check, tuple[Verdict, ...]]


def _application() -> list[Told]:
    spread = task("Post-render `topologySpreadConstraints` on `kubernetes.io/hostname` into the seven stateless Deployments")
    singletons = "chronos", "executor", "griffon", "proximity-cli"
    recreate = task("Post-render the four Deployments with `strategy.type: Recreate` (the chart has no value for it)")
    return [
        (
            a_check("application/singletons", CRITICAL, "The four singletons run exactly once", clauses=("R3", "B9")),
            (
                found(
                    FAIL, "Deployment", "chronos", 2, seen="2 running, 2 asked for", unit=Unit.COUNT, want=exactly(1, "a second scheduler queues every job twice"),
                    fix=values("service.chronos.replicas", 1), where=evidence("deployments", "exivity/exivity-chronos", "spec.replicas", 2),
                ),
                *(found(PASS, "Deployment", name, 1, unit=Unit.COUNT) for name in singletons[1:]),
            ),
        ),
        (
            a_check("application/effective-spread", HIGH, "Replicas really run on different nodes"),
            (found(FAIL, "Deployment", "proximity-api", 1, seen="2 of 2 pods on ams-w-2", unit=Unit.COUNT, want=at_least(2, "nodes"), fix=spread, where=evidence("pods", "exivity/exivity-proximity-api", "spec.nodeName")),),
        ),
        (
            a_check("application/singleton-rollout", MEDIUM, "A rollout never runs a singleton twice"),
            tuple(found(WARN, "Deployment", name, "RollingUpdate, maxSurge 25 % = 1 extra pod", want=wanted("Recreate, or maxSurge 0"), fix=recreate) for name in singletons),
        ),
        (
            a_check("application/declared-spread", MEDIUM, "Replicas are asked to spread over nodes"),
            (found(WARN, "Deployment", "edify", "no anti-affinity, no spread constraint", want=wanted("anti-affinity or topologySpreadConstraints"), fix=spread),),
        ),
        (a_check("application/services-present", HIGH, "The eleven services are there"), (found(PASS, "Release", "exivity", 11, unit=Unit.COUNT),)),
        (a_check("application/same-node", LOW, "All pods run on the one node"), (skip(None, "does not apply to multi-node"),)),
        (
            a_check("application/duplicate-tasks", LOW, "The same task is never queued twice in parallel", attest="Review the workflows with their owner"),
            (to_attest(RELEASE),),
        ),
    ]  # fmt: skip


def _storage() -> list[Told]:
    three = task('Set `numberOfReplicas: "3"` in StorageClass longhorn-rwx (recreate it), and `spec.numberOfReplicas: 3` on the 5 volumes')
    want = at_least(3, "robustness healthy, in the class and in each volume")
    volumes = "exivity-exported", "exivity-import", "exivity-report", "exivity-etl-config"
    return [
        (
            a_check("storage/longhorn-replicas", CRITICAL, "Every volume keeps three healthy replicas", clauses=("B7", "L1")),
            (
                found(FAIL, "StorageClass", "longhorn-rwx", 2, seen='numberOfReplicas "2"', unit=Unit.COUNT, want=want, fix=three, where=evidence("storageclasses", "longhorn-rwx", "parameters.numberOfReplicas", "2")),
                found(FAIL, "PersistentVolumeClaim", "exivity-extracted", 2, seen="2 replicas, 1 rebuilding", unit=Unit.COUNT, want=want, fix=three, where=evidence("volumes.longhorn.io", "longhorn-system/pvc-1", "spec.numberOfReplicas", 2)),
                *(found(FAIL, "PersistentVolumeClaim", name, 2, seen="2 replicas, healthy", unit=Unit.COUNT, want=want, fix=three, where=evidence("volumes.longhorn.io", f"longhorn-system/{name}", "spec.numberOfReplicas", 2)) for name in volumes),
                unknown(Subject("PersistentVolumeClaim", "exivity-backup", "exivity"), "malformed: spec.volumeName is no text: int"),
            ),
        ),
        (
            a_check("storage/longhorn-capacity", MEDIUM, "Disks hold all replicas and their snapshots"),
            (unknown(RELEASE, "forbidden: list nodes.longhorn.io in longhorn-system", needs=("list nodes.longhorn.io in longhorn-system",)),),
        ),
        (a_check("storage/class-exists", HIGH, "Every claim names a class that exists"), (found(PASS, "StorageClass", "longhorn-rwx", "longhorn-rwx", remark="it is not the default class", where=evidence("storageclasses", "longhorn-rwx", "metadata.name")),)),
        (a_check("storage/claims-bound", HIGH, "Every claim is bound"), (found(PASS, "PersistentVolumeClaim", "exivity-import", "Bound"),)),
        (a_check("storage/nfs", HIGH, "NFS is version 4 with locking"), (skip(None, "no claim is on NFS"),)),
    ]  # fmt: skip


def _sizes() -> list[Told]:
    logs = "chronos", "edify", "executor", "glass", "griffon", "horizon", "pigeon", "proximity-api", "proximity-cli", "transcript", "use"
    grow = values("storage.pvcSizes.log", "10Gi")
    gib = size("1Gi")
    return [
        (
            a_check("pvc_sizes/logs", MEDIUM, "Each log claim is at least 5Gi", clauses=("P4",)),
            tuple(found(FAIL, "PersistentVolumeClaim", f"exivity-{name}-log", gib, unit=Unit.BYTES, want=at_least("5Gi", "each"), fix=grow, where=evidence("persistentvolumeclaims", f"exivity/exivity-{name}-log", "status.capacity.storage", gib)) for name in logs),
        ),
        (a_check("pvc_sizes/explicit", MEDIUM, "Sizes are set in the release's values"), (found(WARN, "Release", "exivity", "not set", want=wanted("every group set"), fix=grow, part="storage.pvcSizes.log"),)),
        (a_check("pvc_sizes/data", HIGH, "Data claims are at least 50Gi"), (found(PASS, "PersistentVolumeClaim", "exivity-extracted", size("100Gi"), unit=Unit.BYTES),)),
    ]  # fmt: skip


def _middleware() -> list[Told]:
    secure = Fix(
        values("a", 1).kind,
        "`rabbitmq.secure: true` and `rabbitmq.port: 5671`, with `spec.tls.secretName` on RabbitmqCluster exivity-mq",
        (("rabbitmq.secure", True), ("rabbitmq.port", 5671)),
    )
    return [
        (
            a_check("postgresql/backups", CRITICAL, "A native backup succeeded within the recovery point"),
            (found(FAIL, "Cluster", "exivity-db", Duration(9.2 * 86400), unit=Unit.SECONDS, seen="last success 9 d 4 h ago; 9 failed since: access key expired", want=Wanted("<=", Duration(86400), Unit.SECONDS), fix=task("Renew the key in Secret exivity/backup-s3, then `kubectl cnpg backup exivity-db -n exivity`"), where=evidence("backups.postgresql.cnpg.io", "exivity/exivity-db-20261123020000", "status.error", "access key expired")),),
        ),
        (a_check("postgresql/high-availability", HIGH, "The database survives its primary"), (found(PASS, "Cluster", "exivity-db", 3, unit=Unit.COUNT),)),
        *(
            (a_check(f"postgresql/{slug}", HIGH, title, judge=None), (unknown(RELEASE, "no code judges this yet; verify it by hand", needs=("a later release",)),))
            for slug, title in (("reachable", "The database answers"), ("tls", "Connections are encrypted"), ("latency", "The database is near"))
        ),
        (
            a_check("rabbitmq/tls", HIGH, "Connections to the broker are encrypted", clauses=("K4",)),
            (found(WARN, "RabbitmqCluster", "exivity-mq", 5672, seen="plain AMQP on 5672, inside the cluster", unit=Unit.COUNT, want=exactly(5671, "secure: true"), fix=secure, against=(WAIVERS[1], "it accepts 5671, and 5672 is worse")),),
        ),
        (a_check("rabbitmq/queues", MEDIUM, "Queues are quorum queues"), (unknown(Subject("RabbitmqCluster", "exivity-mq", "exivity"), "no cluster object shows queue types; the broker was not asked", needs=("--probe",)),)),
        (a_check("rabbitmq/persistence", HIGH, "The broker keeps its messages"), (found(PASS, "RabbitmqCluster", "exivity-mq", "10Gi"),)),
        (a_check("rabbitmq/legacy-image", MEDIUM, "No image of bitnamilegacy runs"), (found(FAIL, "StatefulSet", "exivity-mq", "bitnamilegacy/rabbitmq:3.9", where=evidence("statefulsets", "exivity/exivity-mq", "spec.template.spec.containers[0].image")),)),
    ]  # fmt: skip


def _edge() -> list[Told]:
    balancer = Subject("Service", "rke2-ingress-nginx-controller", "kube-system")
    covered = Verdict(
        Status.WAIVED,
        balancer,
        "hostPort",
        Unit.TEXT,
        wanted("LoadBalancer with an address"),
        "hostPort on 3 nodes, DNS round robin",
        underlying=FAIL,
        waiver=WAIVER,
    )
    middleware = patch(Subject("IngressClass", "nginx"), {"metadata": {"annotations": {"a": "b"}}}, "Mark IngressClass nginx as the default")
    return [
        (a_check("ingress/trusted-proxy", HIGH, "The app trusts the ingress controller, and only it"), (found(FAIL, "ConfigMap", "exivity-proximity-api-env", "TRUSTED_PROXY not set", want=wanted("the controller's pod range, e.g. 10.42.0.0/16"), fix=values("service.proximityApi.trustedProxy", "10.42.0.0/16"), where=evidence("configmaps", "exivity/exivity-proximity-api-env", "data.TRUSTED_PROXY")),)),
        (a_check("ingress/class", MEDIUM, "The ingress names a class that exists"), (found(WARN, "IngressClass", "nginx", "not the default", want=wanted("one default class"), fix=middleware),)),
        (a_check("ingress/load-balancer", MEDIUM, "A load balancer stands before the ingress"), (covered,)),
        (a_check("ingress/tls", HIGH, "The site is served with TLS"), (found(PASS, "Ingress", "exivity", "TLS on billing.acme.eu"),)),
        (a_check("secrets/app-key", CRITICAL, "appKey is set explicitly"), (found(WARN, "Secret", "exivity-app-key", "32 alphanumerics, the shape of the chart's generated default", want=wanted("secret.appKey in the values"), fix=task("`secret.appKey`: the present value, from your secret store")),)),
        (a_check("secrets/jwt-secret", CRITICAL, "jwtSecret is set explicitly"), (found(PASS, "Secret", "exivity-jwt-secret", "64 characters, strong"),)),
        (a_check("backups/ledger", HIGH, "Everything that must survive has a copy"), tuple(found(FAIL, "PersistentVolumeClaim", name, "no job and no schedule copies it", want=wanted("each item copied"), fix=task("Label both volumes `recurring-job-group.longhorn.io/exivity: enabled`"), where=evidence("recurringjobs.longhorn.io", "longhorn-system/exivity", "spec.groups")) for name in ("exivity-import", "exivity-report"))),
        (a_check("backups/restore-test", HIGH, "A full restore was tested in the last 180 days", attest="Restore to a scratch namespace, log in, compare a report"), (Verdict(PASS, RELEASE, underlying=Status.MANUAL, attestation=ATTESTED, why="no attestation"),)),
        (a_check("monitoring/delivery", HIGH, "Alerts reach somebody", attest="Send a test alert"), (to_attest(Subject("Alertmanager", "main", "monitoring"), "route configuration not readable, no attestation"),)),
        (a_check("monitoring/service-monitors", HIGH, "All eleven services are scraped"), (found(PASS, "Prometheus", "k8s", 11, unit=Unit.COUNT),)),
    ]  # fmt: skip


def _day_two() -> list[Told]:
    return [
        (a_check("cluster/failure-domains", MEDIUM, "Nodes spread over failure domains"), (Verdict(WARN, None, 2, Unit.COUNT, at_least(3, "zones"), "2 zones: ams-a, ams-b", fix=task("Label the nodes of a third rack or room as their own zone")),)),
        (a_check("cluster/worker-nodes", HIGH, "Three workers or more carry the product"), (Verdict(PASS, None, 4, Unit.COUNT, at_least(3)),)),
        (a_check("cluster/csi-driver", HIGH, "The CSI driver runs on every node"), (skip(None, "the class has no CSI driver", ), )),
        (a_check("upgrades/version-controlled", MEDIUM, "Values live in version control", attest="Name the repository and path in `evidence.yaml`"), (to_attest(RELEASE, "Helm by hand, no attestation"),)),
        (a_check("capacity/data", MEDIUM, "Data volumes are under 80 % full"), (unknown(RELEASE, "not asked: get nodes/stats", needs=("--probe",)),)),
        (a_check("capacity/logs", LOW, "Log volumes are under 80 % full"), (unknown(RELEASE, "not asked: get nodes/stats", needs=("--probe",)), found(WARN, "PersistentVolumeClaim", "exivity-use-log", "81 % full"))),
        (a_check("capacity/requests", LOW, "Requests leave room"), (found(PASS, "Release", "exivity", "61 %"),)),
        (a_check("logs/retention", MEDIUM, "Log retention is tuned"), (found(WARN, "ConfigMap", "exivity-config-logfiles", "delete 365, compress 30: the chart's defaults", want=wanted("chosen for this site, e.g. 90 and 14"), fix=values("logfiles.deleteDays", 90) & values("logfiles.compressDays", 14)),)),
        (a_check("disaster_recovery/roles", HIGH, "One site is active"), (skip(None, "does not apply to multi-node"),)),
        (a_check("security/image-pull", LOW, "Pull secrets exist where named"), (Verdict(Status.ERROR, RELEASE, why="the check broke: KeyError at security.py:41"),)),
        (a_check("security/pod-security", MEDIUM, "Pods run under a restricted profile"), (found(PASS, "Namespace", "exivity", "restricted"),)),
    ]  # fmt: skip


def told() -> list[Told]:
    """Every check of the sample with its verdicts."""
    return [*_application(), *_storage(), *_sizes(), *_middleware(), *_edge(), *_day_two()]


def _records() -> tuple[Record, ...]:
    reserved = {"spec": {"taints": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]}}
    machines = tuple({"metadata": {"name": f"ams-w-{number}"}, "spec": {}} for number in range(1, 5))
    deployment = {
        "metadata": {
            "name": "exivity-glass",
            "labels": {"app.kubernetes.io/app": "exivity", "app.kubernetes.io/name": "exivity", "app.kubernetes.io/version": "3.39.2"},
        }
    }
    return (
        Record("nodes", "nodes", "v1", "Node", Place(), ReadOutcome.FOUND, 200, "", ("metadata.name", "spec.taints"), (reserved,) * 3 + machines),
        Record("deployments", "deployments.apps", "v1", "Deployment", Place("exivity"), ReadOutcome.FOUND, 200, "", ("metadata",), (deployment,)),
        Record("longhorn_nodes", "nodes.longhorn.io", "v1beta2", "Node", Place("longhorn-system"), ReadOutcome.FORBIDDEN, 403, "forbidden", (), ()),
        Record("stats", "nodes/stats", None, "", Place(), ReadOutcome.NOT_ASKED, None, "pass --probe", (), ()),
    )


def a_site(name: str = "default", cluster: str = "prod-ams", role: Any = None, release: str = "exivity", namespace: str = "exivity") -> SiteSnapshot:
    """A site as a snapshot holds it."""
    identity = "system:serviceaccount:exivity-audit:auditor"
    about = Cluster(cluster, "c3f1a0d2-7b64-4e0e-9c1d-5a2f90b1e7aa", "v1.35.4+rke2r1")
    return SiteSnapshot(name, role, about, namespace, release, "exivity", identity, "2026-11-23T14:02:11Z", False, _records())


def judgement(
    pairs: list[Told],
    *,
    sites: tuple[SiteSnapshot, ...] = (),
    purpose: Purpose = Purpose.PRODUCTION,
    scenario: Scenario | None = Scenario.MULTI_NODE,
    tables: Mapping[str, Any] | None = None,
    rows: list[Row] | None = None,
    change: Callable[[Check, str, tuple[Verdict, ...]], tuple[Verdict, ...]] = lambda check, site, verdicts: verdicts,
) -> Judgement:
    """A judgement over sites, each check at each of them; ``change`` may alter the verdicts at one."""
    sites = sites or (a_site(),)
    snapshot = Snapshot("exivity-audit/snapshot", 1, Tool("exivity-audit", "1.4.0"), "2026-11-23T14:02:11Z", "2026-11-23T14:02:12Z", sites)
    order = {row.id: place for place, row in enumerate(rows or ROWS)}
    pairs = sorted(pairs, key=lambda pair: order[pair[0].row])
    pack = Pack("exivity", Checklist("Exivity operations checklist", "2026-06", rows or ROWS), tuple(check for check, _ in pairs), {}, (), {}, {})
    outcomes = tuple(
        Outcome(check, site.name, check.severity_in(scenario), change(check, site.name, verdicts)) for check, verdicts in pairs for site in sites
    )
    used = ScenarioUsed(scenario, scenario, scenario)
    unread = tuple((site.name, record) for site in sites for record in site.reads if record.outcome in (ReadOutcome.FORBIDDEN, ReadOutcome.NOT_ASKED))
    losses = {site.name: {"node_loss": NODE_LOSS, "copies": COPIES} for site in sites} if tables is None else dict(tables)
    own = {site.name: Objects(DUES, partial=(Reason("x", "forbidden: get secrets exivity-tls in exivity"),)) for site in sites}
    if tables is None:
        for place, rows in calendars(own, WAIVERS, ATTESTATIONS, NOW).items():
            losses.setdefault(place, {})["calendar"] = rows
    config = Config(waivers=WAIVERS if tables is None else (WAIVER,))
    papers = ATTESTATIONS if tables is None else (ATTESTED,)
    table = Lifecycle(date(2026, 11, 1))
    return Judgement(snapshot, pack, config, used, purpose, NOW, outcomes, papers, losses, unread, lifecycle=table)


def not_ready() -> Scorecard:
    """Every status, three critical failures."""
    return scorecard(judgement(told()))


def mended() -> list[Told]:
    """The sample with all but two findings and the waiver passing."""
    left = {"ingress/load-balancer", "rabbitmq/tls", "application/singleton-rollout", "disaster_recovery/roles", "backups/restore-test"}

    def passing(check: Check, verdicts: tuple[Verdict, ...]) -> tuple[Verdict, ...]:
        kept = check.id in left or all(verdict.status in (Status.PASS, Status.SKIP) for verdict in verdicts)
        return verdicts if kept else (found(PASS, "Release", "exivity", "as it should be"),)

    return [(check if check.built else a_check(check.id, HIGH, check.title), passing(check, verdicts)) for check, verdicts in told()]


def ready() -> Scorecard:
    """READY with remarks and a waiver."""
    return scorecard(judgement(mended(), tables={"default": {"node_loss": NODE_LOSS[:1], "copies": COPIES[:2]}}))


def evaluation() -> Scorecard:
    """The same under purpose evaluation: no gate."""
    return scorecard(judgement(told(), purpose=Purpose.EVALUATION, scenario=Scenario.SINGLE_NODE))


def blind() -> Scorecard:
    """Everything forbidden: no score, no grade, scenario unknown."""

    def nothing(check: Check, site: str, verdicts: tuple[Verdict, ...]) -> tuple[Verdict, ...]:
        return (unknown(RELEASE, "forbidden: list deployments in exivity", needs=("list deployments in exivity",)),)

    return scorecard(judgement(told(), scenario=None, tables={"default": {"node_loss": None, "copies": None}}, change=nothing))


def two_sites() -> Scorecard:
    """Scenario C: the second site runs nothing."""

    def passive(check: Check, site: str, verdicts: tuple[Verdict, ...]) -> tuple[Verdict, ...]:
        return (skip(None, "passive site: no replicas run there"),) if site == "fra" and check.row == "application" else verdicts

    sites = (a_site("ams", "prod-ams", "active"), a_site("fra", "prod-fra", "passive"))
    return scorecard(judgement(told(), sites=sites, scenario=Scenario.MULTI_SITE, change=passive))


def run_info(**changes: Any) -> RunInfo:
    """A live run that ended with findings."""
    given: dict[str, Any] = {
        "tool_version": "1.4.0", "started": "2026-11-23T14:02:11Z", "finished": "2026-11-23T14:02:12Z", "flags": ("--fail-on", "high"), "requests": 47,
        "bytes_received": 412345, "seconds": 0.8, "writes": 0, "identity": "system:serviceaccount:exivity-audit:auditor",
        "snapshot_file": "prod-ams-20261123T140211Z.snapshot.json", "exit_code": 1, "exit_reason": "findings at or above --fail-on high",
    }  # fmt: skip
    return RunInfo(**given | changes)
