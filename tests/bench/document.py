"""Writes the figures of the last run into docs/performance.md, between its marks; no figure there is written by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from .limits import MIB, lines
from .process import REPOSITORY
from .results import BARE, KUBECTL, POPEYE, TOOL, Measurement, Results, spread

PAGE = REPOSITORY / "docs" / "performance.md"
BEGIN, END = "<!-- figures: written by python -m tests.bench document -->\n", "<!-- end of the figures -->"


def write(results: Results, page: Path = PAGE) -> None:
    """Put the figures in place of the ones before."""
    page.write_text(current(page.read_text(), results))


def current(text: str, results: Results) -> str:
    """The page with the figures of these results."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError("the page has lost the marks between which its figures stand")
    return f"{before}{begin}\n{figures(results)}\n{end}{after}"


def figures(results: Results) -> str:
    """All that is generated."""
    parts = [_machine(results), _promises(results), _sizes(results), _plots(results), _latency(results), _others(results), _starts(results)]
    return "\n".join(part for part in parts if part)


def _machine(results: Results) -> str:
    machine = results.machine
    text = (
        f"Measured on {results.day}: {machine.cores} cores, {machine.memory / 2**30:.0f} GiB, {machine.system}, Python {machine.python}, "
        f"load {machine.load:.1f} before the run; of the rounds of each row the best."
    )
    busy = machine.load > machine.cores / 2
    said = (
        ["The machine was busy with other work: its seconds are too high, and so are ratios to programs that wait less; counts and memory hold."]
        if busy
        else []
    )
    return "\n\n".join([text, *said, *results.notes]) + "\n"


def _promises(results: Results) -> str:
    rows = [(line.title, line.figure, line.wanted, line.verdict) for line in lines(results)]
    return _section("What is promised", ("promise", "measured", "limit", ""), rows)


def _sizes(results: Results) -> str:
    plain = [one for one in results.measurements if one.situation.latency is None and not one.situation.operators]
    rows = [_row(one, results) for one in plain if not one.situation.own and not one.situation.inside]
    counts = sorted({one.pods for one in plain if one.pods is not None and not one.situation.own and not one.situation.inside})
    told = f"\nThe product has {spread(counts)} pods of its own there, as installed.\n" if counts and rows else ""
    return _section("As the cluster grows", ("pods of others", *_COLUMNS), rows) + told


_COLUMNS = ("program", "rounds", "wall", "× bare reads", "× the audit", "CPU", "peak memory", "requests", "received")


def _row(one: Measurement, results: Results) -> tuple[str, ...]:
    situation = one.situation
    place = {
        "unrelated": situation.unrelated,
        "own": situation.own,
        "inside": situation.inside,
        "operators": situation.operators,
        "latency": situation.latency,
    }
    bare, audit = results.find(BARE, **place), results.find(TOOL, **place)
    return (
        f"{situation.unrelated:,}",
        one.program,
        f"{one.rounds}",
        f"{one.wall:.2f} s",
        f"{one.wall / bare.wall:.1f}" if bare else "–",
        f"{one.wall / audit.wall:.1f}" if audit else "–",
        f"{one.cpu:.2f} s",
        f"{one.peak / MIB:.0f} MiB",
        spread(one.asked),
        _size(one.received),
    )


def _plots(results: Results) -> str:
    """How the time grows, as multiples of the bare reads on the empty cluster."""
    first = results.find(BARE, unrelated=0)
    sizes = sorted(
        {
            one.situation.unrelated
            for one in results.measurements
            if one.program == TOOL and one.situation.latency is None and not one.situation.operators
        }
    )
    audits = [results.find(TOOL, unrelated=size) for size in sizes]
    bares = [results.find(BARE, unrelated=size) for size in sizes]
    pairs = [(size, audit, bare) for size, audit, bare in zip(sizes, audits, bares, strict=True) if audit and bare]
    if first is None or len(pairs) < 2:
        return ""
    plots = [_plot("Wall time, in multiples of the bare reads without pods of others", "pods of others", [f"{size:,}" for size, _, _ in pairs],
                   [[audit.wall / first.wall for _, audit, _ in pairs], [bare.wall / first.wall for _, _, bare in pairs]])]  # fmt: skip
    compared = [(name, one) for name in (BARE, TOOL, KUBECTL, POPEYE) if (one := results.find(name, unrelated=5000))]
    if len(compared) > 2:
        base = compared[0][1].wall
        plots.append(
            _bars(
                "Wall time beside 5,000 pods of others, in multiples of the bare reads",
                [name for name, _ in compared],
                [one.wall / base for _, one in compared],
            )
        )
    return "\n".join([plots[0], "The upper line is the audit, the lower one the bare reads.\n", *plots[1:]])


def _latency(results: Results) -> str:
    rows = []
    direct = {one.program: one for one in results.measurements if one.situation.latency == 0}
    for one in results.measurements:
        if one.situation.latency is None:
            continue
        still = direct.get(one.program)
        added = (one.wall - still.wall) / (one.situation.latency / 1000) if still and one.situation.latency else None
        rows.append(
            (
                f"{one.situation.latency} ms",
                one.program,
                f"{one.rounds}",
                f"{one.wall:.2f} s",
                "–" if added is None else f"{max(0.0, added):.1f}",  # less than none is noise
                _count(one.depth),
                spread(one.asked),
            )
        )
    if not rows:
        return ""
    table = _section(
        "Far away: latency added to each request", ("latency", "program", "rounds", "wall", "round trips added", "longest chain", "requests"), rows
    )
    chain = "\n".join(results.chain)
    return f"{table}\nThe longest chain at the highest latency, each asked when the one before had been answered:\n\n```text\n{chain}\n```\n"


def _others(results: Results) -> str:
    rows = [
        (_named(one), *_row(one, results)[1:]) for one in results.measurements if one.situation.own or one.situation.inside or one.situation.operators
    ]
    text = _section("Other clusters", ("cluster", *_COLUMNS), rows)
    grown = [_growth(one, less) for one in results.measurements if one.situation.own and (less := _as_installed(one, results))]
    return "\n".join([text, *grown])


def _as_installed(one: Measurement, results: Results) -> Measurement | None:
    return results.find(one.program, unrelated=one.situation.unrelated)


def _growth(one: Measurement, less: Measurement) -> str:
    """What more pods of the product cost a program."""
    kibibytes = (one.peak - less.peak) / 1024 / max(1, (one.pods or 0) - (less.pods or 0))
    return (
        f"With {_count(one.pods)} pods of the product in place of {_count(less.pods)} `{one.program}` took {one.wall / less.wall:.1f} × the time "
        f"({less.wall:.2f} → {one.wall:.2f} s), {one.cpu / less.cpu:.1f} × the CPU and {one.peak / less.peak:.1f} × the memory "
        f"({kibibytes:.0f} KiB a pod), and asked {spread(one.asked)} times in place of {spread(less.asked)}.\n"
    )


def _named(one: Measurement) -> str:
    situation = one.situation
    if situation.operators:
        return f"{situation.unrelated:,} pods of others, every operator installed"
    if situation.own:
        return f"{situation.unrelated:,} pods of others, {one.pods or situation.own:,} of the product"
    return f"{situation.unrelated:,} pods of others, {situation.inside:,} more in the product's namespace"


def _starts(results: Results) -> str:
    bare = results.starts[0].seconds if results.starts else 0
    rows = [
        (f"`{one.command}`", f"{one.seconds:.2f} s", "–" if one.limit is None else f"{one.limit:.2f} s", f"{one.seconds / bare:.1f}")
        for one in results.starts
    ]
    return _section("Without a cluster", ("command", "wall", "limit", "× bare import"), rows)


def _section(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    return f"### {title}\n\n{_table(heads, rows)}\n"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    every = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in every)


def _plot(title: str, axis: str, labels: Sequence[str], series: Sequence[Sequence[float]]) -> str:
    top = max(max(values) for values in series)
    body = [f'  title "{title}"', f'  x-axis "{axis}" [{_quoted(labels)}]', f'  y-axis "times" 0 --> {top * 1.15:.1f}']
    body += [f"  line [{', '.join(f'{value:.2f}' for value in values)}]" for values in series]
    return _mermaid(body)


def _bars(title: str, labels: Sequence[str], values: Sequence[float]) -> str:
    body = [f'  title "{title}"', f"  x-axis [{_quoted(labels)}]", f'  y-axis "times" 0 --> {max(values) * 1.15:.1f}']
    return _mermaid([*body, f"  bar [{', '.join(f'{value:.2f}' for value in values)}]"])


def _mermaid(body: Sequence[str]) -> str:
    return "\n".join(["```mermaid", "xychart-beta", *body, "```", ""])


def _quoted(labels: Sequence[str]) -> str:
    return ", ".join(f'"{label}"' for label in labels)


def _count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def _size(value: int | None) -> str:
    return "–" if value is None else f"{value / 1000:,.0f} kB"
