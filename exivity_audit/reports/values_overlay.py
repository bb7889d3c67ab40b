"""``fixes.values.yaml``: the chart values that mend findings, as a values file for Helm; what takes more stands in it as comments."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct, field

from exivity_audit.actions import Register
from exivity_audit.chart import VALUES_SECRET
from exivity_audit.keeping import Keeper
from exivity_audit.measure import Scalar
from exivity_audit.overlay import Setting, State
from exivity_audit.paths import steps
from exivity_audit.remedy import FixKind
from exivity_audit.reports.dates import print_moment
from exivity_audit.reports.text import clean, encodable
from exivity_audit.reports.yaml_text import WIDTH, comment, quoted
from exivity_audit.score import Scorecard
from exivity_audit.snapshot import SiteSnapshot
from exivity_audit.verdict import Severity

MARK = "#: "  # before a line that is not set; taking it away sets it
KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
WORDS = frozenset(["true", "false", "null", "yes", "no", "on", "off", "y", "n"])  # which YAML does not read as text
HOW = (
    "Put it behind your own values: without them an upgrade falls back to the chart's defaults.",
    "Lines that begin with `#:` are not set. The comment above each says what it takes. Take `#:` away from such a line, and from the lines"
    " above it that it is indented under, when that is done.",
)


class _Node(Struct):
    """One key of the values: what stands under it, or the settings of it."""

    children: dict[str, _Node] = field(default_factory=dict)
    setting: Setting | None = None

    @property
    def live(self) -> bool:
        """Whether something under it is set."""
        return (self.setting is not None and self.setting.state is State.SET and not self.children) or any(
            child.live for child in self.children.values()
        )


def values_overlay(card: Scorecard, register: Register, site: SiteSnapshot) -> str:
    """The values file of one site."""
    settings = register.overlay(site.name)
    lines = [*_head(card, site, register.keepers.get(site.name), settings)]
    tree = _Node()
    for setting in settings:
        node = tree
        for step in steps(setting.path):
            node = node.children.setdefault(step, _Node())
        node.setting = setting
    for name, node in tree.children.items():
        lines += ["", *_written(name, node, 0)]
    return "\n".join([*lines, *_foot(register, site.name)]) + "\n"


def _head(card: Scorecard, site: SiteSnapshot, keeper: Keeper | None, settings: tuple[Setting, ...]) -> Iterator[str]:
    when = print_moment(card.judgement.now)
    yield from comment(f"Chart values that mend what exivity-audit found: {site.cluster.name}, {site.namespace}/{site.release}, {when}.", indent=0)
    if keeper is not None:
        yield from comment(
            f"{keeper.tool} keeps this release. Put the values into {keeper.place}: {keeper.undoes}, and a `helm upgrade` too.", indent=0
        )
    else:
        command = f"helm upgrade {site.release} CHART -n {site.namespace} -f YOUR-VALUES.yaml -f fixes.values.yaml"
        yield from comment(command, indent=0, label="  ")
    for text in HOW:
        yield from comment(text, indent=0)
    count = {state: sum(1 for one in settings if one.state is state) for state in State}
    words = {State.SET: "set", State.LATER: "that take more than an upgrade", State.FILL_IN: "to fill in", State.CONFLICT: "in conflict"}
    told = ", ".join(f"{count[state]} {word}" for state, word in words.items())
    yield from comment(told + ".", indent=0)


def _written(name: str, node: _Node, depth: int, before: _Node | None = None) -> Iterator[str]:
    """A key with all that stands under it; what is said of it already stands above the key before it where both are asked for alike."""
    indent = "  " * depth
    lead = indent if node.live else indent + MARK
    one = node.setting
    if node.children:
        yield f"{lead}{_key(name)}:"
        last = None
        for child, below in node.children.items():
            yield from _written(child, below, depth + 1, last)
            last = below
    elif one is not None:
        lines = [f"{lead}{_key(name)}: {quoted('' if value is None else value)}" for value in _values(one)]
        told = f"  # {clean(_asking(one))}: {clean(_seen(one))}"
        if one.state is State.SET and not one.others and len(lines[0] + told) <= WIDTH:
            yield encodable(lines[0] + told)
        else:
            why = list(_why(one, depth * 2))
            same = before is not None and before.setting is not None and not before.children and list(_why(before.setting, depth * 2)) == why
            yield from () if same else why
            yield from lines


def _values(one: Setting) -> tuple[Scalar, ...]:
    return (one.value, *one.others) if one.state is State.CONFLICT else (one.value,)


def _asking(one: Setting) -> str:
    """The checks that ask for a value."""
    severities: dict[str, Severity] = {}
    for outcome, _ in one.findings:
        severities.setdefault(outcome.check.id, outcome.severity)
    return ", ".join(f"{check} ({severity})" for check, severity in severities.items())


def _seen(one: Setting) -> str:
    """What the first of them saw."""
    first, *more = dict.fromkeys(verdict.message for _, verdict in one.findings)
    return first + (f"; {len(more)} more" if more else "")


def _why(one: Setting, indent: int) -> Iterator[str]:
    """The comment above a value: what asks for it, what it takes."""
    yield from comment(_asking(one), indent=indent)
    yield from comment(_seen(one), label="seen", indent=indent)
    if one.state is State.FILL_IN:
        texts = dict.fromkeys(verdict.fix.text for _, verdict in one.findings if verdict.fix is not None)
        secret = "A secret: keep it out of version control. " if one.path in VALUES_SECRET else ""
        yield from comment(secret + "; ".join(texts), label="fill", indent=indent)
    if one.needs is not None and one.state is not State.SET:
        yield from comment(one.needs, label="needs", indent=indent)
    if one.state is State.CONFLICT:
        yield from comment("findings ask for different values: choose one", label="or", indent=indent)
    elif one.others:
        yield from comment(f"another finding asks for {', '.join(map(str, one.others))}, which this satisfies too", label="or", indent=indent)


def _key(text: str) -> str:
    return text if KEY.fullmatch(text) and text.lower() not in WORDS else quoted(text)


def _foot(register: Register, site: str) -> Iterator[str]:
    """How much no value changes."""
    rest = [action for action in register.actions if action.kind is not FixKind.VALUES and not action.fill and site in action.sites]
    if rest:
        patches = sum(1 for action in rest if action.kind is FixKind.PATCH)
        tasks = len(rest) - patches
        count = f"{patches} {'patch' if patches == 1 else 'patches'} and {tasks} {'task' if tasks == 1 else 'tasks'}"
        yield ""
        yield from comment(f"No chart value changes the rest: {count}, in `-o actions=FILE`.", indent=0)
