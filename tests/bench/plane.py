"""The control plane of the benchmark: filled while its controllers run, measured while they stand still."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.cluster.controlplane import ControlPlane, Object

CONTROLLERS = ("kwok", "kube-scheduler", "kube-controller-manager")
ACCOUNT = "auditor"


class BenchPlane(ControlPlane):
    """A control plane whose nodes stay healthy although the controllers are stopped for minutes."""

    def _spawn(self, program: str, *arguments: str) -> None:
        more: tuple[str, ...] = ()
        if program == "kube-controller-manager":
            # While kwok stands still no node gives a sign of life: none may be taken for dead, nor its pods be evicted.
            # The binder looks at every claim anew each time: two seconds, as for a few, would be spent on nothing else.
            more = ("--node-monitor-grace-period=24h", "--kube-api-qps=2000", "--kube-api-burst=4000", "--pvclaimbinder-sync-period=15s")
        super()._spawn(program, *arguments, *more)

    @contextlib.contextmanager
    def standing_still(self, *programs: str) -> Iterator[None]:
        """Nothing but etcd and the API server runs while this lasts, or only the named ones do not: heartbeats of 300 nodes are not what is measured."""
        self._signal(signal.SIGSTOP, programs or CONTROLLERS)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT, programs or CONTROLLERS)

    def _signal(self, number: signal.Signals, programs: Iterable[str]) -> None:
        self._check_processes()
        for program in programs:
            self.processes[program].send_signal(number)

    def stop(self) -> None:
        """A process that stands still hears no other signal."""
        for program in CONTROLLERS:
            if program in self.processes and self.processes[program].poll() is None:
                self.processes[program].send_signal(signal.SIGCONT)
        super().stop()

    def account(self, path: Path) -> Path:
        """A kubeconfig of an account with every right by RBAC, as whose requests the audit log knows what is measured."""
        subject = {"kind": "Group", "name": "auditors", "apiGroup": "rbac.authorization.k8s.io"}
        role = {"kind": "ClusterRole", "name": "cluster-admin", "apiGroup": "rbac.authorization.k8s.io"}
        binding: Object = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "bench"}}
        self.apply({**binding, "subjects": [subject], "roleRef": role})
        return self.kubeconfig_for(self.tokens[ACCOUNT], path)

    def quiet(self, seconds: float = 3.0, within: float = 60.0) -> None:
        """Waits until the controllers have written next to nothing for a while: their answers to what was filled in are over."""
        deadline = time.monotonic() + within
        size = self.audit_log.stat().st_size
        while time.monotonic() < deadline:
            time.sleep(seconds)
            now = self.audit_log.stat().st_size
            if now - size < 150_000 * seconds:
                return
            size = now
