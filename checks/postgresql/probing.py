"""What a login to the database adds to what the cluster shows of it: whether it answers, over what, how far away, and followed by whom."""

from __future__ import annotations

from exivity_audit import (
    SERVER_TLS,
    Duration,
    Role,
    Status,
    at_least,
    at_most,
    exactly,
    fail,
    ok,
    print_duration,
    print_size,
    replace,
    seen,
    skip,
    task,
    to_attest,
    unknown,
    values,
    wanted,
    warn,
)
from exivity_audit.facts.database_probe import GRANT, OPEN
from exivity_audit.quantity import duration

from .shared import EXTERNAL

PASSWORD = "postgresql.global.postgresql.auth.password"
SESSION = wanted("a session with the database")
FAR = 15  # milliseconds
LEAST_TRIPS = 30
TLS = "postgresql/tls"
NO_LOGIN = {
    "login": "the server refuses the login", "no-database": "the server has no database of that name, or takes no session with it",
    "no-right": "the user may not connect to the database", "full": "the server has no connection left",
    "starting": "the server is starting, stopping or recovering",
}  # fmt: skip
# What the server says of whoever comes from this address, or what broke on the way: it holds for the product only where its own way was taken.
NO_WAY = {
    "no-entry": "no line of pg_hba.conf lets this address in", "refused": "the server refuses the login, and not in English",
    "timeout": "the server stops answering during the login", "closed": "the server breaks the login off", "tls": "the TLS handshake fails",
    "protocol": "what answers is no PostgreSQL",
}  # fmt: skip
NOT_TRIED = {
    "no-password": ("the product's password was not seen", ("--secrets named",)),
    "clear-text": ("the server asks for the password in clear text, and the way is not guarded", ("--probe from inside the cluster",)),
    "client": ("the PostgreSQL client of this machine has settings that do not fit (PGSERVICE)", ("a shell without PGSERVICE",)),
}  # fmt: skip


def probe_of(database_probes):
    """What the probe saw; None where the run did not ask it."""
    return database_probes.one() if seen(database_probes) else None


def place(probe, path, value):
    """A thing that the probe saw, as evidence."""
    return [(probe, path, value)]


def answering(verdict, database, probe, settings):
    """The verdict on the way to the database: a login decides where one was tried, and what the cluster shows stands beside it."""
    if probe is None or verdict.status not in (Status.PASS, Status.MANUAL):
        return verdict
    server = f"{database.config.host}:{database.config.port or 5432}"
    state = OPEN if probe.opened else probe.state
    if probe.way.failure or state in NO_WAY:
        why = probe.way.reason if probe.way.failure else NO_WAY[state]
        return _no_way(verdict, database, probe, server, why)
    if state in NO_LOGIN:
        return _no_login(database, probe, server, state)
    if state == "no-tls":
        return skip(database, f"{server} offers no TLS, which the product asks for", follows=TLS) if database.kind is EXTERNAL else verdict
    if state == "untrusted":
        return _told(verdict, database, f"{server} answers; its certificate does not hold here: {probe.tls.why}")
    if state in NOT_TRIED:
        why, needs = NOT_TRIED[state]
        return unknown(database, f"{server} answers; {why}", needs=needs) if verdict.status is Status.MANUAL else verdict.with_remark(why)
    return _session(verdict, database, probe, settings, server) if state == OPEN else verdict


def _session(verdict, database, probe, settings, server):
    """The verdict on an open session: of a primary, unless the site is passive."""
    whose = "the product's login" if probe.state == OPEN else "the monitoring user's login"
    at = place(probe, "login.state", OPEN)
    if probe.recovery and settings.role is not Role.PASSIVE:
        fix = task("Set `postgresql.host` to the primary, or promote this server", fill="postgresql.host")
        text = f"{server} is a standby in recovery, which takes no writes"
        return fail(database, "standby", seen=text, wanted=exactly("the primary"), at=place(probe, "server.recovery", True), fix=fix)
    text = f"{server} opens a session to {whose}, {probe.way.words}"
    if settings.role is Role.PASSIVE:
        text += ": a standby in recovery" if probe.recovery else ""
    own = _own_trouble(probe)
    if verdict.status is Status.PASS:
        found = replace(verdict, seen=f"{verdict.measured_text}; {text}").with_evidence(ok(database, OPEN, at=at))
    else:
        found = ok(database, OPEN, seen=text, at=at)
    if settings.role is Role.PASSIVE and probe.recovery is False:
        found = found.with_remark("it takes writes: it does not follow the active site's")
    return found.with_remark(own) if own else found


def _own_trouble(probe):
    """What to say where the monitoring user was let in and the product was not tried."""
    return NOT_TRIED[probe.state][0] if probe.state in NOT_TRIED else ""


def _no_way(verdict, database, probe, server, why):
    """The verdict on a server that gave no session: a finding only by a way that the product takes too."""
    if not (probe.way.proves if probe.way.failure else probe.way.decides):
        return _told(verdict, database, f"no session with {server} {probe.way.words}: {why}")
    fix = task(f"Start the database behind {database.config.host}, and open the way from the cluster to it: routes, firewalls, `pg_hba.conf`")
    path, value = ("failure.kind", probe.way.failure) if probe.way.failure else ("login.state", probe.state)
    return fail(database, value, seen=f"no session with {server} {probe.way.words}: {why}", wanted=SESSION, at=place(probe, path, value), fix=fix)


def _no_login(database, probe, server, state):
    config = database.config
    if state == "login":
        fix = task(f"Set `{PASSWORD}` to the password of {config.user or 'the user'} on the server, upgrade, and restart the services", fill=PASSWORD)
    elif state == "no-database":
        fix = task(
            f"Create the database {config.name} on the server, owned by {config.user}, or correct `postgresql.global.postgresql.auth.database`"
        )
    elif state == "no-right":
        fix = task(f"Run `GRANT CONNECT ON DATABASE {config.name} TO {config.user}` on the server")
    elif state == "full":
        fix = task("Raise `max_connections` on the server, or close the sessions that nobody uses: `pg_stat_activity` lists them")
    else:
        fix = task("Read the server's log for why it does not take sessions, and bring it up")
    text = f"{server}: {NO_LOGIN[state]}"
    return fail(database, state, seen=text, wanted=SESSION, at=place(probe, "login.state", state), fix=fix)


def _told(verdict, database, text):
    """The same verdict with what was tried."""
    return verdict.with_remark(text) if verdict.status is Status.PASS else replace(verdict, why=f"{verdict.why}; {text}")


def standing_by(database, probe, thresholds):
    """The verdict on the standbys of a database that no operator of this cluster shows; None where the probe saw nothing of them."""
    if probe is None or not probe.opened or probe.standbys is None or probe.recovery:
        return None
    if probe.hidden:
        needs = (GRANT,)
        text = f"{len(probe.standbys)} servers stream from it, and the user may not see which of them follow"
        return unknown(database, text, needs=needs, at=place(probe, "standbys.rows[].state", "hidden"))
    found = probe.replaying
    streaming = [one for one in found if one.state == "streaming"]
    at = [(probe, "standbys.rows[].state", one.state) for one in found] + [(probe, "standbys.rows[].sync", one.sync) for one in found]
    want = at_least(1, note="standby")
    if not found:
        return _alone(database, probe, want)
    if not streaming:
        fix = task("Read the standby's log for why it does not catch up, and rebuild it where the log that it needs is gone")
        return warn(database, 0, seen=f"{_count(found)}, none streaming: {found[0].state}", wanted=want, at=at, fix=fix)
    limit = duration(str(thresholds["postgresql.lag"]))
    nearest = min(one.seconds or 0 for one in streaming)
    text = f"{_count(streaming)} streaming{_kinds(streaming)}, {_lag(streaming)}"
    if nearest > limit:
        fix = task("Find what holds the standby back: its disk, the line to it, or a long query that replay waits for")
        return warn(database, Duration(nearest), seen=text, wanted=at_most(limit, note="behind"), at=at, fix=fix)
    return ok(database, len(streaming), seen=text, wanted=want, at=at)


def _alone(database, probe, want):
    """The verdict where nothing follows: a platform may keep its standby out of the database's own sight."""
    at = place(probe, "standbys.rows", "none")
    if probe.platform:
        return to_attest(database, f"its platform ({probe.platform}) keeps standbys that the database does not show", at=at)
    fix = task("Add a standby that streams from it, with a failover that is tried: Patroni, repmgr, or the platform's own high availability")
    return fail(database, 0, seen="no standby streams from it", wanted=want, at=at, fix=fix, unless_attested=True)


def _count(standbys):
    return f"{len(standbys)} standby" if len(standbys) == 1 else f"{len(standbys)} standbys"


def _kinds(standbys):
    kinds = sorted({one.sync for one in standbys if one.sync})
    return f" ({', '.join(kinds)})" if kinds else ""


def _lag(standbys):
    late = max((one.bytes or 0 for one in standbys), default=0)
    seconds = max((one.seconds or 0 for one in standbys), default=0)
    return f"{print_size(late)} and {print_duration(seconds) if seconds >= 1 else 'less than a second'} behind"


def archive_fails(database, probe):
    """The fail where the server says that its write-ahead log is not archived; None elsewhere."""
    archiver = probe.archiver if probe is not None and not probe.recovery else None
    if archiver is None or archiver.mode == "off" or not archiver.failing:
        return None
    ago = f", newest failure {print_duration(archiver.failed_ago)} ago" if archiver.failed_ago is not None else ""
    last = f"last archived {print_duration(archiver.archived_ago)} ago" if archiver.archived_ago is not None else "nothing was ever archived"
    text = f"the server's archive command fails: {archiver.failed:.0f} failures{ago}, {last}"
    fix = task("Read the server's log for what its archive command says, and mend it before the log fills the disk")
    return fail(database, "archiving fails", seen=text, wanted=exactly("archiving works"), at=place(probe, "archiver.failing", True), fix=fix)


def archive_told(probe):
    """What the server says of its archive, where that works; empty elsewhere."""
    archiver = probe.archiver if probe is not None and not probe.recovery else None
    if archiver is None or archiver.mode == "off" or archiver.archived_ago is None:
        return ""
    return f"; its write-ahead log was archived {print_duration(archiver.archived_ago)} ago"


def encrypted(verdict, database, config, probe, now, thresholds):
    """The verdict on TLS: what the product asks for, and what the server really does."""
    if probe is None or probe.tls.offered is None:
        return verdict
    mode, found = config.sslmode, probe.tls
    at = place(probe, "tls.offered", found.offered)
    if verdict.status is not Status.PASS:
        return _offered(verdict, found)
    if not found.offered:
        text = f"sslmode {mode}, and the server offers no TLS"
        on = task("Turn TLS on at the server (`ssl = on`, with a certificate for the configured host)", needs=SERVER_TLS)
        return fail(database, "not offered", seen=text, wanted=wanted("a server that offers TLS"), at=at, fix=on)
    if mode.startswith("verify") and not found.verified:
        return _untrusted(database, mode, probe)
    left = Duration((found.until - now).total_seconds()) if found.until is not None else None
    state = f"{found.protocol or 'TLS'} {'in use' if probe.encrypted else 'offered'}"
    held = f"its certificate holds until {found.until:%Y-%m-%d}" if found.verified and found.until else ""
    text = "; ".join(part for part in (verdict.seen, state, held) if part)
    remark = "" if found.verified else f"its certificate could not be verified, so nobody knows who answers: {found.why}"
    limit = duration(f"{thresholds['certificate.days']}d")
    if left is not None and left < limit:
        remark = f"{remark}; " if remark else ""
        remark += f"its certificate ends in {print_duration(left)}" if left > 0 else "its certificate has expired"
    result = replace(verdict, seen=text).with_evidence(ok(database, True, at=place(probe, "tls.verified", found.verified)))
    return result.with_remark(remark) if remark else result


def _offered(verdict, found):
    """A mode that asks for no TLS, with what a change of it takes."""
    if not found.offered:
        return verdict.with_remark("the server offers no TLS")
    fix = verdict.fix
    if fix is not None and fix.needs == SERVER_TLS:
        fix = values("postgresql.sslmode", "require")
    verify = ", and its certificate holds" if found.verified else ""
    return replace(verdict, fix=fix).with_remark(f"the server offers {found.protocol or 'TLS'}{verify}")


def _untrusted(database, mode, probe):
    """The verdict on a mode that verifies, where the certificate does not hold here."""
    at = place(probe, "tls.trouble", probe.tls.trouble)
    text = f"sslmode {mode}; the certificate does not hold here: {probe.tls.why}"
    name_only = probe.tls.trouble == "wrong-host" and mode == "verify-ca"
    if name_only:
        return ok(
            database, mode, seen=f"sslmode {mode}, which does not ask for the name", at=at, remark=f"verify-full would refuse it: {probe.tls.why}"
        )
    if probe.tls.trouble in ("unknown-authority", "incomplete", "self-signed"):
        return unknown(database, text, needs=("probes.ca_file in the config",), at=at)
    fix = task("Give the server a certificate that is valid now and carries the configured host")
    return fail(database, probe.tls.trouble, seen=text, wanted=wanted("a certificate that holds"), at=at, fix=fix)


def distance(database, probe, verdict):
    """The verdict on the time of a round trip: a measurement from inside the cluster decides, another one is shown."""
    found = probe.latency if probe is not None and probe.opened else None
    if found is None or verdict.status not in (Status.PASS, Status.MANUAL):
        return verdict
    median, late = found.median * 1000, found.p95 * 1000
    text = f"median {median:.1f} ms, p95 {late:.1f} ms of {found.trips} round trips {probe.way.words}"
    at = [(probe, "latency.median", f"{median:.1f} ms"), (probe, "latency.p95", f"{late:.1f} ms"), (probe, "latency.trips", found.trips)]
    if probe.seconds is not None:
        at.append((probe, "login.seconds", f"{probe.seconds * 1000:.0f} ms to connect"))
    if probe.way.path != "in-cluster" or found.trips < LEAST_TRIPS:
        if verdict.status is Status.PASS:
            return verdict.with_remark(text)
        return replace(verdict, why=f"{verdict.why}; {text}").with_evidence(ok(database, text, at=at))
    amount = round(median, 1)
    if median < FAR:
        return ok(database, amount, seen=text, at=at)
    fix = task("Run the database in the same site as the product, or the product in the database's")
    return fail(database, amount, seen=text, wanted=at_most(FAR - 0.1, "ms"), at=at, fix=fix)
