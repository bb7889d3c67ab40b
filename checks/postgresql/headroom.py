"""Room on the database's volume."""

from __future__ import annotations

from exivity_audit import HIGH, check, maybe, patch, print_size, skip, task, to_attest, unknown
from exivity_audit.facts.database_size import of_claim, of_declared
from exivity_audit.facts.volume_use import use_of

from ..fullness import enlarged, judge, unseen
from .probing import probe_of
from .shared import CNPG, EXTERNAL, not_there, without_cluster

ATTEST = "Read how full the database's volume is from the system that runs it; attach the page or the command's output that shows less than 70 %."


def volume_verdicts(database, settings, sources, database_probes, one):
    """The verdicts on the database's volumes by ``one`` (claim, use); what the database is decides whether there are any."""
    absent = not_there(database, settings)
    if absent is not None:
        yield absent
        return
    probe = probe_of(database_probes)
    if database.kind is EXTERNAL:
        yield _outside(database, settings, probe, one)
        return
    for claim in database.claims:
        use = use_of(claim, sources) or of_claim(claim, database, probe)
        if use is not None:
            yield one(claim, use)
        else:
            yield unseen(claim, sources) if claim.bound else skip(claim, "no volume yet")
    database.claims.surely()
    if not database.claims:
        gone = database.kind is CNPG and database.cluster is None
        yield without_cluster(database) if gone else unknown(database, "none of its pods mounts a claim: where its data lies is not seen")


def _outside(database, settings, probe, one):
    """The verdict on an external database: by its own sizes where the config declares its disk, else a person's."""
    use = of_declared(database.subject, settings.declare.database_disk, probe)
    if use is not None:
        return one(database, use)
    text = f"the database {database.location.external} is outside this cluster"
    size = (probe.databases or probe.database) if probe is not None else None
    if size is not None:
        text += f"; it counts {print_size(size)} of its own, and `declare.database_disk` does not say of how much"
    return to_attest(database, text)


@check("storage-headroom", severity=HIGH, clauses=("PG2",), attest=ATTEST)
def storage_headroom(database, settings, use_sources, thresholds, database_probes=maybe):
    """The database volume is under 70 % full.

    A database whose disk is full stops, and with it the product; an expansion takes time that is no longer there at 90 %.

    Fix: expand the database's volume: `spec.storage.size` of the Cluster, or the claim of another database.
    """
    limit = float(thresholds["use.postgresql"])
    yield from volume_verdicts(
        database, settings, use_sources, database_probes, lambda claim, use: judge(use, limit, _expand(database, claim, use, limit))
    )


def _expand(database, claim, use, limit):
    """The remedy by what runs the database."""
    if use.disk[0] == "node":
        return task(f"Free room on the disk of {use.disk[1]} or enlarge it: the database stops when it is full")
    size = enlarged(use, limit)
    if database.kind is EXTERNAL:
        return task(f"Enlarge the disk of the database to {size}, or find out what grows in it")
    if database.cluster is not None:
        key = "walStorage" if claim.name.endswith("-wal") else "storage"
        return patch(database.cluster, {"spec": {key: {"size": size}}}, f"Set `spec.{key}.size: {size}` on {database.cluster.subject}")
    return patch(
        claim,
        {"spec": {"resources": {"requests": {"storage": size}}}},
        f"Expand {claim.subject} to {size}: Helm cannot, a StatefulSet's claims stay as made",
    )
