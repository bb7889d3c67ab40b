"""The dashboard's panels, queries and variables, for tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
DASHBOARD = DEPLOY / "grafana" / "exivity-audit.json"
RULES = DEPLOY / "prometheus" / "rules.yaml"
BOARD: dict[str, Any] = json.loads(DASHBOARD.read_text())
VARIABLES = [one for one in BOARD["templating"]["list"] if one["type"] == "query"]


@dataclass(frozen=True)
class Query:
    """One query of a panel, with every variable set to all."""

    panel: str
    expression: str
    instant: bool


def queries() -> Iterator[Query]:
    """Every query of the dashboard."""
    for panel in BOARD["panels"]:
        for target in panel.get("targets", ()):
            yield Query(panel["title"], expanded(target["expr"]), target["instant"])


def expanded(expression: str) -> str:
    """A query as Grafana sends it when everything is chosen."""
    for variable in VARIABLES:
        expression = expression.replace(f"${variable['name']}", variable["allValue"])
    return expression
