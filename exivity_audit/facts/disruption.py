"""PodDisruptionBudgets: which pods they cover and how many of them may be evicted."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

from exivity_audit.document import Document, Malformed
from exivity_audit.evidence import Source
from exivity_audit.fact import Objects, fact
from exivity_audit.facts.selectors import selector_fits
from exivity_audit.subject import Subject

PERCENTAGE = re.compile(r"[0-9]{1,9}%")


class Budget(Struct, frozen=True):
    """One PodDisruptionBudget."""

    subject: Subject
    source: Source
    name: str
    selector: dict[str, Any] | None  # None selects nothing, an empty one every pod of the namespace
    least: int | str | None  # minAvailable
    most: int | str | None  # maxUnavailable

    def covers(self, labels: dict[str, str]) -> bool:
        """Whether it selects pods with these labels."""
        return selector_fits(self.selector, labels)

    @property
    def rule(self) -> str:
        """What it asks for, in words."""
        return f"maxUnavailable {self.most}" if self.most is not None else f"minAvailable {1 if self.least is None else self.least}"

    def spared(self, copies: int) -> int:
        """How many of so many healthy copies it lets go at once."""
        if self.most is not None:
            return min(copies, _share(self.most, copies))
        return max(0, copies - _share(1 if self.least is None else self.least, copies))


def _share(amount: int | str, copies: int) -> int:
    if isinstance(amount, int):
        return amount
    return -(-int(amount.removesuffix("%")) * copies // 100)  # rounded up, exactly


def _amount(item: Document, path: str) -> int | str | None:
    value = item.get(path)
    sound = value is None or (isinstance(value, int) and not isinstance(value, bool))
    if not sound and not (isinstance(value, str) and PERCENTAGE.fullmatch(value)):
        raise Malformed(path, "count or percentage", value)
    found: int | str | None = value
    return found


@fact
def budgets(poddisruptionbudgets: Objects[Document]) -> Objects[Budget]:
    """Every PodDisruptionBudget of the namespace."""

    def build(item: Document) -> Budget:
        selector = None if item.get("spec.selector") is None else item.mapping("spec.selector")
        selector_fits(selector, {})
        return Budget(
            subject=item.subject, source=item.source, name=item.name, selector=selector,
            least=_amount(item, "spec.minAvailable"), most=_amount(item, "spec.maxUnavailable"),
        )  # fmt: skip

    return poddisruptionbudgets.each(build)
