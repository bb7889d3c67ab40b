"""The steps of a failover workflow: which of the vendor's eight actions each does, and which of them surely run one after the other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from exivity_audit.facts.workflows import Call, Reference, Template, Workflow
from exivity_audit.quantity import whole

ACTIONS = {
    1: "stop traffic to the failed site", 2: "scale the failed site to 0", 3: "promote or restore PostgreSQL", 4: "RabbitMQ available",
    5: "restore or attach the data volumes", 6: "scale the standby up", 7: "switch the traffic", 8: "validate the application",
}  # fmt: skip
DEEPEST, MOST = 8, 400  # templates inside templates, and steps, that are followed

_DATABASE = {"database", "databases", "db", "postgres", "postgresql", "pg", "cnpg"}
_DATA = {"volume", "volumes", "storage", "data", "longhorn", "pvc", "pvcs", "claims", "shares", "files"}
_ROUTING = {"traffic", "routing", "route", "routes", "requests", "users"}
_APPLICATION = {"application", "app", "apps", "exivity", "services", "replicas", "workloads", "deployments", "pods", "site"}
_DOWN = {"down", "zero", "0"}
_BROKER = {"rabbitmq", "rabbit", "broker", "mq", "queue", "amqp"}
_NAMES = {"dns", "gslb", "glb", "balancer", "reroute"}
_SWITCH = {"switch", "cutover", "redirect"}
_STOP = {"stop", "cut", "block", "disable", "remove", "withdraw"}
_PROOF = {"validate", "validation", "verify", "smoke", "test", "tests", "check", "checks", "health", "probe"}
_MARKED = {"fence", "drain", "isolate", "quarantine", "unavailable", "maintenance"}
_RAISED = {"up", "above"}
_LEADING = re.compile(r"(?:step[-_.]?)?0?([1-8])(?:[-_.]|$)")


class Step(Struct, frozen=True):
    """A step of a failover workflow as it runs; ``number`` is the action that it does, None where that cannot be told."""

    name: str
    words: tuple[str, ...]  # its own name, that of the template it calls, and the annotation there
    place: int
    after: frozenset[int]  # places of the steps that are surely over when it starts
    number: int | None = None
    unclear: tuple[int, ...] = ()  # the actions that its name may mean

    def follows(self, other: Step) -> bool:
        """Whether it surely runs after another one."""
        return other.place in self.after


class FailoverPlan(Struct, frozen=True):
    """A failover workflow with its steps in the order in which they stand."""

    workflow: Workflow
    steps: tuple[Step, ...]
    missing_templates: tuple[str, ...]  # called, and surely not there
    unseen_templates: tuple[str, ...]  # called, and not seen: they may be there
    cut: bool = False  # it goes on beyond what is followed

    def of(self, number: int) -> tuple[Step, ...]:
        """The steps that do one action; it may be divided."""
        return tuple(step for step in self.steps if step.number == number)

    @property
    def missing(self) -> tuple[int, ...]:
        """The actions that no step does."""
        return tuple(number for number in ACTIONS if not self.of(number))

    @property
    def unclear(self) -> tuple[Step, ...]:
        """The steps whose name may mean several actions."""
        return tuple(step for step in self.steps if step.unclear)

    @property
    def untold(self) -> tuple[Step, ...]:
        """The steps whose names mean none."""
        return tuple(step for step in self.steps if step.number is None and not step.unclear)

    @property
    def disorder(self) -> tuple[tuple[Step, Step], ...]:
        """Pairs of an action and a later one whose step is not surely after it."""
        numbered = [step for step in self.steps if step.number is not None]
        return tuple(
            (one, other)
            for one in numbered
            for other in numbered
            if one.number is not None and other.number is not None and one.number < other.number and not other.follows(one)
        )


class _Expansion:
    """Follows the templates of a workflow down to the steps that do something."""

    def __init__(self, library: Iterable[Workflow], complete: bool, told: Mapping[str, int]) -> None:
        self._library, self._complete, self._told = tuple(library), complete, told
        self.steps: list[Step] = []
        self.missing: dict[str, None] = {}
        self.unseen: dict[str, None] = {}
        self.cut = False

    def run(self, workflow: Workflow, template: Template, before: frozenset[int], chain: tuple[tuple[str, str], ...]) -> frozenset[int]:
        """Add the steps of a template; the places of all that it added."""
        if len(chain) > DEEPEST or len(self.steps) >= MOST:
            self.cut = True
            return frozenset()
        if template.tasks:
            return self._graph(workflow, template.tasks, before, chain)
        added: frozenset[int] = frozenset()
        for group in template.groups:
            here = [self._call(workflow, call, before | added, chain) for call in group]
            added = added.union(*here)
        return added

    def _graph(self, workflow: Workflow, tasks: tuple[Call, ...], before: frozenset[int], chain: tuple[tuple[str, str], ...]) -> frozenset[int]:
        """The tasks of a DAG, each behind all that its path holds; tasks that wait for each other in a ring are never run."""
        done: dict[str, frozenset[int]] = {}
        waiting = list(tasks)
        while waiting:
            ready = [one for one in waiting if all(name in done or not any(name == task.name for task in tasks) for name in one.after)]
            if not ready:
                self.cut = True
                break
            for one in ready:
                earlier = frozenset().union(*(self._behind(done[name]) for name in one.after if name in done))
                done[one.name] = self._call(workflow, one, before | earlier, chain)
                if not done[one.name]:
                    done[one.name] = earlier  # it adds no step and hands on what it waits for
            waiting = [one for one in waiting if one not in ready]
        return frozenset().union(*done.values())

    def _behind(self, places: frozenset[int]) -> frozenset[int]:
        """Places with all that is over before them."""
        return places.union(*(self.steps[place].after for place in places))

    def _call(self, workflow: Workflow, call: Call, before: frozenset[int], chain: tuple[tuple[str, str], ...]) -> frozenset[int]:
        home, template, known = self._called(workflow, call)
        words = tuple(filter(None, (call.name, template.mark if template else "", known)))
        inner = template is not None and bool(template.tasks or template.groups)
        if template is not None and inner and not any(word in self._told for word in words) and action(call.name)[0] is None and not template.mark:
            key = (home.printed, template.name or call.name)
            if key in chain:
                self.cut = True
                return frozenset()
            return self.run(home, template, before, (*chain, key))
        if len(self.steps) >= MOST:
            self.cut = True
            return frozenset()
        place = len(self.steps)
        self.steps.append(Step(call.name or known or "unnamed", words, place, self._behind(before)))
        return frozenset({place})

    def _called(self, workflow: Workflow, call: Call) -> tuple[Workflow, Template | None, str]:
        """The template that a step calls, with the workflow it stands in and its name."""
        if call.inline is not None:
            return workflow, call.inline, ""
        if call.reference is None:
            found = workflow.template(call.template)
            if found is None and call.template and "{{" not in call.template:
                self.missing[f"{call.template} of {workflow.printed}"] = None
            return workflow, found, call.template
        home = self.find(call.reference, workflow.namespace)
        found = home.template(call.reference.template) if home is not None else None
        if home is not None and found is None:
            self.missing[f"{call.reference.template} of {home.printed}"] = None
        return home or workflow, found, call.reference.template

    def find(self, reference: Reference, namespace: str) -> Workflow | None:
        """A workflow that is called by name; it is noted where it is not seen."""
        kind = "ClusterWorkflowTemplate" if reference.cluster else "WorkflowTemplate"
        fitting = (
            one for one in self._library if (one.kind, one.name) == (kind, reference.name) and (reference.cluster or one.namespace == namespace)
        )
        found = next(fitting, None)
        if found is None:
            (self.missing if self._complete else self.unseen)[f"{kind} {reference.name}"] = None
        return found


def plan(workflow: Workflow, library: Iterable[Workflow], complete: bool, told: Mapping[str, int]) -> FailoverPlan:
    """The steps of a workflow, each with the action that it does: as the config tells, as an annotation, a number in front or its words say.

    ``complete``: whether a template that the library does not hold is surely not there.
    """
    expansion = _Expansion(library, complete, told)
    home: Workflow | None = workflow
    for _ in range(DEEPEST):
        if home is None or home.calls is None:
            break
        home = expansion.find(home.calls, workflow.namespace)
    entry = home.entry if home is not None else None
    if home is not None and entry is not None:
        if entry.tasks or entry.groups:
            expansion.run(home, entry, frozenset(), ((home.printed, entry.name),))
        else:
            expansion.steps.append(Step(entry.name or "unnamed", tuple(filter(None, (entry.name, entry.mark))), 0, frozenset()))
    steps = _numbered(expansion.steps, told)
    return FailoverPlan(workflow, steps, tuple(expansion.missing), tuple(expansion.unseen), expansion.cut)


def _numbered(steps: list[Step], told: Mapping[str, int]) -> tuple[Step, ...]:
    counted = _leading(steps)
    return tuple(_told(step, told, counted) for step in steps)


def _leading(steps: list[Step]) -> bool:
    """Whether numbers in front of names are the vendor's: none contradicts the words behind it, and none is beyond eight."""
    for step in steps:
        found = _LEADING.match(step.name.lower())
        if found is None:
            if re.match(r"(?:step[-_.]?)?\d", step.name.lower()):
                return False
            continue
        by_words, _ = action(step.name[found.end() :])
        if by_words is not None and by_words != int(found[1]):
            return False
    return True


def _told(step: Step, told: Mapping[str, int], counted: bool) -> Step:
    for word in step.words:
        if word in told:
            return replace(step, number=told[word])
    for word in step.words[1:]:
        if (number := whole(word)) in ACTIONS:
            return replace(step, number=number)
    leading = _LEADING.match(step.name.lower())
    if counted and leading is not None:
        return replace(step, number=int(leading[1]))
    number, several = action(step.name)
    if number is None and not several and len(step.words) > 1:
        number, several = action(step.words[-1])
    return replace(step, number=number, unclear=several)


def action(name: str) -> tuple[int | None, tuple[int, ...]]:
    """The action that a name means, else those that it may mean: ``promote-database`` is 3."""
    spread = re.sub(r"([a-z0-9])([A-Z])", r"\1-\2", name).lower()
    words = set(re.split(r"[^a-z0-9]+", spread)) - {""}
    found = {number for number, fits in _RULES.items() if fits(words)}
    if (
        not found
        and words & _PROOF
        and not words & (_DATABASE | _DATA | _BROKER | _NAMES | _SWITCH | {"replica", "replicas", "primary", "backup", "backups"})
    ):
        return 8, ()
    return (next(iter(found)), ()) if len(found) == 1 else (None, tuple(sorted(found)))


def _stopped(words: set[str]) -> bool:
    return bool(words & _MARKED) or bool(words & _STOP and words & _ROUTING)


def _lowered(words: set[str]) -> bool:
    scaled = bool(words & {"scale", "scaling"}) and (bool(words & _DOWN) or ("a" in words and not words & _RAISED))
    stopped = bool(words & {"stop", "shutdown", "shut", "quiesce"} and words & _APPLICATION and not words & _ROUTING)
    return scaled or stopped or bool(words & {"scaledown"})


def _promoted(words: set[str]) -> bool:
    alone = words & {"promote", "promotion"} and not words & (_DATA | _BROKER | _APPLICATION)
    return bool(alone) or bool(words & {"promote", "promotion", "restore", "recover", "failover"} and words & _DATABASE)


def _attached(words: set[str]) -> bool:
    return bool(words & {"restore", "attach", "activate", "recover", "mount", "bind", "promote"} and words & _DATA) and not words & _DATABASE


def _raised(words: set[str]) -> bool:
    scaled = bool(words & {"scale", "scaling"}) and (bool(words & _RAISED) or ("b" in words and not words & _DOWN))
    started = bool(words & {"start", "activate"} and words & _APPLICATION and not words & (_DATABASE | _BROKER | _DATA | _ROUTING))
    return scaled or started or bool(words & {"scaleup"})


def _switched(words: set[str]) -> bool:
    switched = bool(words & _SWITCH) and not words & (_DATABASE | _DATA | _BROKER)
    moved = bool(words & {"move", "shift", "route", "send"} and words & {"traffic", "users"})
    return (switched or moved or bool(words & _NAMES)) and not _stopped(words)


_RULES: dict[int, Any] = {
    1: _stopped, 2: _lowered, 3: _promoted, 4: lambda words: bool(words & _BROKER), 5: _attached, 6: _raised, 7: _switched,
}  # fmt: skip
