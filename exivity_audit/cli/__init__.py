"""The command ``exivity-audit``: one module a command, loaded when it is called."""

from __future__ import annotations

import gc
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

import click

from exivity_audit.cli.lazy_group import LazyGroup
from exivity_audit.errors import AuditError, UsageError, one_line

COMMANDS = {
    "run": "audit a cluster, or a snapshot of one",
    "demo": "audit the bundled sample cluster",
    "collect": "save what an audit reads, redacted, to a file",
    "diff": "tell what changed between two reports",
    "list": "print the checks",
    "explain": "print one check: what, why, how to mend it",
    "preflight": "tell which rights are missing",
    "rbac": "write the roles that give these rights, and no others",
    "evidence": "attestations: write the file to fill in, or examine one",
    "waivers": "accepted findings: draft them from a run, or examine them",
    "parity-key": "make the key by which sites read apart can be compared",
    "seal": "audit, and seal all of a handover in one archive",
    "verify": "tell whether such an archive is as it was sealed",
    "schema": "print the JSON Schema of the JSON report",
    "completion": "print the script by which a shell completes the command",
    "manual": "print the manual page",
}

SELDOM = 50_000, 20, 100
"""When garbage in circles is looked for: a run makes hundreds of thousands of values that stay, and next to no circles."""


@click.command(
    cls=LazyGroup,
    lines=COMMANDS,
    module="exivity_audit.cli.{}_command",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(package_name="exivity-audit", prog_name="exivity-audit")
def group() -> None:
    """Audit a running Kubernetes cluster against Exivity's operations checklist. It only reads."""


class _Terminated(BaseException):
    """SIGTERM arrived."""


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise _Terminated


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command and exit with its code; a foreseeable error is one sentence and a next step on standard error."""
    signal.signal(signal.SIGTERM, _terminate)
    gc.set_threshold(*SELDOM)
    try:
        if sys.stdout is None:
            raise UsageError("standard output is closed", "send it somewhere, such as >/dev/null")
        code = group.main(args=arguments, standalone_mode=False, prog_name="exivity-audit")
        sys.stdout.flush()
        sys.exit(code if isinstance(code, int) else 0)
    except AuditError as error:
        _say(error.message, error.hint)
        sys.exit(error.exit_code)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "exivity-audit"
        _say(error.format_message(), f"`{where} --help` lists what it takes")
        sys.exit(2)
    except click.ClickException as error:
        _say(error.format_message(), "")
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        _leave(130)
    except _Terminated:
        _leave(143)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        _say(
            f"the system refused: {error.strerror or type(error).__name__}{f' ({error.filename})' if error.filename else ''}",
            "free the disk, or choose another place",
        )
        sys.exit(2)
    except Exception as error:  # a bug of this tool: its place, never its text, which may quote the cluster
        _say(f"a bug in this tool: {type(error).__name__} at {_place(error)}", "report it with the version and this line; nothing was decided")
        sys.exit(3)


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}" if trace is not None else "?"


def _leave(code: int) -> NoReturn:
    """End at once: threads that still wait for a server must not hold the process."""
    sys.stderr.write("exivity-audit: interrupted; what was not written or published by now is not\n")
    sys.stderr.flush()
    os._exit(code)


def _say(message: str, hint: str) -> None:
    click.echo(f"exivity-audit: {one_line(message, 1000).rstrip('.')}.", err=True)
    if hint:
        click.echo(f"  next: {one_line(hint, 1000).rstrip('.')}.", err=True)
