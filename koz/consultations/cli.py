"""`koz consultations …`: bring a Cap Collectif file in for a trial; recount the tallies."""

import dataclasses
import gzip
import json
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import IO, Any, Final
from zlib import error as ZlibError

import click
from flask.cli import AppGroup
from tqdm import tqdm

from koz.consultations import queries, services
from koz.consultations.services.import_cap import ImportAs
from koz.core.db import reading, unit_of_work
from koz.core.errors import Invalid
from koz.core.i18n import _
from koz.core.ids import slugify

LINE_MAX: Final = 16 * 1024 * 1024


cli = AppGroup("consultations", help="Consultations.")


@cli.command("import-cap")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--slug", help="Address under /consultations/; the name of the file's folder unless given.")
@click.option("--title", help="Title shown.")
@click.option("--question", help="Question shown.")
@click.option("--origin", default="Cap Collectif", show_default=True, help="Where it comes from, as shown.")
@click.option("--open-days", type=click.IntRange(1, 366), help="Open it here for so many days instead of closed.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def import_cap(  # noqa: PLR0913 - options
    file: Path, *, slug: str | None, title: str | None, question: str | None, origin: str, open_days: int | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Bring the objects of a Cap Collectif export (one JSON object a line, .gz or not) in for a local trial."""
    name = slugify(slug or file.resolve().parent.name or file.name)
    shown = title or name.replace("-", " ").capitalize()
    asked = question or _("What do you think of this text?")
    target = ImportAs(slug=name, title=shown, question=asked, origin=origin, open_days=open_days)
    size = file.stat().st_size
    # disable=None: a bar for a person at a terminal, and nothing but sentences for a program that reads
    with (
        file.open("rb") as raw,
        tqdm(total=size, unit="B", unit_scale=True, leave=False, disable=None) as bar,
        unit_of_work() as session,
    ):
        report = services.import_cap(session, _lines(raw, file, bar), target)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(report)))
        return
    votes = sum(report.votes.values())
    click.echo(
        f"{report.contributions} contributions, {report.arguments} arguments, {report.sources} sources, "
        f"{votes} votes and {report.amendments} amendments (as counts) in {report.sections} sections; "
        f"new: {report.new['contributions']}, {report.new['arguments']}, {report.new['sources']}. "
        f"Read it at /consultations/{report.slug}"
    )


def _lines(raw: IO[bytes], file: Path, bar: Any) -> Iterator[bytes]:
    """The lines; `bar` follows the bytes read. Raises Invalid when they cannot be read."""
    stream: IO[bytes] = gzip.GzipFile(fileobj=raw) if file.suffix == ".gz" else raw  # type: ignore[assignment]
    for number in count(1):
        try:
            line = stream.readline(LINE_MAX + 1)
        except (OSError, EOFError, ZlibError):
            raise Invalid(
                _("Line %(n)s cannot be read: the file is damaged. Nothing was brought in.", n=number)
            ) from None
        if not line:
            return
        if len(line) > LINE_MAX:
            raise Invalid(_("Line %(n)s is too long. Nothing was brought in.", n=number))
        bar.update(raw.tell() - bar.n)
        yield line


@cli.command("check")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def check(*, as_json: bool) -> None:
    """Recount every tally from the votes and texts it is made of; exit 1 when one differs."""
    with reading() as session:
        found = queries.list_mismatches(session)
    if as_json:
        click.echo(json.dumps({"good": not found, "problems": [dataclasses.asdict(m) for m in found]}))
    else:
        click.echo("every tally is right" if not found else f"{len(found)} tallies differ from their rows")
        for mismatch in found:
            click.echo(str(mismatch), err=True)
    sys.exit(1 if found else 0)
