"""ROME 4.0's official CSV files (`unix_…_v460_utf8.csv`, any version) → a batch.

A job sheet is one occupation named by its principal title, its other titles are aliases. Sheets without a title, and
working contexts, whose labels are in another file, are left out and counted.
"""

import re
from collections.abc import Collection
from pathlib import Path
from typing import Final

from koz.core.errors import Invalid
from koz.core.i18n import _
from koz.skills.services.batch import Batch, ConceptScope, EdgeScope
from koz.skills.services.esco import ISCO
from koz.skills.services.tables import Progress, Row, Table, gather
from koz.skills.taxonomy import ConceptKind, EdgeKind, Origin, find_cycle

COLUMNS: Final = {
    "appellation": (
        "code_ogr", "libelle_appellation_long", "libelle_appellation_court", "code_rome", "classification",
        "code_rome_parent",
    ),
    "competence": ("code_ogr", "nature", "libelle_competence", "code_ogr_macro_comp"),
    "savoir": ("code_ogr_savoir", "libelle_savoir"),
    "coherence": ("code_rome", "code_ogr", "coeur_metier"),
    "isco": ("code_rome", "code_isco08"),
}  # fmt: skip
NAMES: Final = {
    "appellation": re.compile(r"unix_referentiel_appellation(_v\d+)?(_utf8)?"),
    "competence": re.compile(r"unix_referentiel_competence(_v\d+)?(_utf8)?"),
    "savoir": re.compile(r"unix_referentiel_savoir(_v\d+)?(_utf8)?"),
    "coherence": re.compile(r"unix_coherence_item(_v\d+)?(_utf8)?"),
    "isco": re.compile(r"rome_v3_isco08"),
}
DEFINITION: Final = "definition"
TO_MACRO: Final = 0.8
TO_ISCO: Final = 0.5
NEEDS: Final = {"Principale": 0.9, "Émergente": 0.6, "": 0.45}


def find_files(paths: Collection[Path]) -> dict[str, Table]:
    """ROME's files among these paths, by what they are."""
    return gather(paths, COLUMNS, _recognise, "ROME")


def _recognise(name: str) -> str | None:
    return next((what for what, pattern in NAMES.items() if pattern.fullmatch(name)), None)


def read(files: dict[str, Table], stored: dict[str, ConceptKind], progress: Progress) -> Batch:
    """Read and check all. `stored`: the codes of ROME and the ISCO groups of ESCO that the database has already."""
    batch = Batch(Origin.ROME)
    parents: dict[str, set[str]] = {}
    if "appellation" in files:
        parents = _read_titles(batch, files["appellation"], progress)
    if "competence" in files:
        _read_skills(batch, files["competence"], stored, progress)
    if "savoir" in files:
        _read_knowledge(batch, files["savoir"], progress)
    if "coherence" in files:
        _read_needs(batch, files["coherence"], stored, progress)
    if "isco" in files:
        _read_isco(batch, files["isco"], parents, stored, progress)
    return batch


def _scope(batch: Batch, kind: ConceptKind) -> None:
    batch.concept_scopes.add(ConceptScope(kind, "rome:", frozenset({"fr"})))


def _note(batch: Batch, table: Table, row: Row, cells: tuple[str, str], kind: ConceptKind) -> str:
    """Note a skill or knowledge of which a row gives number and label; returns its code."""
    number, label = (row[cell] for cell in cells)
    code = f"rome:{number}"
    if not number.isdigit():
        table.fail(row.line, _("« %(code)s » is not a number of ROME.", code=number[:40]))
    if code in batch.concepts:
        table.fail(row.line, _("the number %(code)s is there twice.", code=number))
    if not label:
        table.fail(row.line, _("%(code)s has no label.", code=number))
    table.check_length(row.line, code, label)
    batch.label(code, kind, "fr", label)
    description = row.first(DEFINITION)
    if description is not None:
        batch.describe(code, "fr", description)
    return code


def _read_titles(batch: Batch, table: Table, progress: Progress) -> dict[str, set[str]]:
    """Job sheets with their titles; returns the sheets by their code in the third version of ROME."""
    parents: dict[str, set[str]] = {}
    titles: dict[str, list[tuple[bool, str, str]]] = {}
    seen: dict[str, int] = {}
    for row in table.rows(progress):
        number, sheet, title = row["code_ogr"], row["code_rome"], row["libelle_appellation_long"]
        if number in seen:
            table.fail(row.line, _("%(code)s is already on line %(line)s.", code=number, line=seen[number]))
        if not re.fullmatch(r"[A-Z]\d{4}", sheet):
            table.fail(row.line, _("« %(code)s » is not a job sheet of ROME.", code=sheet[:40]))
        if not title:
            table.fail(row.line, _("%(code)s has no label.", code=number))
        table.check_length(row.line, title, row["libelle_appellation_court"])
        seen[number] = row.line
        principal = row["classification"] == "PRINCIPALE"
        titles.setdefault(sheet, []).append((not principal, title, row["libelle_appellation_court"]))
        parents.setdefault(row["code_rome_parent"], set()).add(f"rome:{sheet}")
    for sheet, listed in titles.items():
        listed.sort(key=lambda entry: entry[0])
        batch.label(f"rome:{sheet}", ConceptKind.OCCUPATION, "fr", listed[0][1])
        for _rank, long, short in listed:
            batch.alias(f"rome:{sheet}", "fr", long)
            batch.alias(f"rome:{sheet}", "fr", short)
    _scope(batch, ConceptKind.OCCUPATION)
    return parents


def _read_skills(batch: Batch, table: Table, stored: dict[str, ConceptKind], progress: Progress) -> None:
    above: dict[str, tuple[int, str]] = {}
    for row in Table(table.path, table.columns, (DEFINITION,)).rows(progress):
        code = _note(batch, table, row, ("code_ogr", "libelle_competence"), ConceptKind.SKILL)
        if row["code_ogr_macro_comp"]:
            above[code] = row.line, f"rome:{row['code_ogr_macro_comp']}"
    for code, (line, macro) in above.items():
        if macro not in batch.concepts and macro not in stored:
            table.fail(line, _("the skill above, %(code)s, is in none of the files.", code=macro))
        if macro == code:
            table.fail(line, _("%(code)s is said to be broader than itself.", code=code))
        batch.edge(code, macro, EdgeKind.BROADER, TO_MACRO)
    ring = find_cycle(batch.broader())
    if ring:
        line = max(above[code][0] for code in ring)
        table.fail(line, _("these concepts are broader in a ring: %(ring)s.", ring=" → ".join(ring)))
    _scope(batch, ConceptKind.SKILL)
    batch.edge_scopes.add(EdgeScope(EdgeKind.BROADER, ConceptKind.SKILL, "rome:"))


def _read_knowledge(batch: Batch, table: Table, progress: Progress) -> None:
    for row in table.rows(progress):
        _note(batch, table, row, ("code_ogr_savoir", "libelle_savoir"), ConceptKind.KNOWLEDGE)
    _scope(batch, ConceptKind.KNOWLEDGE)


def _read_needs(batch: Batch, table: Table, stored: dict[str, ConceptKind], progress: Progress) -> None:
    for row in table.rows(progress):
        if row["coeur_metier"] not in NEEDS:
            table.fail(row.line, _("the relation « %(word)s » is unknown.", word=row["coeur_metier"][:40]))
        sheet, item = f"rome:{row['code_rome']}", f"rome:{row['code_ogr']}"
        if all(code in batch.concepts or code in stored for code in (sheet, item)):
            batch.edge(sheet, item, EdgeKind.NEEDS, NEEDS[row["coeur_metier"]])
        else:
            batch.skipped += 1
    batch.edge_scopes.add(EdgeScope(EdgeKind.NEEDS, ConceptKind.OCCUPATION, "rome:"))


def _read_isco(
    batch: Batch, table: Table, parents: dict[str, set[str]], stored: dict[str, ConceptKind], progress: Progress
) -> None:
    """Job sheets under ESCO's ISCO groups, through their code in the third version; only once ESCO is there."""
    if not parents:
        raise Invalid(_("%(file)s is of use only together with the file of job titles.", file=table.path.name))
    for row in table.rows(progress):
        group = f"{ISCO}C{row['code_isco08'].zfill(4)}"
        for sheet in sorted(parents.get(row["code_rome"], ())):
            if group in stored:
                batch.edge(sheet, group, EdgeKind.BROADER, TO_ISCO)
            else:
                batch.skipped += 1
    batch.edge_scopes.add(EdgeScope(EdgeKind.BROADER, ConceptKind.OCCUPATION, "rome:"))
