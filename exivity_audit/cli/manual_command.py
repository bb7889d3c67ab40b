"""``exivity-audit manual``: print the manual page, made of what every command says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

CODES = (
    ("0", "clean, or what the command was asked for is done"),
    ("1", "findings at or above --fail-on, a score below --min-score, the gate with --fail-on gate, a pack that is not as it was sealed"),
    ("2", "a flag, file or name is wrong; no release, or several"),
    ("3", "something could not be seen, or rights are missing"),
    ("4", "no cluster: network, TLS, credentials"),
    ("130, 143", "interrupted"),
)
FILES = (
    ("exivity-audit.yaml", "the config, in the working folder or named by --config"),
    ("~/.kube/config", "the kubeconfig, unless --kubeconfig or KUBECONFIG name another; in a pod its service account"),
)


@click.command("manual")
def command() -> int:
    """Print the manual page: `exivity-audit manual | man -l -`, or into a file exivity-audit.1 in a folder of MANPATH."""
    from exivity_audit.cli import group

    click.echo("\n".join(_page(group)))
    return 0


def _page(group: click.Group) -> Iterator[str]:
    from exivity_audit.version import version

    context = click.Context(group, info_name="exivity-audit")
    yield f'.TH EXIVITY-AUDIT 1 "" "exivity-audit {version()}" "User Commands"'
    yield from (".SH NAME", "exivity\\-audit \\- audits a running Kubernetes cluster against Exivity's operations checklist")
    yield from (".SH SYNOPSIS", ".B exivity\\-audit", "\\fICOMMAND\\fR [\\fIOPTIONS\\fR]")
    yield from (".SH DESCRIPTION", _text(group.help or ""))
    yield ".SH COMMANDS"
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        if found is not None:
            yield from _command(found, context, name)
    yield from _table("EXIT STATUS", CODES)
    yield from _table("ENVIRONMENT", sorted(_variables(group, context)))
    yield from _table("FILES", FILES)


def _command(found: click.Command, parent: click.Context, name: str) -> Iterator[str]:
    """A command, and those below it where it is a group."""
    context = click.Context(found, info_name=name, parent=parent)
    if isinstance(found, click.Group):
        for below in found.list_commands(context):
            inner = found.get_command(context, below)
            if inner is not None:
                yield from _command(inner, context, below)
        return
    words = " ".join(found.collect_usage_pieces(context))
    yield f".SS {_text(context.command_path.removeprefix('exivity-audit '))}"
    yield f".B {_text(context.command_path)}\n{_text(words)}\n.PP"
    yield from _paragraphs(found.help or "")
    for parameter in found.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and "--help" not in parameter.opts:
            yield f".TP\n\\fB{_text(record[0])}\\fR\n{_text(record[1]) or '.br'}"


def _paragraphs(text: str) -> Iterator[str]:
    """The paragraphs of a command's help; one behind a ``\\b`` keeps its lines."""
    for part in text.strip().split("\n\n"):
        if part.startswith("\b"):
            yield ".nf\n" + "\n".join(_text(line) for line in part.splitlines()[1:]) + "\n.fi\n.PP"
        else:
            yield f"{_text(' '.join(part.split()))}\n.PP"


def _table(title: str, rows: Any) -> Iterator[str]:
    yield f".SH {title}"
    for name, what in rows:
        yield f".TP\n\\fB{_text(name)}\\fR\n{_text(what)}"


def _variables(group: click.Group, parent: click.Context) -> Iterator[tuple[str, str]]:
    """The environment variables that flags read, each once."""
    seen: set[str] = set()
    waiting: list[tuple[click.Command, click.Context]] = [(group, parent)]
    while waiting:
        found, context = waiting.pop()
        if isinstance(found, click.Group):
            inner = ((name, found.get_command(context, name)) for name in found.list_commands(context))
            waiting += [(one, click.Context(one, info_name=name, parent=context)) for name, one in inner if one is not None]
        for parameter in found.params:
            if isinstance(parameter, click.Option) and isinstance(parameter.envvar, str) and parameter.envvar not in seen:
                seen.add(parameter.envvar)
                yield parameter.envvar, f"stands for {parameter.opts[-1]}"


def _text(text: str) -> str:
    """A text that roff prints as it is."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
