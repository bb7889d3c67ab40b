"""From flags, environment and config to the destinations of a run; what is wrong with them is said before anything is read."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from exivity_audit.config import BucketTarget, Config, Publish, PushTarget, WebhookTarget
from exivity_audit.errors import UsageError

if TYPE_CHECKING:
    from exivity_audit.cli.preparation import Preparation
    from exivity_audit.collect.connection import Connection
    from exivity_audit.collect.session import Access
    from exivity_audit.publishing.bucket import Bucket
    from exivity_audit.publishing.destination import Destination
    from exivity_audit.publishing.policy_reports import PolicyReports
    from exivity_audit.publishing.pushgateway import Pushgateway
    from exivity_audit.publishing.webhook import Webhook
    from exivity_audit.reports.run_info import RunInfo
    from exivity_audit.score import Scorecard

TOKEN, USER, PASSWORD = (f"EXIVITY_AUDIT_PUSH_{name}" for name in ("TOKEN", "USER", "PASSWORD"))
ASKED = ("push_url", "webhooks", "bucket_url", "policy_reports")


class Publications(Struct, frozen=True):
    """The destinations of a run, and the time that each may take."""

    destinations: tuple[Destination, ...]
    seconds: float
    language: str
    writes: int  # to a cluster

    def send(self, card: Scorecard, run: RunInfo) -> int:
        """Publish a finished run; return how many destinations failed."""
        from exivity_audit.publishing.destination import Finished
        from exivity_audit.publishing.publish import publish

        failed = publish(self.destinations, Finished(card, run, self.language), self.seconds)
        if failed:
            print(
                f"exivity-audit: the audit itself ends with {run.exit_code} ({run.exit_reason}); what was not published makes it 2.", file=sys.stderr
            )
        return failed


def publications(flags: dict[str, Any], prepared: Preparation, snapshots: Sequence[str] = ()) -> Publications | None:
    """What the flags ask for and, of a live audit, the config; None where nothing does. Raises UsageError."""
    from exivity_audit.cli.preparation import seconds

    limit = seconds(flags["publish_timeout"], "--publish-timeout")
    if flags["no_publish"]:
        return None
    config, config_path = prepared.config, prepared.config_path
    declared = config.publish if _live(flags, config, snapshots) else Publish()  # a snapshot that somebody looks at is no run of tonight
    if not (declared != Publish() or any(flags[name] for name in ASKED)):
        return None
    folder, ca_file = config_path.parent if config_path is not None else Path(), flags["publish_ca"]
    found: list[Destination] = []
    if flags["push_url"] or declared.pushgateway:
        found.append(_pushgateway(flags["push_url"], declared.pushgateway, folder, ca_file))
    if flags["bucket_url"] or declared.bucket:
        found.append(_bucket(flags["bucket_url"], declared.bucket, folder, ca_file))
    written = _policy_reports(flags, prepared, snapshots) if flags["policy_reports"] or declared.policy_reports else []
    found += written
    found += _webhooks(flags["webhooks"], declared.webhooks, folder, ca_file)
    return Publications(tuple(found), limit, flags["language"], len(written))


def _pushgateway(url: str | None, declared: PushTarget | None, folder: Path, ca_file: Path | None) -> Pushgateway:
    """The flag's server with the environment's credentials, or the config's with its files, which the environment overrides."""
    from exivity_audit.publishing.address import address, in_the_clear
    from exivity_audit.publishing.pushgateway import Pushgateway
    from exivity_audit.publishing.secret import Secret

    what = "--push" if url else "publish.pushgateway.url"
    target = declared if declared is not None and not url else PushTarget(url or "")  # another server is not given the config's secrets
    token = Secret(file=folder / target.token_file) if target.token_file else None
    password = Secret(file=folder / target.password_file) if target.password_file else None
    user = target.user or ""
    if os.environ.get(TOKEN):
        token, user, password = Secret(variable=TOKEN), "", None
    elif os.environ.get(USER) or os.environ.get(PASSWORD):
        token, user, password = None, os.environ.get(USER, ""), Secret(variable=PASSWORD)
    if token is not None and (user or password is not None):
        raise UsageError("publish.pushgateway names a token and a user name", "keep one of them")
    if bool(user) != (password is not None) or ":" in user or not user.isprintable():
        raise UsageError("the Pushgateway's credentials need a user name and a password", f"set user and password_file, or {USER} and {PASSWORD}")
    clear = "neither a token nor a password is sent in the clear" if token or password else ""
    found = address(target.url, what, "https://pushgateway.corp:9091", clear=clear)
    if in_the_clear(found) and (ca_file or target.ca_file) and not url:
        raise UsageError(f"{what} is http, and an authority is named for it", "use an https URL, or leave ca_file out")
    return Pushgateway(found, token, user, password, _beside(folder, target.ca_file) or ca_file)


def _bucket(url: str | None, declared: BucketTarget | None, folder: Path, ca_file: Path | None) -> Bucket:
    """The flag's bucket with the environment's keys, or the config's. Raises UsageError, also where the extra is not installed."""
    import importlib.util

    from exivity_audit.publishing.address import address
    from exivity_audit.publishing.bucket import Bucket, names_bucket

    what = "--bucket" if url else "publish.bucket.url"
    target = declared if declared is not None and not url else BucketTarget(url or "")
    if importlib.util.find_spec("minio") is None:
        raise UsageError(f"{what}: the package for buckets is not installed", "install it: pip install 'exivity-audit[s3]'")
    example = "https://s3.eu-west-1.amazonaws.com/BUCKET/PREFIX"
    found = address(target.url, what, example, clear="a report is not sent in the clear")
    if not names_bucket(found):
        raise UsageError(f"{what} names no bucket", f"write it like {example}")
    if "/../" in f"{found}/" or "//" in found.partition("://")[2] or "%" in found:
        raise UsageError(f"{what} holds a path that is no prefix", f"write it like {example}")
    keys = _beside(folder, target.credentials_file)
    return Bucket(found, target.region or "", target.content or ("json",), keys, target.profile, _beside(folder, target.ca_file) or ca_file)


def _webhooks(texts: tuple[str, ...], declared: tuple[WebhookTarget, ...], folder: Path, ca_file: Path | None) -> list[Webhook]:
    """The flags' webhooks, then the config's."""
    from exivity_audit.publishing.secret import secret_of
    from exivity_audit.publishing.webhook import Webhook, webhook_of

    found = [webhook_of(text, ca_file) for text in texts]
    for number, target in enumerate(declared):
        what = f"publish.webhooks[{number}]"
        if (target.url_file is None) == (target.url_env is None):
            raise UsageError(f"{what} names not one place of its URL", "name either url_file or url_env")
        source = f"env:{target.url_env}" if target.url_env is not None else str(target.url_file)
        secret = secret_of(source, what)
        if secret.file is not None:
            secret = secret_of(str(folder / secret.file), what)
        found.append(Webhook(target.kind, secret, target.when, _beside(folder, target.ca_file) or ca_file))
    return found


def _live(flags: dict[str, Any], config: Config, snapshots: Sequence[str]) -> bool:
    """Whether a site is read now, by flags and config alone."""
    if flags.get("site_specs") or snapshots:
        return bool(flags.get("site_specs"))
    return not config.sites or any(site.snapshot is None for site in config.sites)


def _policy_reports(flags: dict[str, Any], prepared: Preparation, snapshots: Sequence[str]) -> list[PolicyReports]:
    """A writer for each site that is read, with a way to its cluster that is found as the reader's is, but not shared with it."""
    from exivity_audit.cli.preparation import accesses
    from exivity_audit.cli.site_plan import plan
    from exivity_audit.publishing.policy_reports import PolicyReports

    found = accesses(plan(flags, prepared, snapshots).live, flags, prepared.config)
    return [PolicyReports(_connector(access), access.site) for access in found]


def _connector(access: Access) -> Callable[[], Connection]:
    from exivity_audit.collect.connection import connect

    return lambda: connect(
        kubeconfig=access.kubeconfig,
        context=access.context,
        impersonate=access.impersonate,
        impersonate_groups=access.impersonate_groups,
        insecure=access.insecure,
    )


def _beside(folder: Path, name: str | None) -> Path | None:
    return folder / name if name is not None else None
