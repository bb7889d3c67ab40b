"""The only thing of this tool that can change a cluster: it applies the tool's own policy report, and can do nothing else.

It shares nothing with ``collect/transport.py``, which only reads and stays unable to write: it has a connection of its own, opened after all
reading and judging is done, and only where ``--publish-policy-reports`` (or the config) asks for it. It can make three requests: which of the two
report APIs is served, whether the object of our name is ours, and the server-side apply of that object.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from exivity_audit.collect.connection import Connection
from exivity_audit.collect.deadline import Deadline
from exivity_audit.publishing.destination import Trouble
from exivity_audit.publishing.sender import Request, Sender, Words
from exivity_audit.rights import Rule

MANAGER = "exivity-audit"
LABEL = ("app.kubernetes.io/managed-by", "exivity-audit")
VERBS = ("create", "get", "patch")  # create: a server-side apply that makes the object asks for it too
_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


class Api(Struct, frozen=True):
    """An API of policy reports."""

    group: str
    version: str
    plural: str
    kind: str

    @property
    def api_version(self) -> str:
        """``group/version``."""
        return f"{self.group}/{self.version}"


APIS = (Api("openreports.io", "v1alpha1", "reports", "Report"), Api("wgpolicyk8s.io", "v1alpha2", "policyreports", "PolicyReport"))


def object_name(release: str) -> str:
    """The one object of a release's namespace that is written."""
    return f"exivity-audit-{release}"


def write_rules(namespace: str, release: str, apis: tuple[Api, ...] = APIS) -> list[Rule]:
    """All that publishing policy reports needs: three verbs on one name, in each of the two APIs (the one that is not served needs none)."""
    return [Rule(f"{api.plural}.{api.group}", verb, namespace, object_name(release)) for api in apis for verb in VERBS]


class Refused(ValueError):
    """A write that this tool never makes."""


class ReportWriter:
    """Applies the policy report of one release."""

    def __init__(self, connection: Connection, namespace: str, release: str, deadline: Deadline) -> None:
        if not _NAME.fullmatch(namespace) or not _NAME.fullmatch(object_name(release)) or "." in namespace:
            raise Refused("this is no namespace or release")
        self._server, self._namespace, self._name = connection.server.rstrip("/"), namespace, object_name(release)
        self._sender = Sender(connection, deadline)

    def __enter__(self) -> ReportWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._sender.__exit__()

    def served(self) -> Api:
        """The API to write to. Raises Trouble."""
        for api in APIS:
            answer = self._get(f"/apis/{api.group}/{api.version}", "application/json")
            resources = answer.get("resources") if answer is not None else None
            if isinstance(resources, list) and any(isinstance(one, dict) and one.get("name") == api.plural for one in resources):
                return api
        raise Trouble(
            "the cluster serves neither reports.openreports.io nor policyreports.wgpolicyk8s.io",
            "install the CustomResourceDefinitions of OpenReports, or leave out --publish-policy-reports",
        )

    def apply(self, api: Api, report: Mapping[str, Any]) -> None:
        """Make the object, or replace what it holds where it is ours. Raises Trouble, and Refused for anything but that object."""
        metadata = report["metadata"]
        named = (report["apiVersion"], report["kind"], metadata["name"], metadata["namespace"])
        if api not in APIS or named != (api.api_version, api.kind, self._name, self._namespace) or metadata["labels"].get(LABEL[0]) != LABEL[1]:
            raise Refused("only the tool's own policy report is written")
        path = f"/apis/{api.api_version}/namespaces/{self._namespace}/{api.plural}/{self._name}"
        words = _words(api, self._namespace, self._name)
        known = self._get(path, _METADATA, words)
        body = {**report, "metadata": {**metadata, **self._precondition(known)}}
        headers = {"Content-Type": "application/apply-patch+yaml", "Accept": _METADATA}
        query = f"?fieldManager={MANAGER}&force=true"
        self._sender.send(Request("PATCH", f"{self._server}{path}{query}", json.dumps(body).encode(), headers, repeatable=True), words)

    def _precondition(self, known: Mapping[str, Any] | None) -> dict[str, str]:
        """What makes the server refuse the write where the object is no longer the one that was looked at. Raises Trouble where that is not ours."""
        if known is None:
            return {}
        metadata = known.get("metadata")
        labels = metadata.get("labels") if isinstance(metadata, dict) else None
        uid = metadata.get("uid") if isinstance(metadata, dict) else None
        if not isinstance(uid, str) or not isinstance(labels, dict) or labels.get(LABEL[0]) != LABEL[1]:
            raise Trouble(
                f"an object {self._name} is there that is not this tool's (it lacks the label {LABEL[0]}={LABEL[1]}), so it was left alone",
                "delete or rename it",
            )
        return {"uid": uid}

    def _get(self, path: str, accept: str, words: Words | None = None) -> dict[str, Any] | None:
        """A JSON object, or None where there is none. Raises Trouble."""
        sent = self._sender.send(Request("GET", f"{self._server}{path}", None, {"Accept": accept}, repeatable=True), words, taken=frozenset({404}))
        if sent.status == 404:
            return None
        try:
            found = json.loads(sent.content)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise Trouble("the API server gave something else than an object", "check what stands between it and here")
        return found


def _words(api: Api, namespace: str, name: str) -> dict[int, tuple[str, str]]:
    rule = f"{', '.join(VERBS)} {api.plural}.{api.group} {name} in {namespace}"
    return {
        401: ("the API server does not accept the credentials any more", "log in again, or have the token renewed"),
        403: ("the account may not write its policy report", f"grant {rule}: docs/publishing.md shows the role"),
        409: ("the policy report was changed or made anew by somebody at the same time", "the next run writes it"),
        413: ("the policy report is too large for the cluster", "raise the API server's limit, or leave out --publish-policy-reports"),
        422: ("the cluster's policy report API does not take this form of it", "update its CustomResourceDefinitions, or this tool"),
    }
