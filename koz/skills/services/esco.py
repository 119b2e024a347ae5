"""ESCO's official CSV files → a batch. Any release, languages French and English, any subset of the files.

Skills without a French label keep their English one. ESCO's groups have their labels in files of their own
(`skillGroups_…`, `ISCOGroups_…`); without these a group is named by its number.
"""

from collections.abc import Collection
from itertools import pairwise
from pathlib import Path
from typing import Final

from koz.core.i18n import _
from koz.skills.services.batch import Batch, ConceptScope, EdgeScope
from koz.skills.services.tables import Progress, Table, gather
from koz.skills.taxonomy import LANGUAGES, ConceptKind, EdgeKind, Origin, find_cycle

BASE: Final = "http://data.europa.eu/esco/"
SKILLS: Final = f"{BASE}skill/"
ISCED: Final = f"{BASE}isced-f/"
OCCUPATIONS: Final = f"{BASE}occupation/"
ISCO: Final = f"{BASE}isco/"
LABELS: Final = ("conceptUri", "preferredLabel", "altLabels")
DESCRIPTIONS: Final = ("description", "definition")
BROADER: Final = ("conceptType", "conceptUri", "broaderType", "broaderUri")
GROUP_TYPES: Final = ("SkillGroup", "ISCOGroup")
#: Weight of an edge: how well having the source speaks for the target.
TO_BROADER: Final = 0.8
TO_GROUP: Final = 0.7
NEEDS: Final = {"essential": 0.9, "optional": 0.5}
RELATED: Final = {"essential": 0.7, "optional": 0.5}


def _known() -> dict[str, tuple[str, ...]]:
    known: dict[str, tuple[str, ...]] = {}
    for lang in LANGUAGES:
        known[f"skills_{lang}"] = LABELS
        known[f"occupations_{lang}"] = LABELS
        known[f"skillGroups_{lang}"] = LABELS
        known[f"ISCOGroups_{lang}"] = LABELS
    for ending in ("", *(f"_{lang}" for lang in LANGUAGES)):  # releases since 1.2 add the language
        known[f"broaderRelationsSkillPillar{ending}"] = BROADER
        known[f"broaderRelationsOccPillar{ending}"] = BROADER
        known[f"skillSkillRelations{ending}"] = ("originalSkillUri", "relationType", "relatedSkillUri")
        known[f"occupationSkillRelations{ending}"] = ("occupationUri", "relationType", "skillUri")
    # the language with the fuller files comes first: it has the skill's type
    return dict(sorted(known.items(), key=lambda pair: not pair[0].endswith("_en")))


KNOWN: Final = _known()


def find_files(paths: Collection[Path]) -> dict[str, Table]:
    """ESCO's files among these paths, by name without ending."""
    return gather(paths, KNOWN, lambda name: name if name in KNOWN else None, "ESCO")


def read(files: dict[str, Table], stored: dict[str, ConceptKind], progress: Progress) -> Batch:
    """Read and check all. `stored` are the codes ESCO already has in the database, for files that come alone."""
    batch = Batch(Origin.ESCO)
    for name in (n for n in KNOWN if n in files):
        what, _sep, lang = name.rpartition("_")
        if what in {"skills", "occupations", "skillGroups", "ISCOGroups"}:
            _read_labels(batch, files[name], what, lang, stored, progress)
    for name in (n for n in KNOWN if n in files):
        if name.startswith("broaderRelations"):
            _read_broader(batch, files[name], stored, progress)
        elif name.startswith("skillSkillRelations"):
            _read_skill_pairs(batch, files[name], stored, progress)
        elif name.startswith("occupationSkillRelations"):
            _read_needs(batch, files[name], stored, progress)
    return batch


def _read_labels(
    batch: Batch, table: Table, what: str, lang: str, stored: dict[str, ConceptKind], progress: Progress
) -> None:
    has_type = what == "skills" and lang == "en"
    table = Table(table.path, (*table.columns, "skillType") if has_type else table.columns, DESCRIPTIONS)
    seen: dict[str, int] = {}
    for row in table.rows(progress):
        code, label = row["conceptUri"], row["preferredLabel"]
        if not code.startswith(BASE):
            table.fail(row.line, _("« %(code)s » is not an ESCO address.", code=code[:100]))
        if not code.startswith(tuple(prefix for _kind, prefix in _SCOPES[what])):
            table.fail(row.line, _("%(code)s does not belong into a file named so.", code=code[:100]))
        if code in seen:
            table.fail(row.line, _("%(code)s is already on line %(line)s.", code=code, line=seen[code]))
        if not label:
            table.fail(row.line, _("%(code)s has no label.", code=code))
        seen[code] = row.line
        aliases = [alias.strip() for alias in row["altLabels"].replace("|", "\n").splitlines()]
        table.check_length(row.line, code, label, *aliases)
        batch.label(code, _kind(batch, what, code, row["skillType"] if has_type else "", stored), lang, label)
        description = row.first(*DESCRIPTIONS)
        if description is not None:
            batch.describe(code, lang, description)
        for alias in aliases:
            batch.alias(code, lang, alias)
    for kind, prefix in _SCOPES[what]:
        langs = {lang}.union(*(s.langs for s in batch.concept_scopes if s[:2] == (kind, prefix)))
        batch.concept_scopes = {s for s in batch.concept_scopes if s[:2] != (kind, prefix)}
        batch.concept_scopes.add(ConceptScope(kind, prefix, frozenset(langs)))


_SCOPES: Final = {
    "skills": ((ConceptKind.SKILL, SKILLS), (ConceptKind.KNOWLEDGE, SKILLS)),
    "occupations": ((ConceptKind.OCCUPATION, OCCUPATIONS),),
    "skillGroups": ((ConceptKind.GROUP, SKILLS), (ConceptKind.GROUP, ISCED)),
    "ISCOGroups": ((ConceptKind.GROUP, ISCO),),
}


def _kind(batch: Batch, what: str, code: str, skill_type: str, stored: dict[str, ConceptKind]) -> ConceptKind:
    """Only the English file says whether a skill is knowledge; elsewhere what is known already holds."""
    if what == "occupations":
        return ConceptKind.OCCUPATION
    if what != "skills":
        return ConceptKind.GROUP
    if skill_type:
        return ConceptKind.KNOWLEDGE if skill_type == "knowledge" else ConceptKind.SKILL
    known = batch.concepts.get(code)
    return known.kind if known else stored.get(code, ConceptKind.SKILL)


def _read_broader(batch: Batch, table: Table, stored: dict[str, ConceptKind], progress: Progress) -> None:
    """Relations of occupations that are in no file are left out and counted; an unknown skill is an error."""
    lines: dict[tuple[str, str], int] = {}
    for row in table.rows(progress):
        source, target = row["conceptUri"], row["broaderUri"]
        ends = {source: row["conceptType"], target: row["broaderType"]}
        for code, type_ in ends.items():
            if type_ in GROUP_TYPES and code.startswith(BASE):
                _note_group(batch, code)
        unknown = [code for code in ends if code not in batch.concepts and code not in stored]
        if any(ends[code] != "Occupation" for code in unknown):
            table.fail(row.line, _("the concept %(code)s is in none of the files.", code=unknown[0]))
        if unknown:
            batch.skipped += 1
            continue
        weight = TO_GROUP if row["broaderType"] in GROUP_TYPES else TO_BROADER
        lines[source, target] = row.line
        if source == target:
            table.fail(row.line, _("%(code)s is said to be broader than itself.", code=source))
        batch.edge(source, target, EdgeKind.BROADER, weight)
    ring = find_cycle(batch.broader())
    if ring:
        line = max(lines.get(pair, 0) for pair in pairwise(ring))
        table.fail(line, _("these concepts are broader in a ring: %(ring)s.", ring=" → ".join(ring)))
    occupations = table.path.name.startswith("broaderRelationsOcc")
    scopes = (
        _SCOPES["occupations"] + _SCOPES["ISCOGroups"] if occupations else _SCOPES["skills"] + _SCOPES["skillGroups"]
    )
    batch.edge_scopes |= {EdgeScope(EdgeKind.BROADER, kind, prefix) for kind, prefix in scopes}


def _note_group(batch: Batch, code: str) -> None:
    """A group known by an edge alone is named by its number until a file gives its label."""
    if code in batch.concepts:
        return
    number = code.rsplit("/", 1)[-1]
    name = f"ISCO-08 {number.removeprefix('C')}" if code.startswith(ISCO) else f"ESCO {number}"
    name = f"ISCED-F {number}" if code.startswith(ISCED) else name
    batch.label(code, ConceptKind.GROUP, "en", name)
    batch.concepts[code].placeholder = True


def _read_skill_pairs(batch: Batch, table: Table, stored: dict[str, ConceptKind], progress: Progress) -> None:
    for row in table.rows(progress):
        pair = row["originalSkillUri"], row["relatedSkillUri"]
        for code in pair:
            if code not in batch.concepts and code not in stored:
                table.fail(row.line, _("the concept %(code)s is in none of the files.", code=code))
        batch.edge(*pair, EdgeKind.RELATED, _weight(table, row.line, row["relationType"], RELATED))
    batch.edge_scopes |= {EdgeScope(EdgeKind.RELATED, kind, prefix) for kind, prefix in _SCOPES["skills"]}


def _read_needs(batch: Batch, table: Table, stored: dict[str, ConceptKind], progress: Progress) -> None:
    """Occupations that are in no file are left out and counted: the official relations name some."""
    for row in table.rows(progress):
        occupation, skill = row["occupationUri"], row["skillUri"]
        if skill not in batch.concepts and skill not in stored:
            table.fail(row.line, _("the concept %(code)s is in none of the files.", code=skill))
        weight = _weight(table, row.line, row["relationType"], NEEDS)
        if occupation in batch.concepts or occupation in stored:
            batch.edge(occupation, skill, EdgeKind.NEEDS, weight)
        else:
            batch.skipped += 1
    batch.edge_scopes.add(EdgeScope(EdgeKind.NEEDS, ConceptKind.OCCUPATION, OCCUPATIONS))


def _weight(table: Table, line: int, word: str, weights: dict[str, float]) -> float:
    if word not in weights:
        table.fail(line, _("the relation « %(word)s » is unknown.", word=word[:40]))
    return weights[word]
