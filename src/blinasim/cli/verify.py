"""``blinasim verify``: reference answers and closed forms, computed on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from blinasim.study.verify import Verified

#: Exit code when a figure is not as expected.
_DIFFERENT = 1


def verify(
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Verify this installation: reference answers and closed forms, expected and obtained; exit code 1 on a failure."""
    import time

    from blinasim.cli.terminal import console, progress
    from blinasim.report.manifest import versions
    from blinasim.report.verification import verification_file
    from blinasim.study.verify import answers_to_compute
    from blinasim.study.verify import verify as compute

    start = time.perf_counter()
    with progress("reference answers", answers_to_compute()) as advance:
        lines = compute(progress=advance)
    failed = sum(not line.passed for line in lines)
    if as_json:
        typer.echo(verification_file(lines).model_dump_json(indent=1))
    else:
        screen = console()
        screen.print(*_lines(lines), sep="\n", highlight=False, soft_wrap=True)
        known = ", ".join(f"{name} {number}" for name, number in versions().items())
        verdict = (
            f"{failed} of {len(lines)} figures are not as expected" if failed else f"All {len(lines)} figures agree"
        )
        screen.print(f"\n{verdict} · {time.perf_counter() - start:.1f} s\n{known}", highlight=False, soft_wrap=True)
    if failed:
        raise typer.Exit(_DIFFERENT)


def _lines(lines: Sequence[Verified]) -> Iterator[str]:
    """Yield the table, line by line: what is computed, and its figures under it."""
    yield f"[bold]{'':<32}{'expected':>14}{'obtained':>14}{'tolerance':>12}[/bold]"
    what = None
    for line in lines:
        if line.what != what:
            what = line.what
            yield f"[bold]{what}[/bold] ({line.source})"
        figures = f"{line.expected:>14.9g}{line.obtained:>14.9g}{line.tolerance:>12g}"
        yield f"  {line.label:<30}{figures}  {'pass' if line.passed else '[bold]FAIL[/bold]'}"
