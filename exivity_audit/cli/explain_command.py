"""``exivity-audit explain``: print one check: what, why, how to mend it."""

from __future__ import annotations

import click

from exivity_audit.cli.options import PACKS, add
from exivity_audit.cli.saying import tell


@click.command("explain", context_settings={"max_content_width": 110})
@click.argument("check")
@add(PACKS)
def command(check: str, **flags: object) -> int:
    """Print a check: title, reason, fix, clauses, severity, scenarios, what it reads. CHECK is an id such as application/singletons."""
    from exivity_audit.cli.preparation import prepare
    from exivity_audit.collect.reads import READS
    from exivity_audit.errors import UsageError
    from exivity_audit.explanation import as_text, explain
    from exivity_audit.nearest import nearest

    pack = prepare(flags).pack
    found = {one.id: one for one in pack.checks}
    fitting = [one for one in pack.checks if one.slug == check]
    one = found.get(check) or (fitting[0] if len(fitting) == 1 else None)
    if one is None:
        raise UsageError(f"no check is named {check!r}{nearest(check, found)}", "`exivity-audit list` prints the ids")
    for line in as_text(explain(one, pack, (*READS, *pack.reads))).splitlines():
        tell(line)
    return 0
