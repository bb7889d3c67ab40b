"""A real Kubernetes control plane for the tests, run as ordinary processes on loopback, without containers.

`ControlPlane` starts etcd, the API server, the controller manager, the scheduler and kwok (which plays the nodes:
it makes Node objects Ready and their pods Running). What is missing is kubelets and volume provisioners; claims are
bound with volumes the test writes itself, see `Cluster.bind_claims`.

`Cluster` holds all that a test does with a cluster once it has its address; `KindCluster` in `kind.py` shares it.
"""

from __future__ import annotations

import atexit
import base64
import copy
import ctypes
import datetime
import functools
import http.client
import ipaddress
import json
import os
import secrets
import signal
import socket
import ssl
import subprocess
import time
import urllib.parse
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Object = dict[str, Any]
Result = TypeVar("Result")

KUBERNETES_VERSION = "v1.36.3"
BINARIES = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", "helm")
STAGES = "stages.yaml"
PAUSE = 0.1  # seconds between two looks at what is waited for

# Who may log in with a token, and the groups they are in. Only `admin` has rights before a test grants some.
USERS: dict[str, tuple[str, ...]] = {
    "admin": ("system:masters",),
    "auditor": ("auditors",),
    "reader": ("readers",),
    "outsider": (),
}

AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata"}],
}

CHART_VARIABLE = "EXIVITY_AUDIT_CHART"
CHART_BESIDE_REPOSITORY = Path("shared", "chart", "exivity-3.39.2.tgz")


class ClusterError(RuntimeError):
    """The cluster, or a program that was to run or use it, said no. `status` is the HTTP status, or 0."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Resource:
    """How the API serves one kind."""

    plural: str
    namespaced: bool
    has_status: bool


def pauses(seconds: float) -> int:
    """How often to look at what may take so long; at least once."""
    return 1 + round(seconds / PAUSE)


def chart_path() -> Path | None:
    """The Exivity chart: the file named by EXIVITY_AUDIT_CHART, else the one beside the repository, else nothing."""
    named = os.environ.get(CHART_VARIABLE)
    path = Path(named) if named else Path(__file__).resolve().parents[3] / CHART_BESIDE_REPOSITORY
    return path if path.is_file() else None


def node(name: str, *, zone: str = "", labels: dict[str, str] | None = None, **fields: Any) -> Object:
    """A worker node that kwok will make Ready; `fields` go into its spec (`taints=[...]`, `unschedulable=True`)."""
    all_labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    if zone:
        all_labels["topology.kubernetes.io/zone"] = zone
    all_labels.update(labels or {})
    size = {"cpu": "16", "memory": "64Gi", "pods": "110", "ephemeral-storage": "200Gi"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": all_labels},
        "spec": dict(fields),
        "status": {"capacity": size, "allocatable": size},
    }


class Cluster:
    """What a test does with a running cluster, as its administrator."""

    def __init__(self, server: str, context: ssl.SSLContext, authority: bytes, kubeconfig: Path, audit_log: Path, directory: Path) -> None:
        self.server = server
        self.kubeconfig = kubeconfig
        self.audit_log = audit_log
        self.directory = directory
        self.tokens: dict[str, str] = {}
        self.helm_program: str | Path = "helm"
        self.crd_folder: Path | None = None  # the operators' own definitions, where they were fetched
        self._context = context
        self._authority = authority
        self._resources: dict[str, dict[str, Resource]] = {}

    # Requests

    def request(self, method: str, path: str, body: object = None, content_type: str = "application/json") -> Object:
        """One request to the API; any answer of 400 or above is a `ClusterError`."""
        status, text = self._exchange(method, path, body, content_type)
        if status >= 400:
            raise ClusterError(f"{method} {path}: {status} {text[:2000]}", status)
        answer: Object = json.loads(text) if text.startswith("{") else {"text": text}
        return answer

    def _exchange(self, method: str, path: str, body: object, content_type: str) -> tuple[int, str]:
        address = urllib.parse.urlsplit(self.server)
        connection = http.client.HTTPSConnection(address.hostname or "", address.port, context=self._context, timeout=180)
        try:
            connection.request(
                method,
                path,
                body=None if body is None else json.dumps(body),
                headers={"Accept": "application/json", "Content-Type": content_type},
            )
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def get(self, path: str) -> Object:
        """The object or list at a path of the API, such as `/api/v1/nodes`."""
        return self.request("GET", path)

    def items(self, path: str) -> list[Object]:
        """The items of the list at a path of the API."""
        found: list[Object] = self.get(path)["items"]
        return found

    def patch(self, path: str, body: object, content_type: str = "application/merge-patch+json") -> Object:
        """Changes the object at a path of the API; the path may end in a subresource such as `/status`."""
        return self.request("PATCH", path, body, content_type)

    # Objects

    def resource(self, api_version: str, kind: str, seconds: float = 10) -> Resource:
        """How the API serves a kind. A kind not served yet is asked for anew until the time is over."""

        def served() -> Resource | None:
            if kind not in self._resources.get(api_version, {}):
                self._resources[api_version] = self._discover(api_version)
            return self._resources[api_version].get(kind)

        try:
            return self.wait(served, seconds, f"{kind} of {api_version}")
        except TimeoutError:
            raise ClusterError(f"the cluster does not serve {kind} of {api_version}", 404) from None

    def _discover(self, api_version: str) -> dict[str, Resource]:
        try:
            listed = self.get(_prefix(api_version))["resources"]
        except ClusterError as error:
            if error.status != 404:
                raise
            return {}
        names = {entry["name"] for entry in listed}
        return {
            entry["kind"]: Resource(entry["name"], entry["namespaced"], f"{entry['name']}/status" in names)
            for entry in listed
            if "/" not in entry["name"]
        }

    def path(self, item: Object) -> str:
        """Where the API keeps an object. A namespaced object without a namespace is meant for `default`."""
        resource = self.resource(item["apiVersion"], item["kind"])
        parts = [_prefix(item["apiVersion"])]
        if resource.namespaced:
            parts += ["namespaces", item["metadata"].get("namespace") or "default"]
        parts += [resource.plural, urllib.parse.quote(item["metadata"]["name"])]
        return "/".join(parts)

    def apply(self, *objects: Object) -> list[Object]:
        """Creates or changes objects (server-side apply), with their status where they have one, and returns them."""
        return [self._apply(item) for item in objects]

    def _apply(self, item: Object) -> Object:
        resource = self.resource(item["apiVersion"], item["kind"])
        path = self.path(item)
        manner = "?fieldManager=tests&force=true"
        content_type = "application/apply-patch+yaml"
        if "status" not in item or not resource.has_status:
            return self.patch(path + manner, item, content_type)
        self.patch(path + manner, {key: value for key, value in item.items() if key != "status"}, content_type)
        names = {key: item["metadata"][key] for key in ("name", "namespace") if key in item["metadata"]}
        status = {"apiVersion": item["apiVersion"], "kind": item["kind"], "metadata": names, "status": item["status"]}
        return self.patch(path + "/status" + manner, status, content_type)

    def delete(self, item: Object, *, gone_within: float = 0) -> None:
        """Deletes an object and what belongs to it; absent is fine. With `gone_within`, waits until it is gone."""
        path = self.path(item)
        self._delete(path)
        if gone_within:
            self._wait_gone(path, gone_within)

    def _delete(self, path: str, **options: object) -> None:
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background", **options}
        try:
            self.request("DELETE", path, options)
        except ClusterError as error:
            if error.status != 404:
                raise

    def _wait_gone(self, path: str, seconds: float) -> None:
        self.wait(lambda: not self.exists(path), seconds, f"{path} to be gone")

    def exists(self, path: str) -> bool:
        """Whether the API has something at a path."""
        try:
            self.get(path)
        except ClusterError as error:
            if error.status != 404:
                raise
            return False
        return True

    def wait(self, predicate: Callable[[], Result | None], seconds: float, what: str) -> Result:
        """Asks until the answer is true, and returns it; `TimeoutError`, naming what is waited for, if it never is.

        The pauses between count, not the time that the answers take: on a machine that stalls, both sides stall.
        """
        for number in range(pauses(seconds)):
            if number:
                time.sleep(PAUSE)
            answer = predicate()
            if answer:
                return answer
        raise TimeoutError(f"waited {seconds:g} s in vain for {what}")

    # Larger steps

    def install_crds(self, objects: Iterable[Object]) -> None:
        """Applies CustomResourceDefinitions and waits until the API serves their kinds."""
        definitions = list(objects)
        self.apply(*definitions)
        # What the API served of these groups before may be out of date.
        for definition in definitions:
            for version in definition["spec"]["versions"]:
                self._resources.pop(f"{definition['spec']['group']}/{version['name']}", None)
        for definition in definitions:
            path = self.path(definition)
            self.wait(functools.partial(self._established, path), 30, f"{path} to be established")
            spec = definition["spec"]
            for version in spec["versions"]:
                if version.get("served"):
                    self.resource(f"{spec['group']}/{version['name']}", spec["names"]["kind"], seconds=30)

    def remove(self, objects: Iterable[Object], seconds: float = 180) -> None:
        """Deletes objects, such as nodes or the definitions of `install_crds`, and waits until all are gone."""
        paths = [self.path(item) for item in objects]
        for path in paths:
            self._delete(path)
        for path in paths:
            self._wait_gone(path, seconds)

    def remove_namespace(self, name: str, *, gone_within: float = 0) -> None:
        """Deletes a namespace with all it holds, and the volumes its claims were bound to.

        The controllers take five to fifteen seconds over it; `gone_within` waits for that.
        """
        namespace = f"/api/v1/namespaces/{name}"
        # Pods that still have time to end would hold the namespace up for longer.
        for kind in ("deployments", "statefulsets", "daemonsets", "replicasets"):
            self._delete(f"/apis/apps/v1/namespaces/{name}/{kind}")
        self._delete(f"{namespace}/pods", gracePeriodSeconds=0)
        volumes = [
            f"/api/v1/persistentvolumes/{volume['metadata']['name']}"
            for volume in self.items("/api/v1/persistentvolumes")
            if volume["spec"].get("claimRef", {}).get("namespace") == name
        ]
        for path in (namespace, *volumes):
            self._delete(path)
        if gone_within:
            for path in (namespace, *volumes):
                self._wait_gone(path, gone_within)

    def _established(self, path: str) -> bool:
        conditions = self.get(path).get("status", {}).get("conditions") or []
        return any(entry["type"] == "Established" and entry["status"] == "True" for entry in conditions)

    def bind_claims(self, namespace: str, make_pv: Callable[[Object], Object | None], seconds: float = 60) -> list[Object]:
        """Gives every Pending claim of a namespace a volume and returns the claims once they are Bound.

        `make_pv` receives a claim and returns its PersistentVolume, or None to leave the claim as it is. What the
        volume leaves out is taken from the claim: name, claimRef, access modes, capacity, class and volume mode.
        The first claims of StatefulSets are waited for.
        """
        path = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"
        self.wait(lambda: self._first_claims_exist(namespace), seconds, f"the claims of StatefulSets in {namespace}")
        bound = []
        for claim in self.items(path):
            if claim["status"].get("phase") != "Pending":
                continue
            volume = make_pv(copy.deepcopy(claim))
            if volume is not None:
                self.apply(_completed(volume, claim))
                bound.append(claim["metadata"]["name"])
        return [self.wait(functools.partial(self._bound, f"{path}/{name}"), seconds, f"claim {name} to be bound") for name in bound]

    def _first_claims_exist(self, namespace: str) -> bool:
        claims = {entry["metadata"]["name"] for entry in self.items(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims")}
        return all(
            f"{template['metadata']['name']}-{entry['metadata']['name']}-0" in claims
            for entry in self.items(f"/apis/apps/v1/namespaces/{namespace}/statefulsets")
            for template in entry["spec"].get("volumeClaimTemplates", [])
            if entry["spec"].get("replicas", 1) > 0
        )

    def _bound(self, path: str) -> Object | None:
        claim = self.get(path)
        return claim if claim["status"].get("phase") == "Bound" else None

    def install_chart(
        self,
        namespace: str,
        release: str,
        values: Object,
        *,
        by: Literal["helm", "template"] = "helm",
        chart: Path | None = None,
    ) -> None:
        """Installs the Exivity chart without its hooks: with `helm install`, or rendered and applied without Helm."""
        if by == "template":
            objects = self.render_chart(namespace, release, values, chart=chart)
            self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}, *objects)
            return
        self.helm(
            *("install", release, str(_chart(chart)), "--namespace", namespace, "--create-namespace", "--no-hooks"),
            *("--values", str(self._values_file(values))),
        )

    def render_chart(self, namespace: str, release: str, values: Object, *, chart: Path | None = None) -> list[Object]:
        """The objects of the Exivity chart without its hooks, each in its namespace, as `helm template` prints."""
        version = self.get("/version")["gitVersion"]
        text = self.helm(
            *("template", release, str(_chart(chart)), "--namespace", namespace, "--no-hooks"),
            *("--kube-version", version, "--values", str(self._values_file(values))),
        )
        objects: list[Object] = [item for item in yaml.safe_load_all(text) if item]
        for item in objects:
            if self.resource(item["apiVersion"], item["kind"]).namespaced:
                item["metadata"].setdefault("namespace", namespace)
        return objects

    def _values_file(self, values: Object) -> Path:
        path = self.directory / f"values-{secrets.token_hex(4)}.json"
        path.write_text(json.dumps(values))
        return path

    def helm(self, *arguments: str) -> str:
        """Runs helm as administrator of this cluster, with settings of its own, and returns what it printed."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("HELM_", "KUBE"))}
        environment["KUBECONFIG"] = str(self.kubeconfig)
        for purpose in ("CACHE", "CONFIG", "DATA"):
            environment[f"HELM_{purpose}_HOME"] = str(self.directory / "helm" / purpose.lower())
        done = subprocess.run(
            [str(self.helm_program), *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise ClusterError(f"helm {' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def kubeconfig_for(self, token: str, path: Path) -> Path:
        """Writes a kubeconfig that logs in with a token (see `tokens`) and returns its path."""
        return write_kubeconfig(path, self.server, self._authority, {"token": token})

    def audit_records(self) -> list[Object]:
        """Every request the API server has answered so far, as its audit log tells them."""
        lines = self.audit_log.read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]


class ControlPlane(Cluster):
    """The processes of one control plane, all on loopback, all files in one private directory."""

    processes: dict[str, subprocess.Popen[bytes]]
    _bin_dir: Path
    _ports: dict[str, int]

    @classmethod
    def start(cls, bin_dir: Path, directory: Path) -> Self:
        """Starts a control plane from built binaries (`tests/controlplane/build.sh`) and waits until it serves.

        Its processes end with the thread that called this, if not before in `stop`.
        """
        attempts = 3
        for attempt in range(1, attempts + 1):
            private = directory / f"attempt-{attempt}"
            private.mkdir(parents=True, mode=0o700)
            cluster = cls._prepared(bin_dir, private)
            try:
                cluster._run()
            except BaseException as error:
                # Whatever went wrong, an interrupt included, no process may be left behind.
                cluster.stop()
                # Another program may have taken a port between our choosing it and using it.
                if isinstance(error, ClusterError) and "address already in use" in str(error) and attempt < attempts:
                    continue
                raise
            return cluster
        raise AssertionError("unreachable")

    @classmethod
    def _prepared(cls, bin_dir: Path, directory: Path) -> Self:
        ports = dict(zip(("etcd", "etcd-peer", "server"), _free_ports(3), strict=True))
        server = f"https://127.0.0.1:{ports['server']}"
        authority = Authority(directory)
        authority.issue("server", "kube-apiserver", for_server=True)
        authority.issue("service-accounts", "service-accounts")
        for name in ("admin", "controller-manager", "scheduler", "kwok"):
            certificate, key = authority.issue(name, name, organisation="system:masters")
            login = {
                "client-certificate-data": base64.b64encode(certificate.read_bytes()).decode(),
                "client-key-data": base64.b64encode(key.read_bytes()).decode(),
            }
            write_kubeconfig(directory / f"{name}.kubeconfig", server, authority.certificate, login)
        context = ssl.create_default_context(cafile=str(directory / "authority.crt"))
        context.load_cert_chain(str(directory / "admin.crt"), str(directory / "admin.key"))
        cluster = cls(server, context, authority.certificate, directory / "admin.kubeconfig", directory / "audit.log", directory)
        cluster.tokens = write_tokens(directory / "tokens.csv")
        cluster.helm_program = bin_dir / "helm"
        cluster.crd_folder = bin_dir / "crds"
        cluster.processes = {}
        cluster._bin_dir = bin_dir
        cluster._ports = ports
        (directory / "audit-policy.json").write_text(json.dumps(AUDIT_POLICY))
        return cluster

    def _run(self) -> None:
        atexit.register(self.stop)
        etcd = f"http://127.0.0.1:{self._ports['etcd']}"
        peer = f"http://127.0.0.1:{self._ports['etcd-peer']}"
        files = self.directory
        self._spawn(
            "etcd",
            *(f"--data-dir={files / 'etcd'}", "--unsafe-no-fsync", "--name=tests", f"--initial-cluster=tests={peer}"),
            *(f"--listen-client-urls={etcd}", f"--advertise-client-urls={etcd}"),
            *(f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}"),
        )
        self._spawn(
            "kube-apiserver",
            *(f"--etcd-servers={etcd}", "--bind-address=127.0.0.1", f"--secure-port={self._ports['server']}"),
            # Without an address of its own the server needs a default route; loopback cannot be an endpoint.
            *("--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none"),
            *(f"--tls-cert-file={files / 'server.crt'}", f"--tls-private-key-file={files / 'server.key'}"),
            f"--client-ca-file={files / 'authority.crt'}",
            f"--service-account-key-file={files / 'service-accounts.crt'}",
            f"--service-account-signing-key-file={files / 'service-accounts.key'}",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            *(f"--token-auth-file={files / 'tokens.csv'}", "--authorization-mode=RBAC,Node"),
            *("--service-cluster-ip-range=10.96.0.0/16", "--allow-privileged=true"),
            *(f"--audit-policy-file={files / 'audit-policy.json'}", f"--audit-log-path={self.audit_log}"),
            # One file for the whole run: no rotation before this many megabytes.
            "--audit-log-maxsize=4096",
        )
        self.wait(self._serving, 120, "the API server to be ready")
        self._spawn(
            "kube-controller-manager",
            *(f"--kubeconfig={files / 'controller-manager.kubeconfig'}", "--leader-elect=false", "--secure-port=0"),
            *(f"--root-ca-file={files / 'authority.crt'}", "--use-service-account-credentials=true"),
            f"--service-account-private-key-file={files / 'service-accounts.key'}",
            *("--kube-api-qps=200", "--kube-api-burst=400", "--pvclaimbinder-sync-period=2s"),
        )
        self._spawn(
            "kube-scheduler",
            *(f"--kubeconfig={files / 'scheduler.kubeconfig'}", "--leader-elect=false", "--secure-port=0"),
            *("--kube-api-qps=200", "--kube-api-burst=400"),
        )
        self._spawn(
            "kwok",
            *(f"--kubeconfig={files / 'kwok.kubeconfig'}", "--manage-all-nodes=true"),
            f"--config={self._bin_dir / STAGES}",
        )
        self.wait(self._default_account_exists, 60, "the service account of the namespace default")

    def _spawn(self, program: str, *arguments: str) -> None:
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("KUBE", "KWOK_", "ETCD_"))}
        environment["KWOK_WORKDIR"] = str(self.directory / "kwok-home")
        with (self.directory / f"{program}.log").open("wb") as log:
            self.processes[program] = subprocess.Popen(
                [str(self._bin_dir / program), *arguments],
                cwd=self.directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # An interrupt from the keyboard is for the tests, which then stop the processes in order.
                start_new_session=True,
                preexec_fn=_end_with(os.getpid()),
            )

    def _serving(self) -> bool:
        self._check_processes()
        try:
            return self._exchange("GET", "/readyz", None, "application/json") == (200, "ok")
        except OSError:
            return False

    def _default_account_exists(self) -> bool:
        self._check_processes()
        return self.exists("/api/v1/namespaces/default/serviceaccounts/default")

    def _check_processes(self) -> None:
        for program, process in self.processes.items():
            if process.poll() is not None:
                log = (self.directory / f"{program}.log").read_text(errors="replace")
                raise ClusterError(f"{program} ended with {process.returncode}; the end of its log:\n{log[-3000:]}")

    def stop(self) -> None:
        """Ends every process and waits for it; does nothing the second time."""
        atexit.unregister(self.stop)
        for process in reversed(self.processes.values()):
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Authority:
    """A certificate authority of its own for one cluster; it writes NAME.crt and NAME.key into a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        signed = (
            self._builder(self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.certificate = signed.public_bytes(serialization.Encoding.PEM)
        (directory / "authority.crt").write_bytes(self.certificate)

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=5))
            .not_valid_after(now + datetime.timedelta(days=2))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )

    def issue(self, name: str, common_name: str, *, organisation: str = "", for_server: bool = False) -> tuple[Path, Path]:
        """A certificate and its key, as files. The API server reads the organisation of a client as its group."""
        key = ec.generate_private_key(ec.SECP256R1())
        attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
        if organisation:
            attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
        purpose = ExtendedKeyUsageOID.SERVER_AUTH if for_server else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = self._builder(x509.Name(attributes), key.public_key())
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        if for_server:
            names: list[x509.GeneralName] = [x509.DNSName(entry) for entry in ("localhost", "kubernetes", "kubernetes.default.svc")]
            names += [x509.IPAddress(ipaddress.ip_address(entry)) for entry in ("127.0.0.1", "10.96.0.1")]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate_path = self._directory / f"{name}.crt"
        key_path = self._directory / f"{name}.key"
        certificate_path.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        write_private(
            key_path,
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode(),
        )
        return certificate_path, key_path


def write_kubeconfig(path: Path, server: str, authority: bytes, login: dict[str, str]) -> Path:
    """Writes a kubeconfig (as JSON, which is YAML too) with one context and returns its path."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "tests",
                "cluster": {"server": server, "certificate-authority-data": base64.b64encode(authority).decode()},
            }
        ],
        "users": [{"name": "tests", "user": login}],
        "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "tests"}}],
        "current-context": "tests",
    }
    write_private(path, json.dumps(content, indent=2) + "\n")
    return path


def write_tokens(path: Path) -> dict[str, str]:
    """Writes a token file for the API server with fresh tokens of all `USERS` and returns them by user."""
    tokens = {user: secrets.token_hex(16) for user in USERS}
    lines = [f'{tokens[user]},{user},{user},"{",".join(groups)}"' for user, groups in USERS.items()]
    write_private(path, "\n".join(lines) + "\n")
    return tokens


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner may read."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text)


def _prefix(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def _chart(chart: Path | None) -> Path:
    found = chart or chart_path()
    if found is None:
        raise ClusterError(f"the Exivity chart is not there: name it in {CHART_VARIABLE}")
    return found


def _completed(volume: Object, claim: Object) -> Object:
    """The volume with what it leaves out taken from the claim it is for."""
    volume = copy.deepcopy(volume)
    names = claim["metadata"]
    wanted = claim["spec"]
    volume.setdefault("apiVersion", "v1")
    volume.setdefault("kind", "PersistentVolume")
    volume.setdefault("metadata", {}).setdefault("name", f"{names['namespace']}-{names['name']}")
    spec = volume.setdefault("spec", {})
    reference = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
    spec.setdefault("claimRef", reference | {key: names[key] for key in ("namespace", "name", "uid")})
    spec.setdefault("accessModes", wanted["accessModes"])
    spec.setdefault("capacity", {"storage": wanted["resources"]["requests"]["storage"]})
    spec.setdefault("volumeMode", wanted.get("volumeMode", "Filesystem"))
    spec.setdefault("storageClassName", wanted.get("storageClassName", ""))
    return volume


def _free_ports(count: int) -> list[int]:
    """Distinct ports of loopback that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for entry in sockets:
            entry.bind(("127.0.0.1", 0))
        return [int(entry.getsockname()[1]) for entry in sockets]
    finally:
        for entry in sockets:
            entry.close()


def _end_with(parent: int) -> Callable[[], None]:
    """What a child runs before its program: ask the kernel to kill it when its parent ends."""
    library = ctypes.CDLL(None, use_errno=True)
    set_parent_death_signal = 1

    def prepare() -> None:
        library.prctl(set_parent_death_signal, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return prepare
