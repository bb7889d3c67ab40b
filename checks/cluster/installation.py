"""How the product was installed, beside what, from which registry."""

from __future__ import annotations

from exivity_audit import MEDIUM, Subject, check, exactly, fail, maybe, ok, one_of, seen, skip, task, unknown, values, wanted, warn
from exivity_audit.facts.namespace import Belongs

from .shared import listed

USUAL_NAMESPACE = "exivity"


PUBLIC_REGISTRIES = frozenset(
    {"docker.io", "ghcr.io", "quay.io", "registry.k8s.io", "k8s.gcr.io", "gcr.io", "public.ecr.aws", "mcr.microsoft.com", "registry.gitlab.com"}
)


@check("namespace", severity=MEDIUM, clauses=("F5",))
def namespace(release, tenants, bare_pods=maybe):
    """Exivity has a namespace of its own.

    Quotas, network policies, backups and rights are set by namespace: what shares it shares them, and a restore brings back both.

    Fix: move the other workloads, or Exivity, to a namespace of its own, normally `exivity`.
    """
    name = release.namespace
    about = Subject("Namespace", name)
    if name == "default" or name.startswith("kube-"):
        fix = task("Install Exivity into a namespace of its own (`helm install … -n exivity --create-namespace`) and restore its data there")
        yield fail(about, name, seen=f"installed in {name}", wanted=exactly(USUAL_NAMESPACE, "a namespace of its own"), fix=fix)
        return
    every = (*tenants, *(bare_pods if seen(bare_pods) else ()))
    foreign = [one for one in every if one.belongs is Belongs.FOREIGN]
    doubtful = [one for one in foreign if one.doubt]
    sure = [one for one in foreign if not one.doubt]
    if sure:
        names = listed(f"{one.subject.kind} {one.name}" for one in sure)
        yield warn(
            about,
            len(sure),
            seen=f"shared with {names}",
            wanted=exactly(0, "workloads of other products"),
            at=[(one, "metadata.labels", one.name) for one in sure],
            fix=task(f"Move to another namespace: {names}"),
        )
        return
    if doubtful:
        names = listed(f"{one.subject.kind} {one.name}" for one in doubtful)
        yield unknown(about, f"{names} may be its database or broker: {doubtful[0].doubt}")
        return
    tenants.surely()
    bare_pods.surely()
    remarks = [] if name == USUAL_NAMESPACE else [f"normally it is named {USUAL_NAMESPACE}"]
    if any(one.belongs is Belongs.OTHER_INSTALLATION for one in every):
        remarks.append("a second Exivity release shares it")
    yield ok(about, name, remark="; ".join(remarks))


@check("helm-release", severity=MEDIUM, clauses=("F4",))
def helm_release(release, ownerships, revisions=maybe, installer=maybe):
    """Helm, Argo CD or Flux owns the release.

    A release that a tool owns can be upgraded and rolled back from values in version control; objects applied by hand drift.

    Fix: install the chart with Helm 3, Argo CD or Flux, with its values in version control.
    """
    newest = revisions.one() if seen(revisions) else None
    remark = "Helm 4 wrote it; the vendor names Helm 3" if newest is not None and newest.apply_method else ""
    if ownerships:
        tools = ", ".join(sign.tool for sign in ownerships)
        yield ok(release, tools, at=[(sign, sign.path, sign.value) for sign in ownerships], remark=remark)
    elif newest is not None:
        yield ok(release, "Helm", seen=f"Helm revision {newest.number}", at=[(newest, "metadata.name", str(newest.number))], remark=remark)
    elif seen(installer) and installer.keeper is not None:
        keeper = installer.keeper
        yield ok(
            release, str(installer.tool), seen=f"{installer.tool}: {keeper.subject} lists its objects", at=[(keeper, "metadata.name", keeper.name)]
        )
    else:
        ownerships.surely()
        revisions.surely()
        if installer.doubt:
            yield unknown(release, f"no sign of Helm or Flux; Argo CD may keep it: {installer.doubt_text}", needs=installer.needs)
            return
        fix = task("Install the chart with `helm upgrade --install` from values in version control, or let Argo CD or Flux own it")
        signs = "no Helm annotation, release Secret, Argo CD tracking or Application, no Flux label"
        yield fail(release, "nothing owns it", seen=signs, wanted=one_of("Helm", "Argo CD", "Flux"), fix=fix)


@check("image-registry", severity=MEDIUM, clauses=("F8",))
def image_registry(release, settings, tenants, supporting=maybe):
    """Every image comes from an approved registry.

    A restricted site cannot pull from the internet: a node that is replaced finds no image and starts nothing.

    Fix: mirror the images, and set `service.registry` and the registries of the middleware to the mirror.
    """
    approved = tuple(registry.removeprefix("https://").rstrip("/") for registry in settings.declare.registries)
    if not approved and not settings.declare.restricted:
        yield skip(release, "the config declares neither `restricted: true` nor approved `registries`")
        return
    want = one_of(*approved) if approved else wanted("a registry of the site's own")
    ours = [one for one in tenants if one.belongs in (Belongs.RELEASE, Belongs.MIDDLEWARE)]
    known = {one.subject for one in ours}
    for one in (*ours, *((one for one in supporting if one.subject not in known) if seen(supporting) else ())):
        images = (*one.images, *one.init_images)
        bad = [image for image in images if not _approved(full_image(image), approved)]
        if bad:
            yield fail(one, listed(bad), wanted=want, at=_images_at(one), fix=_mirror(one, bad, approved, release))
        else:
            remark = "" if approved else "no `registries` declared: any registry that is not public passes"
            yield ok(one, listed(images), remark=remark, at=_images_at(one))
    supporting.surely()


def _images_at(one):
    return "spec.containers[].image" if one.source.resource == "pods" else "spec.template.spec.containers[].image"


def full_image(image):
    """An image with its registry: ``busybox`` is ``docker.io/library/busybox``."""
    first, slash, _ = image.partition("/")
    if not slash:
        return f"docker.io/library/{image}"
    return image if "." in first or ":" in first or first == "localhost" else f"docker.io/{image}"


def _approved(image, approved):
    if not approved:
        return image.partition("/")[0] not in PUBLIC_REGISTRIES
    return any(image.startswith(f"{registry}/") for registry in approved)


def _mirror(one, bad, approved, release):
    if all(image in one.init_images for image in bad):
        return values("storage.permissions.enabled", False)  # its busybox image has no registry value
    if one.belongs is Belongs.RELEASE:
        if not approved:
            return task("Mirror the images and set `service.registry` to the mirror", fill="service.registry")
        return values("service.registry", approved[0].removesuffix("/exivity"))
    for part in ("postgresql", "rabbitmq"):
        if one.name.startswith(f"{release.name}-{part}") and one.subject.kind == "StatefulSet" and one.subject.namespace == release.namespace:
            path = f"{part}.image.registry"
            if not approved:
                return task(f"Mirror its images and set `{path}` to the mirror", fill=path)
            # The sub-charts refuse an image of another registry unless they are told not to.
            return values(path, approved[0]) & values("global.security.allowInsecureImages", True)
    return task(f"Mirror its images and set them in {one.subject}")
