"""``exivity-audit verify``: tell whether a pack is as it was sealed, and by whom."""

from __future__ import annotations

from pathlib import Path

import click

from exivity_audit.cli.options import FILE


@click.command("verify", context_settings={"max_content_width": 110})
@click.argument("pack", type=FILE)
@click.option("--key", "key_file", type=FILE, help="The public key (PEM) of who is to have sealed it.")
@click.option("--ascii", is_flag=True, help="ASCII characters only.")
def command(pack: Path, key_file: Path | None, ascii: bool) -> int:
    """Prove that PACK is as `seal` wrote it, byte for byte, and print what it is of and who signed it. Nothing is unpacked.

    Exit codes: 0 as it was sealed, and by the key where one is given; 1 it is not; 2 usage.
    """
    import sys

    from exivity_audit.handover.archive import Damaged
    from exivity_audit.handover.signature import public_key
    from exivity_audit.handover.verifying import read_pack, verify
    from exivity_audit.reports.pack_facts import pack_facts
    from exivity_audit.reports.text import ascii_text, clean

    key = public_key(key_file) if key_file is not None else None
    content = read_pack(pack)
    plain = ascii or (sys.stdout.encoding or "ascii").lower().replace("-", "") != "utf8"
    try:
        found = verify(content, key)
    except Damaged as error:
        click.echo(f"{clean(pack)}: NOT AS SEALED: {ascii_text(clean(error)) if plain else clean(error)}")
        return 1
    for line in pack_facts(str(pack), found):
        click.echo(ascii_text(clean(line)) if plain else clean(line))
    return 0
