"""Label selectors and node selector terms, as the API server reads them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Generic, Protocol, TypeVar

from exivity_audit.document import Malformed

NUMBER = re.compile(r"[+-]?[0-9]{1,19}")  # what Gt and Lt compare


class HasLabels(Protocol):
    """An object of a namespace with labels."""

    @property
    def namespace(self) -> str: ...

    @property
    def labels(self) -> dict[str, str]: ...


Member = TypeVar("Member", bound=HasLabels)


class Labelled(Generic[Member]):
    """Objects found by their labels: a selector looks at those that carry its rarest label, not at every one."""

    def __init__(self, members: Iterable[Member]) -> None:
        self._found: dict[tuple[str, str, str], list[Member]] = {}
        for member in members:
            for key, value in member.labels.items():
                self._found.setdefault((member.namespace, key, value), []).append(member)

    def selected(self, namespace: str, selector: dict[str, str]) -> tuple[Member, ...]:
        """Those that a plain selector fits, in their order; an empty selector selects nothing here."""
        if not selector:
            return ()
        rarest = min((self._found.get((namespace, key, value), []) for key, value in selector.items()), key=len)
        return tuple(member for member in rarest if all(member.labels.get(key) == value for key, value in selector.items()))


def selector_fits(selector: Any, labels: dict[str, str]) -> bool:
    """Whether a label selector with matchLabels and matchExpressions fits; an empty one fits all, none fits nothing. Raises Malformed."""
    if selector is None:
        return False
    if not isinstance(selector, dict):
        raise Malformed("labelSelector", "object", selector)
    wanted, expressions = selector.get("matchLabels") or {}, selector.get("matchExpressions") or []
    if not isinstance(wanted, dict) or not isinstance(expressions, list) or any(not isinstance(one, str) for one in wanted.values()):
        raise Malformed("labelSelector", "label selector", wanted)
    fitting = [expression_fits(one, labels) for one in expressions]
    return all(labels.get(key) == value for key, value in wanted.items()) and all(fitting)


def expression_fits(expression: Any, labels: dict[str, str]) -> bool:
    """One requirement of a label or node selector. Raises Malformed."""
    key, operator = (expression.get("key"), expression.get("operator")) if isinstance(expression, dict) else (None, None)
    listed = expression.get("values") or [] if isinstance(expression, dict) else []
    if not isinstance(key, str) or not isinstance(operator, str) or not isinstance(listed, list):
        raise Malformed("matchExpressions", "requirement", expression)
    has = labels.get(key)
    if operator in ("Gt", "Lt"):
        if has is None or len(listed) != 1 or not NUMBER.fullmatch(has) or not NUMBER.fullmatch(str(listed[0])):
            return False
        return int(has) > int(listed[0]) if operator == "Gt" else int(has) < int(listed[0])
    known = {"In": has in listed, "NotIn": has not in listed, "Exists": has is not None, "DoesNotExist": has is None}
    if operator not in known:
        raise Malformed("matchExpressions", "requirement", expression)
    return known[operator]


def node_terms(affinity: Any, required: str = "required") -> list[dict[str, Any]] | None:
    """The terms of a node affinity of which one must fit; None where there is none. Raises Malformed, for a term too."""
    if affinity is not None and not isinstance(affinity, dict):
        raise Malformed("nodeAffinity", "object", affinity)
    found = (affinity or {}).get(required)
    if found is not None and not isinstance(found, dict):
        raise Malformed("nodeAffinity", "object", found)
    terms = (found or {}).get("nodeSelectorTerms")
    if terms is None:
        return None
    if not isinstance(terms, list) or any(not isinstance(term, dict) for term in terms):
        raise Malformed("nodeSelectorTerms", "list of terms", terms)
    for term in terms:
        for one in (*listed(term, "matchExpressions"), *listed(term, "matchFields")):
            expression_fits(one, {})
    return terms


def listed(term: dict[str, Any], name: str) -> list[Any]:
    """The requirements of a term. Raises Malformed."""
    found = term.get(name) or []
    if not isinstance(found, list):
        raise Malformed(name, "list of requirements", found)
    return found


def kept_apart(affinity: dict[str, Any], spread: tuple[dict[str, Any], ...], labels: dict[str, str]) -> tuple[str, ...]:
    """Topology keys over which anti-affinity or a topology spread keeps the pods of a template apart from each other. Raises Malformed."""
    anti = affinity.get("podAntiAffinity") or {}
    if not isinstance(anti, dict):
        raise Malformed("podAntiAffinity", "object", anti)
    required, preferred = (anti.get(f"{how}DuringSchedulingIgnoredDuringExecution") or [] for how in ("required", "preferred"))
    if not isinstance(required, list) or not isinstance(preferred, list):
        raise Malformed("podAntiAffinity", "list of terms", anti)
    weighted = [one.get("podAffinityTerm") if isinstance(one, dict) else one for one in preferred]
    terms: list[Any] = [*spread, *required, *weighted]
    if not all(isinstance(term, dict) and isinstance(term.get("topologyKey"), str | None) for term in terms):
        raise Malformed("podAntiAffinity", "list of terms", terms)
    fitting = [(term.get("topologyKey") or "", selector_fits(term.get("labelSelector"), labels)) for term in terms]
    return tuple(dict.fromkeys(key for key, fits in fitting if fits))
