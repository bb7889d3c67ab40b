"""``exivity-audit parity-key``: make the key by which secrets of sites that are read apart can be compared."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from exivity_audit.cli.options import FILE


@click.command("parity-key", context_settings={"max_content_width": 110})
@click.option("-o", "--output", "file", type=FILE, default="parity.key", show_default=True, help="File to write; never over one that exists.")
@click.option("--passphrase", is_flag=True, help="Make it of a passphrase that is asked for: the same words give the same key at every site.")
def command(file: Path, passphrase: bool) -> int:
    """Make the key with which `collect --parity-key FILE` at each site lets the sites' secrets be compared.

    Without --passphrase the key is random: make it once, and carry the file to every site on a safe way. With it, two people type the
    same words (16 characters or more, five or six random words) and nothing is carried. The snapshots then tell which secrets are equal,
    not what they are; who has a snapshot and the key can try guesses on it, so delete the key when the comparison is done.
    Exit codes: 0 written, 2 usage.
    """
    import secrets

    from exivity_audit.collect.parity import LENGTH, ParityKey, from_passphrase
    from exivity_audit.errors import UsageError

    if file.exists() or file.is_symlink():
        raise UsageError(f"{file} exists, and a key is never written over", "name another file with --output, or use the key that is there")
    content = from_passphrase(_asked()) if passphrase else secrets.token_bytes(LENGTH)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as opened:
            os.fchmod(opened.fileno(), 0o600)
            opened.write(f"{content.hex()}\n")
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror or error}", "choose a folder that exists and may be written to") from error
    click.echo(f"{file}: a parity key, check {ParityKey(content).check}; the check is the same wherever the key is")
    return 0


def _asked() -> str:
    """The passphrase: typed twice without an echo on a terminal, else the first line of standard input."""
    if sys.stdin.isatty():
        typed: str = click.prompt("Passphrase", hide_input=True, confirmation_prompt="Once more", err=True)
        return typed
    return sys.stdin.readline().rstrip("\r\n")
