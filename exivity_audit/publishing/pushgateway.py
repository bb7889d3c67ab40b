"""A Prometheus Pushgateway: the metrics of ``-o prometheus``, replaced whole under a key of job, cluster, namespace and release."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from msgspec import Struct

from exivity_audit.collect.deadline import Deadline
from exivity_audit.publishing.address import place
from exivity_audit.publishing.destination import Finished
from exivity_audit.publishing.secret import Secret
from exivity_audit.publishing.sender import Request, Sender, connection_to

JOB = "exivity-audit"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
WORDS = {
    400: ("it found the metrics inconsistent with others that it holds", "look into its log; delete the group that an older version pushed"),
    401: ("it does not accept the credentials", "correct EXIVITY_AUDIT_PUSH_TOKEN (or _USER and _PASSWORD), or the files in the config"),
    404: ("it is no Pushgateway", "write the URL of the Pushgateway itself, with the prefix it is served under, without /metrics"),
    405: ("it takes no pushes", "write the URL of a Pushgateway; a Prometheus takes none"),
}  # fmt: skip


class Pushgateway(Struct, frozen=True):
    """Where it is, and what it wants to see of us: a token, or a user name and a password, or nothing."""

    url: str
    token: Secret | None = None
    user: str = ""
    password: Secret | None = None
    ca_file: Path | None = None

    @property
    def name(self) -> str:
        """For messages."""
        return f"the Pushgateway {place(self.url)}"

    def publish(self, finished: Finished, deadline: Deadline) -> None:
        """Replace the group's metrics. Raises Trouble."""
        from exivity_audit.reports.prometheus import base_labels, label_value, render_prometheus

        key = {name: label_value(value) for name, value in base_labels(finished.report).items()}
        headers = {"Content-Type": CONTENT_TYPE, **self._authorization()}
        request = Request("PUT", f"{self.url}{group({'job': JOB, **key})}", render_prometheus(finished.report), headers, repeatable=True)
        with Sender(connection_to(self.url, self.ca_file), deadline) as sender:
            sender.send(request, WORDS)

    def _authorization(self) -> dict[str, str]:
        if self.token is not None:
            return {"Authorization": f"Bearer {self.token.read()}"}
        if self.password is not None:
            return {"Authorization": "Basic " + base64.b64encode(f"{self.user}:{self.password.read()}".encode()).decode()}
        return {}


def group(labels: Mapping[str, str]) -> str:
    """The path of a grouping key; a value that is empty or holds a slash goes in base64, as the Pushgateway's own clients send it."""
    return "/metrics" + "".join(
        f"/{name}@base64/{base64.urlsafe_b64encode(value.encode()).decode() if value else '='}"
        if not value or "/" in value
        else f"/{name}/{quote(value, safe='')}"
        for name, value in labels.items()
    )
