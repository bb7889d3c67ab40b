"""Which sites a run has: from ``--site``, ``--snapshot``, ``--context`` and the config, checked before anything is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from exivity_audit.cli.preparation import Preparation
from exivity_audit.cli.saved_sites import Saved, opened, refuse_doubled
from exivity_audit.config import SITE_NAME, Config, SiteConfig, refuse_placeless
from exivity_audit.errors import UsageError
from exivity_audit.nearest import nearest

FORM = "write NAME=CONTEXT, or NAME=CONTEXT:passive"
LIVE_ONLY = {
    "kubeconfig": "--kubeconfig",
    "context": "--context",
    "impersonate": "--as",
    "impersonate_groups": "--as-group",
    "insecure": "--insecure-skip-tls-verify",
    "kubelet_stats": "--kubelet-stats",
    "probe": "--probe",
    "probe_port_forward": "--probe-port-forward",
    "probe_default_logins": "--probe-default-logins",
    "parity_key": "--parity-key",
    "policy_reports": "--publish-policy-reports",
    "cluster_name": "--cluster-name",
}


class Live(Struct, frozen=True):
    """A site to be read: of which context (null: the current one), what part it plays, which release."""

    name: str
    context: str | None
    role: Literal["active", "passive"] | None
    namespace: str | None
    release: str | None


class Plan(Struct, frozen=True):
    """The sites of a run: those to be read, the saved ones, and the order of all in the report."""

    live: tuple[Live, ...]
    saved: tuple[Saved, ...]
    order: tuple[str, ...]

    @property
    def several(self) -> bool:
        """Whether notes and errors have to name their site."""
        return len(self.order) > 1


def plan(flags: dict[str, Any], prepared: Preparation, snapshots: Sequence[str] = ()) -> Plan:
    """The sites that flags and config name, the saved ones opened. Raises UsageError."""
    config = prepared.config
    named = tuple(_site(text, config) for text in flags.get("site_specs") or ())
    if named:
        _alone(flags)
        refuse_doubled([("--site", site.name) for site in named], FORM)
    if named or snapshots:
        chosen, files = named, opened(snapshots)
    else:
        chosen, files = _configured(flags, config)
        if len(chosen) > 1 and prepared.config_path is not None:
            refuse_placeless(prepared.config_path, config)
    live = tuple(_live(site, flags, config, len(chosen)) for site in chosen if site.snapshot is None)
    if not (live or files):
        live = (Live("default", config.context, flags.get("site_role"), config.namespace, config.release),)
    saved = _roles(files, flags, config, len(live))
    if not live:
        _refuse_live_flags(flags)
    _refuse_one_release_twice(live)
    found = [(f"site {site.name}", site.name) for site in live] + [(str(one.path), site.name) for one in saved for site in one.snapshot.sites]
    refuse_doubled(found, "name them: --snapshot ams=FILE --snapshot fra=FILE")
    given = [site.name for site in chosen] if not (named or snapshots) else []
    return Plan(live, saved, tuple(given or [name for _, name in found]))


def _site(text: str, config: Config) -> SiteConfig:
    """``NAME=CONTEXT[:role]``, or the name of a site of the config."""
    name, sep, rest = text.partition("=")
    known = {site.name: site for site in config.sites}
    if not sep and name in known:
        return known[name]
    if not SITE_NAME.fullmatch(name):
        raise UsageError(f"--site {text[:80]!r} has no name that a site may have", f"{FORM}; a name has letters, digits, dots and dashes")
    context, role = split_role(rest)
    if not context:
        other = f"; the config's sites are {', '.join(known)}{nearest(name, known)}" if known else ""
        raise UsageError(f"--site {text[:80]} names no context", f"{FORM}{other}")
    site = known.get(name, SiteConfig(name))
    return msgspec.structs.replace(site, context=context, snapshot=None, role=role or site.role)


def split_role(text: str) -> tuple[str, Literal["active", "passive"] | None]:
    """What stands before a last colon that a role follows, and the role; contexts and files may hold colons of their own."""
    head, sep, tail = text.rpartition(":")
    if sep and tail == "active":
        return head, "active"
    return (head, "passive") if sep and tail == "passive" else (text, None)


def _alone(flags: dict[str, Any]) -> None:
    for name, flag in (("context", "--context"), ("site_role", "--site-role")):
        if flags.get(name):
            raise UsageError(f"{flag} {flags[name]} belongs to a run of one site and --site names its own", f"leave one of them out; {FORM}")


def _configured(flags: dict[str, Any], config: Config) -> tuple[tuple[SiteConfig, ...], tuple[Saved, ...]]:
    """The sites of the config; of several those of ``--context`` where it is given."""
    sites = config.sites
    if len(sites) > 1 and (context := flags.get("context")):
        sites = tuple(site for site in sites if site.context == context)
        if not sites:
            raise UsageError(
                f"--context {context}: the config names {len(config.sites)} sites, none of this context{nearest(context, _contexts(config))}",
                f"choose one of them with --site NAME ({', '.join(site.name for site in config.sites)}), or name another with --site NAME=CONTEXT",
            )
    if len(sites) > 1 and flags.get("site_role"):
        raise UsageError(f"--site-role {flags['site_role']}: the config names {len(sites)} sites, each with its own role", "leave it out")
    return sites, tuple(opened_as(site) for site in sites if site.snapshot is not None)


def _contexts(config: Config) -> list[str]:
    return [site.context for site in config.sites if site.context]


def opened_as(site: SiteConfig) -> Saved:
    """The saved file of a site of the config."""
    assert site.snapshot is not None
    return Saved.open(Path(site.snapshot), site.name, site.role)


def _live(site: SiteConfig, flags: dict[str, Any], config: Config, count: int) -> Live:
    """Flags and the top of the config hold for sites that say nothing themselves; for the only one, flags win."""
    own = {key: getattr(site, key) for key in ("context", "namespace", "release")}
    top = {key: getattr(config, key) for key in own}
    first, second = (own, top) if count > 1 or flags.get("site_specs") else (top, own)
    found = {key: first[key] or second[key] for key in own}
    return Live(site.name, found["context"], flags.get("site_role") or site.role, found["namespace"], found["release"])


def _roles(files: tuple[Saved, ...], flags: dict[str, Any], config: Config, live: int) -> tuple[Saved, ...]:
    """The saved sites with the roles that flag or config give them; namespace and release are held against what was saved."""
    sites = [site for one in files for site in one.snapshot.sites]
    for site in sites:
        for flag, given, held in (("--namespace", flags.get("namespace"), site.namespace), ("--release", flags.get("release"), site.release)):
            if given and given != held and not live:
                raise UsageError(f"{flag} {given}: the snapshot holds {site.namespace}/{site.release}", "leave it out, or name another snapshot")
    if flags.get("site_role") and sites and len(sites) + live > 1:
        raise UsageError(
            f"--site-role {flags['site_role']}: there are several sites, each with its own role",
            "leave it out, or write NAME=FILE:passive",
        )
    declared = {site.name: site.role for site in config.sites}
    only = config.sites[0].role if len(config.sites) == 1 and len(sites) + live == 1 else None

    def role(one: Saved, name: str, own: Any) -> Any:
        return flags.get("site_role") or one.role or only or declared.get(name) or own

    return tuple(
        replace(
            one,
            snapshot=msgspec.structs.replace(
                one.snapshot, sites=tuple(msgspec.structs.replace(site, role=role(one, site.name, site.role)) for site in one.snapshot.sites)
            ),
        )
        for one in files
    )


def _refuse_live_flags(flags: dict[str, Any]) -> None:
    for name, flag in LIVE_ONLY.items():
        if flags.get(name):
            raise UsageError(f"{flag} belongs to a live audit and says nothing to --snapshot", "leave one of them out")


def _refuse_one_release_twice(live: Iterable[Live]) -> None:
    seen: dict[tuple[str | None, ...], str] = {}
    for site in live:
        key = (site.context, site.namespace, site.release)
        if key in seen:
            raise UsageError(
                f"the sites {seen[key]} and {site.name} are one: the same context, namespace and release",
                "name another context for one of them, or in the config the namespace and release of each",
            )
        seen[key] = site.name
