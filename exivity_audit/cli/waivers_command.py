"""``exivity-audit waivers``: findings that somebody accepts for a time."""

from __future__ import annotations

import click

from exivity_audit.cli.lazy_group import LazyGroup

LINES = {
    "draft": "print a waiver for each open finding, to be filled in",
    "lint": "tell everything that is wrong with the config's waivers",
}


@click.command("waivers", cls=LazyGroup, lines=LINES, module="exivity_audit.cli.waivers_{}_command", context_settings={"max_content_width": 110})
def command() -> None:
    """Waivers: findings that somebody accepts for a time, in `exivity-audit.yaml`."""
