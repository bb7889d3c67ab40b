"""Label selectors and node selector terms, as the API server reads them."""

from __future__ import annotations

from typing import Any

from exivity_audit.document import Malformed


def selector_fits(selector: Any, labels: dict[str, str]) -> bool:
    """Whether a label selector with matchLabels and matchExpressions fits; an empty one fits all, none fits nothing. Raises Malformed."""
    if selector is None:
        return False
    if not isinstance(selector, dict):
        raise Malformed("labelSelector", "object", selector)
    wanted, expressions = selector.get("matchLabels") or {}, selector.get("matchExpressions") or []
    if not isinstance(wanted, dict) or not isinstance(expressions, list):
        raise Malformed("labelSelector", "label selector", wanted)
    fitting = [expression_fits(one, labels) for one in expressions]
    return all(labels.get(key) == value for key, value in wanted.items()) and all(fitting)


def expression_fits(expression: Any, labels: dict[str, str]) -> bool:
    """One requirement of a label or node selector. Raises Malformed."""
    key, operator = (expression.get("key"), expression.get("operator")) if isinstance(expression, dict) else (None, None)
    listed = expression.get("values") or [] if isinstance(expression, dict) else []
    if not isinstance(key, str) or not isinstance(listed, list):
        raise Malformed("matchExpressions", "requirement", expression)
    has = labels.get(key)
    if operator in ("Gt", "Lt"):
        if has is None or len(listed) != 1 or not has.lstrip("-").isdigit() or not str(listed[0]).lstrip("-").isdigit():
            return False
        return int(has) > int(listed[0]) if operator == "Gt" else int(has) < int(listed[0])
    known = {"In": has in listed, "NotIn": has not in listed, "Exists": has is not None, "DoesNotExist": has is None}
    if operator not in known:
        raise Malformed("matchExpressions", "requirement", expression)
    return known[operator]


def selects_itself(affinity: dict[str, Any], spread: tuple[dict[str, Any], ...], labels: dict[str, str]) -> bool:
    """Whether anti-affinity or a topology spread constraint of a pod template selects the template's own pods. Raises Malformed."""
    anti = affinity.get("podAntiAffinity") or {}
    if not isinstance(anti, dict):
        raise Malformed("podAntiAffinity", "object", anti)
    terms: list[Any] = list(spread)
    terms += anti.get("requiredDuringSchedulingIgnoredDuringExecution") or []
    for weighted in anti.get("preferredDuringSchedulingIgnoredDuringExecution") or []:
        terms.append(weighted.get("podAffinityTerm") if isinstance(weighted, dict) else weighted)
    if not all(isinstance(term, dict) for term in terms):
        raise Malformed("podAntiAffinity", "list of terms", terms)
    fitting = [selector_fits(term.get("labelSelector"), labels) for term in terms]
    return any(fitting)
