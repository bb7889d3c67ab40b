"""Passwords and the licence: nobody's default, the same wherever they stand; and who may read them."""

from __future__ import annotations

from collections import Counter

from exivity_audit import CRITICAL, LOW, MEDIUM, NEW_SECRET, RELAX, chart, check, exactly, fail, maybe, ok, seen, task, unknown, wanted
from exivity_audit.facts.configuration import CONFIG, embedded_broker, embedded_database

from .shared import KNOWN, character_classes, secret_subject

OWN_PASSWORD = wanted("a random password of its own, 16 characters or more")
ADMINISTRATOR, ADMINISTRATOR_VALUE = "postgres-password", "postgresql.global.postgresql.auth.postgresPassword"
DATABASE_VALUE, BROKER_VALUE = "postgresql.global.postgresql.auth.password", "rabbitmq.auth.password"


def _flaw(value):
    """Why a password is unfit; empty where it is fit."""
    if value.known:
        return KNOWN.get(value.known, "a known value")
    if value.equals:
        return f"the {' and the '.join(value.equals)}"
    return f"weak: {value.length_text} characters of {character_classes(value)}" if value.strength == "weak" else ""


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
        text = f"{value.length_text} characters of {character_classes(value)}{places_text}"
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
    fix = task(f"Set `{path}` to the password that {server} accepts, upgrade, and restart the services: every place then holds the same", fill=path)
    return fail(subject, "differs", seen=text, wanted=exactly("the same in every place"), at=[(held, held.path), (leader, leader.path)], fix=fix)


def _renewed(path, server):
    return task(
        f"Set `{path}` to a random password of 16 characters or more and change the login's password at {server} to the same",
        fill=path,
        needs=NEW_SECRET,
    )


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
        fix = task(f"Upgrade the release with `{DATABASE_VALUE}` set: the chart writes this Secret", fill=DATABASE_VALUE)
        yield fail(secret_subject(release, chart.POSTGRES_SECRET[0]), "missing", wanted=OWN_PASSWORD, fix=fix)
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
        keys = "keys in their Secrets and then as `secret.appKey` and `secret.jwtSecret`"
        fill = (DATABASE_VALUE, BROKER_VALUE, "secret.appKey", "secret.jwtSecret")
        fix = task(f"Give each its own value: passwords by {passwords}, {keys}", fill=fill, needs=NEW_SECRET)
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
    fix = task("Set `licence` to the key that Exivity issued to you", fill="licence")
    one = held_licence.one()
    if one is None:
        held_licence.surely()
        yield fail(secret_subject(release, chart.LICENCE[0]), "missing", wanted=wanted("a licence key"), fix=fix)
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
