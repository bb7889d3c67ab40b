"""From flags, environment and config file to what a run needs: packs, selection, access, settings."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from exivity_audit.attestation import Attestation, load_evidence
from exivity_audit.config import Config, load_config, thresholds_of
from exivity_audit.document import parse_time
from exivity_audit.errors import UsageError
from exivity_audit.lifecycle import Lifecycle, load_lifecycle
from exivity_audit.pack import Pack, Sources, merged_pack, validate
from exivity_audit.quantity import duration
from exivity_audit.selection import select
from exivity_audit.snapshot import Snapshot

NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Preparation:
    """What every judging command works with."""

    config: Config
    config_path: Path | None
    pack: Pack
    selected: frozenset[str] | None
    thresholds: dict[str, Any]
    lifecycle: Lifecycle
    attestations: tuple[Attestation, ...] = ()
    others: Sources = field(default_factory=Sources)  # where the packs beside our own come from


def prepare(flags: dict[str, Any], *, waivers_refused: bool = True) -> Preparation:
    """Config, packs, selection and attestations of a run. Raises UsageError for anything that is wrong with them.

    ``waivers_refused`` off leaves wrong waivers to the caller.
    """
    config, path = load_config(flags.get("config_file"))
    given = {key: flags[key] for key in ("scenario", "purpose", "context", "namespace", "release") if flags.get(key) is not None}
    config = msgspec.structs.replace(config, **given)
    others = Sources(tuple(config.packs), tuple(str(folder) for folder in flags.get("pack_folders") or ()))
    pack = merged_pack(others)
    from exivity_audit.collect.reads import BY_NAME

    validate(pack, [*BY_NAME, *(read.name for read in pack.reads)])
    checks = {check.id: check for check in pack.checks}
    if config.waivers and path is not None and waivers_refused:
        from exivity_audit.waiver import check_waivers

        check_waivers(path, checks)
    attestations = load_evidence(flags["evidence"], checks) if flags.get("evidence") else ()
    selected = select(pack, flags.get("chosen") or (), flags.get("skipped") or ())
    thresholds, lifecycle = thresholds_of(config, pack.thresholds, path), load_lifecycle(config.lifecycle)
    return Preparation(config, path, pack, selected, thresholds, lifecycle, attestations, others)


LIVE_ONLY = {
    "kubeconfig": "--kubeconfig",
    "context": "--context",
    "impersonate": "--as",
    "impersonate_groups": "--as-group",
    "insecure": "--insecure-skip-tls-verify",
    "kubelet_stats": "--kubelet-stats",
}


def fit_snapshot(snapshot: Snapshot, flags: dict[str, Any], config: Config) -> Snapshot:
    """The snapshot as the flags want it judged: its role set; flags that only a cluster can answer are refused. Raises UsageError."""
    for name, flag in LIVE_ONLY.items():
        if flags.get(name):
            raise UsageError(f"{flag} belongs to a live audit and says nothing to --snapshot", "leave one of them out")
    site = snapshot.sites[0]
    for flag, given, held in (("--namespace", flags.get("namespace"), site.namespace), ("--release", flags.get("release"), site.release)):
        if given and given != held:
            raise UsageError(f"{flag} {given}: the snapshot holds {site.namespace}/{site.release}", "leave it out, or name another snapshot")
    role = flags.get("site_role") or (config.sites[0].role if len(config.sites) == 1 else None)
    if role is None:
        return snapshot
    if len(snapshot.sites) > 1:
        raise UsageError("--site-role: the snapshot holds several sites, each with its own role", "leave it out")
    return msgspec.structs.replace(snapshot, sites=(msgspec.structs.replace(site, role=role),))


def access_of(flags: dict[str, Any], config: Config) -> Any:
    """How to reach the cluster. Raises UsageError."""
    from exivity_audit.collect.prometheus import server_of
    from exivity_audit.collect.session import Access

    site = None
    if config.sites:
        if len(config.sites) > 1:
            raise UsageError(
                f"the config names {len(config.sites)} sites; this version audits one live site a run",
                "name one with --context, --namespace and --site-role, or judge a snapshot of both with --snapshot",
            )
        site = config.sites[0]
        if site.snapshot is not None:
            raise UsageError(
                f"the config names the snapshot {site.snapshot} for site {site.name}; this version takes it by flag", "write --snapshot FILE"
            )
    if flags["impersonate"] == "":
        raise UsageError("--as names nobody", "name a user, or leave it out")
    for flag, name in (("--namespace", config.namespace), ("--release", config.release)):
        if name is not None and not NAME.fullmatch(name):
            raise UsageError(f"{flag} {name[:60]!r} is no name that Kubernetes takes", "lower-case letters, digits, dots and dashes")
    return Access(
        kubeconfig=flags["kubeconfig"],
        context=config.context or (site.context if site else None),
        namespace=config.namespace or (site.namespace if site else None),
        release=config.release or (site.release if site else None),
        impersonate=flags["impersonate"],
        impersonate_groups=flags["impersonate_groups"],
        insecure=flags["insecure"],
        request_timeout=seconds(flags["request_timeout"], "--request-timeout"),
        deadline=seconds(flags["deadline"], "--deadline"),
        secrets=flags["secrets"],
        kubelet_stats=flags["kubelet_stats"],
        prometheus=server_of(config.prometheus.url, config.prometheus.token_file, config.prometheus.ca_file) if config.prometheus else None,
        history=flags.get("history") or (Path(config.history.folder) if config.history else None),
        role=flags["site_role"] or (site.role if site else None),
        site=site.name if site else "default",
    )


def seconds(text: str, flag: str) -> float:
    """A time limit: ``30s``, ``2m`` or a bare number of seconds. Raises UsageError."""
    try:
        found = float(text) if text.replace(".", "", 1).isdigit() else float(duration(text))
    except ValueError as error:
        raise UsageError(f"{flag}: {error}", "write for example 30s or 2m") from error
    if not 0 < found <= 86400:
        raise UsageError(f"{flag} {text}: lies outside 0 to 24 hours", "write for example 30s or 2m")
    return found


def moment(text: str | None) -> datetime | None:
    """The value of ``--now``. Raises UsageError."""
    if text is None:
        return None
    try:
        return parse_time(text)
    except ValueError as error:
        raise UsageError(f"--now {text!r} is no time", "write it as 2026-11-23T12:00:00Z") from error
