"""Rights as the Role and ClusterRole that give them, with the checks that need each rule beside it."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator

from msgspec import Struct

from exivity_audit.check import Check
from exivity_audit.errors import one_line
from exivity_audit.rights import LeftOut, Need, Rights

WIDTH = 120
LABELS = '{"app.kubernetes.io/name": "exivity-audit"}'


class Account(Struct, frozen=True):
    """The service account that an audit runs as."""

    namespace: str
    name: str


class RoleRule(Struct, frozen=True):
    """One rule of a role, with the needs that it serves."""

    group: str
    plural: str
    verb: str
    names: tuple[str, ...]
    needs: tuple[Need, ...]

    @property
    def body(self) -> dict[str, list[str]]:
        """The rule as the API takes it."""
        found = {"apiGroups": [self.group], "resources": [self.plural], "verbs": [self.verb]}
        return {**found, "resourceNames": list(self.names)} if self.names else found


def roles_of(needs: Iterable[Need]) -> dict[str | None, list[RoleRule]]:
    """The rules of each role by its namespace, None for the cluster's; names that serve the same reads stand in one rule."""
    parts: dict[tuple[str | None, str, str, bool, tuple[str, ...], tuple[str, ...]], list[Need]] = {}
    for need in needs:
        rule = need.rule
        parts.setdefault((rule.namespace, rule.resource, rule.verb, rule.name is not None, need.reads, need.why), []).append(need)
    found: dict[str | None, list[RoleRule]] = {}
    for (namespace, *_), served in parts.items():
        rule = served[0].rule
        names = tuple(sorted({need.rule.name for need in served if need.rule.name is not None}))
        found.setdefault(namespace, []).append(RoleRule(rule.group, rule.plural, rule.verb, names, tuple(served)))
    return {space: found[space] for space in sorted(found, key=lambda space: space or "")}


def manifest(rights: Rights, head: Iterable[str], name: str, account: Account | None) -> str:
    """The roles as one YAML file; with an account that, and the bindings to it."""
    documents = ["\n".join(f"# {one_line(line, 400)}" for line in (*head, *_without(rights.left_out))) + "\n"]
    if account is not None:
        metadata = f"metadata: {{name: {_text(account.name)}, namespace: {_text(account.namespace)}, labels: {LABELS}}}\n"
        documents.append(
            f"apiVersion: v1\nkind: ServiceAccount\n{metadata}automountServiceAccountToken: false  # a pod asks for a short-lived token itself\n"
        )
    for namespace, rules in roles_of(rights.needs).items():
        documents.append(_role(namespace, name, rules))
        if account is not None:
            documents.append(_binding(namespace, name, account))
    return "---\n".join(documents)


def _role(namespace: str | None, name: str, rules: list[RoleRule]) -> str:
    text = f"apiVersion: rbac.authorization.k8s.io/v1\nkind: {'Role' if namespace else 'ClusterRole'}\n{_metadata(namespace, name)}rules:\n"
    return text + "".join(rule_text(rule) for rule in rules)


def rule_text(rule: RoleRule) -> str:
    """One rule with its comment, as an item of a list."""
    lines = [f"  # {line}\n" for line in _comment(rule.needs)]
    fields = [f"{key}: {json.dumps(value)}\n" for key, value in rule.body.items()]
    return "".join(lines) + "".join(f"  {'- ' if number == 0 else '  '}{text}" for number, text in enumerate(fields))


def _binding(namespace: str | None, name: str, account: Account) -> str:
    kind = "Role" if namespace else "ClusterRole"
    return (
        f"apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}Binding\n{_metadata(namespace, name)}"
        f"roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: {kind}, name: {_text(name)}}}\n"
        f"subjects: [{{kind: ServiceAccount, name: {_text(account.name)}, namespace: {_text(account.namespace)}}}]\n"
    )


def _metadata(namespace: str | None, name: str) -> str:
    place = f", namespace: {_text(namespace)}" if namespace else ""
    return f"metadata: {{name: {_text(name)}{place}, labels: {LABELS}}}\n"


def _text(value: str) -> str:
    return json.dumps(value)


def _comment(needs: tuple[Need, ...]) -> Iterator[str]:
    """Who needs a rule, in lines."""
    for why in dict.fromkeys(why for need in needs for why in need.why):
        yield f"the run itself: {why}"
    needing = {check.id: check for need in needs for check in need.needing}
    other = {check.id: check for need in needs for check in need.other if check.id not in needing}
    if needing:
        yield from wrapped("needed by ", needing.values())
    if other:
        yield from wrapped("seen less without it: ", other.values())
    if not needing and not other and not any(need.why for need in needs):
        yield "the report's tables"
    yield from dict.fromkeys(need.note for need in needs if need.note)


def wrapped(start: str, checks: Iterable[Check]) -> list[str]:
    """Checks by id, in lines; one by one, so that the file can be searched for an id."""
    return textwrap.wrap(start + ", ".join(sorted(check.id for check in checks)), WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def _without(left_out: tuple[LeftOut, ...]) -> Iterator[str]:
    if left_out:
        yield ""
        yield "No rule is given for:"
    for item in left_out:
        yield f"  {item.what} ({item.why})"
        for line in wrapped("blind: ", item.needing) if item.needing else ():
            yield f"    {line}"
        for line in wrapped("seen less: ", item.other) if item.other else ():
            yield f"    {line}"
