"""A group of commands, each a module of its own that is imported when it is called."""

from __future__ import annotations

import importlib
from typing import Any

import click


class LazyGroup(click.Group):
    """Commands by name with one line of help each; ``module`` names a command's module, as ``exivity_audit.cli.{}_command``."""

    def __init__(self, *arguments: Any, lines: dict[str, str], module: str, **rest: Any) -> None:
        super().__init__(*arguments, **rest)
        self.lines, self.module = lines, module

    def list_commands(self, context: click.Context) -> list[str]:
        return list(self.lines)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in self.lines:
            return None
        command: click.Command = importlib.import_module(self.module.format(name.replace("-", "_"))).command
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self.lines.items()))

    def resolve_command(self, context: click.Context, arguments: list[str]) -> Any:
        from exivity_audit.nearest import nearest

        if arguments and arguments[0] not in self.lines:
            context.fail(f"no command {arguments[0]!r}{nearest(arguments[0], self.lines)}")
        return super().resolve_command(context, arguments)
