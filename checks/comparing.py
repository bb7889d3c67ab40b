"""What checks that compare sites share: what to say of a site that was not audited, or that did not show something."""

from __future__ import annotations

from exivity_audit import NotSeen, unknown

OTHER_SITE = "the other site is not audited: audit both in one run, or give both snapshots"
BOTH = ("--site",)


def alone(deployment):
    """The unknown where there is nothing to compare with."""
    return unknown(deployment.subject, OTHER_SITE, needs=BOTH)


def reasons_told(reasons):
    """Why something was not seen, as text and rules; both empty where nothing is missing."""
    return "; ".join(dict.fromkeys(one.text for one in reasons)), tuple(dict.fromkeys(one.rule for one in reasons if one.rule))


def hidden(subject, reasons):
    """The unknown for what a site does not show."""
    why, needs = reasons_told(reasons)
    return unknown(subject, why, needs=needs)


def contained(subject, verdicts):
    """The same verdicts; what could not be seen ends these alone, not those on other sites."""
    given = set()
    try:
        for verdict in verdicts:
            given.add(verdict.subject)
            yield verdict
    except NotSeen as error:
        yield hidden(subject.at(f"{subject.part or 'rest'} beyond") if subject in given else subject, error.reasons)
