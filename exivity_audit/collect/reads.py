"""What is read for the product: one table, each row with its resource, its places and what of it is kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from exivity_audit import chart
from exivity_audit.collect.place import MissingRead, NotAsked, Read, Where, cluster, in_namespace, named, paths, release_namespace, values
from exivity_audit.collect.public import longhorn_setting
from exivity_audit.document import Document, Malformed
from exivity_audit.fact import Unreadable
from exivity_audit.facts.provisioners import PROVISIONERS, table_name
from exivity_audit.snapshot import Place

LONGHORN = "longhorn-system"
LONGHORN_DRIVER = "driver.longhorn.io"

# Labels by which the ingress controllers' own charts and manifests mark their pods.
CONTROLLER_SELECTOR = f"{chart.NAME_LABEL} in (ingress-nginx,rke2-ingress-nginx,nginx-ingress,nginx-ingress-controller,traefik,rke2-traefik,haproxy-ingress,kubernetes-ingress,haproxy)"
PROVISIONER_SELECTORS = (
    "app in (local-path-provisioner,nfs-subdir-external-provisioner,nfs-client-provisioner,nfs-server-provisioner,nfs-provisioner)",
    f"{chart.NAME_LABEL} in (local-path-provisioner,nfs-subdir-external-provisioner,nfs-server-provisioner)",
)

METADATA = "metadata.labels metadata.creationTimestamp metadata.generation"
OWNERS = f"metadata.annotations[{chart.HELM_RELEASE}] metadata.annotations[{chart.ARGO_TRACKING}]"
POD_SPEC = (
    "affinity topologySpreadConstraints nodeSelector tolerations hostNetwork hostPID hostIPC nodeName securityContext serviceAccountName"
    " imagePullSecrets[].name volumes[].name volumes[].persistentVolumeClaim.claimName volumes[].hostPath.path volumes[].configMap.name"
    " volumes[].secret.secretName"
    " containers[].name containers[].securityContext containers[].volumeMounts[].name"
    " containers[].volumeMounts[].mountPath containers[].ports"
    " initContainers[].name initContainers[].securityContext initContainers[].restartPolicy"
)


def pod_spec(prefix: str) -> str:
    """The kept fields of a pod spec below a prefix."""
    return " ".join(f"{prefix}.{path}" for path in POD_SPEC.split())


def described_containers(prefix: str) -> dict[str, str]:
    """The fields of the containers below a prefix that are cut to their form."""
    found = {"image": "image", "resources": "resources"}
    return {f"{prefix}.{kind}[].{leaf}": name for kind in ("containers", "initContainers") for leaf, name in found.items()}


WORKLOAD_CUT = described_containers("spec.template.spec")
POD_CUT = described_containers("spec")
WORKLOAD = (
    f"{METADATA} {OWNERS} spec.replicas spec.selector.matchLabels spec.strategy spec.updateStrategy spec.template.metadata.labels"
    f" {pod_spec('spec.template.spec')} spec.volumeClaimTemplates[].metadata.name"
    " status.replicas status.readyReplicas status.updatedReplicas status.unavailableReplicas status.observedGeneration"
    " status.numberReady status.desiredNumberScheduled status.conditions[].type status.conditions[].status status.conditions[].reason"
)
POD = (
    f"metadata.labels metadata.creationTimestamp metadata.deletionTimestamp metadata.ownerReferences[].kind metadata.ownerReferences[].name"
    f" {pod_spec('spec')} status.phase status.podIP status.hostIP status.podIPs[].ip status.reason"
    " status.conditions[].type status.conditions[].status status.conditions[].reason status.conditions[].message"
    " status.containerStatuses[].name status.containerStatuses[].ready status.containerStatuses[].restartCount"
    " status.containerStatuses[].state.waiting.reason status.containerStatuses[].state.terminated.reason"
    " status.containerStatuses[].lastState.terminated.reason"
    " status.containerStatuses[].lastState.terminated.finishedAt status.containerStatuses[].lastState.terminated.exitCode"
    " status.initContainerStatuses[].name status.initContainerStatuses[].state.waiting.reason"
)
CONTROLLER = paths(
    WORKLOAD, {**WORKLOAD_CUT, "spec.template.spec.containers[].args": "controller_args", "spec.template.spec.containers[].command": "controller_args"}
)  # fmt: skip


def _volume_names(persistentvolumeclaims: Any) -> Iterable[Place]:
    for name in values(persistentvolumeclaims, "spec.volumeName"):
        yield Place(None, name)


def _longhorn_namespaces(longhorn_nodes: Any) -> tuple[str, ...]:
    if isinstance(longhorn_nodes, Unreadable):
        raise MissingRead(longhorn_nodes)
    return tuple(sorted({node.namespace for node in longhorn_nodes if node.namespace})) or (LONGHORN,)


def _longhorn_volumes(longhorn_nodes: Any, persistentvolumes: Any) -> Iterable[Place]:
    if isinstance(persistentvolumes, Unreadable):
        raise MissingRead(persistentvolumes)
    csi = [volume.value.get("spec", {}).get("csi") for volume in persistentvolumes if isinstance(volume.value.get("spec", {}), dict)]
    handles = sorted(
        {
            handle
            for source in csi
            if isinstance(source, dict) and source.get("driver") == LONGHORN_DRIVER and isinstance(handle := source.get("volumeHandle"), str)
        }
    )
    for namespace in _longhorn_namespaces(longhorn_nodes):
        for handle in handles:
            yield Place(namespace, handle)


def _longhorn_list(longhorn_nodes: Any) -> Iterable[Place]:
    for namespace in _longhorn_namespaces(longhorn_nodes):
        yield Place(namespace)


def _product_ingresses(ingresses: Any, release: Any) -> Iterable[Document]:
    """The Ingress objects that lead to the product: the chart's by label, an operator's by the Services it names; malformed ones left out."""
    if isinstance(ingresses, Unreadable):
        raise MissingRead(ingresses)
    backends = {f"{release.fullname}-{component}" for component in chart.EXPOSED}
    for ingress in ingresses:
        try:
            paths = [path for rule in ingress.items("spec.rules") for path in rule.items("http.paths")]
            list(ingress.items("spec.tls"))
            if ingress.labels().get(chart.APP_LABEL) == chart.APP or any(path.text("backend.service.name") in backends for path in paths):
                yield ingress
        except Malformed:
            continue


def _tls_secrets(ingresses: Any, release: Any, secrets: str) -> Iterable[Place]:
    if secrets == "none":
        raise NotAsked("--secrets none")
    found = {
        (ingress.namespace or "", name)
        for ingress in _product_ingresses(ingresses, release)
        for entry in ingress.items("spec.tls")
        if isinstance(name := entry.value.get("secretName"), str) and name
    }
    for namespace, name in sorted(found):
        yield Place(namespace, name)


DEFAULT_CERTIFICATE_ARGUMENTS = ("default-ssl-certificate", "default-server-tls-secret", "wildcard-tls-secret")


def _default_certificates(
    ingresses: Any, controller_deployments: Any, controller_daemonsets: Any, traefik_tls_stores: Any, release: Any, secrets: str
) -> Iterable[Place]:
    """The controllers' default certificates, only where an Ingress of the product names no Secret of its own."""
    if secrets == "none":
        raise NotAsked("--secrets none")
    bare = [
        ingress for ingress in _product_ingresses(ingresses, release)
        if not any(entry.value.get("secretName") for entry in ingress.items("spec.tls"))
    ]  # fmt: skip
    if not bare:
        return
    found: set[tuple[str, str]] = set()
    for workloads in (controller_deployments, controller_daemonsets):
        if isinstance(workloads, Unreadable):
            raise MissingRead(workloads)
        for workload in workloads:
            for container in workload.items("spec.template.spec.containers"):
                for argument in (*container.strings("args"), *container.strings("command")):
                    name, _, value = argument.lstrip("-").partition("=")
                    if name in DEFAULT_CERTIFICATE_ARGUMENTS and "/" in value:
                        namespace, _, secret = value.replace("$(POD_NAMESPACE)", workload.namespace or "").partition("/")
                        found.add((namespace, secret))
    if not isinstance(traefik_tls_stores, Unreadable):
        for store in traefik_tls_stores:
            secret = store.text("spec.defaultCertificate.secretName")
            if store.name == "default" and secret:
                found.add((store.namespace or "", secret))
    for namespace, secret in sorted(found):
        yield Place(namespace, secret)


def _controller_config(controller_deployments: Any, controller_daemonsets: Any) -> Iterable[Place]:
    """ConfigMaps that the controllers' arguments name (``--configmap=NAMESPACE/NAME``; ``$(POD_NAMESPACE)`` is their own)."""
    for workloads in (controller_deployments, controller_daemonsets):
        if isinstance(workloads, Unreadable):
            raise MissingRead(workloads)
    found: set[tuple[str, str]] = set()
    for workload in (*controller_deployments, *controller_daemonsets):
        for container in workload.items("spec.template.spec.containers"):
            for argument in (*container.strings("args"), *container.strings("command")):
                name, _, value = argument.lstrip("-").partition("=")
                if name in ("configmap", "nginx-configmaps") and "/" in value:
                    namespace, _, config = value.replace("$(POD_NAMESPACE)", workload.namespace or "").partition("/")
                    found.add((namespace, config))
    for namespace, config in sorted(found):
        yield Place(namespace, config)


def _other_installations(suffix: str) -> Where:
    """ConfigMaps of the other Exivity installations of the cluster, by FN."""

    def where(installations: Any, release: Any) -> Iterable[Place]:
        if isinstance(installations, Unreadable):
            raise MissingRead(installations)
        found = {
            (item.namespace, item.labels().get(chart.NAME_LABEL))
            for item in installations
            if (item.namespace, item.labels().get(chart.NAME_LABEL)) != (release.namespace, release.fullname)
        }
        for namespace, fullname in sorted((namespace or "", fullname) for namespace, fullname in found if fullname):
            yield Place(namespace, f"{fullname}-{suffix}")

    return where


CANDIDATE_NODES = 5


def _candidate_node(node: Document, selectors: list[dict[str, str]]) -> tuple[float, str] | None:
    """How a node is ranked as a refuge for the release's pods: most memory first; None where it may take none."""
    try:
        tainted = any(taint.text("effect") in ("NoSchedule", "NoExecute") for taint in node.items("spec.taints"))
        ready = any(entry.text("type") == "Ready" and entry.text("status") == "True" for entry in node.items("status.conditions"))
        healthy = ready and not node.boolean("spec.unschedulable")
        labels = node.labels()
        chosen = not selectors or any(all(labels.get(key) == value for key, value in selector.items()) for selector in selectors)
        return (-(node.size("status.allocatable.memory") or 0), node.name) if healthy and chosen and not tainted else None
    except Malformed:
        return None


def _node_selector(deployment: Document) -> dict[str, str] | None:
    try:
        ours = deployment.labels().get(chart.APP_LABEL) == chart.APP
        return deployment.labels("spec.template.spec.nodeSelector") if ours else None
    except Malformed:
        return None


def _node_pods(nodes: Any, deployments: Any) -> Iterable[Place]:
    """The pods of at most five nodes that could take over from a node that dies."""
    if isinstance(nodes, Unreadable):
        raise MissingRead(nodes)
    found = () if isinstance(deployments, Unreadable) else deployments
    selectors = [selector for item in found if (selector := _node_selector(item)) is not None]
    ranked = sorted(rank for item in nodes if (rank := _candidate_node(item, selectors)) is not None)
    for _, name in ranked[:CANDIDATE_NODES]:
        yield Place(None, None, None, f"spec.nodeName={name}")


def _local_volumes(storageclasses: Any, persistentvolumeclaims: Any, persistentvolumes: Any) -> Iterable[Place]:
    """All PersistentVolumes of the cluster, where the release uses a node-local class or has a volume on a node's disk."""
    for read in (storageclasses, persistentvolumeclaims):
        if isinstance(read, Unreadable):
            raise MissingRead(read)
    named = set(values(persistentvolumeclaims, "spec.storageClassName"))
    unnamed = any(claim.get("spec.storageClassName") is None for claim in persistentvolumeclaims)
    used = (
        item.get("provisioner")
        for item in storageclasses
        if item.name in named or (unnamed and item.get("metadata.annotations[storageclass.kubernetes.io/is-default-class]") == "true")
    )
    local = any(isinstance(name, str) and (kind := PROVISIONERS.get(table_name(name))) is not None and kind.local for name in used)
    volumes = () if isinstance(persistentvolumes, Unreadable) else persistentvolumes
    if local or any(volume.get(path) for volume in volumes for path in ("spec.hostPath.path", "spec.local.path")):
        yield Place()


def _helm_releases(release: Any, secrets: str) -> Iterable[Place]:
    if secrets != "list":
        raise NotAsked(f"--secrets {secrets}")
    yield Place(release.namespace, None, f"owner=helm,name={release.name}", "type=helm.sh/release.v1")


def _secret(*patterns: str) -> Where:
    """Named Secrets, unless the run was told to read none."""
    inner = named(*patterns)

    def where(release: Any, secrets: str) -> Iterable[Place]:
        if secrets == "none":
            raise NotAsked("--secrets none")
        return inner(release=release)

    return where


def _secret_read(name: str, patterns: tuple[str, ...], described: dict[str, str]) -> Read:
    keep = paths("type metadata.creationTimestamp metadata.labels", {**described, "metadata.managedFields": "change_times"})
    return Read(name, "secrets", _secret(*patterns), keep, "Secret")


def _presence(name: str, resource: str, kind: str) -> Read:
    return Read(name, resource, cluster(), paths(""), kind, presence=True)


READS: tuple[Read, ...] = (
    Read("nodes", "nodes", cluster(), paths(
        "metadata.labels metadata.creationTimestamp spec.taints spec.unschedulable spec.providerID spec.podCIDR spec.podCIDRs status.nodeInfo status.capacity status.allocatable"
        " status.addresses[].type status.addresses[].address"
        " status.conditions[].type status.conditions[].status status.conditions[].reason status.conditions[].lastTransitionTime"), "Node"),
    Read("deployments", "deployments", release_namespace(), paths(WORKLOAD, WORKLOAD_CUT), "Deployment"),
    Read("statefulsets", "statefulsets", release_namespace(), paths(WORKLOAD, WORKLOAD_CUT), "StatefulSet"),
    Read("daemonsets", "daemonsets", release_namespace(), paths(WORKLOAD, WORKLOAD_CUT), "DaemonSet"),
    Read("jobs", "jobs", release_namespace(), paths(
        f"{METADATA} {OWNERS} metadata.ownerReferences[].kind metadata.ownerReferences[].name status.succeeded status.failed status.active status.completionTime"
        " spec.template.spec.volumes[].persistentVolumeClaim.claimName", {"spec.template.spec.containers[].image": "image"}), "Job"),
    Read("cronjobs", "cronjobs", release_namespace(), paths(
        f"{METADATA} {OWNERS} spec.schedule spec.suspend status.lastScheduleTime status.lastSuccessfulTime"
        " spec.jobTemplate.spec.template.spec.volumes[].persistentVolumeClaim.claimName", {"spec.jobTemplate.spec.template.spec.containers[].image": "image"}), "CronJob"),
    Read("pods", "pods", release_namespace(), paths(POD, POD_CUT), "Pod"),
    Read("node_pods", "pods", _node_pods, paths(
        "spec.nodeName status.phase spec.initContainers[].restartPolicy",
        {"spec.overhead": "amounts", "spec.containers[].resources.requests": "amounts", "spec.initContainers[].resources.requests": "amounts"}), "Pod"),
    Read("service_objects", "services", release_namespace(), paths(f"{METADATA} spec.type spec.selector spec.ports spec.clusterIP status.loadBalancer", {"spec.externalName": "host"}), "Service"),
    Read("endpointslices", "endpointslices", release_namespace(), paths(
        "metadata.labels addressType ports endpoints[].addresses endpoints[].conditions endpoints[].nodeName endpoints[].targetRef.kind endpoints[].targetRef.name"), "EndpointSlice"),
    Read("ingresses", "ingresses", release_namespace(), paths(
        f"{METADATA} {OWNERS} spec.ingressClassName spec.tls[].hosts spec.tls[].secretName spec.rules[].host spec.rules[].http.paths status.loadBalancer"
        " metadata.annotations[kubernetes.io/ingress.class] metadata.annotations[kubernetes.io/ingress.allow-http]"
        " metadata.annotations[nginx.ingress.kubernetes.io/ssl-redirect] metadata.annotations[nginx.ingress.kubernetes.io/force-ssl-redirect]"
        " metadata.annotations[nginx.org/redirect-to-https] metadata.annotations[nginx.org/ssl-redirect] metadata.annotations[ingress.kubernetes.io/ssl-redirect]"
        " metadata.annotations[haproxy.org/ssl-redirect] metadata.annotations[haproxy.com/ssl-redirect] metadata.annotations[haproxy-ingress.github.io/ssl-redirect]"
        " metadata.annotations[traefik.ingress.kubernetes.io/router.entrypoints] metadata.annotations[traefik.ingress.kubernetes.io/router.middlewares]"
        " metadata.annotations[traefik.ingress.kubernetes.io/router.tls]"
        " metadata.annotations[cert-manager.io/issuer] metadata.annotations[cert-manager.io/cluster-issuer]"
        " metadata.annotations[haproxy-ingress.github.io/hsts] metadata.annotations[nginx.ingress.kubernetes.io/enable-hsts]"), "Ingress"),
    Read("persistentvolumeclaims", "persistentvolumeclaims", release_namespace(), paths(
        f"{METADATA} {OWNERS} metadata.annotations[helm.sh/resource-policy] metadata.deletionTimestamp spec.storageClassName spec.volumeName spec.accessModes"
        " spec.volumeMode spec.resources.requests status.phase status.capacity status.accessModes status.conditions[].type status.conditions[].status status.conditions[].lastTransitionTime"
        " metadata.annotations[volume.kubernetes.io/selected-node] metadata.annotations[volume.beta.kubernetes.io/storage-provisioner]"
        " metadata.annotations[volume.kubernetes.io/storage-provisioner]"), "PersistentVolumeClaim"),
    Read("horizontalpodautoscalers", "horizontalpodautoscalers", release_namespace(), paths(
        "metadata.labels spec.scaleTargetRef.kind spec.scaleTargetRef.name spec.minReplicas spec.maxReplicas"), "HorizontalPodAutoscaler"),
    Read("poddisruptionbudgets", "poddisruptionbudgets", release_namespace(), paths(
        "metadata.labels spec.selector spec.minAvailable spec.maxUnavailable status.disruptionsAllowed status.expectedPods"), "PodDisruptionBudget"),
    Read("attach_events", "events", release_namespace(fields="reason=FailedAttachVolume"), paths(
        "reason type lastTimestamp eventTime involvedObject.kind involvedObject.name involvedObject.namespace"), "Event"),
    Read("postgres_config", "configmaps", named("{fn}-postgres-config"), paths(
        "metadata.labels", {"data.POSTGRES_HOST": "host_name", "data.POSTGRES_USER": "user_name", "data.POSTGRES_PORT": "port", "data.POSTGRES_DB": "name",
                            "data.POSTGRES_SSLMODE": "ssl_mode"}), "ConfigMap"),
    Read("api_environment", "configmaps", named("{fn}-proximity-api-env"), paths(
        "metadata.labels data.ENABLE_PROMETHEUS data.EXIVITY_BACKEND_LOG_LEVEL", {"data.TRUSTED_PROXY": "addresses"}), "ConfigMap"),
    Read("cli_environment", "configmaps", named("{fn}-proximity-cli-env"), paths("metadata.labels data.EXIVITY_BACKEND_LOG_LEVEL"), "ConfigMap"),
    Read("logfiles_config", "configmaps", named("{fn}-config-logfiles"), paths(
        "metadata.labels data.EXIVITY_LOGFILES_DELETE_DAYS data.EXIVITY_LOGFILES_COMPRESS_DAYS"), "ConfigMap"),
    Read("service_configs", "configmaps", named(*(f"{{fn}}-config-{part}" for part in chart.CONFIG_COMPONENTS)), paths(
        "metadata.labels", {"data[config.json]": "config_json"}), "ConfigMap"),
    _secret_read("app_key", (f"{{fn}}-{chart.APP_KEY[0]}",), {f"data[{chart.APP_KEY[1]}]": "secret"}),
    _secret_read("jwt_secret", (f"{{fn}}-{chart.JWT_SECRET[0]}",), {f"data[{chart.JWT_SECRET[1]}]": "secret"}),
    _secret_read("licence", (f"{{fn}}-{chart.LICENCE[0]}",), {f"data[{chart.LICENCE[1]}]": "secret"}),
    _secret_read("postgres_secret", (f"{{fn}}-{chart.POSTGRES_SECRET[0]}",), {f"data[{chart.POSTGRES_SECRET[1]}]": "secret"}),
    _secret_read("embedded_postgres_secret", ("{release}-postgresql",), {"data.password": "secret", "data[postgres-password]": "secret"}),
    _secret_read("embedded_rabbitmq_secret", ("{release}-rabbitmq-v4",), {"data[rabbitmq-password]": "secret"}),
    Read("helm_releases", "secrets", _helm_releases, paths(
        "type metadata.labels metadata.creationTimestamp", {"data.release": "helm_values"}), "Secret"),
    Read("tls_secrets", "secrets", _tls_secrets, paths(
        "type metadata.creationTimestamp metadata.annotations[cert-manager.io/certificate-name]", {"data": "key_pair"}), "Secret", by_name=True),
    Read("default_certificates", "secrets", _default_certificates, paths(
        "type metadata.creationTimestamp metadata.annotations[cert-manager.io/certificate-name]", {"data": "key_pair"}), "Secret", by_name=True),
    Read("persistentvolumes", "persistentvolumes", _volume_names, paths(
        f"{METADATA} metadata.annotations[pv.kubernetes.io/provisioned-by] spec.capacity spec.accessModes spec.persistentVolumeReclaimPolicy spec.storageClassName"
        " spec.claimRef.namespace spec.claimRef.name spec.csi.driver spec.csi.volumeHandle"
        " spec.csi.volumeAttributes.numberOfReplicas spec.csi.volumeAttributes.migratable spec.nfs.path spec.nfs.readOnly spec.hostPath.path spec.local.path"
        " spec.nodeAffinity spec.volumeMode status.phase",
        {"spec.mountOptions": "mount_options", "spec.nfs.server": "host", "spec.csi.volumeAttributes.server": "server", "spec.csi.volumeAttributes.share": "name"}),
        "PersistentVolume", bulk=True),
    Read("node_volumes", "persistentvolumes", _local_volumes, paths(
        "spec.capacity spec.claimRef.namespace spec.claimRef.name spec.csi.driver spec.hostPath.path spec.local.path spec.nodeAffinity"), "PersistentVolume"),
    Read("storageclasses", "storageclasses", cluster(), paths(
        f"{METADATA} metadata.annotations[storageclass.kubernetes.io/is-default-class] metadata.annotations[storageclass.beta.kubernetes.io/is-default-class]"
        " provisioner reclaimPolicy allowVolumeExpansion volumeBindingMode parameters.numberOfReplicas parameters.migratable parameters.dataLocality"
        " parameters.fsType parameters.recurringJobSelector parameters.backendType parameters.sharedv4 parameters.shared"
        " parameters.nfsResources parameters.replicaAutoBalance parameters.dataEngine parameters.replicaSoftAntiAffinity"
        " parameters.replicaZoneSoftAntiAffinity parameters.dataLayout parameters.pathPattern parameters[csi.storage.k8s.io/fstype]"
        " parameters.protocol parameters.backend parameters.storageType",
        {"mountOptions": "mount_options", "parameters.nfsOptions": "mount_options", "parameters.server": "server", "parameters.share": "name"}), "StorageClass"),
    Read("csidrivers", "csidrivers", cluster(), paths("spec.attachRequired spec.fsGroupPolicy"), "CSIDriver"),
    Read("csinodes", "csinodes", cluster(), paths("spec.drivers[].name spec.drivers[].allocatable.count"), "CSINode"),
    Read("provisioner_pods", "pods", lambda: (Place(None, None, selector) for selector in PROVISIONER_SELECTORS), paths(
        "metadata.labels spec.nodeName status.phase status.conditions[].type status.conditions[].status",
        {"spec.containers[].image": "image"}), "Pod"),
    Read("ingressclasses", "ingressclasses", cluster(), paths(
        "metadata.labels metadata.annotations[ingressclass.kubernetes.io/is-default-class] spec.controller"), "IngressClass"),
    Read("controller_deployments", "deployments", cluster(CONTROLLER_SELECTOR), CONTROLLER, "Deployment"),
    Read("controller_daemonsets", "daemonsets", cluster(CONTROLLER_SELECTOR), CONTROLLER, "DaemonSet"),
    Read("controller_pods", "pods", cluster(CONTROLLER_SELECTOR), paths(POD, POD_CUT), "Pod"),
    Read("controller_services", "services", cluster(CONTROLLER_SELECTOR), paths(
        f"{METADATA} spec.type spec.selector spec.ports spec.clusterIP spec.externalIPs spec.loadBalancerClass spec.loadBalancerIP spec.externalTrafficPolicy status.loadBalancer"
        " metadata.annotations[metallb.io/ip-allocated-from-pool] metadata.annotations[metallb.universe.tf/ip-allocated-from-pool]"
        " metadata.annotations[kube-vip.io/loadbalancerIPs] metadata.annotations[kube-vip.io/vipHost]"), "Service"),
    Read("controller_config", "configmaps", _controller_config, paths(
        "data[ssl-redirect] data[force-ssl-redirect] data[redirect-to-https] data[use-forwarded-headers] data[proxy-real-ip-cidr] data[use-proxy-protocol]"
        " data[proxy-protocol] data[enable-real-ip] data[forwarded-for-header] data[compute-full-forwarded-for] data[set-real-ip-from] data[real-ip-header]"
        " data[src-ip-header] data[forwarded-for] data[hsts] data[ssl-protocols] data[allow-snippet-annotations] data[forwardfor] data[ssl-redirect-code]"
        " data[default-backend-service] data[ssl-certificate]"), "ConfigMap", by_name=True),
    Read("installations", "deployments", cluster(chart.SELECTOR), paths(f"metadata.labels {OWNERS} spec.replicas"), "Deployment"),
    Read("other_postgres_configs", "configmaps", _other_installations("postgres-config"), paths(
        "metadata.labels", {"data.POSTGRES_HOST": "host", "data.POSTGRES_PORT": "port", "data.POSTGRES_DB": "name"}), "ConfigMap", by_name=True),
    Read("other_service_configs", "configmaps", _other_installations("config-shared"), paths("metadata.labels", {"data[config.json]": "config_json"}), "ConfigMap", by_name=True),
    Read("longhorn_nodes", "nodes.longhorn.io", cluster(), paths(
        "spec.allowScheduling spec.evictionRequested spec.disks status.conditions[].type status.conditions[].status status.conditions[].reason status.conditions[].message"
        " status.diskStatus status.zone status.region"), "LonghornNode", otherwise=in_namespace(LONGHORN)),
    Read("longhorn_volumes", "volumes.longhorn.io", _longhorn_volumes, paths(
        "metadata.labels metadata.creationTimestamp spec.size spec.numberOfReplicas spec.accessMode spec.migratable spec.dataLayout spec.replicaSoftAntiAffinity"
        " spec.replicaZoneSoftAntiAffinity spec.dataLocality spec.dataEngine spec.Standby status.state status.robustness status.currentNodeID status.actualSize"
        " status.lastBackup status.lastBackupAt status.lastDegradedAt status.shareState status.isStandby status.kubernetesStatus.pvName"
        " status.kubernetesStatus.namespace status.kubernetesStatus.pvcName status.conditions[].type status.conditions[].status"), "LonghornVolume", bulk=True),
    Read("longhorn_replicas", "replicas.longhorn.io", _longhorn_list, paths(
        "metadata.labels spec.volumeName spec.nodeID spec.failedAt spec.healthyAt spec.diskID status.currentState"), "LonghornReplica"),
    Read("longhorn_share_managers", "sharemanagers.longhorn.io", _longhorn_list, paths("status.state status.endpoint status.ownerID"), "ShareManager"),
    Read("longhorn_settings", "settings.longhorn.io", _longhorn_list, paths("value"), "LonghornSetting", sift=longhorn_setting),
    Read("traefik_middlewares", "middlewares.traefik.io", release_namespace(), paths("spec.redirectScheme spec.headers.stsSeconds"), "Middleware"),
    Read("traefik_tls_stores", "tlsstores.traefik.io", cluster(), paths("spec.defaultCertificate.secretName"), "TLSStore"),
    _presence("scaled_objects", "scaledobjects.keda.sh", "ScaledObject"),
    _presence("argo_applications", "applications.argoproj.io", "Application"),
    _presence("flux_releases", "helmreleases.helm.toolkit.fluxcd.io", "HelmRelease"),
    _presence("certificates", "certificates.cert-manager.io", "Certificate"),
    _presence("http_routes", "httproutes.gateway.networking.k8s.io", "HTTPRoute"),
    _presence("openshift_routes", "routes.route.openshift.io", "Route"),
    _presence("postgresql_clusters", "clusters.postgresql.cnpg.io", "Cluster"),
    _presence("rabbitmq_clusters", "rabbitmqclusters.rabbitmq.com", "RabbitmqCluster"),
    _presence("address_pools", "ipaddresspools.metallb.io", "IPAddressPool"),
    _presence("velero_schedules", "schedules.velero.io", "Schedule"),
    _presence("cluster_versions", "clusterversions.config.openshift.io", "ClusterVersion"),
)  # fmt: skip

BY_NAME = {read.name: read for read in READS}
