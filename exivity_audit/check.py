"""A check: a function that judges facts, with its title, reason, remedy, severity, clauses and scope."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from exivity_audit.errors import UsageError
from exivity_audit.fact import parameters
from exivity_audit.quantity import duration
from exivity_audit.scenario import EVERYWHERE, Scenario, Scope
from exivity_audit.verdict import Severity, Verdict


class Evaluation(enum.Enum):
    """What purpose ``evaluation`` does to a fail: nothing, or pass with a remark in A and warn in B and C."""

    AS_IS = "as is"
    RELAX = "relax"


AS_IS, RELAX = Evaluation.AS_IS, Evaluation.RELAX
Verdicts = Iterator[Verdict]
Severities = Severity | Mapping[Scope, Severity]


class Check(Struct, frozen=True):
    """One rule of the checklist. ``id`` is ``row/slug``."""

    slug: str
    row: str
    title: str
    why: str
    fix: str
    severity: Severities
    clauses: tuple[str, ...]
    applies: tuple[Scope, ...]
    evaluation: Evaluation
    attest: str | None
    needs: tuple[str, ...]
    alternates: tuple[str, ...]
    place: str
    passive: str | None = None
    judge: Callable[..., Verdicts] | None = None
    attest_for: str | None = None  # how long an attestation of it may count at most
    across: tuple[str, ...] = ()  # facts of other sites that it compares
    foreign: bool = False  # of another pack: it is judged in a process of its own

    @property
    def looks_at(self) -> tuple[str, ...]:
        """The names that it looks at where they can be seen: its alternates, and what it compares over sites."""
        return (*self.alternates, *self.across)

    @property
    def id(self) -> str:
        """``row/slug``, the name it keeps for ever."""
        return f"{self.row}/{self.slug}"

    @property
    def built(self) -> bool:
        """Whether there is code; a check to come is unknown wherever it applies."""
        return self.judge is not None

    def severity_in(self, scenario: Scenario | None) -> Severity:
        """The severity used in a scenario; the gravest where the scenario is unknown."""
        if isinstance(self.severity, Severity):
            return self.severity
        fitting = [severity for scope, severity in self.severity.items() if scenario is None or scope.value[0] is scenario]
        return max(fitting or self.severity.values(), key=lambda severity: severity.weight)

    @property
    def depends_on_scenario(self) -> bool:
        """Whether the verdict differs between scenarios."""
        return (
            set(self.applies) != set(EVERYWHERE)
            or not isinstance(self.severity, Severity)
            or "scenario" in self.needs
            or "scenario" in self.alternates
        )

    @property
    def only_beyond(self) -> bool:
        """Whether all its clauses are X: it counts in the score, never in a row verdict."""
        return all(clause.startswith("X") for clause in self.clauses)


def check(
    slug: str,
    *,
    severity: Severities,
    clauses: tuple[str, ...],
    applies: tuple[Scope, ...] = EVERYWHERE,
    evaluation: Evaluation = AS_IS,
    attest: str | None = None,
    attest_for: str | None = None,
    passive: str | None = None,
    across: tuple[str, ...] = (),
) -> Callable[[Callable[..., Verdicts]], Check]:
    """Make a check of a generator function; its parameters name the facts it needs, ``=maybe`` the alternates.

    The docstring is the documentation: title (true when green), why, and ``Fix:``. ``passive`` is the reason why the check is
    skipped at a passive site; ``attest`` says what to do and what to attach, ``attest_for`` how long that may count at most (``180d``).
    ``across`` names the facts that a check which asks for ``sites`` or ``other_sites`` takes of their members (``site.fact("claims")``).

    Raises UsageError for a malformed docstring and ValueError for an ``attest_for`` that is no duration.
    """
    if attest_for is not None:
        duration(attest_for)

    def make(function: Callable[..., Verdicts]) -> Check:
        place = f"{function.__code__.co_filename}:{function.__code__.co_firstlineno}"
        title, why, fix = _sections(function.__doc__ or "", place)
        needs, alternates = parameters(function)
        return Check(
            slug, "", title, why, fix, severity, clauses, applies, evaluation, attest, needs, alternates, place, passive, function, attest_for, across
        )

    return make


def _sections(text: str, place: str) -> tuple[str, str, str]:
    paragraphs = [" ".join(part.split()) for part in inspect.cleandoc(text).split("\n\n") if part.strip()]
    fixes = [part.removeprefix("Fix:").strip() for part in paragraphs if part.startswith("Fix:")]
    if len(paragraphs) < 3 or len(fixes) != 1 or not fixes[0]:
        raise UsageError(f"{place}: the docstring needs a title, a reason and one paragraph that starts with `Fix:`", "write the three paragraphs")
    return paragraphs[0].rstrip("."), " ".join(part for part in paragraphs[1:] if not part.startswith("Fix:")), fixes[0]
