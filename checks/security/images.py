"""From where images come, and whether their tags name a release."""

from __future__ import annotations

import re

from exivity_audit import HIGH, RELAX, chart, check, fail, maybe, ok, one_of, skip, task, unknown, values, wanted, warn
from exivity_audit.facts.namespace import Belongs
from exivity_audit.lifecycle import ended

UNSUPPORTED = {
    f"{chart.LEGACY_IMAGE}/": "an archive that gets no fixes", "k8s.gcr.io/": "a registry that was frozen in 2023",
}  # fmt: skip
HELPER = "busybox:stable"  # of the chart's init container; no value sets it
MOVING = ("latest", "main", "master", "develop", "development", "dev", "edge", "nightly", "canary", "next", "unstable", "testing", "snapshot", "head")
_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")
PATCHED = wanted("an image of a maintained origin, with the tag of a release")


def shown(one, kind="containers"):
    """Where the images of a workload stand: in its template, or in the pod that showed them."""
    return f"spec.{kind}[].image" if one.source.resource == "pods" else f"spec.template.spec.{kind}[].image"


def tag_of(image):
    """Tag and digest of an image; empty where it has none."""
    name, _, digest = image.partition("@")
    _, colon, tag = name.rpartition("/")[2].partition(":")
    return (tag if colon else ""), digest


def product(image):
    """Whether it is one of the product's own images."""
    return "exivity/" in f"/{image}" and any(f"/{component}:" in image.partition("@")[0] for component in chart.COMPONENTS)


def flaw(image):
    """What is wrong with an image, and whether that is only a remark's worth; empty words where nothing is."""
    origin = next((why for part, why in UNSUPPORTED.items() if f"/{part}" in f"/{image}"), "")
    if origin:
        return f"{image}, {origin}", False
    tag, digest = tag_of(image)
    if digest:
        return "", False
    if f"/{image}".endswith(f"/{HELPER}"):
        return f"{image}, which moves with each release of busybox", True
    if not tag:
        return f"{image} without a tag, which is latest", False
    words = re.split(r"[^a-z]+", tag.lower())
    if any(word in MOVING for word in words) or not any(c.isdigit() for c in tag):
        return f"{image}, a tag that moves", False
    if product(image) and not _VERSION.search(tag):
        return f"{image}, the tag of a branch", False
    return "", False


@check("images-patched", severity=HIGH, clauses=("D5",), evaluation=RELAX)
def images_patched(tenants, release, lifecycle, now, supporting=maybe):
    """Images come from a supported origin.

    An archive gets no security fixes, and a tag that moves says neither what runs nor what a restart will bring.

    Fix: run the chart's own tags, PostgreSQL and RabbitMQ from their projects' images, and pin what has a moving tag.
    """
    judged = set()
    for one in tenants:
        if one.belongs in (Belongs.RELEASE, Belongs.MIDDLEWARE):
            judged.add(one.subject)
            yield origin_verdict(one)
    yield window(tenants, release, lifecycle, now)
    for one in supporting:
        if one.subject not in judged:
            yield origin_verdict(one)
    supporting.surely()


def origin_verdict(one):
    """The verdict on the images of one workload: the gravest flaw of any."""
    images = tuple(dict.fromkeys(image for image in (*one.images, *one.init_images) if image))
    if not images:
        return skip(one, "no image is named")
    found = [(text, light) for image in images if (text := (told := flaw(image))[0]) for light in (told[1],)]
    heavy = [text for text, light in found if not light]
    if heavy:
        return fail(one, ", ".join(heavy), wanted=PATCHED, at=[(one, shown(one), ", ".join(images))], fix=repair(one, heavy))
    if found:
        text = ", ".join(text for text, _ in found)
        fix = values("storage.permissions.enabled", False)
        remark = "no value sets its registry or tag: a post-renderer may pin it, or storage that keeps owners makes it needless"
        return warn(one, text, wanted=PATCHED, at=[(one, shown(one, "initContainers"), text)], fix=fix, remark=remark)
    return ok(one, ", ".join(images), at=[(one, shown(one), ", ".join(images))])


def repair(one, texts):
    """Where the image is set."""
    if any(chart.LEGACY_IMAGE in text for text in texts):
        return task(
            "Move PostgreSQL to CloudNativePG or an external server, and RabbitMQ to the RabbitMQ Cluster Operator: the archive gets no fixes"
        )
    if one.belongs is Belongs.RELEASE:
        return task(f"Set `service.tag` to the tag of a release of Exivity, or take the tag that the chart brings, for {one.subject}")
    return task(f"Pin the image of {one.subject} to the tag of a release")


def window(tenants, release, lifecycle, now):
    """Whether the product's release is within the support window that the site declares."""
    subject = release.subject.at("release")
    found = {}
    for one in tenants:
        if one.belongs is Belongs.RELEASE:
            for image in one.images:
                number = _VERSION.search(tag_of(image)[0]) if product(image) else None
                if number:
                    found.setdefault((int(number[1]), int(number[2])), (one, image))
    table = {}
    for key, last in lifecycle.exivity.items():
        told = _VERSION.match(f"{key}.0" if "." not in key else key)
        if told:
            table[int(told[1]), int(told[2])] = last
    if not table:
        return skip(subject, "no support window of Exivity is declared (`exivity:` in the file that `lifecycle` names)")
    if not found:
        return unknown(subject, "no image names the release of the product in its tag", needs=("an image tag that names the release",))
    oldest = min(found)
    one, image = found[oldest]
    text, at = f"{oldest[0]}.{oldest[1]}", [(one, shown(one), image)]
    open_ones = [f"{major}.{minor}" for (major, minor), last in sorted(table.items()) if not ended(last, now)]
    want = one_of(*open_ones) if open_ones else wanted("a release within the declared support window")
    last = table.get(oldest)
    if last is None and oldest > min(table):
        return unknown(
            subject, f"{text} is not in the declared support window: add it to the file that `lifecycle` names", needs=("lifecycle",), at=at
        )
    if last is None or ended(last, now):
        fix = task(f"Upgrade Exivity from {text} to a supported release")
        return fail(subject, text, seen=f"{text}, support ended{f' on {last.day} {last:%b %Y}' if last else ''}", wanted=want, at=at, fix=fix)
    return ok(subject, text, seen=f"{text}, supported until {last.day} {last:%b %Y}", at=at)
