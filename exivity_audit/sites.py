"""The sites of a run, each with its role and its facts, ready to be judged."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from exivity_audit.acceptance import ALL_SITES
from exivity_audit.check import Check
from exivity_audit.config import Config, Waiver
from exivity_audit.document import parse_time
from exivity_audit.fact import Broken, Crash, Facts, NotSeen, Objects, Reason, Unreadable
from exivity_audit.facts.sites import peers_of
from exivity_audit.pack import Pack
from exivity_audit.reading import reading
from exivity_audit.scenario import Purpose, Role, Scenario, ScenarioUsed, scenario_used
from exivity_audit.snapshot import Cluster, Record, SiteSnapshot, Snapshot
from exivity_audit.subject import Subject, release_subject


class Release(Struct, frozen=True):
    """The audited release: Helm's name for it, its namespace, and the chart's FN where it could be seen."""

    name: str
    namespace: str
    fullname: str
    fullname_seen: bool

    @property
    def subject(self) -> Subject:
        """The release as a subject."""
        return release_subject(self.namespace, self.name)


class Settings(Struct, frozen=True):
    """What the operator declared for this run."""

    purpose: Purpose
    scenario: ScenarioUsed
    role: Role | None
    declare: Any
    provisioners: Any


class Judged(Struct, frozen=True):
    """A site with its facts, as the facts ``sites`` and ``other_sites`` hand it to a check that compares sites."""

    name: str
    role: Role | None
    facts: Facts
    keyring: str = ""  # groups of equal secrets may be compared inside one, see ``keyring.comparable``
    unreached: str = ""  # why nobody could be asked there
    cluster: Cluster | None = None

    @property
    def release(self) -> Release:
        """The release that is audited there."""
        found: Release = self.facts.value("release")
        return found

    @property
    def passive(self) -> bool:
        """Whether it is declared to stand by; a site without a declared role counts as active."""
        return self.role is Role.PASSIVE

    def fact(self, name: str) -> Any:
        """A fact of this site, one of those that the check names in ``across``.

        Raises NotSeen, with the site's name in each reason, where it could not be read, and Crash where its function broke.
        """
        value = self.facts.value(name)
        if isinstance(value, Broken):
            raise Crash(f"{value.error} at {self.name}")
        if isinstance(value, Unreadable):
            raise NotSeen(self.here(value.reasons))
        return value

    def here(self, reasons: tuple[Reason, ...]) -> tuple[Reason, ...]:
        """The same reasons, each with this site's name."""
        return tuple(replace(one, text=f"{self.name}: {one.text}") for one in reasons)


Site = tuple[SiteSnapshot, Role | None, Facts]


def prepared_sites(
    snapshot: Snapshot, pack: Pack, config: Config, *, thresholds: dict[str, Any], lifecycle: Any, now: datetime
) -> tuple[ScenarioUsed, list[Site]]:
    """The scenario of a run, and every site with its role and its facts, ready to be judged."""
    first = next((site for site in snapshot.sites if not site.unreached), snapshot.sites[0])
    nodes = _nodes(first, pack)
    used = detect(snapshot, nodes, None if config.scenario == "auto" else Scenario(config.scenario))
    sites: list[Site] = []
    for site in snapshot.sites:
        role = Role(site.role) if site.role else None
        settings = Settings(Purpose(config.purpose), used, role, config.declare, config.provisioners)
        sites.append((site, role, site_facts(site, pack, settings, now, thresholds, lifecycle, config.waivers)))
        if site is first:
            sites[-1][2].keep("nodes", nodes)
    every = tuple(Judged(site.name, role, facts, site.keyring, site.unreached, site.cluster) for site, role, facts in sites)
    for site, _, facts in sites:
        facts.give("sites", every)
        facts.give("other_sites", peers_of(site.name, every))
    return used, sites


def site_facts(
    site: SiteSnapshot, pack: Pack, settings: Settings, now: datetime, thresholds: dict[str, Any], lifecycle: Any, waived: tuple[Waiver, ...] = ()
) -> Facts:
    """The facts of one site, ready to be asked."""
    by_name: dict[str, list[Record]] = {}
    for record in site.reads:
        by_name.setdefault(record.name, []).append(record)
    reads = {name: reading(tuple(records)) for name, records in by_name.items()}
    used = settings.scenario.used
    scenario: Any = used or Unreadable((Reason("scenario", "the scenario is unknown: the nodes could not be read", "--scenario"),))
    given = {
        "now": now,
        "site": site,
        "settings": settings,
        "scenario": scenario,
        "thresholds": thresholds,
        "lifecycle": lifecycle,
        "waived": waived,
        "release": Release(site.release, site.namespace, site.fullname or site.release, site.fullname is not None),
    }
    return Facts(pack.facts, reads, given)


def _nodes(site: SiteSnapshot, pack: Pack) -> Any:
    """The fact of the nodes, which tells the scenario before the other facts can be asked."""
    blank = Settings(Purpose.PRODUCTION, ScenarioUsed(None, None, None), None, Config().declare, {})
    return site_facts(site, pack, blank, parse_time(site.now), {}, None).value("nodes")


def detect(snapshot: Snapshot, nodes: Any, declared: Scenario | None) -> ScenarioUsed:
    """The scenario of a run: declared, else by its sites and the nodes of the first that was reached."""
    seen = sum(1 for node in nodes if node.worker) if isinstance(nodes, Objects) else 0
    workers = seen if seen > 1 or (isinstance(nodes, Objects) and nodes.complete) else None  # what is malformed takes no worker away
    role = next((Role(site.role) for site in snapshot.sites if site.role), None)
    return scenario_used(declared, workers, _clusters(snapshot.sites), role)


def _clusters(sites: tuple[SiteSnapshot, ...]) -> int:
    """How many clusters the sites are; several releases of one cluster are no multi-site installation."""
    known = {site.cluster.name: site.cluster.uid for site in sites if site.cluster.uid}
    return len({site.cluster.uid or known.get(site.cluster.name, site.cluster.name) for site in sites})


def places_of(check: Check, sites: list[Site]) -> list[tuple[str, list[Site]]]:
    """Where a check is judged, by name: at each site, or once over all."""
    if "sites" in (*check.needs, *check.alternates):
        return [(ALL_SITES, sites)]
    return [(one[0].name, [one]) for one in sites]
