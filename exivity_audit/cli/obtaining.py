"""The snapshot that a command judges or keeps: sites read now and saved ones, as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from exivity_audit.cli import saying
from exivity_audit.cli.preparation import Preparation
from exivity_audit.cli.site_plan import plan
from exivity_audit.collect.stats import Stats
from exivity_audit.document import parse_time
from exivity_audit.keyring import join
from exivity_audit.reports.dates import print_moment
from exivity_audit.snapshot import SiteSnapshot, Snapshot, run_now


class Obtained(Struct, frozen=True):
    """A snapshot, what reading it cost at each site, and whether anything was read now."""

    snapshot: Snapshot
    costs: dict[str, Stats] = field(default_factory=dict)
    files: str | None = None  # the saved ones among its sites

    @property
    def live(self) -> bool:
        """Whether a site was read now."""
        return bool(self.costs)

    @property
    def requests(self) -> int | None:
        """Requests over all sites; None where none was read."""
        return sum(one.requests for one in self.costs.values()) if self.live else None

    @property
    def received(self) -> int | None:
        """Bytes over all sites; None where none was read."""
        return sum(one.bytes_received for one in self.costs.values()) if self.live else None

    def spent(self, seconds: float) -> Iterator[str]:
        """What reading cost, over all sites and of each."""
        if self.live:
            yield f"{_words(list(self.costs.values()))}, read in {seconds:.2f} s"
        if len(self.costs) > 1:
            for name, one in self.costs.items():
                yield f"{name}: {_words([one])}"


def obtain(prepared: Preparation, flags: dict[str, Any], snapshots: Sequence[str] = (), history: Path | None = None) -> Obtained:
    """What the selected checks need of every site of the run. Raises UsageError, and Unreachable where no site can be reached.

    ``history``: the folder of past reports for the sites that were saved without one.
    """
    wanted = plan(flags, prepared, snapshots)
    parts, costs = [one.snapshot for one in wanted.saved], dict[str, Stats]()
    if wanted.live:
        from exivity_audit.cli.collecting import collect

        fresh, costs = collect(wanted, prepared, flags)
        parts.insert(0, fresh)
    snapshot = join(parts, wanted.order if len(parts) > 1 else ())
    if wanted.saved:
        from exivity_audit.cli.history_keeping import with_history

        snapshot = with_history(snapshot, history)
    for note in _oddities(snapshot):
        saying.note(note)
    return Obtained(snapshot, costs, ", ".join(str(one.path) for one in wanted.saved) or None)


def _oddities(snapshot: Snapshot) -> Iterator[str]:
    """What is odd about the sites of a run, whether they were read or saved."""
    if len(snapshot.sites) < 2:
        return
    clusters: dict[str, SiteSnapshot] = {}
    for site in snapshot.sites:
        first = clusters.setdefault(site.cluster.uid or site.name, site)
        if first is not site and (first.role or site.role):
            yield f"the sites {first.name} and {site.name} are one cluster: what its loss takes away is lost at both"
    if any(site.role for site in snapshot.sites):
        for site in snapshot.sites:
            if site.role is None:
                yield f"no role is declared for site {site.name}: it counts as active; declare it with --site {site.name}=CONTEXT:passive"
    ages = sorted((parse_time(site.now), site.name) for site in snapshot.sites if not site.unreached)
    if ages and (days := (ages[-1][0] - ages[0][0]).days):
        apart = "a day" if days == 1 else f"{days} days"
        yield f"{ages[0][1]} was read {apart} before {ages[-1][1]}; all are judged as of {print_moment(run_now(snapshot))}"


def _words(costs: Sequence[Stats]) -> str:
    methods: dict[str, int] = {}
    for one in costs:
        for method, count in one.methods.items():
            methods[method] = methods.get(method, 0) + count
    told = ", ".join(f"{count} {method}" for method, count in sorted(methods.items()))
    received, retries = sum(one.bytes_received for one in costs), sum(one.retries for one in costs)
    return f"{sum(methods.values())} requests ({told}), {received} bytes, {retries} retries"
