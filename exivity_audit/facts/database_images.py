"""Which PostgreSQL an image holds, by its name and tag."""

from __future__ import annotations

import re
from collections.abc import Iterable

from exivity_audit.facts.workloads import Container

MAJORS = range(9, 100)
CONTAINERS = ("postgres", "postgresql", "database")
_REPOSITORY = re.compile(r"(?:^|[/_-])(?:postgres|postgresql|postgis|pgvector)(?:$|[_-])")
_BESIDE = ("exporter", "bouncer")  # what runs beside a database under its name
_NAMED_MAJOR = re.compile(r"(?:^|[-_.])(?:ppg|pg|postgres|postgresql|postgis|spilo)-?(\d{1,2})(?:$|\D)")
_TAG_MAJOR = re.compile(r"^(?:ubi\d+-|v)?(\d{1,2})(?:$|[.-])")


def image_major(image: str) -> int | None:
    """The PostgreSQL major that an image's name or tag says; None where it says none."""
    name, _, tag = image.partition("@")[0].rpartition("/")[2].partition(":")
    if any(word in name for word in _BESIDE):
        return None
    found = _NAMED_MAJOR.search(f"{name}-{tag}") or (_TAG_MAJOR.match(tag) if _REPOSITORY.search(name) else None)
    major = int(found[1]) if found else None
    return major if major in MAJORS else None


def main_images(containers: Iterable[Container]) -> tuple[str, ...]:
    """Images of the containers that are the database itself, beside exporters and sidecars."""
    every = tuple(containers)
    main = [one.image for one in every if one.name in CONTAINERS] or [one.image for one in every if image_major(one.image) is not None]
    return tuple(dict.fromkeys(main or [one.image for one in every[:1]]))


def oldest_major(images: Iterable[str]) -> int | None:
    """The lowest major that some images name: in the middle of an upgrade the older one still counts."""
    return min((major for image in images if (major := image_major(image)) is not None), default=None)
