"""The rights that an audit needs, as rules, each with the checks that go blind without it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

from exivity_audit.check import Check
from exivity_audit.collect.collector import inputs, needed
from exivity_audit.collect.place import NotAsked, Read
from exivity_audit.pack import Pack
from exivity_audit.selection import Behind, checks_by_read, reads_needed
from exivity_audit.snapshot import Place

if TYPE_CHECKING:
    from exivity_audit.config import Config
    from exivity_audit.probes.asked import Asked

GROUPS = {
    "deployments": "apps", "statefulsets": "apps", "daemonsets": "apps", "jobs": "batch", "cronjobs": "batch",
    "horizontalpodautoscalers": "autoscaling", "poddisruptionbudgets": "policy", "ingresses": "networking.k8s.io",
    "ingressclasses": "networking.k8s.io", "endpointslices": "discovery.k8s.io", "storageclasses": "storage.k8s.io",
    "csidrivers": "storage.k8s.io", "csinodes": "storage.k8s.io",
}  # fmt: skip
"""API group of the built-in resources that are read, other than the core's."""


class Rule(Struct, frozen=True, order=True):
    """One right: a verb on a resource, in a namespace (None: the cluster), of one name (None: all)."""

    resource: str  # plural, or plural.group; a subresource of a core one behind a slash
    verb: str
    namespace: str | None
    name: str | None

    def __str__(self) -> str:
        name = f" {self.name}" if self.name else ""
        return f"{self.verb} {self.resource}{name}" + (f" in {self.namespace}" if self.namespace else " (cluster)")

    @property
    def group(self) -> str:
        """The API group; empty for the core's."""
        plural, _, group = self.resource.partition("/")[0].partition(".")
        return group or GROUPS.get(plural, "")

    @property
    def plural(self) -> str:
        """The resource as a role names it: plural, with its subresource."""
        plain, slash, part = self.resource.partition("/")
        return plain.partition(".")[0] + slash + part

    def covers(self, other: Rule) -> bool:
        """Whether who has this right has the other one too."""
        same = (self.resource, self.verb) == (other.resource, other.verb)
        return same and self.namespace in (None, other.namespace) and self.name in (None, other.name)


class Need(Struct, frozen=True):
    """A rule with the reads it serves, the checks that need it, and those that see less without it."""

    rule: Rule
    reads: tuple[str, ...]
    needing: tuple[Check, ...]
    other: tuple[Check, ...]
    why: tuple[str, ...] = ()  # what the run itself does with it
    note: str = ""  # why it is as wide as it is
    narrower: tuple[Place, ...] = ()  # where a read looks when it may not look everywhere


class LeftOut(Struct, frozen=True):
    """What no rule was made for, and the checks that do without it."""

    what: str
    why: str
    needing: tuple[Check, ...]
    other: tuple[Check, ...]


class Rights(Struct, frozen=True):
    """All that an audit needs, and what it was told to do without."""

    needs: tuple[Need, ...]
    left_out: tuple[LeftOut, ...]


class Terms(Struct, frozen=True):
    """What the rights are for: a release, servers beside the API, and whether rules for the whole cluster may be given."""

    namespace: str
    kubelet_stats: bool = False
    namespaced: bool = False
    within: frozenset[str] = frozenset()  # of namespaced rules: only those in these; empty: anywhere
    scenario_known: bool = False  # declared: it need not be found out
    forwarded: frozenset[str] = frozenset()  # the probes that reach servers inside the cluster through a port-forward


def terms_of(
    namespace: str, kubelet_stats: bool, probes: Asked | None, config: Config, *, namespaced: bool = False, within: Iterable[str] = ()
) -> Terms:
    """The terms of a run with some flags and config."""
    forwarded = probes.names if probes is not None and probes.port_forward else frozenset[str]()
    return Terms(namespace, kubelet_stats, namespaced, frozenset(within), config.scenario != "auto", forwarded)


class Places(Protocol):
    """Where reads look: a live collector, or what a snapshot holds."""

    def serves(self, resource: str) -> bool: ...

    def exists(self, namespace: str) -> bool: ...

    def places(self, name: str) -> list[Place] | None: ...

    def narrower(self, name: str) -> list[Place]: ...


UNRESOLVED = "for the whole cluster: what says where to look could not be read"
KUBELETS = Rule("nodes/stats", "get", None, None)


class _Wanted(Struct):
    """A rule on its way to a need."""

    reads: list[str] = field(default_factory=list)
    behind: Behind = field(default_factory=Behind)
    why: list[str] = field(default_factory=list)
    note: str = ""
    narrower: list[Place] = field(default_factory=list)

    def add(self, more: _Wanted) -> None:
        self.reads = list(dict.fromkeys((*self.reads, *more.reads)))
        self.behind.add(more.behind)
        self.why = list(dict.fromkeys((*self.why, *more.why)))
        self.note = self.note or more.note


def rules_of(read: Read, places: list[Place] | None) -> list[Rule]:
    """The rules of one read at its places; where these could not be seen, a rule for the whole cluster."""
    if places is None:
        return [Rule(read.resource, "get" if read.by_name else "list", None, None)]
    if read.bulk:
        return [Rule(read.resource, "list", namespace, None) for namespace in dict.fromkeys(place.namespace for place in places)]
    return [Rule(read.resource, "get" if place.name else "list", place.namespace, place.name) for place in places]


def rights(pack: Pack, reads: Iterable[Read], selected: frozenset[str] | None, look: Places, terms: Terms) -> Rights:
    """Every rule that the selected checks need, in order, each by itself; and what was left out."""
    table = {read.name: read for read in reads}
    names = needed(reads_needed(pack, selected), table)
    behind = _behind(checks_by_read(pack, selected, scenario_known=terms.scenario_known), table, names)
    found: dict[Rule, _Wanted] = {}
    left_out: list[LeftOut] = []
    for rule, why in _base(terms.namespace):
        found.setdefault(rule, _Wanted()).add(_Wanted(why=[why]))
    for name in names:
        for rule, note in _rules(table[name], look, terms, behind.get(name, Behind()), left_out):
            found.setdefault(rule, _Wanted()).add(_Wanted([name], behind.get(name, Behind()), note=note))
            if table[name].otherwise is not None and rule.namespace is None:
                found[rule].narrower = look.narrower(name)
    kept: dict[Rule, _Wanted] = {}
    there = {namespace: look.exists(namespace) for namespace in sorted({rule.namespace for rule in found if rule.namespace})}
    for rule, wanted in found.items():
        if not _allowed(rule, terms):
            left_out.append(LeftOut(str(rule), "outside the namespaces of these rules", *_checks(wanted.behind)))
        elif not there.get(rule.namespace or "", True):
            left_out.append(LeftOut(str(rule), "the namespace is not there", *_checks(wanted.behind)))
        else:
            kept[rule] = wanted
    return Rights(_needs(kept), tuple(left_out))


def merged(found: Rights) -> Rights:
    """The same rights with each rule that lies within another one taken into that, for roles that hold nothing twice."""
    kept = {
        need.rule: _Wanted(
            list(need.reads), Behind({one.id: one for one in need.needing}, {one.id: one for one in need.other}), list(need.why), need.note,
            list(need.narrower),
        )
        for need in found.needs
    }  # fmt: skip
    for rule in list(kept):
        wider = next((other for other in kept if other != rule and other.covers(rule)), None)
        if wider is not None:
            kept[wider].add(kept.pop(rule))
    return Rights(_needs(kept), found.left_out)


def _needs(kept: Mapping[Rule, _Wanted]) -> tuple[Need, ...]:
    return tuple(
        Need(rule, tuple(one.reads), *_checks(one.behind), tuple(one.why), one.note, tuple(one.narrower))
        for rule, one in sorted(kept.items(), key=lambda item: str(item[0]))
    )


def _base(namespace: str) -> list[tuple[Rule, str]]:
    return [
        (Rule("namespaces", "get", None, "kube-system"), "which cluster it is"),
        (Rule("namespaces", "get", None, namespace), "whether the namespace is there"),
        (Rule("deployments", "list", namespace, None), "which release it is"),
    ]


def _rules(read: Read, look: Places, terms: Terms, behind: Behind, left_out: list[LeftOut]) -> list[tuple[Rule, str]]:
    """The rules of one read, each with why it is as wide as it is."""
    if read.opt_in:
        return list(_beside(read, look, terms))
    if not look.serves(read.resource):
        return []
    try:
        places = look.places(read.name)
    except NotAsked as error:
        left_out.append(LeftOut(f"{read.resource}: {read.name}", str(error), *_checks(behind)))
        return []
    if places is None and read.resource == "secrets":
        # A right to read every Secret is a right to nearly everything: no rule is better than that one.
        left_out.append(LeftOut(f"get {read.resource}: {read.name}", "what says where they are could not be read", *_checks(behind)))
        return []
    rules = rules_of(read, places)
    if terms.namespaced and read.otherwise is not None and any(rule.namespace is None for rule in rules):
        rules = rules_of(read, look.narrower(read.name))
    return [(rule, UNRESOLVED if places is None and rule.namespace is None else "") for rule in rules]


def _beside(read: Read, look: Places, terms: Terms) -> Iterator[tuple[Rule, str]]:
    """The rules by which servers beside the API are reached: none unless the run says so."""
    kind, _, name = read.resource.partition("/")
    if read.resource == "kubelet/stats" and terms.kubelet_stats:
        yield KUBELETS, "nodes come and go, so none is named"
    if kind == "probe" and name in terms.forwarded:
        for namespace in dict.fromkeys(place.namespace for place in look.places(read.name) or () if place.namespace):
            for verb in ("create", "get"):  # which of them an API server asks for depends on its version
                yield Rule("pods/portforward", verb, namespace, None), "to reach servers inside the cluster: --probe-port-forward"


def _behind(direct: dict[str, Behind], table: Mapping[str, Read], names: list[str]) -> dict[str, Behind]:
    """The checks behind each read; those behind a read whose places follow from another see less without that one too."""
    found: dict[str, Behind] = {}
    following = {name: [other for other in names if name in inputs(table[other])] for name in names}
    for name in names:
        whole, waiting, seen = Behind(), [name], {name}
        whole.add(direct.get(name, Behind()))
        while waiting:
            for other in following[waiting.pop()]:
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
                    one = direct.get(other, Behind())
                    whole.add(Behind(other=one.needing | one.other))
        found[name] = whole
    return found


def _allowed(rule: Rule, terms: Terms) -> bool:
    return not terms.namespaced or (rule.namespace is not None and (not terms.within or rule.namespace in terms.within))


def _checks(behind: Behind) -> tuple[tuple[Check, ...], tuple[Check, ...]]:
    return tuple(behind.needing.values()), tuple(behind.other.values())
