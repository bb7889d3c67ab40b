"""What both sites must hold alike, so that the standby serves as the active site did."""

from __future__ import annotations

from exivity_audit import HIGH, C, check, comparable, exactly, fail, ok, print_size, skip, task, unknown, wanted, warn
from exivity_audit.facts.claims import ClaimGroup, class_of
from exivity_audit.facts.platform import parse_version

from .shared import alone, contained, for_each

SECRETS = (
    ("appKey", "held_app_key", "secret.appKey", "secrets/app-key", "what is encrypted in the database can be read by nobody else"),
    ("jwtSecret", "held_jwt_secret", "secret.jwtSecret", "secrets/jwt-secret", "each login ends at failover"),
    ("licence", "held_licence", "licence", "secrets/licence", "the standby may run on another licence, or none"),
    ("PostgreSQL password", "held_database_password", "postgresql.global.postgresql.auth.password", "secrets/postgresql-password",
     "the replicated database knows the active site's login alone"),
)  # fmt: skip
ACROSS = (
    *(name for _, name, *_ in SECRETS), "database_config", "declared_services", "claims", "storage_classes", "ways_in",
)  # fmt: skip
SIZED = (ClaimGroup.DATA, ClaimGroup.CONFIG, ClaimGroup.LOG)
SERVICES_LEAD, INGRESS_LEAD = "application/services-present", "disaster_recovery/standby-ingress"


@check("site-parity", severity=HIGH, clauses=("C1",), applies=(C,), across=ACROSS)
def site_parity(sites):
    """Both sites hold the same secrets and versions.

    The standby takes over the database of the active site: with another appKey it cannot read the credentials in it, with another version
    it may not start on it, and with smaller volumes the restored data do not fit.

    Fix: keep the values of both sites in one repository, with one base that both share, and let only the site's own addresses differ.
    """
    yield from for_each(sites, compared)


def compared(deployment):
    """Each thing of each standby beside the active site's."""
    if not deployment.whole:
        yield alone(deployment)
    for pair in deployment.pairs:
        for thing, judge in THINGS.items():
            subject = deployment.subject.at(f"{thing} at {pair.passive.name}")
            yield from contained(subject, judge(subject, pair))


def secret(thing, name, value, leader, harm):
    """What compares one secret, by the groups of equal values."""

    def judge(subject, pair):
        held = {site.name: site.fact(name).surely().one() for site in (pair.active, pair.passive)}
        for site, one in held.items():
            if one is None or one.value is None or one.value.known == "empty":
                yield skip(subject, f"{site} holds none", follows=leader)
                return
        active, passive = held[pair.active.name], held[pair.passive.name]
        at = [(one, one.path, f"{site}: {one.value.length_text} characters") for site, one in held.items()]
        if not comparable(pair.active, pair.passive):
            why = f"{pair.active.name} and {pair.passive.name} were collected apart: collect both in one run, or each with the same --parity-key"
            yield unknown(subject, why, needs=("--parity-key",), at=at)
        elif active.value.group == passive.value.group:
            yield ok(subject, "equal", seen=f"equal at {pair.active.name} and {pair.passive.name}", at=at)
        else:
            fix = task(f"Give {pair.passive.name} the {thing} of {pair.active.name} (`{value}`) from the same store of secrets", fill=value)
            text = f"differs between {pair.active.name} and {pair.passive.name}: {harm}"
            yield fail(subject, "differs", seen=text, wanted=exactly("equal"), at=at, fix=fix)

    return judge


def database_login(subject, pair):
    """The database's name and user."""
    named = {site.name: site.fact("database_config").surely().one() for site in (pair.active, pair.passive)}
    missing = [site for site, one in named.items() if one is None]
    if missing:
        yield unknown(subject, f"{', '.join(missing)}: no ConfigMap of the release names a database")
        return
    told = {site: (one.name, one.user) for site, one in named.items()}
    at = [(one, "data.POSTGRES_DB", f"{site}: {one.name}, user {one.user}") for site, one in named.items()]
    first, second = told.values()
    text = f"database {first[0]}, user {first[1]}"
    if first == second:
        yield ok(subject, text, at=at)
    else:
        other = f"{text} at {pair.active.name}; database {second[0]}, user {second[1]} at {pair.passive.name}"
        fix = task(f"Name the same database and user at {pair.passive.name} as at {pair.active.name}: the replicated one knows no other")
        yield fail(subject, "differs", seen=other, wanted=exactly("equal"), at=at, fix=fix)


def chart_version(subject, pair):
    """The chart's version, by the label on the Deployments."""
    yield from by_service(subject, pair, lambda work: work.labels.get(VERSION, ""), f"metadata.labels[{VERSION}]", "chart version")


VERSION = "app.kubernetes.io/version"


def images(subject, pair):
    """The images, whatever registry mirrors them."""
    yield from by_service(subject, pair, lambda work: ", ".join(plain(one) for one in work.images), "spec.template.spec.containers[].image", "image")


def plain(image):
    """An image without its registry and folder: ``glass:exivity-3.39.2``."""
    name, _, digest = image.partition("@")
    return name.rpartition("/")[2] + (f"@{digest}" if digest else "")


def by_service(subject, pair, told, path, word):
    """The verdict on something that each Deployment says."""
    here, there = ({one.component: one for one in site.fact("declared_services")} for site in (pair.active, pair.passive))
    if not here or not there:
        for site in (pair.active, pair.passive):
            site.fact("declared_services").surely()
        yield skip(subject, "a site has no service of the product", follows=SERVICES_LEAD)
        return
    both = [name for name in here if name in there]
    apart = [name for name in both if not same(told(here[name].workload), told(there[name].workload))]
    at = [
        (one[name], path, f"{site.name}: {told(one[name].workload) or 'none'}")
        for name in (apart or both[:1])
        for site, one in ((pair.active, here), (pair.passive, there))
    ]
    if apart:
        name = apart[0]
        text = (
            f"{name} {told(here[name].workload) or 'none'} at {pair.active.name}, {told(there[name].workload) or 'none'} at {pair.passive.name}"
            + (f", and {len(apart) - 1} more services differ" if len(apart) > 1 else "")
        )
        fix = task(f"Upgrade {pair.passive.name} to the {word} of {pair.active.name}, from the same commit")
        yield fail(subject, len(apart), seen=text, wanted=wanted(f"the same {word} at both sites"), at=at, fix=fix)
        return
    for site in (pair.active, pair.passive):
        site.fact("declared_services").surely()
    values = sorted({told(here[name].workload) for name in both})
    yield ok(subject, 0, seen=values[0] if len(values) == 1 else f"the same for {len(both)} services", at=at)


def same(one, other):
    """Whether two images or versions are one; a digest counts where both have it."""
    if "@" in one and "@" in other:
        return one.partition("@")[2] == other.partition("@")[2]
    return one.partition("@")[0] == other.partition("@")[0]


def sizes(subject, pair):
    """The claims of the standby hold what those of the active site hold."""
    active, passive = ({one.part: one for one in site.fact("claims") if one.group in SIZED} for site in (pair.active, pair.passive))
    for site in (pair.active, pair.passive):
        site.fact("claims").surely()
    short = [
        (one, passive.get(part)) for part, one in active.items()
        if part not in passive or (passive[part].request or 0) < (one.request or 0)
    ]  # fmt: skip
    at = [(one, "spec.resources.requests.storage", f"{pair.active.name}: {print_size(one.request) if one.request else 'none'}") for one, _ in short]
    at += [
        (one, "spec.resources.requests.storage", f"{pair.passive.name}: {print_size(one.request) if one.request else 'none'}")
        for _, one in short
        if one
    ]
    if not active:
        yield skip(subject, f"{pair.active.name} has no claim of the product", follows="storage/claims-bound")
    elif short:
        words = [
            f"{one.part} {print_size(one.request) if one.request else 'none'}, at {pair.passive.name} "
            + ("no claim" if other is None else print_size(other.request) if other.request else "none")
            for one, other in short
        ]
        text = "; ".join(words[:4]) + (f"; and {len(words) - 4} more" if len(words) > 4 else "")
        fix = task(f"Set `storage.pvcSizes` at {pair.passive.name} as at {pair.active.name}, so that what is restored there fits")
        yield warn(subject, len(short), seen=text, wanted=wanted(f"claims as large as at {pair.active.name}"), at=at, fix=fix)
    else:
        yield ok(
            subject,
            0,
            seen=f"{len(active)} claims, none smaller at {pair.passive.name}",
            at=[(one, "spec.resources.requests.storage") for one in passive.values()][:1],
        )


def class_parameters(subject, pair):
    """The storage classes behind the same claims do the same."""
    told = {}
    for site in (pair.active, pair.passive):
        classes = site.fact("storage_classes")
        told[site.name] = {one.part: class_of(one, classes.surely()) for one in site.fact("claims") if one.group in SIZED}
    here, there = told[pair.active.name], told[pair.passive.name]
    apart, seen_pairs = {}, set()
    for part, one in here.items():
        other = there.get(part)
        if one is not None and other is not None:
            seen_pairs.add((one.name, other.name))
            apart |= {(one.name, other.name): (one, other, differences(one, other))} if differences(one, other) else {}
    if apart:
        one, other, words = next(iter(apart.values()))
        text = f"{one.name} at {pair.active.name}, {other.name} at {pair.passive.name}: {', '.join(words)}"
        at = [(one, "parameters", f"{pair.active.name}: {words[0]}"), (other, "parameters", f"{pair.passive.name}: {words[0]}")]
        fix = task(f"Create the StorageClass at {pair.passive.name} with the provisioner and parameters of {pair.active.name}")
        yield warn(subject, len(apart), seen=text, wanted=wanted("the same provisioner and parameters"), at=at, fix=fix)
    elif not seen_pairs:
        yield skip(subject, "no claim of both sites has a StorageClass", follows="storage/class-exists")
    else:
        names = ", ".join(sorted({f"{one}" if one == other else f"{one} and {other}" for one, other in seen_pairs}))
        yield ok(
            subject,
            "the same",
            seen=f"{names}: the same provisioner and parameters",
            at=[(next(iter(filter(None, here.values()))), "parameters", "")],
        )


def differences(one, other):
    """What two classes say otherwise, in words."""
    found = [] if one.provisioner == other.provisioner else [f"provisioner {one.provisioner} and {other.provisioner}"]
    for key in sorted({*one.parameters, *other.parameters} - {"server", "share"}):  # addresses are a site's own
        if one.parameters.get(key) != other.parameters.get(key):
            found.append(f"{key} {one.parameters.get(key, 'not set')} and {other.parameters.get(key, 'not set')}")
    if sorted(one.mount_options) != sorted(other.mount_options):
        found.append(f"mount options {' '.join(one.mount_options) or 'none'} and {' '.join(other.mount_options) or 'none'}")
    return found


def ingress_host(subject, pair):
    """The standby's way in is for the host that users know."""
    ways = {site.name: site.fact("ways_in").surely() for site in (pair.active, pair.passive)}
    here, there = ({host.lower() for way in found for host in way.hosts if host} for found in ways.values())
    at = [(way, way.hosts_at, f"{site}: {', '.join(way.hosts) or 'none'}") for site, found in ways.items() for way in found]
    lacking = sorted(here - there)
    if not ways[pair.active.name] or not ways[pair.passive.name]:
        lead = INGRESS_LEAD if ways[pair.active.name] else "ingress/class"
        yield skip(subject, "a site has no Ingress of the product", follows=lead)
    elif lacking:
        text = f"{', '.join(lacking)} at {pair.active.name}, {', '.join(sorted(there)) or 'no host'} at {pair.passive.name}"
        fix = task(f"Set `ingress.host: {lacking[0]}` at {pair.passive.name} too: users keep the name at failover")
        yield warn(subject, ", ".join(sorted(there)) or "none", seen=text, wanted=exactly(", ".join(sorted(here))), at=at, fix=fix)
    else:
        yield ok(subject, ", ".join(sorted(here)) or "any host", at=at)


def kubernetes_minor(subject, pair):
    """Both clusters run one minor of Kubernetes."""
    told = {}
    for site in (pair.active, pair.passive):
        version = parse_version(site.cluster.version) if site.cluster is not None and site.cluster.version else None
        if version is None:
            yield unknown(subject, f"{site.name}: the server's version was not read")
            return
        told[site.name] = f"{version.major}.{version.minor}"
    first, second = told.values()
    text = " and ".join(f"{minor} at {site}" for site, minor in told.items())
    if first == second:
        yield ok(subject, first, seen=f"{first} at both")
    else:
        fix = task("Upgrade the older cluster, so that both sites serve the same APIs at failover")
        yield warn(subject, second, seen=text, wanted=exactly(first), fix=fix)


THINGS = {
    **{thing: secret(thing, name, value, leader, harm) for thing, name, value, leader, harm in SECRETS},
    "database login": database_login, "chart version": chart_version, "images": images, "sizes": sizes, "class parameters": class_parameters,
    "ingress host": ingress_host, "Kubernetes": kubernetes_minor,
}  # fmt: skip
