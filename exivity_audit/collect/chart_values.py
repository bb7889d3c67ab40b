"""User values of the chart, wherever they stand: what of them is kept, with the secrets described."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from exivity_audit import chart
from exivity_audit.collect import public
from exivity_audit.paths import steps

if TYPE_CHECKING:
    from exivity_audit.collect.describe import Vault

LARGEST_YAML = 2**20
MOST_EVENTS, MOST_ALIASES, MOST_MERGED = 50_000, 1000, 20
MOST_FILES = 50
KEPT: dict[str, Callable[[Any], Any]] = {
    "ingress.host": public.host, "ingress.trustedProxy": public.addresses, "storage.pvcSizes": public.claim_sizes, "postgresql.host": public.host,
    "postgresql.port": public.port, "postgresql.sslmode": public.ssl_mode, "rabbitmq.host": public.host, "rabbitmq.port": public.port,
    "rabbitmq.vhost": public.name,
    **{path: public.image for path in chart.VALUES_KEPT if path.endswith(".registry")},
    **{path: public.tag for path in chart.VALUES_KEPT if path.endswith(".tag")},
}  # fmt: skip


def dig(value: Any, *path: str) -> Any:
    """The value below nested objects; None where the way ends."""
    for step in path:
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value


def user_values(values: dict[str, Any], vault: Vault) -> dict[str, Any]:
    """Of the user's values those on the allow-list, by path; secrets described."""
    kept: dict[str, Any] = {}
    for path in chart.VALUES_KEPT:
        found = _given(values, path)
        if found is not None:
            kept[path] = KEPT.get(path, public.plain)(found)
    for path in chart.VALUES_SECRET:
        found = _given(values, path)
        if isinstance(found, str | int | float) and not isinstance(found, bool):
            kept[path] = vault.describe(str(found))
    return kept


def _given(values: dict[str, Any], path: str) -> Any:
    """A value of the chart, also where the chart is a dependency of another and its values stand below its name."""
    found = dig(values, *path.split("."))
    return dig(values, chart.APP, *path.split(".")) if found is None else found


def given_values(value: Any, vault: Vault) -> Any:
    """The values of a Flux HelmRelease: those on the allow-list, by path."""
    if not isinstance(value, dict):
        return None if value is None else public.malformed(value)
    return user_values(value, vault)


def argo_helm(value: Any, vault: Vault) -> Any:
    """The ``helm`` part of an Argo CD source: file names, and the inline values as Argo CD puts them together.

    Parameters win over ``valuesObject``, which replaces ``values``. A text that is no YAML is named malformed.
    """
    if not isinstance(value, dict):
        return None if value is None else public.malformed(value)
    files, parameters = value.get("valueFiles"), value.get("parameters")
    inline = value.get("valuesObject")
    if not isinstance(inline, dict):
        inline = parsed(value.get("values"))
    kept: dict[str, Any] = {
        "valueFiles": [public.repository(one) for one in files[:MOST_FILES]] if isinstance(files, list) else [],
        "fileParameters": len(more) if isinstance(more := value.get("fileParameters"), list) else 0,
        "releaseName": public.plain(value.get("releaseName")),
    }
    if inline is None:
        return {**kept, "values": {"malformed": "YAML"}}
    set_ones = _parameters(parameters) if isinstance(parameters, list) else {}
    return {**kept, "values": user_values(_laid_over(inline, set_ones), vault)}


def parsed(text: Any) -> dict[str, Any] | None:
    """Values written as YAML text; empty where there is none, None where it is no mapping or larger than anybody's values."""
    import yaml  # not before it is needed

    from exivity_audit.yaml_file import Loader, refuse_deep

    if text is None or text == "":
        return {}
    if not isinstance(text, str) or len(text) > LARGEST_YAML:
        return None
    try:
        aliases = merges = 0
        for events, event in enumerate(yaml.parse(text, Loader=Loader)):
            aliases += isinstance(event, yaml.AliasEvent)
            merges += isinstance(event, yaml.ScalarEvent) and event.value == "<<"
            if events > MOST_EVENTS or aliases > (MOST_MERGED if merges else MOST_ALIASES):
                return None
        refuse_deep(text)
        found = yaml.load(text, Loader=Loader)  # a subclass of the safe loader
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError, TypeError):
        return None
    return {} if found is None else found if isinstance(found, dict) else None


def _parameters(parameters: list[Any]) -> dict[str, Any]:
    """``helm --set`` parameters as nested values; those that address a list element are of no use here."""
    found: dict[str, Any] = {}
    for one in parameters:
        name, text = (one.get("name"), one.get("value")) if isinstance(one, dict) else (None, None)
        if not isinstance(name, str) or not isinstance(text, str | None) or "[" in name or "\\" in name:
            continue
        at = found
        path = steps(name)
        for step in path[:-1]:
            at = at[step] if isinstance(at.get(step), dict) else at.setdefault(step, {}) if step not in at else {}
        if path:
            at[path[-1]] = (text or "") if one.get("forceString") is True else _typed(text or "")
    return found


def _typed(text: str) -> Any:
    """A value as ``helm --set`` reads it."""
    if text in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[text]
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 and (text == "0" or text[0] != "0") else text


def _laid_over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Two sets of values as one; the second wins."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _laid_over(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


RESOURCE_KEYS = ("group", "kind", "name", "namespace", "status")
RESOURCE_KINDS = ("Deployment", "Secret", "Application", "ApplicationSet", "HelmRelease", "Kustomization")
UNWELL = ("Degraded", "Missing", "Unknown", "Suspended")


def argo_resources(value: Any, vault: Vault) -> Any:
    """An Application's resources: those of the kinds that the facts use, and all that are not well, by name and status."""
    if not isinstance(value, list):
        return None if value is None else public.malformed(value)
    kept = []
    for one in value:
        if not isinstance(one, dict):
            continue
        health = dig(one, "health", "status")
        if one.get("kind") in RESOURCE_KINDS or health in UNWELL:
            kept.append({**{key: public.plain(one[key]) for key in RESOURCE_KEYS if key in one}, "health": public.plain(health)})
    return kept
