"""The dated table of supported releases, bundled with the tool or given by the site."""

from __future__ import annotations

import datetime as calendar
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from exivity_audit.yaml_file import read_yaml

STALE_AFTER = timedelta(days=180)
BUNDLED = Path(__file__).parent / "data" / "lifecycle.yaml"


class Lifecycle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Release → last day of support, by product; ``date`` is when the table was read."""

    date: calendar.date
    kubernetes: dict[str, calendar.date] = {}
    openshift: dict[str, calendar.date] = {}
    openshift_extended: dict[str, calendar.date] = {}
    longhorn: dict[str, calendar.date] = {}
    postgresql: dict[str, calendar.date] = {}
    rabbitmq: dict[str, calendar.date] = {}
    ingress_controllers: dict[str, calendar.date] = {}
    exivity: dict[str, calendar.date] = {}  # the support window of the product, which a site declares

    def controller(self, product: str, version: str) -> calendar.date | None:
        """The last day of an ingress controller: by product, or by product and major version."""
        key = product.lower().replace(" ", "-")
        major = version.lstrip("v").partition(".")[0]
        return self.ingress_controllers.get(key) or self.ingress_controllers.get(f"{key}-{major}")

    def stale(self, now: datetime) -> bool:
        """Whether the table is too old to be trusted without a remark."""
        return now - datetime(self.date.year, self.date.month, self.date.day, tzinfo=UTC) > STALE_AFTER


def ended(last: calendar.date, now: datetime) -> bool:
    """Whether the last day of support has passed."""
    return now.date() > last


def load_lifecycle(path: str | None) -> Lifecycle:
    """The site's table, or the bundled one. Raises UsageError."""
    return read_yaml(Path(path) if path is not None else BUNDLED, Lifecycle)
