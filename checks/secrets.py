"""Secrets: keys are set explicitly, passwords are nobody's default. Descriptions alone are judged, never a value."""

from __future__ import annotations

from collections import Counter

from exivity_audit import CRITICAL, LOW, MEDIUM, RELAX, Subject, chart, check, exactly, fail, maybe, ok, seen, task, unknown, wanted, warn
from exivity_audit.facts.configuration import CONFIG, embedded_broker, embedded_database
from exivity_audit.facts.helm import secret_value

SHORTEST_KEY, LONGEST_APP_KEY = 16, 64
KNOWN = {"empty": "empty", "chart-default": "the chart's default", "placeholder": "an example placeholder", "demo": "an example placeholder"}
EXPLICIT = wanted("the value that the chart's values name")
OWN_PASSWORD = wanted("a random password of its own, 16 characters or more")
ADMINISTRATOR, ADMINISTRATOR_VALUE = "postgres-password", "postgresql.global.postgresql.auth.postgresPassword"
RECORD = "data.release"
DATABASE_VALUE, BROKER_VALUE = "postgresql.global.postgresql.auth.password", "rabbitmq.auth.password"


def _flaw_of_key(value, longest):
    """Why a key is unfit whoever set it; empty where it is fit."""
    if value.known:
        return KNOWN.get(value.known, "a known value")
    if value.length < SHORTEST_KEY:
        return f"{value.length} characters"
    return f"{value.length_text} characters" if longest is not None and value.length > longest else ""


def _key(held, name, path, longest, release, revisions, installer):
    """The verdict on appKey or jwtSecret: missing, unfit, explicit, ignored by an upgrade, or generated."""
    one = held.one()
    if one is None or one.value is None:
        held.surely()
        fix = task(
            f"Restore the Secret `{release.fullname}-{name}` from a backup and set `{path}` to the same: the next Helm upgrade fails without it"
        )
        yield fail(one or _secret(release, name), "missing", wanted=EXPLICIT, at=one.path if one else (), fix=fix)
        return
    flaw = _flaw_of_key(one.value, longest)
    if flaw:
        size = f"{SHORTEST_KEY} to {longest}" if longest is not None else f"{SHORTEST_KEY} or more"
        fix = task(
            f"Set `{path}` to {size} random characters and put the same into the Secret `{one.subject.name}`: the chart keeps the installed"
            " value at every upgrade; restart the services, and ask Exivity support first how data encrypted with the old one is carried over"
        )
        yield fail(one, flaw, wanted=wanted(f"{size} random characters"), at=one.path, fix=fix)
        return
    yield _origin(one, path, revisions, installer)


def _origin(one, path, revisions, installer):
    """Whether a fit key was given by somebody: by what revisions name, else by its shape."""
    live = one.value
    record = task(f"Set `{path}` to the live value of the Secret `{one.subject.name}`, kept in a secret store: the next upgrade records it")
    weak = "guessable: few distinct characters, or common words" if live.strength == "weak" else ""
    stored = [*revisions] if seen(revisions) else []
    named = [(revision, given) for revision in stored if (given := secret_value(revision, path)) is not None]
    equal = next((revision for revision, given in named if given.group == live.group), None)
    if equal is not None:
        newest, given = named[0]
        ignored = f"revision {newest.number} names another value, which the upgrade ignored" if given.group != live.group else ""
        remark = "; ".join(note for note in (weak, ignored) if note)
        return ok(one, "explicit", seen=f"the value that revision {equal.number} names", remark=remark, at=[(one, one.path), (equal, RECORD)])
    if named:
        revisions.surely()
        newest = named[0][0]
        if seen(installer) and installer.argo:
            return unknown(one, "Argo CD keeps the release, and its Application decides: not built yet", needs=("a later release",))
        text = f"not the value that revision {newest.number} names: the upgrade ignored it"
        return fail(one, "not the value given", seen=text, wanted=EXPLICIT, at=[(one, one.path), (newest, RECORD)], fix=record)
    if not live.generated_shape:
        revisions.surely()  # a revision that was not seen may name another value
        text = f"{live.length_text} characters of {_classes(live)}: the chart generates 32 alphanumerics"
        return ok(one, "explicit", seen=text, remark=weak, at=one.path)
    return _generated(one, revisions, installer, record)


def _generated(one, revisions, installer, record):
    """A key of the shape that the chart generates, which no stored revision names."""
    keeper = _gitops(revisions, installer)
    if keeper:
        text = f"32 alphanumerics, as the chart generates them; what {keeper} renders decides: not built yet"
        return unknown(one, text, needs=("a later release",))
    revisions.surely()
    text, at = "32 alphanumerics, as the chart generates them", [(one, one.path)]
    first = next((revision for revision in revisions if revision.number == 1), None)
    if first is not None:
        return fail(one, "generated", seen=f"{text}, and revision 1 names none", wanted=EXPLICIT, at=[*at, (first, RECORD)], fix=record)
    return warn(one, "maybe generated", seen=f"{text}; no stored revision names one", wanted=EXPLICIT, at=at, fix=record)


def _gitops(revisions, installer):
    """The GitOps tool whose own objects say which key it renders; empty where Helm's revisions say it, or nobody does."""
    if not seen(revisions):
        return installer.possible if seen(installer) else ""
    if not revisions:
        return installer.possible
    return "Argo CD" if seen(installer) and installer.argo else ""


def _classes(value):
    return f"{len(value.classes)} class" + ("es" if len(value.classes) > 1 else "")


def _secret(release, name):
    return Subject("Secret", f"{release.fullname}-{name}", release.namespace)


@check("app-key", severity=CRITICAL, clauses=("F7", "K6"))
def app_key(held_app_key, release, revisions=maybe, installer=maybe):
    """The appKey is set explicitly, not generated.

    A generated key exists in this cluster alone: after a rebuild, or at a second site, data encrypted with it stays unreadable. The chart keeps
    the installed key at every upgrade, whatever the values say, so a key named later changes nothing.

    Fix: name the live key as `secret.appKey` in the values.
    """
    yield from _key(held_app_key, chart.APP_KEY[0], "secret.appKey", LONGEST_APP_KEY, release, revisions, installer)


@check("jwt-secret", severity=CRITICAL, clauses=("F7", "K6"))
def jwt_secret(held_jwt_secret, release, revisions=maybe, installer=maybe):
    """The jwtSecret is set explicitly, not generated.

    It signs every session: one that is known or guessable lets anybody sign in as anybody, and a generated one is lost with the cluster.

    Fix: name the live secret as `secret.jwtSecret` in the values.
    """
    yield from _key(held_jwt_secret, chart.JWT_SECRET[0], "secret.jwtSecret", None, release, revisions, installer)


def _flaw(value):
    """Why a password is unfit; empty where it is fit."""
    if value.known:
        return KNOWN.get(value.known, "a known value")
    if value.equals:
        return f"the {' and the '.join(value.equals)}"
    return f"weak: {value.length_text} characters of {_classes(value)}" if value.strength == "weak" else ""


def _password(places, embedded, path, server):
    """Verdicts on one password: its quality once, and each place that holds another value than most."""
    for place in places:
        if place.value is None:
            yield fail(place, "missing", wanted=OWN_PASSWORD, at=place.path, fix=_renewed(path, server))
    present = [place for place in places if place.value is not None]
    if not present:
        return
    count = Counter(place.value.group for place in present)
    leader = max(present, key=lambda place: count[place.value.group])
    value = leader.value
    for place in present:
        if place.value.group != value.group:
            yield _differs(place, place, leader, path, server)
    flaw = _flaw(value)
    same = [place for place in present if place.value.group == value.group]
    if flaw:
        yield fail(leader, flaw, wanted=OWN_PASSWORD, at=leader.path, fix=_renewed(path, server))
    else:
        places_text = f", the same in {len(same)} places" if len(same) > 1 else ""
        text = f"{value.length_text} characters of {_classes(value)}{places_text}"
        yield ok(leader, value.strength, seen=text, at=[(place, place.path) for place in same])
    for held in embedded:
        part = held.subject.at(held.path.removeprefix("data[").removesuffix("]"))
        if held.value is None:
            continue
        if part.part != ADMINISTRATOR:
            if held.value.group != value.group:
                yield _differs(part, held, leader, path, server)
        elif flaw := _flaw(held.value):
            yield fail(part, flaw, wanted=OWN_PASSWORD, at=[(held, held.path)], fix=_renewed(ADMINISTRATOR_VALUE, server))


def _differs(subject, held, leader, path, server):
    flaw = _flaw(held.value)
    text = f"another value than in {leader.subject}" + (f", and {flaw}" if flaw else "")
    fix = task(f"Set `{path}` to the password that {server} accepts, upgrade, and restart the services: every place then holds the same")
    return fail(subject, "differs", seen=text, wanted=exactly("the same in every place"), at=[(held, held.path), (leader, leader.path)], fix=fix)


def _renewed(path, server):
    return task(f"Set `{path}` to a random password of 16 characters or more and change the login's password at {server} to the same")


@check("postgresql-password", severity=CRITICAL, clauses=("K6",))
def postgresql_password(release, held_database_password=maybe, configs=maybe, embedded_database_passwords=maybe):
    """The PostgreSQL password is strong and the same everywhere.

    The chart ships a password that everybody can read, and whoever reaches the database with it reads and changes all cost data. Services
    read it from a Secret and from each `config.json`; where these differ, a part of the product cannot log in after its next restart.

    Fix: set `postgresql.global.postgresql.auth.password` to a random password of 16 characters or more.
    """
    there = configs if seen(configs) else ()
    places = [*(held_database_password if seen(held_database_password) else ()), *(one.database_login for one in there if one.database is not None)]
    if seen(held_database_password) and not held_database_password:
        held_database_password.surely()
        fix = task(f"Upgrade the release with `{DATABASE_VALUE}` set: the chart writes this Secret")
        yield fail(_secret(release, chart.POSTGRES_SECRET[0]), "missing", wanted=OWN_PASSWORD, fix=fix)
    own = embedded_database_passwords if seen(embedded_database_passwords) else ()
    yield from _password(places, own, DATABASE_VALUE, "the database")
    if any(embedded_database(one.database.host, release) for one in there if one.database is not None):
        embedded_database_passwords.surely()
    held_database_password.surely()
    configs.surely()


@check("rabbitmq-password", severity=CRITICAL, clauses=("K6",))
def rabbitmq_password(release, configs, embedded_broker_password=maybe):
    """The RabbitMQ password is strong and the same everywhere.

    The chart ships `user` and `pass`; whoever knows them reads and queues every job of the product. Each `config.json` holds the password;
    where these differ, a service cannot log in after its next restart.

    Fix: set `rabbitmq.auth.password` to a random password of 16 characters or more.
    """
    places = [one.broker_login for one in configs if one.broker_password is not None]
    if not places:
        configs.surely()
        yield unknown(release.subject, "no `config.json` of the release holds a broker password: a layout that is not known")
        return
    own = embedded_broker_password if seen(embedded_broker_password) else ()
    yield from _password(places, own, BROKER_VALUE, "the broker")
    if any(embedded_broker(broker.host, release) for one in configs for broker in one.brokers):
        embedded_broker_password.surely()


@check("distinct", severity=MEDIUM, clauses=("X1",))
def distinct(release, held_app_key=maybe, held_jwt_secret=maybe, held_database_password=maybe, configs=maybe):
    """The four secrets are four different values.

    One value used twice is lost twice: who learns the database password must not also be able to sign sessions.

    Fix: give each of appKey, jwtSecret and the two passwords a value of its own.
    """
    there = configs if seen(configs) else ()
    database = [*(held_database_password if seen(held_database_password) else ()), *(one.database_login for one in there)]
    groups = {
        "appKey": held_app_key if seen(held_app_key) else (), "jwtSecret": held_jwt_secret if seen(held_jwt_secret) else (),
        "PostgreSQL password": database, "RabbitMQ password": [one.broker_login for one in there],
    }  # fmt: skip
    found = {name: {one.value.group for one in held if _held(one.value)} for name, held in groups.items()}
    names = list(found)
    equal = [f"{one} = {other}" for place, one in enumerate(names) for other in names[place + 1 :] if found[one] & found[other]]
    if equal:
        passwords = f"`{DATABASE_VALUE}` and `{BROKER_VALUE}`"
        fix = task(f"Give each its own value: passwords by {passwords}, keys in their Secrets and then as `secret.appKey` and `secret.jwtSecret`")
        yield fail(release.subject, equal, wanted=wanted("four different values"), fix=fix)
        return
    for part in (held_app_key, held_jwt_secret, configs):
        part.surely()
    if not found["PostgreSQL password"]:
        held_database_password.surely()
    count = sum(1 for values in found.values() if values)
    yield ok(release.subject, count, seen=f"{count} secrets, all different")


@check("licence", severity=MEDIUM, clauses=("X1",), evaluation=RELAX)
def licence(held_licence, release):
    """A licence of your own is installed, not the demo.

    The chart installs the licence `demo` where the values name none; the product then runs on the terms of a demonstration.

    Fix: set `licence` to the key that Exivity issued to you.
    """
    fix = task("Set `licence` to the key that Exivity issued to you")
    one = held_licence.one()
    if one is None:
        held_licence.surely()
        yield fail(_secret(release, chart.LICENCE[0]), "missing", wanted=wanted("a licence key"), fix=fix)
    elif one.value is None:
        yield fail(one, "missing", wanted=wanted("a licence key"), at=one.path, fix=fix)
    elif one.value.known:
        text = {"demo": "demo", "empty": "empty"}.get(one.value.known, "an example placeholder")
        yield fail(one, text, wanted=wanted("a licence key"), at=one.path, fix=fix)
    else:
        yield ok(one, "a licence key", at=one.path)


@check("exposure", severity=LOW, clauses=("X1",))
def exposure(configs, release):
    """Who may read the ConfigMaps with passwords is known.

    The chart writes the PostgreSQL and the RabbitMQ password into ConfigMaps in clear text, and ConfigMaps are neither encrypted nor guarded
    like Secrets. No value changes that, so it is a remark: what limits the damage is who may read them.

    Fix: grant `get configmaps` in this namespace to few, and encrypt ConfigMaps at rest.
    """
    configs.surely()
    open_ones = [one for one in configs if any(_held(value) for value in (one.database_password, one.broker_password))]
    remark = ""
    if open_ones:
        remark = (
            f"the PostgreSQL and the RabbitMQ password stand in clear text in {', '.join(one.subject.name for one in open_ones)}: grant"
            f" `get configmaps` in {release.namespace} to few, encrypt ConfigMaps at rest, and let backups of the namespace be read by few"
        )
    text = f"{len(open_ones)} ConfigMaps hold passwords"
    yield ok(release.subject, len(open_ones), seen=text, remark=remark, at=[(one, CONFIG, "passwords") for one in open_ones])


def _held(value):
    return value is not None and value.known != "empty"
