"""Candidate pairs in bulk: for each mission its best people, for each person their best missions. Pure, numpy.

**Exact.** The pairs, their order and their scores are those that `scoring.score` gives when every pair is scored, gates
included; scores are rounded to nine decimals, where `scoring.best` sees a tie. Tests compare the two on random markets.

**Method.** Declared skills lie in postings: for each (concept, level) the people who declared it. A mission's needs are
expanded over the graph into tables of what each (concept, level) is worth for them. The rarest must-have is looked up
in the postings, from the strength on that a must-have asks for; without one every skill that speaks for any need is
looked up. Only the people found who pass the gates are scored, all at once, from their own declared skills: what a
person gives for a need is the largest table value among their skills, as in `scoring`.

People are numbered inside by how many skills they declared, most first: those with a third skill are then the first so
many, and the skills of thousands of people are compared slot by slot without gaps.

**Cost.** A mission costs what the people found cost: about 0.3 ms where some thousands meet its must-have. Memory is
that of the declared skills (some 20 bytes each) and of the lists; nothing grows with people × missions.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from koz.matching.planning import Edges
from koz.matching.scoring import CAUSE_BONUS, MUST_FLOOR, SHOW_FROM, SLACK, Ask, Bid, Need

#: How many people a mission's list holds, and how many missions a person's.
PER_MISSION: Final = 50
PER_PERSON: Final = 5
LEVELS: Final = 5
#: Scores are compared in so many steps of one.
STEPS: Final = 1e9
#: Pairs collected before they are merged into the people's lists.
BLOCK: Final = 1 << 20

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: For the concept of a need: the concepts that speak for it, itself included, with the weight of the best path.
ReachedBy = Callable[[int], Mapping[int, float]]

_ROW_BITS: Final = 32
_ROWS: Final = (1 << _ROW_BITS) - 1
_NEVER: Final = np.iinfo(np.int64).max


class _Column(NamedTuple):
    """What declared skills are worth for a need at a level: keys (concept × LEVELS + level - 1) and strengths."""

    keys: Longs
    strength: Floats


class Found(NamedTuple):
    """Rows of people who may be shown for a mission, and their scores; in no particular order."""

    person: Ints
    score: Floats


class Crowd:
    """Everybody who could be asked, prepared once; the row of a person is their place in `bids`.

    Missions are looked up one by one (`pairs`, `best`) or all together (`candidates`). Not for use by two threads at
    once: it keeps scratch memory.
    """

    def __init__(self, bids: Sequence[Bid], reached_by: ReachedBy) -> None:
        self.size = len(bids)
        self._reached_by = reached_by
        number = np.fromiter((len(b.skills) for b in bids), np.int64, self.size)
        self._row = np.argsort(-number, kind="stable").astype(np.int32)
        ordered = [bids[n] for n in self._row.tolist()]
        self._lay_out_skills(ordered, number[self._row])
        self._hours = np.fromiter((b.hours_per_week for b in ordered), np.float64, self.size)
        self._remote = np.fromiter((b.remote for b in ordered), np.bool_, self.size)
        self._loss = np.fromiter((b.answers.loss for b in ordered), np.float64, self.size)
        self._from = np.fromiter((_day(b.available_from, 0) for b in ordered), np.int64, self.size)
        self._until = np.fromiter((_day(b.available_until, _NEVER) for b in ordered), np.int64, self.size)
        self._languages = _Sets([b.languages for b in ordered])
        self._places = _Sets([b.departments for b in ordered])
        self._causes = _Sets([b.causes for b in ordered])
        self._near: dict[int, tuple[Longs, Floats]] = {}
        self._columns: dict[tuple[int, int], _Column] = {}
        self._mark = np.zeros(self.size, np.bool_)
        self._scratch = np.zeros(0)

    def _lay_out_skills(self, bids: Sequence[Bid], number: Longs) -> None:
        """Skills by slot (`_slots[k]`: the k-th skill of those who have one), people by skill (`_start`, `_holder`)."""
        total = int(number.sum())
        concept = np.fromiter((c for b in bids for c in b.skills), np.int64, total)
        level = np.fromiter((x for b in bids for x in b.skills.values()), np.int64, total)
        known, row = np.unique(concept, return_inverse=True)
        self._concept_row = {c: n for n, c in enumerate(known.tolist())}
        key = row * LEVELS + level - 1
        first = np.cumsum(number) - number
        having = [int(np.count_nonzero(number > k)) for k in range(int(number.max(initial=0)))]
        self._slots = [key[first[:n] + k] for k, n in enumerate(having)]
        person = np.repeat(np.arange(self.size, dtype=np.int32), number)
        order = np.argsort(key, kind="stable")
        self._holder = person[order]
        self._start = np.searchsorted(key[order], np.arange(len(known) * LEVELS + 1))

    def best(self, ask: Ask, top: int = PER_MISSION) -> list[tuple[int, float]]:
        """The best people for a mission (row, score), best first; ties in the order of rows."""
        found = self.pairs(ask)
        keys = np.sort(_ranks(found.score, found.person))[:top]
        return list(zip(_row_of(keys).tolist(), _score_of(keys).tolist(), strict=True))

    def pairs(self, ask: Ask) -> Found:
        """Everybody who may be shown for a mission."""
        if not ask.needs or not self._slots:
            return Found(np.empty(0, np.int32), np.empty(0))
        columns = [self._column(n) for n in ask.needs]
        people = self._pass(ask, self._reached(ask.needs, columns))
        strength = self._strengths(columns, people)
        weights = np.array([n.weight for n in ask.needs])
        fit = strength @ (weights / weights.sum())
        keep = fit >= SHOW_FROM - SLACK
        for n, need in enumerate(ask.needs):
            if need.must:
                keep &= strength[:, n] >= MUST_FLOOR - SLACK
        people, score = people[keep], fit[keep]
        score -= self._loss.take(people)
        if ask.cause:
            score += CAUSE_BONUS * self._causes.have(ask.cause, people)
        return Found(self._row.take(people), score)

    def _column(self, need: Need) -> _Column:
        """The need's table; kept, since missions of a trade ask for the same things."""
        column = self._columns.get((need.concept_id, need.level))
        if column is None:
            rows, weight = self._speaking_for(need.concept_id)
            factor = np.minimum(1.0, np.arange(1, LEVELS + 1) / need.level)
            keys = (rows[:, None] * LEVELS + np.arange(LEVELS)).ravel()
            strength = (weight[:, None] * factor).ravel()
            held = self._start[keys + 1] > self._start[keys]
            column = self._columns[need.concept_id, need.level] = _Column(keys[held], strength[held])
        return column

    def _speaking_for(self, concept_id: int) -> tuple[Longs, Floats]:
        known = self._near.get(concept_id)
        if known is None:
            ways = {concept_id: 1.0} | dict(self._reached_by(concept_id))
            ways[concept_id] = 1.0
            held = [(self._concept_row[c], w) for c, w in ways.items() if w > 0 and c in self._concept_row]
            rows = np.array([r for r, _w in held], np.int64)
            known = self._near[concept_id] = (rows, np.array([w for _r, w in held]))
        return known

    def _reached(self, needs: Sequence[Need], columns: Sequence[_Column]) -> Ints:
        """People worth looking at, each once: those of the rarest must-have, or those whom any skill speaks for."""
        musts = []
        for need, column in zip(needs, columns, strict=True):
            if need.must:
                keys = column.keys[column.strength >= MUST_FLOOR - SLACK]
                musts.append((int((self._start[keys + 1] - self._start[keys]).sum()), keys))
        if musts:
            keys = min(musts, key=lambda x: x[0])[1]
        else:
            keys = np.unique(np.concatenate([c.keys[c.strength >= SHOW_FROM - SLACK] for c in columns]))
        starts, ends = self._start[keys].tolist(), self._start[keys + 1].tolist()
        parts = [self._holder[a:b] for a, b in zip(starts, ends, strict=True)]
        return np.concatenate(parts) if parts else np.empty(0, np.int32)

    def _pass(self, ask: Ask, people: Ints) -> Ints:
        """Those who pass the gates of language, hours, place and dates; each once, in the order of rows."""
        open_ = self._hours.take(people) >= ask.hours_per_week
        if ask.language is not None:
            open_ &= self._languages.have(ask.language, people)
        here = self._remote.take(people) if ask.remote else np.zeros(people.size, np.bool_)
        if ask.department is not None:
            here |= self._places.have(ask.department, people)
        open_ &= here
        if ask.begins_by is not None and ask.lasts_to is not None:
            open_ &= self._from.take(people) <= ask.begins_by.toordinal()
            open_ &= self._until.take(people) >= ask.lasts_to.toordinal()
        people = people[open_]
        if people.size > self.size >> 5:
            self._mark[people] = True
            once = np.flatnonzero(self._mark).astype(np.int32)
            self._mark[people] = False
            return once
        people.sort()
        return people[np.diff(people, prepend=-1) > 0]

    def _strengths(self, columns: Sequence[_Column], people: Ints) -> Floats:
        """What each of the people (rows, ascending) gives for each need (columns), from 0 to 1."""
        out = np.zeros((people.size, len(columns)))
        worth = self._worth(len(columns))
        for n, column in enumerate(columns):
            worth[column.keys, n] = column.strength
        for slot in self._slots:
            having = people[: np.searchsorted(people, len(slot))]
            if not having.size:
                break
            best = out[: having.size]
            np.maximum(best, worth.take(slot.take(having), axis=0), out=best)
        for n, column in enumerate(columns):
            worth[column.keys, n] = 0.0
        return out

    def _worth(self, needs: int) -> Floats:
        """Zeros for every key and need; whoever writes into it writes the zeros back."""
        size = (len(self._start) - 1) * needs
        if self._scratch.size < size:
            self._scratch = np.zeros(size)
        return self._scratch[:size].reshape(-1, needs)


class _Sets:
    """Which rows hold a value: marks where many do, postings where few do."""

    def __init__(self, sets: Sequence[Iterable[str]]) -> None:
        rows: dict[str, list[int]] = {}
        for n, values in enumerate(sets):
            for value in values:
                rows.setdefault(value, []).append(n)
        self._few: dict[str, Ints] = {}
        self._many: dict[str, Bools] = {}
        self._mark = np.zeros(len(sets), np.bool_)
        for value, held in rows.items():
            listed = np.array(held, np.int32)
            if len(held) < len(sets) >> 4:
                self._few[value] = listed
            else:
                self._many[value] = np.zeros(len(sets), np.bool_)
                self._many[value][listed] = True

    def have(self, value: str, rows: Ints) -> Bools:
        """For each of the rows whether it holds the value."""
        if value in self._many:
            return self._many[value].take(rows)
        few = self._few.get(value)
        if few is None:
            return np.zeros(rows.size, np.bool_)
        self._mark[few] = True
        held = self._mark.take(rows)
        self._mark[few] = False
        return held


def candidates(
    crowd: Crowd,
    asks: Sequence[Ask],
    *,
    per_mission: int = PER_MISSION,
    per_person: int = PER_PERSON,
    progress: Callable[[int], Any] = lambda _done: None,
) -> Edges:
    """Pairs on the list of a mission, of a person, or both; each once, in the order of (mission, person).

    `progress` is told how many missions more have been looked up.
    """
    own = _Lists(crowd.size, per_person)
    codes = []
    for mission, ask in enumerate(asks):
        found = crowd.pairs(ask)
        own.add(mission, found)
        ranks = _ranks(found.score, found.person)
        if ranks.size > per_mission:
            ranks = np.partition(ranks, per_mission)[:per_mission] if per_mission else ranks[:0]
        codes.append((_row_of(ranks) + (np.int64(mission) << _ROW_BITS), _score_of(ranks)))
        if mission % 256 == 255:
            progress(256)
    progress(len(asks) % 256)
    own_codes, own_scores = own.pairs()
    pairs = np.concatenate([*(c for c, _s in codes), own_codes])
    scores = np.concatenate([*(s for _c, s in codes), own_scores])
    pairs, first = np.unique(pairs, return_index=True)
    return Edges((pairs & _ROWS).astype(np.int32), (pairs >> _ROW_BITS).astype(np.int32), scores[first])


class _Lists:
    """The best missions of each person, kept while missions come by: ranks ascending, `_NEVER` where there is none."""

    def __init__(self, people: int, length: int) -> None:
        self._best = np.full((people, length), _NEVER)
        self._waiting: list[tuple[Ints, Longs]] = []
        self._held = 0

    def add(self, mission: int, found: Found) -> None:
        """See whether the mission enters somebody's list."""
        if not self._best.shape[1] or not found.person.size:
            return
        ranks = _ranks(found.score, np.full(found.person.size, mission, np.int32))
        enters = ranks < self._best[found.person, -1]
        self._waiting.append((found.person[enters], ranks[enters]))
        self._held += int(np.count_nonzero(enters))
        if self._held >= BLOCK >> 2:
            self._merge()

    def _merge(self) -> None:
        if not self._waiting:
            return
        length = self._best.shape[1]
        person = np.concatenate([p for p, _r in self._waiting])
        rank = np.concatenate([r for _p, r in self._waiting])
        touched = np.unique(person)
        person = np.concatenate([person, np.repeat(touched, length)]).astype(np.int64)
        rank = np.concatenate([rank, self._best[touched].ravel()])
        order = np.argsort(rank)
        place = (person[order] << _ROW_BITS) + np.arange(len(order))  # by person, then by rank
        place.sort()
        rank = rank[order[place & _ROWS]]
        first = np.searchsorted(place >> _ROW_BITS, touched)
        self._best[touched] = rank[first[:, None] + np.arange(length)]
        self._waiting, self._held = [], 0

    def pairs(self) -> tuple[Longs, Floats]:
        """(mission, person) as one number each, and scores."""
        self._merge()
        person, place = np.nonzero(self._best < _NEVER)
        ranks = self._best[person, place]
        return (_row_of(ranks) << _ROW_BITS) + person, _score_of(ranks)


def _ranks(score: Floats, row: Ints) -> Longs:
    """Score and row as one number that sorts best first, ties in the order of rows."""
    return np.asarray((-np.rint(score * STEPS).astype(np.int64) << _ROW_BITS) + row)


def _row_of(rank: Longs) -> Longs:
    return np.asarray(rank & _ROWS)


def _score_of(rank: Longs) -> Floats:
    return np.asarray(-(rank >> _ROW_BITS) / STEPS)


def _day(day: date | None, default: int) -> int:
    return default if day is None else day.toordinal()
