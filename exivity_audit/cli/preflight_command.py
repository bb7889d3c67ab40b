"""``exivity-audit preflight``: tell which rights are missing, and what stays unseen without them."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct
from msgspec.structs import replace

from exivity_audit.cli.options import ACCESS, JUDGING, Grouped, add
from exivity_audit.cli.saying import tell
from exivity_audit.errors import one_line

if TYPE_CHECKING:
    from exivity_audit.check import Check
    from exivity_audit.cli.preparation import Preparation
    from exivity_audit.collect.session import Access
    from exivity_audit.rights import Need


class Answer(Struct, frozen=True):
    """Whether a right is there (None: the server did not say); else in which namespaces that are looked at instead."""

    allowed: bool | None
    instead: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """How the answer is printed."""
        return "partly" if self.instead else "not answered" if self.allowed is None else "missing"


@click.command("preflight", cls=Grouped, context_settings={"max_content_width": 110})
@add(ACCESS, JUDGING)
def command(**flags: Any) -> int:
    """Ask each cluster about every right an audit needs, one by one, and name the checks that would go blind.

    `exivity-audit rbac` writes the roles that give these rights. Exit codes: 0 all rights are there, 3 some are missing or a site cannot be
    reached, 4 no cluster.
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
    from exivity_audit.rights import rights, terms_of

    session = open_session(access)
    try:
        reads = (*READS, *prepared.pack.reads)
        terms = terms_of(session.target.namespace, access.kubelet_stats, access.probes, prepared.config)
        asked = rights(prepared.pack, reads, prepared.selected, session.collector(reads), terms)
        with ThreadPoolExecutor(8) as workers:
            answers = list(workers.map(lambda need: _answer(session, need), asked.needs))
    finally:
        session.close()
    tell(f"{place}{session.base.cluster.name}, release {session.target}, as {session.base.identity or 'an unknown identity'}")
    click.echo()
    missing = [(need, answer) for need, answer in zip(asked.needs, answers, strict=True) if answer.allowed is not True]
    for need, answer in missing:
        instead = f": only in {', '.join(answer.instead)}, so what lies elsewhere stays unseen" if answer.instead else ""
        tell(f"{answer.word}  {need.rule}{instead}")
        for why in need.why:
            tell(f"         unseen: {why}")
        _name(need.needing, need.other, partly=bool(answer.instead))
    for item in asked.left_out:
        tell(f"not asked  {item.what} ({item.why})")
        _name(item.needing, item.other)
    count = len(asked.needs)
    lost = f", {len(missing)} {'is' if len(missing) == 1 else 'are'} missing" if missing else ""
    click.echo(f"{count - len(missing)} of {count} rights are there{lost}.")
    return 3 if missing else 0


def _name(needing: Iterable[Check], other: Iterable[Check], *, partly: bool = False) -> None:
    """Name the checks that go blind, with their clauses, and those that see less."""
    blind, less = list(needing), list(other)
    if partly:
        blind, less = [], [*blind, *less]
    for word, checks in (("blind", blind), ("less evidence, or unknown", less)):
        if checks:
            clauses = sorted({clause for check in checks for clause in check.clauses})
            tell(f"         {word}: {', '.join(check.id for check in checks)}  (clauses {' '.join(clauses)})")


def _answer(session: Any, need: Need) -> Answer:
    """Whether a right is there; where it is not, in which of the narrower places that are tried instead it is."""
    allowed = _review(session, need.rule)
    if allowed is True:
        return Answer(True)
    narrower = [
        replace(need.rule, verb="get" if place.name else need.rule.verb, namespace=place.namespace, name=place.name) for place in need.narrower
    ]
    return Answer(allowed, tuple(rule.namespace or str(rule.name) for rule in narrower if _review(session, rule) is True))


def _review(session: Any, rule: Any) -> bool | None:
    plain, _, part = rule.resource.partition("/")
    served = session.discovery.find(plain)
    review = session.discovery.find("selfsubjectaccessreviews.authorization.k8s.io")
    if served is None or review is None:
        return None
    attributes = {"verb": rule.verb, "group": served.group, "version": served.version, "resource": served.plural}
    attributes |= {key: value for key, value in (("namespace", rule.namespace), ("name", rule.name), ("subresource", part)) if value}
    body = {"apiVersion": f"{review.group}/{review.version}", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": attributes}}
    answer = session.transport.post_review(review.path(), body)
    status = answer.body.get("status") if isinstance(answer.body, dict) else None
    return status.get("allowed") if isinstance(status, dict) and isinstance(status.get("allowed"), bool) else None
