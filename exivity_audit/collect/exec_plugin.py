"""Runs a kubeconfig's exec credential plug-in: no shell, no terminal, 30 seconds, and nothing it prints is ever shown."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from exivity_audit.discreet import Discreet
from exivity_audit.errors import Unreachable, UsageError, one_line

if TYPE_CHECKING:
    import subprocess

LONGEST_RUN = 30.0
_LARGEST_OUTPUT = 1024 * 1024
_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_TRY = "Run the same command by hand, or any kubectl command with this context, to see what is wrong."


class ExecCredential(Discreet, Struct, frozen=True):
    """What a plug-in handed over: a bearer token, a client certificate with its key, or both."""

    unprinted = ("token", "certificate", "key")

    token: str = ""
    certificate: str = ""
    key: str = ""
    expires: datetime | None = None

    @property
    def expired(self) -> bool:
        """Whether the credential is past its time by this machine's clock."""
        return self.expires is not None and self.expires <= datetime.now(UTC)


class ExecPlugin(Discreet, Struct, frozen=True):
    """One `exec` block of a kubeconfig user, checked and ready to run."""

    unprinted = ("arguments", "environment", "cluster")

    command: str
    arguments: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    api_version: str = _VERSIONS[0]
    install_hint: str = ""
    interactive_mode: str = ""
    base: Path = Path()
    cluster: Mapping[str, object] | None = None

    def run(self, limit: float = LONGEST_RUN) -> ExecCredential:
        """Run the plug-in and return a credential that is not expired; raise Unreachable with a next step otherwise."""
        name = one_line(Path(self.command).name, 60)
        if self.interactive_mode == "Always":
            raise Unreachable(
                f"The login plug-in {name} insists on a terminal (interactiveMode: Always), and it is never given one.",
                "Use a context with a token or certificate, for instance of a service account: kubectl create token.",
            )
        output = self._output(self._program(name), name, min(limit, LONGEST_RUN))
        credential = _parse(output, name, self.api_version)
        if credential.expired:
            raise Unreachable(
                f"The login plug-in {name} handed over a credential that has already expired.", "Log in again, and check this machine's clock."
            )
        return credential

    def _program(self, name: str) -> str:
        found: str | None
        if os.sep in self.command:
            path = self.base / self.command
            found = str(path) if path.is_file() and os.access(path, os.X_OK) else None
        else:
            import shutil

            found = shutil.which(self.command)
        if found is None:
            hint = one_line(self.install_hint, 200)
            said = f"The kubeconfig says: {hint}" if hint else ""
            raise Unreachable(f"The login plug-in {name} of the kubeconfig was not found.", f"Install it or put it on PATH. {said}".strip())
        return found

    def _environment(self) -> dict[str, str]:
        specification: dict[str, object] = {"interactive": False}
        if self.cluster is not None:
            specification["cluster"] = dict(self.cluster)
        info = {"apiVersion": self.api_version, "kind": "ExecCredential", "spec": specification}
        return {**os.environ, **dict(self.environment), "KUBERNETES_EXEC_INFO": json.dumps(info)}

    def _output(self, program: str, name: str, limit: float) -> bytes:
        import subprocess  # only for a kubeconfig with a plug-in

        end = time.monotonic() + limit
        try:
            process = subprocess.Popen(
                [program, *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # it may hold secrets: it is not even read
                env=self._environment(),
                start_new_session=True,
            )
        except (OSError, ValueError):
            raise Unreachable(f"The login plug-in {name} could not be started.", _TRY) from None
        try:
            output = _read(process, end)
            code = process.wait(max(0.0, end - time.monotonic()))
        except (subprocess.TimeoutExpired, TimeoutError):
            raise Unreachable(f"The login plug-in {name} gave no answer within {limit:.0f} seconds and was stopped.", _TRY) from None
        finally:
            if process.poll() is None:
                with contextlib.suppress(OSError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            if process.stdout is not None:
                process.stdout.close()
        if code != 0:
            how = f"ended with exit code {code}" if code > 0 else f"was ended by signal {-code}"
            raise Unreachable(f"The login plug-in {name} {how} (its messages are not shown: they may hold secrets).", _TRY)
        return output


def _read(process: subprocess.Popen[bytes], end: float) -> bytes:
    """Read standard output until it closes, or until the process is gone and nothing more is waiting (a child may keep the pipe)."""
    assert process.stdout is not None
    descriptor = process.stdout.fileno()
    os.set_blocking(descriptor, False)
    output = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while True:
            gone = process.poll() is not None
            ready = selector.select(0 if gone else 0.05)
            if ready:
                piece = os.read(descriptor, 65536)
                if not piece:
                    return bytes(output)
                output += piece
                if len(output) > _LARGEST_OUTPUT:
                    raise TimeoutError
            elif gone:
                return bytes(output)
            if time.monotonic() > end:
                raise TimeoutError


def _parse(output: bytes, name: str, version: str) -> ExecCredential:
    garbage = Unreachable(f"The login plug-in {name} printed something that is not an ExecCredential.", _TRY)
    try:
        document: Any = msgspec.json.decode(output)
    except (ValueError, msgspec.MsgspecError, RecursionError):
        raise garbage from None
    if not isinstance(document, dict) or document.get("kind") != "ExecCredential" or document.get("apiVersion") not in _VERSIONS:
        raise garbage
    if document["apiVersion"] != version:
        raise Unreachable(
            f"The login plug-in {name} answered in another version of ExecCredential than the kubeconfig asks for.",
            "Update the plug-in or the kubeconfig.",
        )
    status = document.get("status")
    if not isinstance(status, dict):
        raise garbage
    values = [status.get(key) or "" for key in ("token", "clientCertificateData", "clientKeyData")]
    if not all(isinstance(value, str) for value in values):
        raise garbage
    token, certificate, key = (str(value) for value in values)
    if not token and not certificate:
        raise Unreachable(f"The login plug-in {name} handed over neither a token nor a certificate.", _TRY)
    if bool(certificate) != bool(key) or any(ord(character) < 33 or ord(character) > 126 for character in token):
        raise garbage
    return ExecCredential(token, certificate, key, _expiry(status.get("expirationTimestamp"), garbage))


def _expiry(stamp: object, garbage: Unreachable) -> datetime | None:
    if stamp is None or stamp == "":
        return None
    try:
        parsed = datetime.fromisoformat(str(stamp))
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise garbage from None


def plugin_from(block: Mapping[str, object], base: Path, cluster: Mapping[str, object] | None) -> ExecPlugin:
    """Check the `exec` block of a kubeconfig user and return the plug-in; `cluster` is handed on when the block asks for it."""
    wrong = UsageError("The kubeconfig's exec block is malformed.", "Compare it with the one your provider's login command writes.")
    command, version = block.get("command"), block.get("apiVersion")
    arguments, environment = block.get("args") or [], block.get("env") or []
    if not isinstance(command, str) or not command or not isinstance(arguments, list) or not isinstance(environment, list):
        raise wrong
    if version not in _VERSIONS:
        raise UsageError(
            f"The kubeconfig's exec block has the apiVersion {one_line(version, 60)}, which is no longer supported.",
            "Use client.authentication.k8s.io/v1.",
        )
    if not all(isinstance(entry, dict) and isinstance(entry.get("name"), str) for entry in environment):
        raise wrong
    return ExecPlugin(
        command=command,
        arguments=tuple(str(argument) for argument in arguments),
        environment=tuple((entry["name"], str(entry.get("value") or "")) for entry in environment),
        api_version=str(version),
        install_hint=str(block.get("installHint") or ""),
        interactive_mode=str(block.get("interactiveMode") or ""),
        base=base,
        cluster=cluster if block.get("provideClusterInfo") is True else None,
    )
