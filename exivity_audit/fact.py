"""Facts: typed values made from reads, asked for by name; what could not be read is a value too, never an empty list."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Generic, NoReturn, TypeVar

from msgspec import Struct

from exivity_audit.document import Document, Malformed, NotCollected
from exivity_audit.subject import Subject

Member = TypeVar("Member")
Built = TypeVar("Built")
maybe: Final[Any] = type("Maybe", (), {"__repr__": lambda self: "maybe"})()
"""Default of a parameter that is an alternate: it is handed over as it is, also where it could not be read."""

STARRED = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS


class Reason(Struct, frozen=True, order=True):
    """Why something could not be seen, and the rule, flag or setting that would show it."""

    read: str
    text: str
    rule: str = ""

    def __str__(self) -> str:
        return self.text

    @property
    def needs(self) -> tuple[str, ...]:
        """The rule as the tuple a verdict carries."""
        return (self.rule,) if self.rule else ()


class Unreadable(Struct, frozen=True):
    """A read or fact that this run could not see."""

    reasons: tuple[Reason, ...]


class NotSeen(Exception):
    """A check touched something that could not be read: it ends there with unknown."""

    def __init__(self, reasons: tuple[Reason, ...]) -> None:
        super().__init__("; ".join(reason.text for reason in reasons))
        self.reasons = reasons


class Crash(Exception):
    """A check touched a fact of another site whose function broke: it ends there as an error."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


class Unseen:
    """Stands in for an alternate that could not be read; any use of it but ``seen()`` raises NotSeen."""

    def __init__(self, reasons: tuple[Reason, ...]) -> None:
        object.__setattr__(self, "_reasons", reasons)

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise NotSeen(object.__getattribute__(self, "_reasons"))

    __iter__ = __len__ = __bool__ = __getitem__ = __contains__ = __call__ = __eq__ = __ne__ = __lt__ = __gt__ = __add__ = __hash__ = _refuse

    def __getattr__(self, name: str) -> NoReturn:
        self._refuse()


def seen(value: Any) -> bool:
    """Whether an alternate could be read."""
    return not isinstance(value, Unseen)


def reasons_of(value: Any) -> tuple[Reason, ...]:
    """Why an alternate could not be read; empty where it could."""
    return object.__getattribute__(value, "_reasons") if isinstance(value, Unseen) else ()


class Unread(Struct, frozen=True):
    """A member of a collection that is malformed: its siblings are judged, it is unknown."""

    subject: Subject
    why: str


class Objects(tuple[Member, ...], Generic[Member]):
    """A collection as it was seen: its members, whether its API is installed, and what of it could not be read."""

    installed: bool
    unreadable: tuple[Unread, ...]
    partial: tuple[Reason, ...]

    def __new__(
        cls, members: Iterable[Member] = (), *, installed: bool = True, unreadable: tuple[Unread, ...] = (), partial: tuple[Reason, ...] = ()
    ) -> Objects[Member]:
        found = super().__new__(cls, tuple(members))
        found.installed, found.unreadable, found.partial = installed, unreadable, partial
        return found

    @property
    def gaps(self) -> tuple[Reason, ...]:
        """Why absence from the collection proves nothing: places that were not read, and malformed members."""
        return (*self.partial, *self.malformed)

    @property
    def malformed(self) -> tuple[Reason, ...]:
        """A reason for each malformed member, in their order."""
        return tuple(Reason(str(item.subject), f"{item.subject}: malformed: {item.why}") for item in self.unreadable)

    @property
    def complete(self) -> bool:
        """Whether absence from the collection proves absence."""
        return not self.unreadable and not self.partial

    def surely(self) -> Objects[Member]:
        """Itself, where absence proves something. Raises NotSeen while a member or a place of it could not be read."""
        if not self.complete:
            raise NotSeen(self.partial or tuple(Reason(str(item.subject), f"{item.subject}: {item.why}") for item in self.unreadable))
        return self

    def where(self, keep: Callable[[Member], bool]) -> Objects[Member]:
        """The members that fit, with the same unreadable ones."""
        return Objects((item for item in self if keep(item)), installed=self.installed, unreadable=self.unreadable, partial=self.partial)

    def each(self, build: Callable[[Member], Built | None]) -> Objects[Built]:
        """Each document as a typed fact; one that is malformed becomes unreadable, None is left out."""
        made: list[Built] = []
        odd = list(self.unreadable)
        for item in self:
            try:
                fact = build(item)
            except Malformed as error:
                odd.append(Unread(_subject_of(item), str(error)))
            else:
                if fact is not None:
                    made.append(fact)
        return Objects(made, installed=self.installed, unreadable=tuple(sorted(odd, key=str)), partial=self.partial)

    def join(self, *others: Objects[Member]) -> Objects[Member]:
        """Several collections as one; complete only where all are."""
        every = (self, *others)
        return Objects(
            (item for part in every for item in part),
            installed=any(part.installed for part in every),
            unreadable=tuple(item for part in every for item in part.unreadable),
            partial=tuple(item for part in every for item in part.partial),
        )

    def one(self) -> Member | None:
        """The only member, the first of several, or None where there is none."""
        return next(iter(self), None)

    def __iter__(self) -> Iterator[Member]:
        return super().__iter__()


def _subject_of(item: Any) -> Subject:
    if isinstance(item, Document):
        try:
            return item.subject
        except Malformed:
            return Subject(item.kind)
    subject = getattr(item, "subject", None)
    return subject if isinstance(subject, Subject) else Subject(type(item).__name__)


class Fact(Struct, frozen=True):
    """A function from reads and facts to a value, with the names it asks for."""

    name: str
    function: Callable[..., Any]
    needs: tuple[str, ...]
    alternates: tuple[str, ...]


def parameters(function: Callable[..., Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names a function needs, and names it asks for as alternates (``=maybe``)."""
    asked = _defaults(function)
    return tuple(name for name, value in asked.items() if value is not maybe), tuple(name for name, value in asked.items() if value is maybe)


def _defaults(function: Callable[..., Any]) -> dict[str, Any]:
    """The default of each parameter. A plain function is read without ``inspect.signature``, which is slow for some hundred of them at start."""
    plain = isinstance(function, types.FunctionType) and not vars(function) and not function.__code__.co_flags & STARRED
    if not plain:
        return {item.name: item.default for item in inspect.signature(function).parameters.values()}
    code, defaults = function.__code__, function.__defaults__ or ()
    positional = code.co_varnames[: code.co_argcount]
    asked = dict.fromkeys(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
    return asked | dict(zip(reversed(positional), reversed(defaults), strict=False)) | (function.__kwdefaults__ or {})


def fact(function: Callable[..., Any]) -> Fact:
    """Make a fact of a function; its parameters are reads or facts, ``=maybe`` marks an alternate.

    A fact may carry the name of the read it refines: inside it the name is the read, everywhere else the fact.
    """
    needs, alternates = parameters(function)
    return Fact(function.__name__, function, needs, alternates)


class Broken(Struct, frozen=True):
    """A fact whose function raised something unforeseen: each check that needs it ends as an error."""

    fact: str
    error: str


class Facts:
    """The facts of one site, each computed once when first asked for."""

    def __init__(self, registry: dict[str, Fact], reads: dict[str, Any], given: dict[str, Any]) -> None:
        self._registry, self._reads, self._given = registry, reads, given
        self._known: dict[str, Any] = {}
        self._odd: dict[tuple[str, str | None], frozenset[Unread]] = {}  # by name, and the fact inside which it is a read

    def give(self, name: str, value: Any) -> None:
        """Add a value that is always there (``sites``, once every site has its facts)."""
        self._given[name] = value

    def keep(self, name: str, value: Any) -> None:
        """Take over a fact that was computed from the same reads."""
        self._known[name] = value

    def value(self, name: str, inside: str | None = None) -> Any:
        """A fact or read by name: its value, Unreadable, or Broken. Raises KeyError for a name nobody provides."""
        if name in self._given:
            return self._given[name]
        if name in self._registry and name != inside:
            if name not in self._known:
                self._known[name] = self._compute(self._registry[name])
            return self._known[name]
        return self._reads.get(name, Unreadable((Reason(name, f"not collected: {name}", ""),)))

    def arguments(self, needs: tuple[str, ...], alternates: tuple[str, ...], inside: str | None = None) -> dict[str, Any] | Unreadable | Broken:
        """The arguments of a fact or check, or why it cannot be called."""
        found: dict[str, Any] = {}
        reasons: list[Reason] = []
        for name in needs:
            value = self.value(name, inside)
            if isinstance(value, Broken):
                return value
            if isinstance(value, Unreadable):
                reasons.extend(value.reasons)
            found[name] = value
        if reasons:
            return Unreadable(tuple(sorted(set(reasons))))
        for name in alternates:
            value = self.value(name, inside)
            if isinstance(value, Broken):
                return value
            found[name] = Unseen(value.reasons) if isinstance(value, Unreadable) else value
        return found

    def _compute(self, one: Fact) -> Any:
        arguments = self.arguments(one.needs, one.alternates, one.name)
        if isinstance(arguments, Unreadable | Broken):
            return arguments
        try:
            return one.function(**arguments)
        except NotSeen as error:
            return Unreadable(error.reasons)
        except NotCollected as error:
            return Unreadable((Reason(error.read, str(error), "a newer snapshot"),))
        except Malformed as error:
            return Unreadable((Reason(one.name, f"malformed: {error}", ""),))
        except Exception as error:  # a bug of the fact: each check that needs it becomes a visible error
            return Broken(one.name, f"{type(error).__name__} in fact {one.name}")

    def gaps(self, needs: Iterable[str]) -> tuple[tuple[Unread, ...], tuple[Reason, ...]]:
        """Malformed members and places not read, over every collection that some names rest on."""
        odd: set[Unread] = set()
        partial: set[Reason] = set()
        visited: set[tuple[str, str | None]] = set()

        def walk(name: str, inside: str | None) -> None:
            if (name, inside) in visited:
                return
            visited.add((name, inside))
            value = self.value(name, inside)
            if isinstance(value, Objects):
                odd.update(value.unreadable)
                partial.update(value.partial)
            if name in self._registry and name != inside:
                for need in self._registry[name].needs:
                    walk(need, name)

        for name in needs:
            walk(name, None)
        return tuple(sorted(odd, key=str)), tuple(sorted(partial))

    def malformed(self, names: Iterable[str]) -> tuple[Unread, ...]:
        """Malformed members over every collection that is looked at behind some names, alternates too."""
        return tuple(sorted({odd for name in names for odd in self._malformed(name, None)}, key=str))

    def _malformed(self, name: str, inside: str | None) -> frozenset[Unread]:
        key = name, inside
        if key not in self._odd:
            value = self.value(name, inside)
            found = set(value.unreadable) if isinstance(value, Objects) else set()
            if name in self._registry and name != inside:
                one = self._registry[name]
                found.update(odd for other in (*one.needs, *one.alternates) for odd in self._malformed(other, name))
            self._odd[key] = frozenset(found)
        return self._odd[key]

    def names_behind(self, needs: Iterable[str], alternates: Iterable[str] = ()) -> tuple[frozenset[str], frozenset[str]]:
        """Reads behind some names: those needed all the way, and those reached through an alternate."""
        return reads_behind(self._registry, needs, alternates)


def reads_behind(registry: dict[str, Fact], needs: Iterable[str], alternates: Iterable[str] = ()) -> tuple[frozenset[str], frozenset[str]]:
    """Reads behind some names, through the facts: those needed all the way, and those reached through an alternate."""
    needed: set[str] = set()
    optional: set[str] = set()
    visited: set[tuple[str, bool]] = set()

    def walk(name: str, must: bool, inside: str | None) -> None:
        if name in registry and name != inside:
            if (name, must) in visited:
                return
            visited.add((name, must))
            one = registry[name]
            for need in one.needs:
                walk(need, must, name)
            for alternate in one.alternates:
                walk(alternate, False, name)
        else:
            (needed if must else optional).add(name)

    for name in needs:
        walk(name, True, None)
    for name in alternates:
        walk(name, False, None)
    return frozenset(needed), frozenset(optional - needed)
