"""Cluster: a supported Kubernetes on enough healthy Linux nodes, a namespace of its own, and an owner for the release."""

from __future__ import annotations

from exivity_audit import (
    CLUSTER,
    HIGH,
    MEDIUM,
    RELAX,
    B,
    C,
    Subject,
    at_least,
    check,
    exactly,
    fail,
    maybe,
    ok,
    one_of,
    reasons_of,
    seen,
    skip,
    task,
    unknown,
    values,
    wanted,
    warn,
)  # fmt: skip
from exivity_audit.facts.drivers import NO_PROVISIONER, apps_of
from exivity_audit.facts.namespace import Belongs
from exivity_audit.facts.platform import NOT_BUILT, Distribution, parse_version, served
from exivity_audit.lifecycle import ended
from exivity_audit.scenario import Role, Scenario

KNOWN = frozenset({Distribution.UPSTREAM, Distribution.RKE2, Distribution.K3S, Distribution.OPENSHIFT})
DEVELOPMENT = frozenset({Distribution.KIND, Distribution.MINIKUBE, Distribution.DOCKER_DESKTOP})
LONGER_SUPPORT = frozenset({Distribution.EKS, Distribution.GKE, Distribution.AKS, Distribution.RKE2, Distribution.K3S, Distribution.OPENSHIFT})
LEAST_WORKERS = 3
LARGEST_SKEW = 3
USUAL_NAMESPACE = "exivity"
PUBLIC_REGISTRIES = frozenset(
    {"docker.io", "ghcr.io", "quay.io", "registry.k8s.io", "k8s.gcr.io", "gcr.io", "public.ecr.aws", "mcr.microsoft.com", "registry.gitlab.com"}
)


def unseen(about, fact):
    """Unknown, because an alternate that this verdict needs could not be read."""
    reasons = reasons_of(fact)
    return unknown(about, "; ".join(reason.text for reason in reasons), needs=tuple(reason.rule for reason in reasons if reason.rule))


def listed(names, most=5):
    """A few names, and how many more there are."""
    names = sorted(names)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def day(date):
    """A date as the report prints it."""
    return f"{date.day} {date:%b %Y}"


def nodes_word(count):
    """``1 node``, ``3 nodes``."""
    return f"{count} node{'' if count == 1 else 's'}"


@check("scenario", severity=HIGH, clauses=("F1", "A1", "B1"))
def scenario_fits(settings, workers):
    """The declared scenario fits the nodes.

    High availability that is declared on one node is none: that node takes everything down with it.

    Fix: declare `scenario: single-node`, or add workers.
    """
    declared, count = settings.scenario.declared, len(workers)
    if count < 2:
        workers.surely()
    text = f"{nodes_word(count)} may carry workloads"
    if declared is None:
        used = settings.scenario.used
        yield (
            ok(CLUSTER, count, seen=f"{text}, {used} detected")
            if used
            else unknown(CLUSTER, "no node may carry workloads; pass `--scenario`", needs=("--scenario",))
        )
    elif declared is Scenario.SINGLE_NODE and count > 1:
        yield skip(CLUSTER, f"{text}, {declared} declared: left to cluster/worker-nodes")
    elif declared is not Scenario.SINGLE_NODE and count <= 1:
        fix = task("Set `scenario: single-node` in `exivity-audit.yaml`, or add workers until there are three")
        yield fail(CLUSTER, count, seen=f"{text}, {declared} declared", wanted=at_least(2, f"workers for {declared}"), fix=fix)
    else:
        yield ok(CLUSTER, count, seen=f"{text}, {declared} declared")


@check("distribution", severity=HIGH, clauses=("F1",), evaluation=RELAX)
def distribution(platform):
    """The Kubernetes distribution is one Exivity knows.

    Exivity runs on upstream Kubernetes, RKE2, K3s and OpenShift; learning distributions lose their data with the laptop they run on.

    Fix: move to upstream Kubernetes, RKE2, K3s or OpenShift, or confirm yours with Exivity support.
    """
    found, text = platform.distribution, f"{platform.distribution}, by {platform.signal}"
    want = one_of(*sorted(KNOWN))
    if found in KNOWN:
        yield ok(CLUSTER, str(found), seen=text, at=platform.evidence)
    elif found in DEVELOPMENT:
        yield fail(
            CLUSTER,
            str(found),
            seen=text,
            wanted=want,
            at=platform.evidence,
            fix=task("Move the installation to upstream Kubernetes, RKE2, K3s or OpenShift"),
        )
    else:
        yield warn(
            CLUSTER,
            str(found),
            seen=text,
            wanted=want,
            at=platform.evidence,
            fix=task("Confirm this distribution with Exivity support before production"),
        )


@check("linux-nodes", severity=HIGH, clauses=("F1",))
def linux_nodes(hosts):
    """Nodes that may run Exivity run Linux.

    The images are Linux images: a pod that lands on another system never starts.

    Fix: keep Exivity off other nodes with `global.nodeSelector`, or taint those nodes.
    """
    for node in hosts:
        system, path = node.operating_system, "status.nodeInfo.operatingSystem"
        if not system:
            yield unknown(node, "the node does not say its operating system")
        elif system == "linux":
            yield ok(node, system, at=path)
        else:
            yield fail(
                node,
                system,
                wanted=exactly("linux"),
                at=path,
                fix=task("Keep Exivity on Linux nodes: `global.nodeSelector: {kubernetes.io/os: linux}`"),
            )


@check("nodes-healthy", severity=HIGH, clauses=("F1",))
def nodes_healthy(hosts):
    """Nodes that may run Exivity are Ready and under no pressure.

    A node that is not Ready takes no pods and soon evicts its own; memory, disk and PID pressure evict the rest.

    Fix: find the cause in `kubectl describe node`, then repair or replace the node.
    """
    for node in hosts:
        state = "Ready" if node.ready else "NotReady" if node.ready is False else "Ready Unknown"
        faults = [*([] if node.ready else [state]), *node.pressures]
        want = wanted("Ready, schedulable, without pressure")
        if faults:
            fix = task("Repair or replace the node: `kubectl describe node` names the cause")
            yield fail(node, ", ".join(faults), wanted=want, at="status.conditions", fix=fix)
        elif node.cordoned:
            yield warn(
                node, "cordoned", wanted=want, at="spec.unschedulable", fix=task("Uncordon the node when its maintenance is over: `kubectl uncordon`")
            )
        else:
            yield ok(node, state, at="status.conditions")


@check("kubernetes-version", severity=HIGH, clauses=("F1", "D5"))
def kubernetes_version(server_version, nodes, lifecycle, now, platform=maybe):
    """Kubernetes is in support and its kubelets are close to it.

    A release past its support gets no security fixes; a kubelet newer than the server or more than three minors older is not supported with it.

    Fix: upgrade the control plane minor by minor, then the kubelets.
    """
    for node in nodes:
        version, path = parse_version(node.kubelet), "status.nodeInfo.kubeletVersion"
        if version is None:
            yield unknown(node, "the node does not say its kubelet's version")
            continue
        skew = server_version.minor - version.minor
        want = wanted(f"1.{max(server_version.minor - LARGEST_SKEW, 0)} to {server_version.release}")
        if version.major != server_version.major or skew < 0:
            fix = task("Upgrade the control plane to the kubelets' minor first")
            yield fail(node, version.text, seen=f"kubelet {version.text}, newer than the server {server_version.text}", wanted=want, at=path, fix=fix)
        elif skew > LARGEST_SKEW:
            fix = task(f"Upgrade the kubelets to {server_version.release}")
            yield fail(node, version.text, seen=f"kubelet {version.text}, {skew} minors behind the server", wanted=want, at=path, fix=fix)
        else:
            yield ok(node, version.text, seen=f"kubelet {version.text}", at=path)
    yield _support(server_version, lifecycle, now, platform)


def _support(server, lifecycle, now, platform):
    table = {(version.major, version.minor): last for key, last in lifecycle.kubernetes.items() if (version := parse_version(f"{key}.0"))}
    minor, subject = (server.major, server.minor), CLUSTER.at("version")
    if not table or (minor not in table and minor > max(table)):
        return unknown(
            subject, f"{server.release} is not in the table of {day(lifecycle.date)}; name a newer one under `lifecycle`", needs=("lifecycle",)
        )
    note = f"the table of supported releases is of {day(lifecycle.date)}" if lifecycle.stale(now) else ""
    last = table.get(minor)
    if last is not None and not ended(last, now):
        return ok(subject, server.text, seen=f"{server.text}, supported until {day(last)}", remark=note)
    text = f"{server.text}, support ended {'on ' + day(last) if last else 'before ' + day(min(table.values()))}"
    want = one_of(*(f"{major}.{small}" for (major, small), end in sorted(table.items()) if not ended(end, now)))
    if platform.distribution in LONGER_SUPPORT:
        fix = task(f"Confirm in {platform.distribution}'s own calendar that {server.release} is still supported, or upgrade it")
        return warn(subject, server.text, seen=f"{text} upstream", wanted=want, fix=fix, remark=note)
    return fail(
        subject,
        server.text,
        seen=text,
        wanted=want,
        fix=task(f"Upgrade Kubernetes from {server.release} minor by minor to a supported release"),
        remark=note,
    )


@check("worker-nodes", severity=HIGH, clauses=("A1", "B1"))
def worker_nodes(workers, scenario):
    """The number of worker nodes fits the scenario.

    With fewer than three workers the loss of one leaves no room for the pods of a replicated installation; one node is all that scenario A needs.

    Fix: add worker nodes, or declare the scenario that the nodes make.
    """
    count, ready = len(workers), sum(1 for node in workers if node.ready)
    at = [(node, "spec.taints", node.name) for node in workers[:1]]
    if count < LEAST_WORKERS:
        workers.surely()
    if scenario is Scenario.SINGLE_NODE:
        if count == 1:
            yield ok(CLUSTER, 1, at=at)
        elif count == 0:
            yield fail(CLUSTER, 0, wanted=exactly(1), fix=task("Remove the NoSchedule taint from the node, or add a node without one"))
        else:
            yield warn(
                CLUSTER,
                count,
                wanted=exactly(1, "node in a single-node installation"),
                at=at,
                fix=task("Set `scenario: multi-node` in `exivity-audit.yaml` and meet it, or keep one node"),
            )
    elif count < LEAST_WORKERS:
        yield fail(CLUSTER, count, wanted=at_least(LEAST_WORKERS, "workers"), at=at, fix=task(f"Add worker nodes until there are {LEAST_WORKERS}"))
    elif ready < LEAST_WORKERS:
        workers.surely()
        down = listed(node.name for node in workers if not node.ready)
        yield warn(
            CLUSTER,
            ready,
            seen=f"{ready} of {count} Ready, not {down}",
            wanted=at_least(LEAST_WORKERS, "Ready workers"),
            at=at,
            fix=task(f"Bring the workers that are not Ready back: {down}"),
        )
    else:
        yield ok(CLUSTER, count, seen=f"{count} workers, {ready} Ready", at=at)


@check("control-plane-nodes", severity=MEDIUM, clauses=("B2",), applies=(B, C))
def control_plane_nodes(control_plane, settings):
    """The control plane survives the loss of a node.

    etcd needs a majority: one or two members stop with the first loss, and an even number survives no more losses than the odd one below it.

    Fix: run three control-plane nodes.
    """
    found, count = control_plane.nodes, len(control_plane.nodes)
    down = [node.name for node in found if not node.ready]
    remark = f"not Ready: {listed(down)}" if down else ""
    at = [(node, "metadata.labels", node.name) for node in found]
    if not count:
        yield skip(CLUSTER, "no control-plane node is visible: the provider runs them")
    elif control_plane.external_datastore:
        yield ok(CLUSTER, count, seen=f"{count} K3s servers with an external datastore", at=at, remark=remark)
    elif count >= 3 and count % 2:
        yield ok(CLUSTER, count, at=at, remark=remark)
    else:
        verdict = fail if settings.declare.ha_control_plane else warn
        want = one_of(3, 5, note="control-plane nodes for high availability")
        yield verdict(CLUSTER, count, wanted=want, at=at, remark=remark, fix=task("Run three control-plane nodes"))


@check("failure-domains", severity=MEDIUM, clauses=("B3",), applies=(B, C))
def failure_domains(workers, settings):
    """Worker nodes stand in two failure domains or more.

    Nodes in one rack or zone share its power and network: what takes one away takes all of them.

    Fix: label the workers with the domain they stand in, and place them in two or more.
    """
    key = settings.declare.topology_key
    places: dict[str, int] = {}
    for node in workers:
        place = node.labels.get(key)
        if place:
            places[place] = places.get(place, 0) + 1
    unlabelled = len(workers) - sum(places.values())
    text = ", ".join(f"{place}: {nodes_word(count)}" for place, count in sorted(places.items())) or "no worker carries the label"
    at = [(node, f"metadata.labels[{key}]", node.labels.get(key)) for node in workers]
    if len(places) < 2:
        workers.surely()
        fix = task(f"Place workers in two failure domains or more, and label each: `kubectl label node NODE {key}=DOMAIN`")
        yield warn(CLUSTER, len(places), seen=f"{text} ({key})", wanted=at_least(2, "failure domains"), at=at, fix=fix)
        return
    largest, count = max(places.items(), key=lambda item: item[1])
    remarks = [f"{largest} holds {count} of {len(workers)} workers, a majority"] if count * 2 > len(workers) else []
    remarks += [f"{nodes_word(unlabelled)} without the label {key}"] if unlabelled else []
    yield ok(CLUSTER, len(places), seen=text, at=at, remark="; ".join(remarks))


@check("csi-driver", severity=HIGH, clauses=("F2",))
def csi_driver(
    class_uses, settings, running_hosts=maybe, workers=maybe, installed_drivers=maybe, node_drivers=maybe, running_provisioners=maybe
):  # fmt: skip
    """Each storage class in use has a driver that runs.

    Without its driver on a node a volume cannot be mounted there: a pod that moves to that node waits for ever.

    Fix: install the class's driver, and let its node plug-in run on every node that runs Exivity.
    """
    passive = settings.role is Role.PASSIVE
    for use in class_uses:
        kind = use.kind(settings)
        if not use.driver:
            yield unknown(use, "the class has no object, and the volumes of its claims name no driver")
        elif use.driver == NO_PROVISIONER:
            yield skip(use, "its volumes are made by hand: no driver works for it")
        elif kind is not None and not kind.csi:
            yield _provisioner(use, running_provisioners)
        elif not seen(installed_drivers):
            yield unseen(use, installed_drivers)
        elif not any(one.name == use.driver for one in installed_drivers):
            installed_drivers.surely()
            if kind is None:
                yield unknown(use, f"{use.driver} is neither a CSI driver of this cluster nor a provisioner we know")
            else:
                yield fail(
                    use, f"no CSIDriver {use.driver}", wanted=exactly(use.driver), at="provisioner", fix=task(f"Install the driver {use.driver}")
                )
        elif passive:
            yield ok(use, use.driver, at="provisioner", remark="passive site: no pod runs, so nodes were not compared")
        else:
            yield _on_nodes(use, running_hosts, workers, node_drivers)


def _on_nodes(use, running, workers, drivers):
    for fact in (drivers, running):
        if not seen(fact):
            return unseen(use, fact)
    if not running and not seen(workers):
        return unseen(use, workers)
    nodes = set(running or (node.name for node in workers))
    have = {one.node for one in drivers if use.driver in one.drivers}
    missing = nodes - have
    at = [(one, "spec.drivers", use.driver) for one in drivers if one.node in nodes]
    who = f"of {nodes_word(len(nodes))} that {'run' if running else 'may run'} Exivity"
    if not missing:
        return ok(use, use.driver, seen=f"{use.driver} on {len(nodes)} {who}", at=at)
    drivers.surely()
    text = f"{use.driver} on {len(nodes & have)} {who}, not on {listed(missing)}"
    fix = task(f"Let the node plug-in of {use.driver} run on every node that runs Exivity: look at its DaemonSet's tolerations and pods")
    return fail(use, len(nodes & have), seen=text, wanted=exactly(len(nodes)), at=at, fix=fix)


def _provisioner(use, pods):
    apps = apps_of(use.driver)
    if not apps:
        return unknown(use, f"how the pods of {use.driver} are labelled is not known: look whether its provisioner runs")
    if not seen(pods):
        return unseen(use, pods)
    ours = [pod for pod in pods if pod.app in apps]
    at = [(pod, "status.phase", "Running") for pod in ours if pod.running]
    if at:
        return ok(use, "running", seen=f"{use.driver}, its provisioner runs in {ours[0].namespace}", at=at[:1])
    pods.surely()
    text = "its provisioner's pod is not Ready" if ours else "no provisioner pod"
    return fail(
        use, text, wanted=exactly("running"), at="provisioner", fix=task(f"Run the provisioner {use.driver} again: no new claim is served without it")
    )


@check("namespace", severity=MEDIUM, clauses=("F5",))
def namespace(release, tenants):
    """Exivity has a namespace of its own.

    Quotas, network policies, backups and rights are set by namespace: what shares it shares them, and a restore brings back both.

    Fix: move the other workloads, or Exivity, to a namespace of its own, normally `exivity`.
    """
    name = release.namespace
    about = Subject("Namespace", name)
    if name == "default" or name.startswith("kube-"):
        fix = task("Install Exivity into a namespace of its own (`helm install … -n exivity --create-namespace`) and restore its data there")
        yield fail(about, name, seen=f"installed in {name}", wanted=exactly(USUAL_NAMESPACE, "a namespace of its own"), fix=fix)
        return
    foreign = [one for one in tenants if one.belongs is Belongs.FOREIGN]
    doubtful = [one for one in foreign if one.doubt]
    sure = [one for one in foreign if not one.doubt]
    if sure:
        names = listed(f"{one.subject.kind} {one.name}" for one in sure)
        yield warn(
            about,
            len(sure),
            seen=f"shared with {names}",
            wanted=exactly(0, "workloads of other products"),
            at=[(one, "metadata.labels", one.name) for one in sure],
            fix=task(f"Move to another namespace: {names}"),
        )
        return
    if doubtful:
        names = listed(f"{one.subject.kind} {one.name}" for one in doubtful)
        yield unknown(about, f"{names} may be its database or broker: {doubtful[0].doubt}")
        return
    tenants.surely()
    remarks = [] if name == USUAL_NAMESPACE else [f"normally it is named {USUAL_NAMESPACE}"]
    if any(one.belongs is Belongs.OTHER_INSTALLATION for one in tenants):
        remarks.append("a second Exivity release shares it")
    yield ok(about, name, remark="; ".join(remarks))


@check("helm-release", severity=MEDIUM, clauses=("F4",))
def helm_release(release, ownerships, revisions=maybe, argo_applications=maybe):
    """Helm, Argo CD or Flux owns the release.

    A release that a tool owns can be upgraded and rolled back from values in version control; objects applied by hand drift.

    Fix: install the chart with Helm 3, Argo CD or Flux, with its values in version control.
    """
    newest = revisions.one() if seen(revisions) else None
    remark = "Helm 4 wrote it; the vendor names Helm 3" if newest is not None and newest.apply_method else ""
    if ownerships:
        tools = ", ".join(sign.tool for sign in ownerships)
        yield ok(release, tools, at=[(sign, sign.path, sign.value) for sign in ownerships], remark=remark)
    elif newest is not None:
        yield ok(release, "Helm", seen=f"Helm revision {newest.number}", at=[(newest, "metadata.name", str(newest.number))], remark=remark)
    else:
        ownerships.surely()
        revisions.surely()
        if served(argo_applications) is not False:
            yield unknown(release, f"no sign of Helm or Flux; Argo CD may track it by label alone: {NOT_BUILT}")
        else:
            fix = task("Install the chart with `helm upgrade --install` from values in version control, or let Argo CD or Flux own it")
            yield fail(
                release,
                "nothing owns it",
                seen="no Helm annotation, release Secret, Argo CD tracking or Flux label",
                wanted=one_of("Helm", "Argo CD", "Flux"),
                fix=fix,
            )


@check("image-registry", severity=MEDIUM, clauses=("F8",))
def image_registry(release, settings, tenants):
    """Every image comes from an approved registry.

    A restricted site cannot pull from the internet: a node that is replaced finds no image and starts nothing.

    Fix: mirror the images, and set `service.registry` and the registries of the middleware to the mirror.
    """
    approved = tuple(registry.removeprefix("https://").rstrip("/") for registry in settings.declare.registries)
    if not approved and not settings.declare.restricted:
        yield skip(release, "the config declares neither `restricted: true` nor approved `registries`")
        return
    want = one_of(*approved) if approved else wanted("a registry of the site's own")
    for one in tenants:
        if one.belongs not in (Belongs.RELEASE, Belongs.MIDDLEWARE):
            continue
        images = (*one.images, *one.init_images)
        bad = [image for image in images if not _approved(full_image(image), approved)]
        if bad:
            yield fail(one, listed(bad), wanted=want, at="spec.template.spec.containers[].image", fix=_mirror(one, bad, approved))
        else:
            remark = "" if approved else "no `registries` declared: any registry that is not public passes"
            yield ok(one, listed(images), remark=remark, at="spec.template.spec.containers[].image")


def full_image(image):
    """An image with its registry: ``busybox`` is ``docker.io/library/busybox``."""
    first, slash, _ = image.partition("/")
    if not slash:
        return f"docker.io/library/{image}"
    return image if "." in first or ":" in first or first == "localhost" else f"docker.io/{image}"


def _approved(image, approved):
    if not approved:
        return image.partition("/")[0] not in PUBLIC_REGISTRIES
    return any(image.startswith(f"{registry}/") for registry in approved)


def _mirror(one, bad, approved):
    mirror = approved[0].removesuffix("/exivity") if approved else "REGISTRY"
    if all(image in one.init_images for image in bad):
        return values("storage.permissions.enabled", False)  # its busybox image has no registry value
    if one.belongs is Belongs.RELEASE:
        return values("service.registry", mirror)
    for part in ("postgresql", "rabbitmq"):
        if part in one.name and one.subject.kind == "StatefulSet":
            return values(f"{part}.image.registry", mirror)
    return task(f"Mirror its images and set them in {one.subject}")
