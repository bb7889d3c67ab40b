"""What stops clients at a chain of certificates."""

from __future__ import annotations

from itertools import pairwise

from exivity_audit import task, wanted
from exivity_audit.facts.ingresses import covered

from .shared import day, named

LEAST_BITS = {"RSA": 2048, "EC": 256}
WEAK_SIGNATURES = ("sha1", "md5")


def broken(secret, hosts, now):
    """What stops every client at once: a foreign name, or a certificate outside its time."""
    leaf = secret.chain[0]
    missing = [host for host in hosts if not covered(host, leaf.hosts)]
    if missing:
        fix = task(f"Have the certificate in {secret.subject} issued anew with {', '.join(missing)} among its subject alternative names")
        yield f"for {', '.join(leaf.hosts) or 'no name'}", wanted(f"names that cover {', '.join(missing)}"), fix
    for one in secret.chain:
        name = named(one)
        renew = task(f"Renew the certificate of {name} in {secret.subject}")
        if one.self_signed and one is not leaf:
            continue
        if one.not_after <= now:
            yield f"{name} expired on {day(one.not_after)}", wanted("a certificate that is valid now"), renew
        elif one.not_before > now:
            yield f"{name} is valid from {day(one.not_before)}", wanted("a certificate that is valid now"), renew


def weak(secret):
    """What many clients refuse: a chain with a gap, a short key, an old digest."""
    chain = secret.chain
    fill = task(f"Write into `tls.crt` of {secret.subject} the certificate first, then each certificate that signed the one before it")
    for one, above in pairwise(chain):
        if one.issuer_name != above.subject_name:
            yield (
                f"{named(one)} is followed by {named(above)}, not by {one.issuer or one.issuer_name}",
                wanted("a chain in order"),
                fill,
            )
    if len(chain) == 1 and not chain[0].self_signed and secret.root != chain[0].issuer_name:
        yield f"alone, without {chain[0].issuer or chain[0].issuer_name}", wanted("a complete chain"), fill
    for number, one in enumerate(chain):
        name, least = named(one), LEAST_BITS.get(one.key_type)
        again = task(f"Have the certificate of {name} in {secret.subject} issued anew with RSA 2048 or P-256 and SHA-256")
        if least is None or one.key_bits < least:
            yield f"{name} has a key {one.key_type} {one.key_bits}", wanted("RSA 2048 or P-256, or more"), again
        if one.signature in WEAK_SIGNATURES and (number == 0 or not one.self_signed):
            yield f"{name} is signed with {one.signature.upper()}", wanted("SHA-256 or better"), again
