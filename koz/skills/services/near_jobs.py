"""Joins ROME's job sheets with ESCO's occupations: by the ISCO-08 group both hang under, refined by their titles.

The way without text is coarse: job sheet → its code in the third version of ROME → ISCO-08 (298 groups) → ESCO's
occupations of that group. Inside a group, titles are compared by the stems they share, rare ones counting more
(TF-IDF cosine of the closest two titles, French): the same title joins as the same when neither has another such
partner, and titles that are alike enough make the two jobs related. Job sheets whose group has nothing alike keep
their edge to the group alone.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from scipy.sparse import csr_matrix, diags_array
from sqlalchemy import select
from sqlalchemy.orm import Session

from koz.skills.models.concepts import SkillAlias, SkillConcept, SkillEdge
from koz.skills.services.esco import ISCO
from koz.skills.taxonomy import ConceptKind, EdgeKind, Origin, stems

#: The same title in another form; what a related job speaks for at most, and how like titles must be for it.
SAME_TITLE: Final = 0.9
NEAR: Final = 0.8
LIKE: Final = 0.6
#: How many occupations of ESCO a job sheet is joined with at most.
JOINED: Final = 3
#: Likeness from which titles are the same but for order, gender and number.
EQUAL: Final = 0.999


class _Jobs(NamedTuple):
    """Jobs in use: origin by id, French titles by id, and the ISCO groups each hangs under."""

    origins: Mapping[int, Origin]
    titles: Mapping[int, Sequence[str]]
    groups: Mapping[int, set[int]]


def near_jobs(session: Session) -> dict[tuple[int, int, EdgeKind], float]:
    """The edges (job sheet of ROME, occupation of ESCO, kind) with their weights."""
    pairs = _alike(_load(session))
    same = [pair for pair, likeness in pairs.items() if likeness >= EQUAL]
    alone = Counter(end for pair in same for end in pair)
    found: dict[tuple[int, int, EdgeKind], float] = {}
    for sheet, listed in _by_first(pairs).items():
        for occupation, likeness in listed[:JOINED]:
            if likeness >= EQUAL and alone[sheet] == alone[occupation] == 1:
                found[sheet, occupation, EdgeKind.SAME_AS] = SAME_TITLE
            else:
                found[sheet, occupation, EdgeKind.RELATED] = round(NEAR * likeness, 2)
    return found


def _by_first(pairs: Mapping[tuple[int, int], float]) -> dict[int, list[tuple[int, float]]]:
    """The partners of each first, most alike first."""
    found: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for (first, second), likeness in sorted(pairs.items(), key=lambda item: (-item[1], item[0])):
        found[first].append((second, likeness))
    return found


def _load(session: Session) -> _Jobs:
    jobs = {
        row.id: row
        for row in session.execute(
            select(SkillConcept.id, SkillConcept.origin, SkillConcept.label_fr).where(
                SkillConcept.kind == ConceptKind.OCCUPATION,
                SkillConcept.origin != Origin.KOZ,
                SkillConcept.retired_at.is_(None),
            )
        )
    }
    titles = {job_id: [row.label_fr] if row.label_fr else [] for job_id, row in jobs.items()}
    aliases = (
        select(SkillAlias.concept_id, SkillAlias.text)
        .join(SkillConcept, SkillConcept.id == SkillAlias.concept_id)
        .where(SkillConcept.kind == ConceptKind.OCCUPATION, SkillAlias.lang == "fr")
        .order_by(SkillAlias.id)
    )
    for job_id, title in session.execute(aliases):
        if job_id in titles:
            titles[job_id].append(title)
    return _Jobs({job_id: row.origin for job_id, row in jobs.items()}, titles, _groups(session, jobs))


def _groups(session: Session, jobs: Iterable[int]) -> dict[int, set[int]]:
    """The ISCO groups over each job, directly or over wider occupations."""
    is_group = SkillConcept.code.startswith(ISCO)
    groups = set(session.scalars(select(SkillConcept.id).where(SkillConcept.kind == ConceptKind.GROUP, is_group)))
    above: dict[int, list[int]] = defaultdict(list)
    source = (
        select(SkillEdge.source_id, SkillEdge.target_id)
        .join(SkillConcept, SkillConcept.id == SkillEdge.source_id)
        .where(SkillConcept.kind == ConceptKind.OCCUPATION, SkillEdge.kind == EdgeKind.BROADER)
    )
    for narrower, wider in session.execute(source):
        above[narrower].append(wider)
    found: dict[int, set[int]] = {}
    for job in jobs:
        seen, waiting = {job}, [job]
        while waiting:
            new = [wider for wider in above.get(waiting.pop(), ()) if wider not in seen]
            seen.update(new)
            waiting += [wider for wider in new if wider not in groups]
        found[job] = seen & groups
    return found


def _alike(jobs: _Jobs) -> dict[tuple[int, int], float]:
    """Likeness of the pairs (ROME, ESCO) that share a group, where it is at least `LIKE`."""
    owners: list[int] = []
    vocabulary: dict[str, int] = {}
    line: list[int] = []
    column: list[int] = []
    for job, titles in jobs.titles.items():
        for title in dict.fromkeys(titles):
            found = {vocabulary.setdefault(stem, len(vocabulary)) for stem in stems(title, "fr")}
            line += [len(owners)] * len(found)
            column += found
            owners.append(job)
    if not line:
        return {}
    table = csr_matrix((np.ones(len(line)), (line, column)), shape=(len(owners), len(vocabulary)))
    rarity = np.log(1 + len(owners) / np.asarray(table.sum(axis=0)).ravel())
    table = csr_matrix(table @ diags_array(rarity))
    length = np.sqrt(np.asarray(table.multiply(table).sum(axis=1)).ravel())
    table = csr_matrix(diags_array(1 / np.maximum(length, 1e-9)) @ table)
    members: dict[tuple[int, Origin], list[int]] = defaultdict(list)
    for row, owner in enumerate(owners):
        for group in jobs.groups[owner]:
            members[group, jobs.origins[owner]].append(row)
    best: dict[tuple[int, int], float] = {}
    for (group, origin), sheets in members.items():
        occupations = members.get((group, Origin.ESCO), []) if origin is Origin.ROME else []
        if not occupations:
            continue
        likeness = (table[sheets] @ table[occupations].T).toarray()
        for a, b in np.argwhere(likeness >= LIKE).tolist():
            pair = owners[sheets[a]], owners[occupations[b]]
            best[pair] = max(best.get(pair, 0.0), float(likeness[a, b]))
    return best
