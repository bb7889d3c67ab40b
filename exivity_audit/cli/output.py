"""Where a report goes: the terminal, and the files that ``-o`` names."""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from exivity_audit.errors import UsageError
from exivity_audit.nearest import nearest

if TYPE_CHECKING:
    from exivity_audit.reports.run_info import RunInfo
    from exivity_audit.score import Scorecard

FILE_WIDTH = 110
# Machine formats: the module that writes one, and its function from the report's values to bytes.
MACHINE = {
    "jsonl": ("json_lines", "render_json_lines"),
    "junit": ("junit", "render_junit"),
    "sarif": ("sarif", "render_sarif"),
    "markdown": ("markdown", "render_markdown"),
    "csv": ("csv_report", "render_csv"),
    "prometheus": ("prometheus", "render_prometheus"),
    "policyreport": ("policy_report", "render_policy_report"),
    "openreports": ("policy_report", "render_open_report"),
    "github": ("github", "render_github"),
}
FORMATS = ("table", "html", "json", "fixes", "actions", "runbook", *MACHINE)


class Output(Struct, frozen=True):
    """One ``-o``: a format, and a file or standard output."""

    format: str
    file: Path | None


class Style(Struct, frozen=True):
    """How the terminal report looks, and the language of the page."""

    verbose: bool = False
    ascii: bool = False
    explain_score: bool = False
    short: bool = False
    language: str = "en"


def outputs_of(texts: tuple[str, ...], quiet: bool, formats: tuple[str, ...] = FORMATS) -> tuple[Output, ...]:
    """The outputs of a run; the table goes to standard output unless another takes it. Raises UsageError, before anything is read."""
    found = []
    for text in texts:
        name, equals, file = text.partition("=")
        if name not in formats:
            raise UsageError(f"-o {text!r}: no format {name!r}{nearest(name, formats)}", f"the formats are {', '.join(formats)}")
        if equals and not file:
            raise UsageError(f"-o {text!r}: names no file", "write -o json=FILE")
        found.append(Output(name, Path(file) if file else None))
    for output in found:
        if output.file is not None:
            must_be_writable(output.file)
    if sum(1 for output in found if output.file is None) > 1:
        raise UsageError("two outputs go to standard output", "give all but one a file: -o json=FILE")
    if not quiet and all(output.file is not None for output in found):
        found.insert(0, Output("table", None))
    return tuple(found)


def must_be_writable(file: Path) -> None:
    """Refuse a file that could not be written at the end, before anything is read. Raises UsageError."""
    folder = file.parent
    if file.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise UsageError(
            f"cannot write {file}: {'it is a folder' if file.is_dir() else f'{folder} is no folder that may be written to'}", "choose another file"
        )


def deliver(scorecard: Scorecard, run: RunInfo, outputs: tuple[Output, ...], style: Style) -> None:
    """Write every output whole. Raises UsageError where a file cannot be written."""
    from exivity_audit.snapshot import write_whole

    for output in sorted(outputs, key=lambda output: output.file is None):
        for file, content in _contents(scorecard, run, output, style):
            if file is not None:
                write_whole(file, content)
            else:
                sys.stdout.buffer.write(content)
                sys.stdout.buffer.flush()


def _contents(scorecard: Scorecard, run: RunInfo, output: Output, style: Style) -> Iterator[tuple[Path | None, bytes]]:
    """What is written for one output: one file, but of the values a file for each site."""
    sites = scorecard.judgement.snapshot.sites
    if output.format != "fixes":
        yield output.file, content_of(scorecard, run, output, style)
        return
    from exivity_audit.actions import register
    from exivity_audit.reports.values_overlay import values_overlay

    found = register(scorecard)
    for number, site in enumerate(sites):
        text = values_overlay(scorecard, found, site)
        if output.file is None:
            yield None, f"{'---' + chr(10) if number else ''}{text}".encode()
        else:
            yield site_file(output.file, [one.name for one in sites], number), text.encode()


def site_file(file: Path, sites: list[str], number: int) -> Path:
    """The file of one of several sites: ``fixes.values.yaml`` becomes ``fixes.ams.values.yaml``."""
    if len(sites) == 1:
        return file
    names = [re.sub(r"[^A-Za-z0-9._-]", "-", name) for name in sites]
    name = names[number] if names.count(names[number]) == 1 else f"{names[number]}-{number + 1}"
    stem, dot, rest = file.name.partition(".")
    return file.with_name(f"{stem}.{name}{dot}{rest}")


def content_of(scorecard: Scorecard, run: RunInfo, output: Output, style: Style) -> bytes:
    """One output's bytes."""
    if output.format == "json":
        from exivity_audit.reports.json_report import json_report

        return json_report(scorecard, run)
    if output.format == "html":
        from exivity_audit.reports.html import render_html
        from exivity_audit.reports.trend import points

        return render_html(scorecard, run, style.language, points(scorecard))
    if output.format == "actions":
        from exivity_audit.actions import register
        from exivity_audit.reports.action_register import action_register

        return action_register(scorecard, register(scorecard)).encode()
    if output.format == "runbook":
        from exivity_audit.reports.runbook import render_runbook

        return render_runbook(scorecard).encode()
    if output.format in MACHINE:
        from exivity_audit.reports.json_report import report_shape

        module, function = MACHINE[output.format]
        content: bytes = getattr(importlib.import_module(f"exivity_audit.reports.{module}"), function)(report_shape(scorecard, run))
        return content
    to_terminal = output.file is None and sys.stdout.isatty()
    encoding = (sys.stdout.encoding or "ascii") if output.file is None else "utf-8"
    plain_ascii = style.ascii or encoding.lower().replace("-", "") != "utf8"
    if style.short:
        from exivity_audit.reports.short import render_short

        return render_short(scorecard, run, ascii=plain_ascii).encode(encoding, "replace")
    import shutil  # with the compressors that no other format needs

    from exivity_audit.reports.terminal import render_terminal

    width = shutil.get_terminal_size((FILE_WIDTH, 24)).columns if output.file is None else FILE_WIDTH
    text = render_terminal(
        scorecard,
        run,
        width=width,
        colour=to_terminal and not os.environ.get("NO_COLOR"),
        ascii=plain_ascii,
        verbose=style.verbose,
        explain_score=style.explain_score,
    )
    return text.encode(encoding, "replace")
