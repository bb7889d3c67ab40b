"""The way to the database: encrypted, and short."""

from __future__ import annotations

from exivity_audit import HIGH, MEDIUM, Scenario, check, fail, maybe, ok, one_of, to_attest, values, warn

from .shared import EXTERNAL, forgiven, host_at, not_there

ENCRYPTED = ("require", "verify-ca", "verify-full")
REGION_LABELS = ("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region")


@check(
    "tls", severity=HIGH, clauses=("PG5",),
    attest="have the database's owner confirm that it does not support TLS; attach the confirmation, and say how the network between is protected",
)  # fmt: skip
def tls(database, settings, scenario, database_addresses=maybe):
    """Database traffic is encrypted.

    The password and everything that is billed cross the network in clear text; with an empty mode the product does not ask for more.

    Fix: set `postgresql.sslmode: require`; the chart cannot mount a CA, so `verify-full` with a private one needs a post-renderer that does.
    """
    absent = not_there(database, settings)
    if absent is not None:
        yield absent
        return
    first = database.config
    places = [one.config for one in database_addresses if one.subject != first.subject]
    yield forgiven(_mode(database, first, database, scenario, places), database, settings, scenario)
    for one in places:
        if one.sslmode not in ENCRYPTED and first.sslmode in ENCRYPTED:
            yield forgiven(_mode(one, one, database, scenario, ()), database, settings, scenario)
    database_addresses.surely()


def _mode(about, config, database, scenario, others):
    """The verdict on one place's mode."""
    mode = config.sslmode
    same = [one for one in others if one.sslmode == mode]
    at = [(one, _path(one), one.sslmode or "empty") for one in (config, *same)]
    if mode in ENCRYPTED:
        places = f", the same in {len(same) + 1} places" if same else ""
        return ok(about, mode, seen=f"sslmode {mode}{places}", at=at)
    text = f"sslmode {mode}" if mode else "no sslmode, which means disable"
    text += f" to {database.config.host}" if database.kind is EXTERNAL else ""
    if database.kind is not EXTERNAL and scenario is Scenario.SINGLE_NODE:
        return warn(about, mode or "empty", seen=text, wanted=one_of(*ENCRYPTED), at=at, fix=values("postgresql.sslmode", "require"))
    external = database.kind is EXTERNAL
    return fail(
        about, mode or "empty", seen=text, wanted=one_of(*ENCRYPTED), at=at, fix=values("postgresql.sslmode", "require"), unless_attested=external
    )


def _path(config):
    return "data.POSTGRES_SSLMODE" if config.source.read == "postgres_config" else "data[config.json]"


@check(
    "latency", severity=MEDIUM, clauses=("PG6",), passive="nothing of the product uses the database here",
    attest="from a pod of the release, time 30 or more `select 1`; attach the output with a median under 15 ms",
)  # fmt: skip
def latency(database, settings, nodes=maybe):
    """The database answers within 15 ms.

    Preparing a report asks the database thousands of times, one question after the other; at 15 ms and more it takes hours.

    Fix: run the database in the same site as the product.
    """
    absent = not_there(database, settings)
    if absent is not None:
        yield absent
        return
    if database.kind is EXTERNAL:
        yield to_attest(
            database,
            f"{database.config.host} is outside this cluster: only a measurement from inside it shows the way's length",
            at=[host_at(database)],
        )
        return
    nodes.surely()
    regions = {node.name: next((node.labels[label] for label in REGION_LABELS if node.labels.get(label)), "") for node in nodes}
    named = sorted(set(regions.values()) - {""})
    at = [host_at(database), *((node, "metadata.labels", regions[node.name]) for node in nodes if regions[node.name])]
    silent = [name for name, region in regions.items() if not region]
    if len(named) > 1:
        yield to_attest(database, f"in this cluster, whose nodes are in {', '.join(named)}: only a measurement shows the way's length", at=at)
    elif silent and len(regions) > 1:
        yield to_attest(database, f"in this cluster, whose nodes do not all name their region ({', '.join(silent[:3])})", at=at)
    else:
        yield ok(database, "the same cluster", seen=f"in this cluster, {f'region {named[0]}' if named else 'on its only node'}", at=at)
