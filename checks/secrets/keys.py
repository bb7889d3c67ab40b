"""appKey and jwtSecret: set by somebody, not generated at install or anew at every render."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

from exivity_audit import CRITICAL, NEW_SECRET, chart, check, fail, maybe, ok, seen, task, unknown, wanted, warn
from exivity_audit.facts.argocd import hides
from exivity_audit.facts.gitops import Tool
from exivity_audit.facts.helm import secret_value

from .shared import KNOWN, character_classes, secret_subject

SHORTEST_KEY, LONGEST_APP_KEY = 16, 64
EXPLICIT = wanted("the value that the chart's values name")
RECORD = "data.release"
SHAPE = "32 alphanumerics, as the chart generates them"
RENDERED_AGAIN = timedelta(hours=24)  # Argo CD keeps what it rendered for a day: a comparison after that is with a new render


class Named(NamedTuple):
    """A value of the key that some values name."""

    where: str
    fact: Any
    path: str
    value: Any


def _flaw(value, longest):
    """Why a key is unfit whoever set it; empty where it is fit."""
    if value.known:
        return KNOWN.get(value.known, "a known value")
    if value.length < SHORTEST_KEY:
        return f"{value.length} characters"
    return f"{value.length_text} characters" if longest is not None and value.length > longest else ""


def _key(held, name, path, longest, release, revisions, installer, given_values):
    """The verdict on appKey or jwtSecret: missing, unfit, explicit, ignored by an upgrade, or generated."""
    one = held.one()
    if one is None or one.value is None:
        held.surely()
        fix = task(
            f"Restore the Secret `{release.fullname}-{name}` from a backup and set `{path}` to the same: the next Helm upgrade fails without it",
            fill=path,
            needs=NEW_SECRET,
        )
        yield fail(one or secret_subject(release, name), "missing", wanted=EXPLICIT, at=one.path if one else (), fix=fix)
        return
    flaw = _flaw(one.value, longest)
    if flaw:
        size = f"{SHORTEST_KEY} to {longest}" if longest is not None else f"{SHORTEST_KEY} or more"
        fix = task(
            f"Set `{path}` to {size} random characters and put the same into the Secret `{one.subject.name}`: the chart keeps the installed"
            " value at every upgrade; restart the services, and ask Exivity support first how data encrypted with the old one is carried over",
            fill=path,
            needs=NEW_SECRET,
        )
        yield fail(one, flaw, wanted=wanted(f"{size} random characters"), at=one.path, fix=fix)
        return
    yield _origin(one, path, revisions, installer, given_values)


def _origin(one, path, revisions, installer, given_values):
    """Whether a fit key was given by somebody: by what values name, else by its shape and by who renders it."""
    live, argo = one.value, seen(installer) and installer.tool is Tool.ARGO
    weak = "guessable: few distinct characters, or common words" if live.strength == "weak" else ""
    inline = _named(given_values, path, lambda values: not values.stored, lambda values: (values.where, values.path))
    if argo and inline and inline[0].value.group != live.group:
        text = f"not the value that {inline[0].where} names: the next sync replaces it, or is told to leave it"
        return fail(one, "not the value given", seen=text, wanted=EXPLICIT, at=_at(one, inline[0]), fix=_record(one, path, installer))
    named = [*inline, *_named(revisions, path, lambda revision: True, lambda revision: (f"revision {revision.number}", RECORD))]
    equal = next((each for each in named if each.value.group == live.group), None)
    if equal is not None:
        ignored = f"{named[0].where} names another value, which the upgrade ignored" if named[0].value.group != live.group else ""
        remark = "; ".join(note for note in (weak, ignored) if note)
        return ok(one, "explicit", seen=f"the value that {equal.where} names", remark=remark, at=_at(one, equal))
    if named and not argo:
        revisions.surely()
        text = f"not the value that {named[0].where} names: the upgrade ignored it"
        return fail(one, "not the value given", seen=text, wanted=EXPLICIT, at=_at(one, named[0]), fix=_record(one, path, installer))
    if installer.tool in (Tool.ARGO, Tool.NONE) and installer.application is None and installer.doubt:
        return unknown(one, f"what Argo CD renders decides: {installer.doubt_text}", needs=installer.needs, at=one.path)
    if not live.generated_shape:
        if not argo:
            revisions.surely()  # a revision that was not seen may name another value
        text = f"{live.length_text} characters of {character_classes(live)}: the chart generates 32 alphanumerics"
        return ok(one, "explicit", seen=text, remark="; ".join(note for note in (weak, _drift(one, installer)) if note), at=one.path)
    if installer.tool is Tool.ARGO:
        return _rendered(one, path, installer)
    if installer.tool is Tool.FLUX and installer.helm_object is None and not installer.helm:
        return _applied(one, path, installer)
    return _generated(one, path, revisions, installer)


def _named(values, path, chosen, told):
    """The values that name the key, newest first."""
    found = values if seen(values) else ()
    return [Named(told(each)[0], each, told(each)[1], given) for each in found if chosen(each) and (given := secret_value(each, path)) is not None]


def _at(one, named):
    return [(one, one.path), (named.fact, named.path, "given")]


def _record(one, path, installer):
    """What makes a live key explicit."""
    keeper = installer.keeper if seen(installer) else None
    if keeper is None or installer.tool is not Tool.ARGO:
        return task(
            f"Set `{path}` to the live value of the Secret `{one.subject.name}`, kept in a secret store: the next upgrade records it", fill=path
        )
    return task(
        f"Set `{path}` to the live value of the Secret `{one.subject.name}` in the values that {keeper.subject} reads, kept in a secret store:"
        " Argo CD then renders the same at every sync",
        fill=path,
    )


def _entry(one, installer):
    """What Argo CD says of the Secret; None where it says nothing."""
    application = installer.application
    return application.resource("Secret", one.subject.name, one.subject.namespace) if application is not None else None


def _drift(one, installer):
    entry = _entry(one, installer)
    return "OutOfSync: the next sync replaces it" if entry is not None and entry.status == "OutOfSync" else ""


def _rendered(one, path, installer):
    """A key of the chart's shape under Argo CD, which renders a new one each time unless the values name it."""
    application, entry = installer.application, _entry(one, installer)
    if application is None:
        text = f"{SHAPE}; {installer.named}, which renders it, is not in this cluster"
        return warn(one, "maybe generated", seen=text, wanted=EXPLICIT, at=one.path, fix=_record(one, path, installer))
    status = entry.status if entry is not None else ""
    at = [(one, one.path), (application, "status.resources", status)]
    hidden = hides(application, one.subject, one.path)
    if status == "OutOfSync" or hidden:
        why = f"hidden from {application.subject} by ignoreDifferences" if hidden else f"OutOfSync in {application.subject}"
        at = [(one, one.path), (application, "spec.ignoreDifferences", "Secret")] if hidden else at
        return fail(one, "generated", seen=f"{SHAPE}, and {why}", wanted=EXPLICIT, at=at, fix=_record(one, path, installer))
    later = application.reconciled_at - application.synced_at if application.reconciled_at and application.synced_at else None
    if status == "Synced" and hidden is False and later is not None and later > RENDERED_AGAIN:
        text = f"rendered the same again: Synced {later.total_seconds() / 3600:.0f} hours after the last sync of {application.subject}"
        return ok(one, "explicit", seen=text, at=[*at, (application, "status.reconciledAt", f"{application.reconciled_at:%Y-%m-%dT%H:%M:%SZ}")])
    text = f"{SHAPE}; {application.subject} does not show yet that it renders the same again"
    return warn(one, "maybe generated", seen=text, wanted=EXPLICIT, at=at, fix=_record(one, path, installer))


def _applied(one, path, installer):
    """A key of the chart's shape in manifests that Flux applies as they stand in their source."""
    found = installer.kustomization
    if found is None and installer.doubt:
        return unknown(one, f"{SHAPE}; {installer.doubt_text}", needs=installer.needs, at=one.path)
    if found is not None and one.kustomization == found.name and found.ready == "True" and not found.suspended:
        return ok(one, "explicit", seen=f"in the manifests that {found.subject} applies", at=[(one, one.path), (found, "status.conditions", "Ready")])
    text = f"{SHAPE}; {installer.named} does not show that it applies this Secret"
    return warn(one, "maybe generated", seen=text, wanted=EXPLICIT, at=one.path, fix=_record(one, path, installer))


def _generated(one, path, revisions, installer):
    """A key of the shape that the chart generates, which no stored revision names."""
    revisions.surely()
    at, record = [(one, one.path)], _record(one, path, installer)
    first = next((revision for revision in revisions if revision.number == 1), None)
    if first is not None:
        return fail(one, "generated", seen=f"{SHAPE}, and revision 1 names none", wanted=EXPLICIT, at=[*at, (first, RECORD)], fix=record)
    return warn(one, "maybe generated", seen=f"{SHAPE}; no stored revision names one", wanted=EXPLICIT, at=at, fix=record)


@check("app-key", severity=CRITICAL, clauses=("F7", "K6"))
def app_key(held_app_key, release, revisions=maybe, installer=maybe, given_values=maybe):
    """The appKey is set explicitly, not generated.

    A generated key exists in this cluster alone: after a rebuild, or at a second site, data encrypted with it stays unreadable. The chart keeps
    the installed key at every upgrade, whatever the values say, so a key named later changes nothing.

    Fix: name the live key as `secret.appKey` in the values.
    """
    yield from _key(held_app_key, chart.APP_KEY[0], "secret.appKey", LONGEST_APP_KEY, release, revisions, installer, given_values)


@check("jwt-secret", severity=CRITICAL, clauses=("F7", "K6"))
def jwt_secret(held_jwt_secret, release, revisions=maybe, installer=maybe, given_values=maybe):
    """The jwtSecret is set explicitly, not generated.

    It signs every session: one that is known or guessable lets anybody sign in as anybody, and a generated one is lost with the cluster.

    Fix: name the live secret as `secret.jwtSecret` in the values.
    """
    yield from _key(held_jwt_secret, chart.JWT_SECRET[0], "secret.jwtSecret", None, release, revisions, installer, given_values)
