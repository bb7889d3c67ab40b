"""The same cluster interface on kind, for machines with a container engine.

Not run where this was written, for want of a container engine: it is the recipe of kind's own documentation, and it
needs the first machine with an engine to prove it. What differs from `ControlPlane`: the nodes are three real ones
(a Node object that a test applies stays NotReady), pods run only if their images can be pulled, a storage
provisioner is there, the Kubernetes version is that of the installed kind, and `helm` is the one on PATH.
"""

from __future__ import annotations

import base64
import json
import secrets
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Self

import yaml

from .controlplane import AUDIT_POLICY, Cluster, ClusterError, write_tokens

ENGINES = ("docker", "podman")


class KindCluster(Cluster):
    """A kind cluster of its own, deleted by `stop`."""

    name: str

    @staticmethod
    def available() -> bool:
        """Whether kind and helm are on PATH and a container engine answers."""
        return bool(shutil.which("kind") and shutil.which("helm")) and any(map(_answers, ENGINES))

    @classmethod
    def start(cls, directory: Path) -> Self:
        """Creates a kind cluster and waits until it serves."""
        name = f"exivity-audit-{secrets.token_hex(3)}"
        kubeconfig = directory / "admin.kubeconfig"
        tokens = write_tokens(directory / "tokens.csv")
        (directory / "audit").mkdir()
        # Made here, the log stays ours to read although the API server writes it as root.
        (directory / "audit" / "audit.log").touch()
        (directory / "audit-policy.json").write_text(json.dumps(AUDIT_POLICY))
        configuration = Path(__file__).with_name("kind.yaml")
        try:
            _kind(
                *("create", "cluster", "--name", name, "--wait", "180s"),
                *("--config", str(configuration), "--kubeconfig", str(kubeconfig)),
                directory=directory,
            )
            cluster = cls._connected(kubeconfig, directory)
            cluster.name = name
            cluster.tokens = tokens
            cluster.wait(
                lambda: cluster.exists("/api/v1/namespaces/default/serviceaccounts/default"),
                60,
                "the service account of the namespace default",
            )
        except BaseException:
            # Whatever went wrong, an interrupt included, no container may be left behind.
            _kind("delete", "cluster", "--name", name, directory=directory)
            raise
        return cluster

    @classmethod
    def _connected(cls, kubeconfig: Path, directory: Path) -> Self:
        content = yaml.safe_load(kubeconfig.read_text())
        address = content["clusters"][0]["cluster"]
        login = content["users"][0]["user"]
        authority = base64.b64decode(address["certificate-authority-data"])
        certificate = directory / "admin.crt"
        key = directory / "admin.key"
        for path, field in ((certificate, "client-certificate-data"), (key, "client-key-data")):
            path.touch(mode=0o600)
            path.write_bytes(base64.b64decode(login[field]))
        context = ssl.create_default_context(cadata=authority.decode())
        context.load_cert_chain(str(certificate), str(key))
        return cls(address["server"], context, authority, kubeconfig, directory / "audit" / "audit.log", directory)

    def stop(self) -> None:
        """Deletes the cluster."""
        _kind("delete", "cluster", "--name", self.name, directory=self.directory)


def _kind(*arguments: str, directory: Path) -> None:
    done = subprocess.run(["kind", *arguments], cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ClusterError(f"kind {' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()}")


def _answers(engine: str) -> bool:
    """Whether a container engine is installed and running."""
    if not shutil.which(engine):
        return False
    try:
        return subprocess.run([engine, "info"], capture_output=True, timeout=30, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False
