"""``exivity-audit preflight``: tell which rights are missing, and what stays unseen without them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from exivity_audit.cli.options import ACCESS, JUDGING, Grouped, add
from exivity_audit.errors import one_line

if TYPE_CHECKING:
    from exivity_audit.cli.preparation import Preparation
    from exivity_audit.collect.session import Access


@click.command("preflight", cls=Grouped, context_settings={"max_content_width": 110})
@add(ACCESS, JUDGING)
def command(**flags: Any) -> int:
    """Ask each cluster about every right an audit needs, one by one, and name the checks that would go blind.

    Exit codes: 0 all rights are there, 3 some are missing or a site cannot be reached, 4 no cluster.
    """
    from exivity_audit.cli.preparation import accesses, prepare
    from exivity_audit.cli.site_plan import plan
    from exivity_audit.collect.connection import cluster_behind
    from exivity_audit.errors import Unreachable, UsageError

    prepared = prepare(flags)
    live = plan(flags, prepared).live
    if not live:
        raise UsageError("the config's sites are all snapshots: there is no cluster to ask", "name one with --context or --site")
    found = accesses(live, flags, prepared.config)
    if len(found) == 1:
        return _site(found[0], prepared, "")
    for access in found:
        cluster_behind(access.kubeconfig, access.context)
    codes, lost = [], list[Unreachable]()
    for access in found:
        try:
            codes.append(_site(access, prepared, f"site {access.site}: "))
        except Unreachable as error:
            lost.append(error)
            codes.append(3)
            click.echo(f"site {access.site}: not reached: {one_line(error.message, 300)}")
        except UsageError as error:
            raise type(error)(f"site {access.site}: {error.message}", error.hint) from error
        click.echo()
    if len(lost) == len(found):
        raise Unreachable(f"None of the {len(found)} sites could be reached", lost[0].hint)
    return max(codes)


def _site(access: Access, prepared: Preparation, place: str) -> int:
    """Ask one cluster and tell what is missing. Raises UsageError and Unreachable."""
    from exivity_audit.collect.reads import READS
    from exivity_audit.collect.session import open_session
    from exivity_audit.rights import needs
    from exivity_audit.selection import reads_needed

    session = open_session(access)
    try:
        wanted = reads_needed(prepared.pack, prepared.selected)
        reads = [read for read in (*READS, *prepared.pack.reads) if _asked(session, read)]
        collector = session.collector((*READS, *prepared.pack.reads))
        asked = needs(prepared.pack, reads, wanted, collector.places)
        with ThreadPoolExecutor(8) as workers:
            answers = list(workers.map(lambda need: _allowed(session, need, collector), asked))
    finally:
        session.close()
    click.echo(f"{place}{session.base.cluster.name}, release {session.target}, as {session.base.identity or 'an unknown identity'}\n")
    missing = [(need, answer) for need, answer in zip(asked, answers, strict=True) if answer is not True]
    for need, answer in missing:
        click.echo(f"{'missing' if answer is False else 'not answered'}  {need.rule}")
        if need.needing:
            clauses = sorted({clause for check in need.needing for clause in check.clauses})
            click.echo(f"         blind: {', '.join(check.id for check in need.needing)}  (clauses {' '.join(clauses)})")
        if need.other:
            click.echo(f"         less evidence, or unknown: {', '.join(check.id for check in need.other)}")
    click.echo(f"{len(asked) - len(missing)} of {len(asked)} rights are there" + ("." if not missing else f", {len(missing)} are missing."))
    return 3 if missing else 0


def _asked(session: Any, read: Any) -> bool:
    """Whether a run with these flags would ask for this."""
    if read.opt_in:
        return bool(read.resource == "kubelet/stats" and session.access.kubelet_stats)
    return session.discovery.find(read.resource) is not None


def _allowed(session: Any, need: Any, collector: Any) -> bool | None:
    """Whether a right is there; or, where the read has narrower places to fall back on, all of theirs."""
    answer = _review(session, need.rule)
    narrower = [place for name in need.reads for place in collector.narrower(name)]
    if answer is True or not narrower:
        return answer
    rules = [replace(need.rule, namespace=place.namespace) for place in narrower]
    return True if all(_review(session, rule) is True for rule in rules) else answer


def _review(session: Any, rule: Any) -> bool | None:
    plain, _, part = rule.resource.partition("/")
    served = session.discovery.find(plain)
    review = session.discovery.find("selfsubjectaccessreviews.authorization.k8s.io")
    if review is None:
        return None
    attributes = {"verb": rule.verb, "group": served.group, "version": served.version, "resource": served.plural}
    attributes |= {key: value for key, value in (("namespace", rule.namespace), ("name", rule.name), ("subresource", part)) if value}
    body = {"apiVersion": f"{review.group}/{review.version}", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": attributes}}
    answer = session.transport.post_review(review.path(), body)
    status = answer.body.get("status") if isinstance(answer.body, dict) else None
    return status.get("allowed") if isinstance(status, dict) and isinstance(status.get("allowed"), bool) else None
