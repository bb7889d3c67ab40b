"""Words that the checks of secrets share."""

from __future__ import annotations

from exivity_audit import Subject

KNOWN = {"empty": "empty", "chart-default": "the chart's default", "placeholder": "an example placeholder", "demo": "an example placeholder"}


def character_classes(value):
    """``1 class``, ``3 classes``."""
    return f"{len(value.classes)} class" + ("es" if len(value.classes) > 1 else "")


def secret_subject(release, name):
    """A Secret of the chart as a subject, also where it is missing."""
    return Subject("Secret", f"{release.fullname}-{name}", release.namespace)
