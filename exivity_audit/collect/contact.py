"""The first request of a run: it ends the run with a sentence and a next step when there is no API server to talk to."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from exivity_audit.collect.answer import Answer
from exivity_audit.errors import Unreachable

if TYPE_CHECKING:
    from exivity_audit.collect.transport import Transport


def first_contact(transport: Transport) -> Answer:
    """Ask for /version and return the answer, a 403 included; raise Unreachable for everything else."""
    answer = transport.get("/version")
    where = urlsplit(transport.connection.server).netloc
    failure = answer.failure
    if failure is None:
        body = answer.body
        if isinstance(body, dict) and isinstance(body.get("gitVersion"), str):
            return answer
        raise Unreachable(f"What answers at {where} is not a Kubernetes API server.", "Check the server in the kubeconfig.")
    if failure.kind == "forbidden":
        return answer
    proxied = " (through a proxy)" if transport.connection.proxy is not None else ""
    if failure.kind in ("malformed", "too-large", "not-found", "gone"):
        raise Unreachable(
            f"What answers at {where}{proxied} is not a Kubernetes API server: {failure.reason}.",
            failure.hint or "Check the server in the kubeconfig.",
        )
    if failure.kind == "unauthorized":
        raise Unreachable(f"The API server at {where} does not accept the credentials (401).", failure.hint)
    raise Unreachable(f"The API server at {where} cannot be reached{proxied}: {failure.reason}.", failure.hint or "Try again later.")
