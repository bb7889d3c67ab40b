"""``exivity-audit explain``: print one check: what, why, how to mend it."""

from __future__ import annotations

import textwrap

import click

from exivity_audit.cli.list_command import severity_text

WIDTH = 96


@click.command("explain", context_settings={"max_content_width": 110})
@click.argument("check")
def command(check: str) -> int:
    """Print a check: title, reason, fix, clauses, severity, scenarios, what it reads. CHECK is an id such as application/singletons."""
    from exivity_audit.cli.preparation import prepare
    from exivity_audit.collect.reads import BY_NAME
    from exivity_audit.errors import UsageError
    from exivity_audit.fact import reads_behind
    from exivity_audit.nearest import nearest

    pack = prepare({}).pack
    found = {one.id: one for one in pack.checks}
    fitting = [one for one in pack.checks if one.slug == check]
    one = found.get(check) or (fitting[0] if len(fitting) == 1 else None)
    if one is None:
        raise UsageError(f"no check is named {check!r}{nearest(check, found)}", "`exivity-audit list` prints the ids")
    click.echo(f"{one.id}\n\n{one.title}\n")
    _paragraph(one.why)
    _paragraph(f"Fix: {one.fix}")
    click.echo(f"Severity   {severity_text(one)}")
    click.echo(f"Scenarios  {', '.join(scope.name for scope in one.applies)}   (A single-node, B multi-node, C multi-site)")
    for number, clause in enumerate(one.clauses):
        click.echo(f"{'Clauses' if number == 0 else '':10} {clause}: {pack.clauses.get(clause, '?')}")
    if one.passive:
        click.echo(f"Passive    skipped: {one.passive}")
    if one.attest:
        click.echo(f"Attest     {one.attest}")
    needed, optional = reads_behind(pack.facts, one.needs, one.alternates)
    for title, names in (("Reads", needed), ("Also", optional)):
        shown = sorted({BY_NAME[name].resource for name in names if name in BY_NAME})
        if shown:
            click.echo(f"{title:10} {', '.join(shown)}")
    if not one.built:
        click.echo("\nThis version has no code for it yet: it is unknown wherever it applies.")
    return 0


def _paragraph(text: str) -> None:
    click.echo(textwrap.fill(text, WIDTH) + "\n")
