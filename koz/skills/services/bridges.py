"""Joins the taxonomies with one another: concepts of different origins that have the same name are the same.

Names are compared by their folded words, French ones in the masculine. A name that one origin gives to several
concepts joins nothing. A job title that is an alias of one of our skills (« comptable ») is related to it.
The edges are ours (`origin` koz), and are made anew at the end of every import.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Final, NamedTuple

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.orm import Session

from koz.skills.models.concepts import SkillAlias, SkillConcept, SkillEdge
from koz.skills.services.near_jobs import near_jobs
from koz.skills.taxonomy import LANGUAGES, ConceptKind, EdgeKind, Origin, words

SAME_LABEL: Final = 1.0
SAME_ALIAS: Final = 0.9
JOB_TITLE: Final = 0.8
SUCCESSOR: Final = 0.9


class _Concept(NamedTuple):
    id: int
    origin: Origin
    occupation: bool


Named = dict[tuple[str, ...], set[_Concept]]
"""Language and folded words of a name → the concepts that bear it."""
Pair = tuple[_Concept, _Concept]


def join_same(session: Session) -> int:
    """Make the edges between the taxonomies what they should be; returns how many changed."""
    labels, aliases = _names(session)
    wanted: dict[tuple[int, int, EdgeKind], float] = {}
    by_label = _unambiguous(_label_pairs(labels))
    joined = {(end.id, other.origin) for pair in by_label for end, other in (pair, pair[::-1])}
    for one, other in by_label:
        wanted[one.id, other.id, EdgeKind.SAME_AS] = SAME_LABEL
    by_alias = list(_alias_pairs(aliases, labels))
    for ours, other in _unambiguous(pair for pair in by_alias if not pair[1].occupation):
        if (ours.id, other.origin) not in joined and (other.id, ours.origin) not in joined:
            wanted[ours.id, other.id, EdgeKind.SAME_AS] = SAME_ALIAS
    for ours, title in by_alias:
        if title.occupation:
            wanted[title.id, ours.id, EdgeKind.RELATED] = JOB_TITLE
    named = {(one.id, other.id) for one, other in by_label} | {(other.id, one.id) for one, other in by_label}
    for (sheet, occupation, kind), weight in near_jobs(session).items():
        if (sheet, occupation) not in named:
            taken = (sheet, Origin.ESCO) in joined or (occupation, Origin.ROME) in joined
            wanted[sheet, occupation, EdgeKind.RELATED if taken else kind] = weight
    for retired, successor in _successors(session):
        wanted[retired, successor, EdgeKind.SAME_AS] = SUCCESSOR
    return _write(session, wanted)


def _names(session: Session) -> tuple[Named, Named]:
    """The names of all concepts in use, groups apart: their labels, and our own aliases."""
    rows = session.execute(
        select(
            SkillConcept.id, SkillConcept.origin, SkillConcept.kind, SkillConcept.label_fr, SkillConcept.label_en
        ).where(SkillConcept.retired_at.is_(None), SkillConcept.kind != ConceptKind.GROUP)
    ).all()
    concepts = {row.id: _Concept(row.id, row.origin, row.kind is ConceptKind.OCCUPATION) for row in rows}
    labels: Named = defaultdict(set)
    aliases: Named = defaultdict(set)
    for row in rows:
        for lang, label in zip(LANGUAGES, (row.label_fr, row.label_en), strict=True):
            if label:
                labels[_key(label, lang)].add(concepts[row.id])
    ours = [c.id for c in concepts.values() if c.origin is Origin.KOZ]
    for alias in session.scalars(select(SkillAlias).where(SkillAlias.concept_id.in_(ours))):
        aliases[_key(alias.text, alias.lang)].add(concepts[alias.concept_id])
    return labels, aliases


def _key(text: str, lang: str) -> tuple[str, ...]:
    return (lang, *dict.fromkeys(words(text, lang)))


def _label_pairs(labels: Named) -> Iterable[Pair]:
    """Concepts of different origins under one name, of which each origin has one; the preferred origin first."""
    order = list(Origin)
    for key, bearers in labels.items():
        alone = [c for c in bearers if len([o for o in bearers if o[1:] == c[1:]]) == 1]
        for one in alone:
            for other in alone:
                if (
                    len(key) > 1
                    and one.occupation == other.occupation
                    and order.index(one.origin) < order.index(other.origin)
                ):
                    yield one, other


def _alias_pairs(aliases: Named, labels: Named) -> Iterable[Pair]:
    """Our concepts by an alias that only one of them has, with what others name so."""
    for key, ours in aliases.items():
        named = [c for c in labels.get(key, ()) if c.origin is not Origin.KOZ]
        for other in named:
            if len(key) > 1 and len(ours) == 1 and len([o for o in named if o[1:] == other[1:]]) == 1:
                yield next(iter(ours)), other


def _unambiguous(pairs: Iterable[Pair]) -> list[Pair]:
    """The pairs in which each end has only this partner in the other's origin."""
    distinct = set(pairs)
    partners = Counter((end.id, other.origin) for pair in distinct for end, other in (pair, pair[::-1]))
    return [(a, b) for a, b in distinct if partners[a.id, b.origin] == 1 and partners[b.id, a.origin] == 1]


def _successors(session: Session) -> list[tuple[int, int]]:
    """Retired concepts with the only concept in use that bears their label, in the same language and origin."""
    rows = session.execute(
        text(
            """
            WITH retired AS (
                SELECT id, origin, kind = 'occupation' AS job, lang, lower(label) AS name FROM skill_concepts,
                LATERAL (VALUES ('fr', label_fr), ('en', label_en)) AS l (lang, label)
                WHERE retired_at IS NOT NULL AND kind <> 'group' AND label IS NOT NULL
            ), named AS (
                SELECT id, lang, lower(label) AS name FROM skill_concepts,
                LATERAL (VALUES ('fr', label_fr), ('en', label_en)) AS l (lang, label)
                UNION ALL SELECT concept_id, lang, lower(text) FROM skill_aliases
            )
            SELECT r.id AS retired, min(c.id) AS successor FROM retired r
            JOIN named n ON n.lang = r.lang AND n.name = r.name JOIN skill_concepts c ON c.id = n.id
            WHERE c.retired_at IS NULL AND c.origin = r.origin AND (c.kind = 'occupation') = r.job AND c.kind <> 'group'
            GROUP BY r.id HAVING count(DISTINCT c.id) = 1 ORDER BY r.id
            """
        )
    )
    return [(row.retired, row.successor) for row in rows]


def _write(session: Session, wanted: dict[tuple[int, int, EdgeKind], float]) -> int:
    """Replace the edges that join taxonomies: all `same_as`, and our `related` ones that begin at others' jobs."""
    jobs = select(SkillConcept.id).where(SkillConcept.kind == ConceptKind.OCCUPATION, SkillConcept.origin != Origin.KOZ)
    between = (SkillEdge.kind == EdgeKind.SAME_AS) | SkillEdge.source_id.in_(jobs)
    rows = session.execute(
        select(SkillEdge.id, SkillEdge.source_id, SkillEdge.target_id, SkillEdge.kind, SkillEdge.weight).where(
            SkillEdge.origin == Origin.KOZ, between
        )
    ).all()
    present = {(r.source_id, r.target_id, r.kind): (r.id, r.weight) for r in rows}
    retired = set(session.scalars(select(SkillConcept.id).where(SkillConcept.retired_at.is_not(None))))
    gone = [row_id for key, (row_id, _weight) in present.items() if key not in wanted and retired.isdisjoint(key[:2])]
    other = [
        (present[key][0], weight) for key, weight in wanted.items() if key in present and present[key][1] != weight
    ]
    added = [
        {"source_id": source, "target_id": target, "kind": kind, "weight": weight, "origin": Origin.KOZ}
        for (source, target, kind), weight in sorted(wanted.items())
        if (source, target, kind) not in present
    ]
    if gone:
        session.execute(delete(SkillEdge).where(SkillEdge.id.in_(gone)))
    for row_id, weight in other:
        session.execute(update(SkillEdge).where(SkillEdge.id == row_id).values(weight=weight))
    if added:
        session.execute(insert(SkillEdge), added)
    return len(gone) + len(other) + len(added)
