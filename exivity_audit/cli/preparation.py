"""From flags, environment and config file to what a run needs: packs, selection, access, settings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct, field

from exivity_audit.config import Config, load_config, thresholds_of
from exivity_audit.document import parse_time
from exivity_audit.errors import UsageError
from exivity_audit.lifecycle import Lifecycle, load_lifecycle
from exivity_audit.pack import Pack, Sources, merged_pack, validate
from exivity_audit.quantity import duration
from exivity_audit.selection import select

if TYPE_CHECKING:
    from exivity_audit.attestation import Attestation
    from exivity_audit.cli.site_plan import Live
    from exivity_audit.collect.session import Access

NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?")


class Preparation(Struct, frozen=True):
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
    given = {key: flags[key] for key in ("scenario", "purpose", "context", "namespace", "release", "cluster_name") if flags.get(key) is not None}
    config = msgspec.structs.replace(config, **given)
    others = Sources(tuple(config.packs), tuple(str(folder) for folder in flags.get("pack_folders") or ()))
    pack = merged_pack(others)
    if others.names or others.folders:  # of our own pack a test has seen it
        from exivity_audit.collect.reads import BY_NAME

        validate(pack, [*BY_NAME, *(read.name for read in pack.reads)])
    checks = {check.id: check for check in pack.checks}
    if config.waivers and path is not None and waivers_refused:
        from exivity_audit.waiver import check_waivers

        check_waivers(path, checks)
    attestations: tuple[Attestation, ...] = ()
    if flags.get("evidence"):
        from exivity_audit.attestation import load_evidence

        attestations = load_evidence(flags["evidence"], checks)
    selected = select(pack, flags.get("chosen") or (), flags.get("skipped") or ())
    thresholds, lifecycle = thresholds_of(config, pack.thresholds, path), load_lifecycle(config.lifecycle)
    return Preparation(config, path, pack, selected, thresholds, lifecycle, attestations, others)


def accesses(live: Sequence[Live], flags: dict[str, Any], config: Config) -> list[Access]:
    """How to reach the sites that are read. Raises UsageError."""
    from exivity_audit.collect.prometheus import server_of
    from exivity_audit.collect.session import Access
    from exivity_audit.probes.asked import asked_of

    if flags["impersonate"] == "":
        raise UsageError("--as names nobody", "name a user, or leave it out")
    if config.cluster_name is not None and len(live) > 1:
        raise UsageError(f"cluster_name {config.cluster_name[:60]!r}: there are {len(live)} sites, each with a cluster of its own", "leave it out")
    for site in live:
        for flag, name in (("--namespace", site.namespace), ("--release", site.release)):
            if name is not None and not NAME.fullmatch(name):
                place = f" of site {site.name}" if len(live) > 1 else ""
                raise UsageError(f"{flag} {name[:60]!r}{place} is no name that Kubernetes takes", "lower-case letters, digits, dots and dashes")
    request_timeout, deadline = seconds(flags["request_timeout"], "--request-timeout"), seconds(flags["deadline"], "--deadline")
    prometheus = server_of(config.prometheus.url, config.prometheus.token_file, config.prometheus.ca_file) if config.prometheus else None
    probes = asked_of(
        flags["probe"],
        seconds(flags["probe_limit"], "--probe-limit"),
        config.probes,
        port_forward=flags["probe_port_forward"],
        default_logins=flags["probe_default_logins"],
    )
    return [
        Access(
            kubeconfig=flags["kubeconfig"],
            context=site.context,
            namespace=site.namespace,
            release=site.release,
            impersonate=flags["impersonate"],
            impersonate_groups=flags["impersonate_groups"],
            insecure=flags["insecure"],
            request_timeout=request_timeout,
            deadline=deadline,
            secrets=flags["secrets"],
            kubelet_stats=flags["kubelet_stats"],
            prometheus=prometheus,
            probes=probes,
            history=flags.get("history") or (Path(config.history.folder) if config.history else None),
            cluster_name=config.cluster_name,
            role=site.role,
            site=site.name,
        )
        for site in live
    ]


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
