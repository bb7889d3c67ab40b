"""``exivity-audit list``: print the checks."""

from __future__ import annotations

import click

from exivity_audit.cli.options import JUDGING, add


@click.command("list", context_settings={"max_content_width": 110})
@add(JUDGING)
def command(**flags: object) -> int:
    """Print the checks by row: id, severity, clauses, title."""
    from exivity_audit.cli.preparation import prepare
    from exivity_audit.explanation import severity_text

    prepared = prepare(flags)
    pack, total, to_come = prepared.pack, 0, 0
    for row in pack.checklist.rows:
        checks = [check for check in pack.checks if check.row == row.id and (prepared.selected is None or check.id in prepared.selected)]
        if not checks:
            continue
        click.echo(f"\n{row.title} ({row.phase}, weight {row.weight})")
        for check in checks:
            total, to_come = total + 1, to_come + (not check.built)
            mark = "" if check.built else "  (to come)"
            click.echo(f"  {check.id:36} {severity_text(check):30} {' '.join(check.clauses):14} {check.title}{mark}")
    still = f", {to_come} of them to come" if to_come else ""
    click.echo(f"\n{total} checks{still}. `exivity-audit explain ID` tells more.")
    return 0
