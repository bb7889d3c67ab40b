"""How old the credentials are."""

from __future__ import annotations

from exivity_audit import (
    MEDIUM,
    NEW_SECRET,
    Duration,
    Subject,
    at_most,
    check,
    fail,
    malformed,
    maybe,
    ok,
    print_duration,
    reasons_of,
    seen,
    skip,
    task,
    to_attest,
    unknown,
)
from exivity_audit.facts.helm import secret_value

KEYS = ("appKey", "jwtSecret")  # the chart keeps the installed one, whatever the values say
RECORD = "data.release"
PATHS = "metadata.managedFields"


@check(
    "credential-rotation", severity=MEDIUM, clauses=("D5",),
    attest="attach the record of the last rotation of each credential, with its date",
)  # fmt: skip
def credential_rotation(credentials, release, thresholds, now, revisions=maybe):
    """Credentials are rotated.

    Who once read a credential, in a backup, a log or a laptop that was lost, can use it for as long as it stays. A value is no older than its
    object and was changed no later than the object's data were: between the two the stored values of Helm's revisions decide.

    Fix: give each credential a new value at least once a year, at its server and in the chart's values together.
    """
    policy = at_most(thresholds["credentials.age"])
    yield from malformed(item for kept in credentials if seen(kept.members) for item in kept.members.unreadable)
    for kept in credentials:
        if not seen(kept.members):
            for number, reason in enumerate(reasons_of(kept.members)):
                part = kept.what if not number else f"{kept.what} {number + 1}"
                yield unknown(Subject("Release", release.name, release.namespace, part), reason.text, needs=reason.needs)
            continue
        for one in kept.members:
            yield skip(one, "missing", follows=kept.leader) if one.value.known == "empty" and kept.leader else aged(one, policy, now, revisions)
        if not kept.members and kept.leader and not kept.members.unreadable:
            yield skip(Subject("Release", release.name, release.namespace, kept.what), "missing", follows=kept.leader)


def since(moment, now):
    """How long ago, never less than nothing."""
    return Duration(max((now - moment).total_seconds(), 0))


def day(moment):
    """A moment as the report prints it."""
    return f"{moment.day} {moment:%b %Y}"


def aged(one, policy, now, revisions):
    """The verdict on one credential."""
    at = [(one, "metadata.creationTimestamp", str(one.created or "none")), (one, PATHS, str(one.changed or "none"))]
    fix = renewed(one)
    if one.changed is not None and since(one.changed, now) > policy.value:
        age = since(one.changed, now)
        return fail(one, age, seen=f"last changed on {day(one.changed)}, {print_duration(age)} ago", wanted=policy, at=at, fix=fix)
    if one.created is not None and since(one.created, now) <= policy.value:
        age = since(one.created, now)
        return ok(one, age, seen=f"no older than its object, made on {day(one.created)}", at=at, wanted=policy)
    told = by_revisions(one, policy, now, revisions)
    if told is not None:
        old, revision, text = told
        age = since(revision.deployed, now)
        shown = [*at, (revision, RECORD, f"revision {revision.number}")]
        return fail(one, age, seen=text, wanted=policy, at=shown, fix=fix) if old else ok(one, age, seen=text, at=shown, wanted=policy)
    bounds = f"its object is of {day(one.created)}" if one.created else "its object does not say of when it is"
    written = f", its data were written on {day(one.changed)}" if one.changed else ", and who wrote its data when is not kept"
    return to_attest(one, f"{bounds}{written}: record the last rotation in `evidence.yaml`", at=at)


def by_revisions(one, policy, now, revisions):
    """Whether stored revisions prove a credential old or new: (old, revision, words); None where they do not."""
    if not seen(revisions):
        return None
    dated = [
        (item, given.group) for item in revisions if item.deployed is not None and (given := secret_value(item, one.values_path)) is not None
    ]  # newest first
    for item, group in reversed(dated):
        if group == one.value.group and since(item.deployed, now) > policy.value:
            return True, item, f"the value that revision {item.number} of {day(item.deployed)} names"
    if one.what in KEYS:
        return None
    others = [item for item, group in dated if group != one.value.group and since(item.deployed, now) <= policy.value]
    current = [item for item, group in dated if group == one.value.group]
    if others and current and others[0].number < current[0].number:
        return False, others[0], f"another value than revision {others[0].number} of {day(others[0].deployed)} names"
    return None


def renewed(one):
    """How a credential gets a new value."""
    if one.what == "appKey":
        ask = "Ask Exivity support how data encrypted with the old appKey is carried over, then renew it in its Secret and as `secret.appKey`"
        return task(ask, fill="secret.appKey", needs=NEW_SECRET)
    if one.what == "jwtSecret":
        write = "Write a new random value into the Secret of the jwtSecret and as `secret.jwtSecret`, and restart the services: all log in anew"
        return task(write, fill="secret.jwtSecret", needs=NEW_SECRET)
    return task(
        f"Give the login a new random password at its server, and set `{one.values_path}` to the same", fill=one.values_path, needs=NEW_SECRET
    )
