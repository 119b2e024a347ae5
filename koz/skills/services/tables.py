"""Reads the official CSV files, plain or gzip, as rows with their line, and says in one sentence what is wrong."""

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, NoReturn

from koz.core.errors import Invalid
from koz.core.i18n import _

Progress = Callable[[int], None]
"""Told how many more bytes of the files have been read."""

EVERY_ROWS: Final = 500
#: Longest code, label or alias, in characters; the official ones have at most 253.
LONGEST: Final = 500


@dataclass(frozen=True, slots=True)
class Row:
    """One data row: the line it begins on (the header is line 1) and its cells by column, blanks at the ends gone."""

    line: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def first(self, *columns: str) -> str | None:
        """The first of these optional columns that says something, "" when they are empty, None when none is there."""
        there = [self.cells[column] for column in columns if column in self.cells]
        return next((cell for cell in there if cell), "") if there else None


@dataclass(frozen=True, slots=True)
class Table:
    """A file to read, which must have these columns; the `optional` ones are read where there, others are ignored."""

    path: Path
    columns: tuple[str, ...]
    optional: tuple[str, ...] = ()

    def fail(self, line: int, sentence: str) -> NoReturn:
        """Refuse the file because of one line."""
        raise Invalid(_("%(file)s, line %(line)s: %(what)s", file=self.path.name, line=line, what=sentence))

    def check_length(self, line: int, *texts: str) -> None:
        """Refuse texts that are no name: the tables' unique keys could not hold them."""
        for text in texts:
            if len(text) > LONGEST:
                self.fail(line, _("« %(start)s… » is longer than %(n)s characters.", start=text[:40], n=LONGEST))

    def rows(self, progress: Progress) -> Iterator[Row]:
        """All rows, in order. A file that cannot be read as UTF-8 CSV with these columns raises `Invalid`."""
        read, line = 0, 0
        try:
            with self.path.open("rb") as raw, self._text(raw) as lines:
                for number, row in enumerate(self._parse(lines)):
                    line = row.line
                    if number % EVERY_ROWS == 0:
                        progress(raw.tell() - read)
                        read = raw.tell()
                    yield row
                progress(raw.tell() - read)
        except UnicodeDecodeError:
            self.fail(self._first_bad_line(), _("this is not UTF-8 text; save the file as UTF-8 and try again."))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            self.fail(line + 1, _("the packed file is damaged or cut off from here on (%(why)s).", why=error))
        except OSError as error:
            raise Invalid(_("%(file)s cannot be read: %(why)s.", file=self.path.name, why=error)) from error

    def _text(self, raw: IO[bytes]) -> io.TextIOWrapper:
        binary: IO[bytes] = gzip.GzipFile(fileobj=raw) if self.path.suffix == ".gz" else raw  # type: ignore[assignment]
        return io.TextIOWrapper(binary, encoding="utf-8-sig", newline="")

    def _parse(self, lines: io.TextIOWrapper) -> Iterator[Row]:
        reader = csv.reader(lines, strict=True)
        line = 1
        try:
            header = [cell.strip() for cell in next(reader, [])]
            self._check_header(header)
            wanted = (*self.columns, *(column for column in self.optional if column in header))
            places = [(column, header.index(column)) for column in wanted]
            line = reader.line_num + 1
            for cells in reader:
                if cells and len(cells) != len(header):
                    self.fail(line, _("%(n)s cells instead of %(m)s.", n=len(cells), m=len(header)))
                if cells:
                    yield Row(line, {column: cells[place].replace("\0", "").strip() for column, place in places})
                line = reader.line_num + 1
        except csv.Error as error:
            self.fail(line, _("this is not readable as CSV: %(why)s.", why=error))

    def _check_header(self, header: list[str]) -> None:
        if not any(header):
            self.fail(1, _("the file is empty."))
        missing = [column for column in self.columns if column not in header]
        if missing and len(header) == 1 and any(separator in header[0] for separator in ";\t|"):
            self.fail(1, _("the cells are not separated by commas; save the file as CSV with commas and try again."))
        if missing:
            self.fail(1, _("the column %(column)s is missing.", column=", ".join(missing)))
        twice = [column for column in (*self.columns, *self.optional) if header.count(column) > 1]
        if twice:
            self.fail(1, _("the column %(column)s is there twice.", column=", ".join(twice)))

    def _first_bad_line(self) -> int:
        with self.path.open("rb") as raw:
            binary: IO[bytes] = gzip.GzipFile(fileobj=raw) if self.path.suffix == ".gz" else raw  # type: ignore[assignment]
            for number, line in enumerate(binary, 1):
                try:
                    line.decode("utf-8-sig")
                except UnicodeDecodeError:
                    return number
        return 1


def gather(
    paths: Collection[Path],
    columns: Mapping[str, tuple[str, ...]],
    recognise: Callable[[str], str | None],
    source: str,
) -> dict[str, Table]:
    """The files among `paths` (files, or folders to look in) as tables, by what they are.

    `recognise` says what a file is from its name without ending, as a key of `columns`. A file named outright must
    be recognised; others in a folder are left alone. Two files that are the same thing are refused.
    """
    found: dict[str, Table] = {}
    for path in sorted(_files(paths, recognise, source)):
        what = recognise(_stem(path))
        assert what is not None
        if what in found:
            raise Invalid(
                _("%(one)s and %(two)s are the same table; give one of them.", one=found[what].path.name, two=path.name)
            )
        found[what] = Table(path, columns[what])
    if not found:
        raise Invalid(_("None of the files of %(source)s is there: %(what)s.", source=source, what=", ".join(columns)))
    return found


def _files(paths: Collection[Path], recognise: Callable[[str], str | None], source: str) -> set[Path]:
    files: set[Path] = set()
    for path in paths:
        if path.is_dir():
            files |= {p for p in path.iterdir() if p.is_file() and recognise(_stem(p))}
        elif not path.is_file():
            raise Invalid(_("%(path)s does not exist.", path=path))
        elif not recognise(_stem(path)):
            raise Invalid(_("%(file)s is no file of %(source)s that Koz knows.", file=path.name, source=source))
        else:
            files.add(path)
    return files


def _stem(path: Path) -> str:
    """The name without .csv or .csv.gz; empty for other files."""
    for ending in (".csv.gz", ".csv"):
        if path.name.endswith(ending):
            return path.name.removesuffix(ending)
    return ""
