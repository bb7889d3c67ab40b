"""Flags that several commands share, named as kubectl names them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])
FILE = click.Path(path_type=Path, dir_okay=False)


def _variable(name: str) -> str:
    return f"EXIVITY_AUDIT_{name}"


SNAPSHOTS = (
    click.option("--snapshot", "snapshots", metavar="[NAME=]FILE[:ROLE]", multiple=True,
                 help="Judge this saved file instead of a cluster; repeatable, a file for each site."),
)  # fmt: skip
ROLE = (
    click.option("--site-role", type=click.Choice(["active", "passive"]), envvar=_variable("SITE_ROLE"), help="Role of this site in a multi-site pair."),
)  # fmt: skip
PROBES = (
    click.option("--probe", "probe", is_flag=False, flag_value="all", metavar="[NAMES]", envvar=_variable("PROBE"),
                 help="Try what clients see: dns, tls, http, postgresql, rabbitmq; all, or these.  [default: no probe]"),
    click.option("--probe-limit", default="60s", show_default=True, envvar=_variable("PROBE_LIMIT"), help="Time limit of all probes together."),
    click.option("--probe-port-forward", is_flag=True, envvar=_variable("PROBE_PORT_FORWARD"),
                 help="Reach servers inside the cluster through a port-forward (right: get and create pods/portforward)."),
    click.option("--probe-default-logins", is_flag=True, envvar=_variable("PROBE_DEFAULT_LOGINS"),
                 help="Also try whether well-known logins are refused."),
)  # fmt: skip
ACCESS = (
    click.option("--kubeconfig", type=FILE, help="Kubeconfig file; else KUBECONFIG, ~/.kube/config, the pod's service account."),
    click.option("--context", envvar=_variable("CONTEXT"), help="Context of the kubeconfig."),
    click.option("--site", "site_specs", metavar="NAME=CONTEXT[:ROLE]", multiple=True,
                 help="A site to audit: its name, its context, active or passive; repeatable, all in one report. NAME alone is a site of the config."),
    click.option("-n", "--namespace", envvar=_variable("NAMESPACE"), help="Namespace of the release; else the release is looked for."),
    click.option("--release", envvar=_variable("RELEASE"), help="Release name, where several are installed or nothing may be listed."),
    click.option("--request-timeout", default="30s", show_default=True, help="Time limit of one request."),
    click.option("--deadline", default="2m", show_default=True, envvar=_variable("DEADLINE"), help="Time limit of all reading; what is late is unknown."),
    click.option("--cluster-name", metavar="NAME", envvar=_variable("CLUSTER_NAME"), help="What reports call the cluster; else as the kubeconfig does."),
    click.option("--as", "impersonate", metavar="USER", help="Act as this user."),
    click.option("--as-group", "impersonate_groups", metavar="GROUP", multiple=True, help="Act as a member of this group."),
    click.option("--insecure-skip-tls-verify", "insecure", is_flag=True, help="Do not verify the server's certificate; the report says so."),
    click.option("--secrets", type=click.Choice(["none", "named", "list"]), default="list", show_default=True, envvar=_variable("SECRETS"),
                 help="Read no Secrets; those of known names; or also Helm's revisions."),
    click.option("--kubelet-stats", is_flag=True, envvar=_variable("KUBELET_STATS"),
                 help="Ask the kubelets how full the volumes are (right: get nodes/stats; port 10250 of the nodes)."),
    click.option("--parity-key", type=FILE,
                 help="Key by which the secrets of snapshots taken apart can be compared (see `exivity-audit parity-key`)."),
    *PROBES,
    *ROLE,
)  # fmt: skip
HISTORY = (
    click.option("--history", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", envvar=_variable("HISTORY"),
                 help="Folder of past JSON reports: trend, and how fast volumes grow."),
)  # fmt: skip
PACKS = (click.option("--pack", "pack_folders", type=click.Path(path_type=Path, file_okay=False), multiple=True, help="Folder of further checks."),)
JUDGING = (
    click.option("--config", "config_file", type=FILE, envvar=_variable("CONFIG"), help="Config file.  [default: exivity-audit.yaml here, if any]"),
    click.option("--scenario", type=click.Choice(["auto", "single-node", "multi-node", "multi-site"]), envvar=_variable("SCENARIO"),
                 help="Deployment scenario.  [default: auto]"),
    click.option("--purpose", type=click.Choice(["production", "evaluation"]), envvar=_variable("PURPOSE"), help="What the installation is for.  [default: production]"),
    click.option("--checks", "chosen", metavar="IDS", multiple=True, envvar=_variable("CHECKS"), help="Only these: ids, rows, globs, with commas."),
    click.option("--skip", "skipped", metavar="IDS", multiple=True, envvar=_variable("SKIP"), help="All but these."),
    *PACKS,
    click.option("--evidence", type=FILE, envvar=_variable("EVIDENCE"), help="Attestations (evidence.yaml)."),
    click.option("--now", metavar="TIME", help="Judge as of this time (2026-11-23T12:00:00Z) instead of the snapshot's."),
)  # fmt: skip
REPORT = (
    click.option("-o", "--output", "outputs", metavar="FORMAT[=FILE]", multiple=True, help="table, html, json, jsonl, junit, sarif, markdown, csv, prometheus, policyreport, openreports, github, fixes (chart values), actions (register) or runbook (failover); repeatable.  [default: table]"),
    click.option("--lang", "language", type=click.Choice(["en", "nl", "de"]), default="en", show_default=True, envvar=_variable("LANG"), help="Language of the HTML page."),
    click.option("--fail-on", default="low", show_default=True, envvar=_variable("FAIL_ON"), metavar="LEVEL",
                 help="Exit 1 from this on: critical, high, medium, low, warn:LEVEL, gate."),
    click.option("--min-score", type=float, envvar=_variable("MIN_SCORE"), help="Exit 1 below this score."),
    click.option("--report-only", is_flag=True, help="Exit 0 whatever was found."),
    click.option("--short", is_flag=True, help="A message short enough for a chat."),
    click.option("-q", "--quiet", is_flag=True, help="No report on standard output."),
    click.option("-v", "--verbose", is_flag=True, help="Every subject, source and passed check."),
    click.option("--ascii", is_flag=True, help="ASCII characters only."),
    click.option("--stats", is_flag=True, help="Requests, bytes, times and what each check cost, on standard error."),
    click.option("--explain-score", is_flag=True, help="Print the arithmetic of score and coverage."),
)  # fmt: skip
PUBLISHING = (
    click.option("--push", "push_url", metavar="URL", envvar=_variable("PUSH"), help="Pushgateway that takes the metrics."),
    click.option("--webhook", "webhooks", metavar="KIND=SECRET", multiple=True, envvar=_variable("WEBHOOK"),
                 help="Post the short form: slack, teams or json = the file, or env:NAME, that holds the URL; repeatable."),
    click.option("--bucket", "bucket_url", metavar="URL", envvar=_variable("BUCKET"), help="S3-compatible https://HOST/BUCKET/PREFIX that takes the JSON report."),
    click.option("--publish-policy-reports", "policy_reports", is_flag=True, envvar=_variable("PUBLISH_POLICY_REPORTS"),
                 help="Write one policy report object into the release's namespace: the only write there is."),
    click.option("--publish-ca", "publish_ca", type=FILE, envvar=_variable("PUBLISH_CA"), help="Authorities of these servers, besides the system's."),
    click.option("--publish-timeout", default="20s", show_default=True, envvar=_variable("PUBLISH_TIMEOUT"), help="Time limit of each of them."),
    click.option("--no-publish", is_flag=True, help="Send nothing, whatever config and environment say."),
)  # fmt: skip


RARE = frozenset(
    {
        "--request-timeout", "--as", "--as-group", "--insecure-skip-tls-verify", "--secrets", "--kubelet-stats", "--parity-key", "--site-role", "--pack", "--now", "--ascii",
        "--probe-limit", "--probe-port-forward", "--probe-default-logins", "--lang", "--stats", "--cluster-name", "--history-keep", "--history-age", "--explain-score",
    }
)  # fmt: skip
PUBLISHED = "Publishing (each is off until it is named)"
DESTINATIONS = frozenset({"--push", "--webhook", "--bucket", "--publish-policy-reports", "--publish-ca", "--publish-timeout", "--no-publish"})


class Grouped(click.Command):
    """A command whose rare flags and destinations stand under headings of their own in its help."""

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        groups: dict[str, list[tuple[str, str]]] = {"Options": [], PUBLISHED: [], "Rare": []}
        for parameter in self.get_params(context):
            record = parameter.get_help_record(context)
            if record is not None:
                names = set(parameter.opts)
                groups[PUBLISHED if DESTINATIONS & names else "Rare" if RARE & names else "Options"].append(record)
        for title, records in groups.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def add(*groups: tuple[Callable[[Any], Any], ...]) -> Callable[[Command], Command]:
    """Add groups of options to a command, in their order."""

    def decorate(function: Command) -> Command:
        for group in reversed(groups):
            for option in reversed(group):
                function = option(function)
        return function

    return decorate
