"""``exivity-audit completion``: print the script by which a shell completes the command."""

from __future__ import annotations

import click

SHELLS = {"bash": "~/.bashrc", "zsh": "~/.zshrc", "fish": "~/.config/fish/config.fish"}


@click.command("completion")
@click.argument("shell", type=click.Choice(list(SHELLS)))
def command(shell: str) -> int:
    """Print the script by which a shell completes commands and flags.

    \b
    bash, zsh:  eval "$(exivity-audit completion bash)"      in ~/.bashrc or ~/.zshrc
    fish:       exivity-audit completion fish | source       in ~/.config/fish/config.fish
    """
    from click.shell_completion import BashComplete, get_completion_class

    from exivity_audit.cli import group

    found = get_completion_class(shell)
    assert found is not None
    if issubclass(found, BashComplete):
        found._check_version = staticmethod(lambda: None)  # type: ignore[method-assign]  # it would start bash to warn of one of 2009
    click.echo(found(group, {}, "exivity-audit", "_EXIVITY_AUDIT_COMPLETE").source(), nl=False)
    return 0
