"""``exivity-audit schema``: print the JSON Schema of the JSON report."""

from __future__ import annotations

import sys

import click


@click.command("schema")
def command() -> int:
    """Print the JSON Schema of the JSON report (schema version 1)."""
    from exivity_audit.reports.json_report import json_schema

    sys.stdout.buffer.write(json_schema())
    return 0
