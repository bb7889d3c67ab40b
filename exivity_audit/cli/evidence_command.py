"""``exivity-audit evidence``: attestations, what a person vouches for."""

from __future__ import annotations

import click

from exivity_audit.cli.lazy_group import LazyGroup

LINES = {
    "template": "write the file with every item that this cluster needs",
    "lint": "tell everything that is wrong with the file",
}


@click.command("evidence", cls=LazyGroup, lines=LINES, module="exivity_audit.cli.evidence_{}_command", context_settings={"max_content_width": 110})
def command() -> None:
    """Attestations: what no cluster shows and a person vouches for, in `evidence.yaml`."""
