"""The ledger, and how old the copies of the data are."""

from __future__ import annotations

from exivity_audit import HIGH, Subject, at_most, check, fail, maybe, ok, print_duration, seen, skip, task, to_attest, unknown, wanted
from exivity_audit.facts.copies import KEPT_CLAIMS, Kind, State
from exivity_audit.facts.database import DatabaseKind
from exivity_audit.facts.database_backups import Method

from .shared import OUTSIDE, PASSIVE, shown, told, way


def ago(entry):
    """The copy in words: by whom, how long ago."""
    by = entry.copied_by or "copied"
    return f"{by}: {print_duration(entry.age)} ago" if entry.age is not None else f"{by}: nothing says when"


def missing(entries, release, why, needs):
    """Verdicts on claims of the ledger that are not there."""
    there = {entry.item for entry in entries}
    for part in KEPT_CLAIMS:
        subject = Subject("PersistentVolumeClaim", f"{release.fullname}-{part}", release.namespace)
        if subject.name in there or any(item.subject == subject for item in entries.unreadable):
            continue
        if why or not release.fullname_seen:
            yield unknown(subject, why or "the chart's FN was not seen, so the claims' names are a guess", needs=needs)
        else:
            yield skip(subject, "the claim is missing", follows="storage/claims-bound")


@check("ledger", severity=HIGH, clauses=("F9",), passive=PASSIVE, attest=f"{OUTSIDE}; for the Secrets name the vault that keeps them")
def ledger(ledger, claim_copies, release, database=maybe, database_backup=maybe):
    """Everything that must survive has a copy.

    A copy that nobody set up is missed on the day it is needed: the seven claims with data, the database by its own backup, and the four
    Secrets, without which an encrypted database cannot be read.

    Fix: reach every volume with a backup job or a Velero schedule, back the database up natively, and keep the Secrets in a vault.
    """
    by_claim = {str(one.subject): one for one in claim_copies}
    why, needs = told(ledger.partial)
    yield from missing(ledger, release, why, needs)
    for entry in ledger:
        if entry.kind is Kind.CLAIM:
            yield claim_verdict(entry, by_claim[str(entry.subject)])
        elif entry.kind is Kind.DATABASE:
            yield database_verdict(entry, database, database_backup)
        elif entry.kind is Kind.SECRETS:
            yield kept_verdict(entry, "kept")
        else:
            note = entry.note or ago(entry)
            yield ok(entry, entry.state.value, seen=note, at=shown(entry), remark=note if entry.state is State.NEEDLESS else "")


def absent(entry, claim):
    """The skip for a claim that has no volume to copy."""
    return skip(entry, entry.note, follows="storage/claims-lost" if claim.phase == "Lost" else None)


def kept_verdict(entry, word):
    """The verdict on what is copied, or is somewhere that no cluster shows."""
    if entry.copied:
        return ok(entry, entry.copied_by, seen=ago(entry), at=shown(entry), remark="late" if entry.state is State.LATE else "")
    why, needs = told(entry.unread)
    if why:
        return unknown(entry, why, needs=needs)
    return to_attest(entry, entry.note or f"no cluster shows where else it is {word}")


def claim_verdict(entry, copies):
    """The verdict on a claim: whether there is a good copy of it at all."""
    if entry.state is State.NEEDLESS:
        return absent(entry, copies.claim)
    if entry.copied or entry.state is not State.NONE:
        return kept_verdict(entry, "copied")
    text = f"UNCOVERED: {entry.copied_by}, and {entry.note}" if entry.copied_by else f"UNCOVERED: {entry.note}"
    return fail(
        entry, "no copy", seen=text, wanted=wanted("a good copy off the cluster"), at=[(copies, "metadata.name", "no copy")], fix=task(way(copies))
    )


def database_verdict(entry, database, backup):
    """The verdict on the database: whether it is backed up natively."""
    if seen(database) and database.kind is DatabaseKind.MISSING:
        return skip(entry, "the configured host leads to no database", follows="postgresql/reachable")
    if seen(backup) and backup.method is Method.SNAPSHOT and entry.copied:
        return skip(entry, "volume snapshots alone, which are no native backup", follows="backups/not-volumes-alone")
    if entry.state is State.NONE:
        return skip(entry, entry.note or "no native backup has succeeded", follows="postgresql/backups")
    return kept_verdict(entry, "copied")


@check("recent", severity=HIGH, clauses=("F9",), passive=PASSIVE, attest=OUTSIDE)
def recent(ledger, claim_copies, release):
    """Each data claim has a recent copy.

    What was written since the last good copy is lost with the volume: a job that has failed for a week is found on the day of the restore.

    Fix: read what keeps the job from succeeding, mend it, and run it once by hand.
    """
    by_claim = {str(one.subject): one for one in claim_copies}
    why, needs = told(ledger.partial)
    yield from missing(ledger, release, why, needs)
    for entry in ledger.where(lambda one: one.kind is Kind.CLAIM):
        yield age_verdict(entry) if entry.state is not State.NEEDLESS else absent(entry, by_claim[str(entry.subject)].claim)


def age_verdict(entry):
    """The verdict on how old a claim's last good copy is."""
    why, needs = told(entry.unread)
    if entry.state is State.NONE:
        return skip(entry, "nothing has copied it yet", follows="backups/ledger")
    if entry.state is State.UNKNOWN and why:
        return unknown(
            entry, f"its last copy is {print_duration(entry.age)} old; a newer one is not ruled out: {why}" if entry.age else why, needs=needs
        )
    if entry.undated:
        return unknown(entry, "nothing says of when its last copy is", at=shown(entry))
    if entry.state is State.UNKNOWN:
        return to_attest(entry, entry.note)
    if entry.state is State.FRESH:
        note = (
            f"older than the recovery point with its margin, {print_duration(entry.within)}: its job runs more rarely"
            if entry.age > entry.within
            else ""
        )
        return ok(entry, entry.age, seen=ago(entry), at=shown(entry), remark=note)
    fix = task("Read why the last runs failed (`kubectl get backups.longhorn.io -A`, `velero backup describe --details`), then run one by hand")
    return fail(entry, entry.age, seen=ago(entry), wanted=at_most(entry.limit), at=shown(entry), fix=fix)
