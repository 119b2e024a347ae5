"""The official files of ESCO and ROME as rows of the taxonomy, read by the importers' own code, without a database.

Numbers (ids) of concepts do not depend on what is left out, so that answers can be compared.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

from koz.core.errors import Invalid
from koz.core.i18n import _
from koz.skills.services import esco, rome
from koz.skills.services.batch import Batch
from koz.skills.services.tables import Progress
from koz.skills.taxonomy import Alias, Concept, Edge, Origin, Rows

ESCO_FILES: Final = ("skills_en", "skills_fr", "occupations_en", "occupations_fr", "occupationSkillRelations")
ROME_FILES: Final = ("appellation", "competence", "savoir", "coherence", "isco")

Hidden = Callable[[str, str, str], bool]
"""Whether a label or alias is to be left out: code of its concept, language, text."""


class Title(NamedTuple):
    """A job title of ROME: its number, long and short form, and the code of its sheet (`rome:M1805`)."""

    number: str
    long: str
    short: str
    sheet: str


def _nothing(_code: str, _lang: str, _text: str) -> bool:
    return False


@dataclass(frozen=True)
class Corpus:
    """What the files say."""

    esco: Batch
    rome: Batch
    titles: tuple[Title, ...]

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Code → id, ESCO's before ROME's."""
        codes = [*sorted(self.esco.concepts), *sorted(self.rome.concepts)]
        return {code: number for number, code in enumerate(codes, 1)}

    def rows(
        self, origins: Collection[Origin], *, hidden: Hidden = _nothing, without: Collection[str] = frozenset()
    ) -> Rows:
        """The concepts, phrases and edges of these origins.

        Concepts in `without` are not there at all, nor any edge of theirs. A concept whose names are all `hidden`
        stays, with its edges, but without a name.
        """
        batches = [batch for batch in (self.esco, self.rome) if batch.origin in origins]
        numbers = self.numbers
        there = {code for batch in batches for code in batch.concepts}.difference(without)
        concepts = []
        for batch in batches:
            for code, taxon in batch.concepts.items():
                if code not in there:
                    continue
                french, english = (
                    label if label is not None and not hidden(code, lang, label) else None
                    for lang, label in (("fr", taxon.label_fr), ("en", taxon.label_en))
                )
                descriptions = taxon.description_fr or None, taxon.description_en or None
                concepts.append(Concept(numbers[code], code, batch.origin, taxon.kind, french, english, *descriptions))
        aliases = sorted(
            Alias(numbers[code], lang, text)
            for batch in batches
            for code, lang, text in batch.aliases
            if code in there and not hidden(code, lang, text)
        )
        edges = [
            Edge(numbers[source], numbers[target], kind, weight, batch.origin)
            for batch in batches
            for (source, target, kind), weight in batch.edges.items()
            if source in there and target in there
        ]
        return Rows.of(concepts, aliases, edges)


def size_of(esco_folder: Path, rome_folder: Path) -> int:
    """Bytes that `read_corpus` will read, for a progress bar."""
    tables = [*esco.find_files([esco_folder]).values(), *rome.find_files([rome_folder]).values()]
    return sum(table.path.stat().st_size for table in tables)


def read_corpus(esco_folder: Path, rome_folder: Path, progress: Progress = lambda _read: None) -> Corpus:
    """Read both folders whole. A folder that lacks a file, or a bad file, raises `Invalid` with what is wrong."""
    esco_tables, rome_tables = esco.find_files([esco_folder]), rome.find_files([rome_folder])
    for folder, wanted, tables in ((esco_folder, ESCO_FILES, esco_tables), (rome_folder, ROME_FILES, rome_tables)):
        missing = [name for name in wanted if name not in tables]
        if missing:
            raise Invalid(
                _("The evaluation needs files that %(folder)s lacks: %(what)s.", folder=folder, what=", ".join(missing))
            )
    from_esco = esco.read(esco_tables, {}, progress)
    from_rome = rome.read(rome_tables, {code: taxon.kind for code, taxon in from_esco.concepts.items()}, progress)
    titles = tuple(
        Title(row["code_ogr"], row["libelle_appellation_long"], row["libelle_appellation_court"], f"rome:{sheet}")
        for row in rome_tables["appellation"].rows(lambda _read: None)
        if (sheet := row["code_rome"])
    )
    return Corpus(from_esco, from_rome, titles)
