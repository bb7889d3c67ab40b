"""The results as a policy report object in the release's namespace: OpenReports where it is served, else PolicyReport."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from exivity_audit.collect.connection import Connection
from exivity_audit.collect.deadline import Deadline
from exivity_audit.discreet import Discreet
from exivity_audit.errors import AuditError
from exivity_audit.publishing.cluster_writer import ReportWriter, object_name
from exivity_audit.publishing.destination import Finished, Trouble


class PolicyReports(Discreet, Struct, frozen=True):
    """The cluster of one site, by a connection of its own that is made when it is time to write."""

    unprinted = ("connect",)

    connect: Callable[[], Connection]
    site: str

    @property
    def name(self) -> str:
        """For messages."""
        return "the cluster as a policy report" if self.site == "default" else f"the cluster of {self.site} as a policy report"

    def publish(self, finished: Finished, deadline: Deadline) -> None:
        """Write the object. Raises Trouble."""
        from exivity_audit.reports.policy_report import cleaned, policy_report

        site = next(one for one in finished.card.judgement.snapshot.sites if one.name == self.site)
        if site.unreached:
            raise Trouble("the site was not reached, so there is nothing to say of it there", "see why it was not reached")
        try:
            connection = self.connect()
        except AuditError as error:
            raise Trouble(error.message.rstrip("."), error.hint.rstrip(".")) from None
        with ReportWriter(connection, site.namespace, site.release, deadline) as writer:
            api = writer.served()
            made = policy_report(finished.report, api.api_version, api.kind, name=object_name(site.release), site=site.name)
            writer.apply(api, cleaned(made))
