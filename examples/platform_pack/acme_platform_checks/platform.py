"""Row platform: the namespace has an owner, and room left in its quota."""

from __future__ import annotations

from dataclasses import dataclass

from exivity_audit import LOW, MEDIUM, Source, Subject, at_most, check, fact, fail, ok, task, wanted, warn

OWNER = "acme.example/owner"


@dataclass(frozen=True)
class QuotaUse:
    """One limit of a ResourceQuota and the share of it that is used."""

    subject: Subject
    source: Source
    resource: str
    share: float


@fact
def quota_uses(quotas):
    """Every limit of every quota in the namespace; a quota whose numbers do not parse is unreadable, its siblings are not."""

    def build(item):
        names = sorted(item.mapping("status.hard"))
        limits = {name: item.number(f"status.hard[{name}]") for name in names}
        used = {name: item.number(f"status.used[{name}]") or 0 for name in names}
        return [QuotaUse(item.subject.at(name), item.source, name, used[name] / limits[name]) for name in names if limits[name]]

    return quotas.each(build)


@check("owner", severity=LOW, clauses=("ACME1",))
def owner(own_namespace):
    """The namespace names its owner.

    At night somebody must be called, and the label is where the person on duty looks.

    Fix: label the namespace with `acme.example/owner`.
    """
    for namespace in own_namespace:
        name = namespace.labels().get(OWNER)
        if name:
            yield ok(namespace, name, at=f"metadata.labels[{OWNER}]")
        else:
            yield fail(
                namespace, "no owner", wanted=wanted(f"the label {OWNER}"), at="metadata.labels", fix=task(f"Label the namespace with {OWNER}")
            )


@check("quota", severity=MEDIUM, clauses=("ACME2",))
def quota(quota_uses, release, thresholds):
    """The namespace has a quota with room left.

    A quota that is used up keeps the next upgrade from starting its pods.

    Fix: ask the platform team to raise the quota.
    """
    limit = thresholds["platform.quota"]
    uses = [use for one in quota_uses for use in one]
    if not uses and not quota_uses.surely():
        yield warn(release.subject, "no quota", wanted=wanted("a ResourceQuota"), fix=task("Ask the platform team for a quota"))
    for use in uses:
        at = [(use, "status.used", f"{use.share:.0%} of {use.resource}")]
        if use.share <= limit:
            yield ok(use, round(use.share, 2), wanted=at_most(limit), at=at)
        else:
            yield fail(use, round(use.share, 2), wanted=at_most(limit), at=at, fix=task(f"Ask the platform team to raise {use.resource}"))
