"""``exivity-audit rbac``: write the roles that an audit needs, and no more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from exivity_audit.cli.filling import TARGET
from exivity_audit.cli.options import ACCESS, JUDGING, Grouped, add
from exivity_audit.cli.saying import tell

if TYPE_CHECKING:
    from exivity_audit.cli.preparation import Preparation
    from exivity_audit.collect.release import Target
    from exivity_audit.rights import Rights
    from exivity_audit.roles import Account


@click.command("rbac", cls=Grouped, context_settings={"max_content_width": 110})
@click.option("--snapshot", "snapshot_file", metavar="[NAME=]FILE", help="Find out where reads look from this saved file instead of a cluster.")
@click.option("--namespaced", is_flag=True, help="Roles alone, no ClusterRole: what lies outside namespaces stays unseen.")
@click.option("--in", "within", metavar="NAMESPACE", multiple=True, help="With --namespaced: roles in these namespaces alone; repeatable.")
@click.option("--name", default="exivity-audit", show_default=True, help="Name of the roles and bindings.")
@click.option("--service-account", "account", metavar="NAMESPACE:NAME", help="Also the service account, and the bindings to it.")
@click.option(
    "--publish-policy-reports", "policy_reports", is_flag=True, help="Also the right to write the tool's own policy report: the only write."
)
@add(TARGET, ACCESS, JUDGING)
def command(
    snapshot_file: str | None,
    namespaced: bool,
    within: tuple[str, ...],
    name: str,
    account: str | None,
    policy_reports: bool,
    file: Path | None,
    force: bool,
    **flags: Any,
) -> int:
    """Write the exact Role and ClusterRole for the selected checks and one release, each rule with the checks that need it.

    Where reads look is found out from the cluster, with the rights of who asks, or from --snapshot. Verbs are get and list (but for
    --probe-port-forward and --publish-policy-reports), nothing is a wildcard, and nothing is applied: review the file, then `kubectl apply -f` it.

    Exit codes: 0 written, 2 usage, 4 no cluster.
    """
    from exivity_audit.cli.filling import hand_over, must_be_free
    from exivity_audit.cli.preparation import prepare
    from exivity_audit.errors import UsageError
    from exivity_audit.roles import manifest

    if within and not namespaced:
        raise UsageError("--in belongs to --namespaced", "give both, or leave --in out")
    _must_be_names(name, *within)
    bound = _account(account)
    must_be_free(file, force)
    prepared = prepare(flags)
    where, target, rights = _of_snapshot(snapshot_file, prepared, flags) if snapshot_file else _of_cluster(prepared, flags)
    found = rights(namespaced, frozenset(within))
    if not found.needs:
        raise UsageError("no rule is left: the selected checks read nothing in these namespaces", "choose other checks or namespaces")
    if policy_reports:
        found = _with_reports(found, target)
    hand_over(manifest(found, _head(where, target, {**flags, "policy_reports": policy_reports}), name, bound), file)
    count, blind = len(found.needs), len({check.id for item in found.left_out for check in item.needing})
    without = f"; {blind} {'check does' if blind == 1 else 'checks do'} without what they need: see the file's first lines" if blind else ""
    tell(f"{file or 'roles'}: {count} rights for release {target}{without}", err=file is None)
    return 0


def _of_cluster(prepared: Preparation, flags: dict[str, Any]) -> tuple[str, Target, Any]:
    """Which cluster it is, its release, and how to get the rights there."""
    from exivity_audit.cli.preparation import accesses
    from exivity_audit.cli.site_plan import plan
    from exivity_audit.collect.reads import READS
    from exivity_audit.collect.session import open_session
    from exivity_audit.errors import UsageError
    from exivity_audit.rights import merged, rights, terms_of

    live = plan(flags, prepared).live
    if len(live) != 1:
        raise UsageError(f"roles are of one cluster, and {len(live)} sites are to be read", "name one with --site, --context or --snapshot")
    (access,) = accesses(live, flags, prepared.config)
    session = open_session(access)
    reads = (*READS, *prepared.pack.reads)

    def found(namespaced: bool, within: frozenset[str]) -> Rights:
        try:
            terms = terms_of(session.target.namespace, access.kubelet_stats, access.probes, prepared.config, namespaced=namespaced, within=within)
            return merged(rights(prepared.pack, reads, prepared.selected, session.collector(reads), terms))
        finally:
            session.close()

    return f"cluster {session.base.cluster.name}", session.target, found


def _of_snapshot(spec: str, prepared: Preparation, flags: dict[str, Any]) -> tuple[str, Target, Any]:
    """The same of a saved site."""
    from exivity_audit.cli.preparation import seconds
    from exivity_audit.cli.saved_sites import opened
    from exivity_audit.collect.reads import READS
    from exivity_audit.collect.recorded import Recorded, target_of
    from exivity_audit.errors import UsageError
    from exivity_audit.probes.asked import asked_of
    from exivity_audit.rights import merged, rights, terms_of

    sites = opened([spec])[0].snapshot.sites
    if len(sites) != 1:
        names = ", ".join(site.name for site in sites)
        raise UsageError(f"roles are of one cluster, and the snapshot holds the sites {names}", f"write --snapshot {sites[0].name}={spec}")
    site = sites[0]
    reads, target = (*READS, *prepared.pack.reads), target_of(site)
    limit = seconds(flags["probe_limit"], "--probe-limit")
    probes = asked_of(
        flags["probe"], limit, prepared.config.probes, port_forward=flags["probe_port_forward"], default_logins=flags["probe_default_logins"]
    )

    def found(namespaced: bool, within: frozenset[str]) -> Rights:
        terms = terms_of(target.namespace, flags["kubelet_stats"], probes, prepared.config, namespaced=namespaced, within=within)
        return merged(rights(prepared.pack, reads, prepared.selected, Recorded(site, reads, flags["secrets"]), terms))

    return f"a snapshot of cluster {site.cluster.name}, {site.now}", target, found


def _with_reports(found: Rights, target: Target) -> Rights:
    """The rights with those of publishing a policy report: three verbs on one name, in each of the two APIs."""
    from exivity_audit.publishing.cluster_writer import write_rules
    from exivity_audit.rights import Need, Rights

    why = ("its policy report, the only thing that it writes (--publish-policy-reports)",)
    return Rights((*found.needs, *(Need(rule, (), (), (), why) for rule in write_rules(target.namespace, target.name))), found.left_out)


def _head(where: str, target: Target, flags: dict[str, Any]) -> list[str]:
    """The first lines: what the roles are for, and the run that they allow."""
    from exivity_audit.version import version

    chosen = [word for flag, key in (("--checks", "chosen"), ("--skip", "skipped")) for one in flags[key] for word in (flag, one)]
    words = ["exivity-audit", "run", "-n", target.namespace, "--release", target.name, "--secrets", flags["secrets"], *chosen]
    words += ["--kubelet-stats"] if flags["kubelet_stats"] else []
    words += [f"--probe={flags['probe']}"] if flags["probe"] else []
    words += ["--probe-port-forward"] if flags["probe_port_forward"] else []
    words += ["--publish-policy-reports"] if flags["policy_reports"] else []
    return [
        f"What exivity-audit {version()} reads of release {target}, from {where}; made by `exivity-audit rbac`.",
        f"It allows this run: {' '.join(words)}",
        "The server's version, its list of APIs and the reviews of oneself need no rule: every authenticated account has them.",
    ]


def _account(text: str | None) -> Account | None:
    from exivity_audit.errors import UsageError
    from exivity_audit.roles import Account

    if text is None:
        return None
    namespace, colon, name = text.partition(":")
    if not colon:
        raise UsageError(f"--service-account {text[:80]!r} is not NAMESPACE:NAME", "write for example monitoring:exivity-audit")
    _must_be_names(namespace, name)
    return Account(namespace, name)


def _must_be_names(*names: str) -> None:
    from exivity_audit.cli.preparation import NAME
    from exivity_audit.errors import UsageError

    for name in names:
        if not NAME.fullmatch(name):
            raise UsageError(f"{name[:60]!r} is no name that Kubernetes takes", "lower-case letters, digits, dots and dashes")
