"""How well a professional's profile fits a mission, with the terms it is made of. Pure: no database, no clock.

Invariants, tested on random pairs:

- the terms add up to the score (within 1e-6), and the score lies in [-ANSWER_WEIGHT, 1 + CAUSE_BONUS];
- taking declared skills away lowers the score by exactly the terms that name no other skill;
- only ids, levels, hours, languages, places, dates, causes and two numbers of invitations go in. Names, titles, gender
  and words don't, so that they cannot change anything, and French and English wordings of the same concepts give the
  same score;
- ties fall in the order of ids.

A need is met by its best declared skill: `path weight × level factor`, where the path leads over the taxonomy's
edges from the declared skill to the need (weight 1 when they are the same) and the factor is level / level asked, at
most 1. Where a second skill would meet the need too, only the difference hangs on the best skill alone; the rest
hangs on both together. That is why a term names a *set* of skills: its value is lost when all of them are gone.

Gates (language, place, hours, dates, must-have skills) say whether a match may be shown; they add nothing to the score.

Who lets invitations lie costs organisations time, so a share of unanswered ones takes up to ANSWER_WEIGHT off. A no is
an answer like a yes. Newcomers count as if they had answered NEWCOMER invitations: they lose nothing, nobody stands
above them, and one forgotten invitation weighs little.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Final, TypeVar

MUST_WEIGHT: Final = 2.0
WISH_WEIGHT: Final = 1.0
#: A must-have counts as met from this strength on: the skill itself at half the level, or a near skill at full level.
MUST_FLOOR: Final = 0.5
CAUSE_BONUS: Final = 0.05
#: What somebody who never answers loses in the end, and the answered invitations that everybody begins with.
ANSWER_WEIGHT: Final = 0.05
NEWCOMER: Final = 4
#: Below this a match is noise and is not shown.
SHOW_FROM: Final = 0.15
#: Differences below this are the arithmetic's, not the people's.
SLACK: Final = 1e-9

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Path:
    """How a declared skill speaks for a need: weight in (0, 1], and the concepts on the way, without both ends."""

    weight: float
    via: tuple[int, ...] = ()


#: need's concept → declared concept → path. A concept always reaches itself; it need not be listed.
Paths = Mapping[int, Mapping[int, Path]]
SAME: Final = Path(1.0)


@dataclass(frozen=True, slots=True)
class Need:
    """A skill a mission needs, at a level from 1 to 5. `counts`: a weight of its own, instead of the usual one."""

    concept_id: int
    level: int
    must: bool = False
    counts: float | None = None

    @property
    def weight(self) -> float:
        """How much it counts beside the other needs."""
        if self.counts is not None:
            return self.counts
        return MUST_WEIGHT if self.must else WISH_WEIGHT


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a mission asks for. `language` None: any. `department` None: remote only. Days: first and last, if set."""

    needs: tuple[Need, ...]
    language: str | None
    hours_per_week: float
    remote: bool = True
    department: str | None = None
    cause: str = ""
    starts_on: date | None = None
    ends_on: date | None = None

    @property
    def begins_by(self) -> date | None:
        """Who comes later than this misses a part of it."""
        return self.starts_on or self.ends_on

    @property
    def lasts_to(self) -> date | None:
        """Who leaves before this misses a part of it."""
        return self.ends_on or self.starts_on


@dataclass(frozen=True, slots=True)
class Answers:
    """Invitations that a person has had time to answer, and how many of them they answered (yes, no, not now)."""

    asked: int = 0
    answered: int = 0

    @property
    def loss(self) -> float:
        """What the unanswered ones take off the score: 0 for newcomers and for those who answer everything."""
        return ANSWER_WEIGHT * (self.asked - self.answered) / (self.asked + NEWCOMER)


NO_HISTORY: Final = Answers()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bid:
    """What a professional offers: declared concepts with levels from 1 to 5. `causes` as far as they may be used.

    `available_from` and `available_until`: first and last day, if there are such.
    """

    skills: Mapping[int, int]
    languages: frozenset[str]
    hours_per_week: float
    remote: bool = True
    departments: frozenset[str] = frozenset()
    causes: frozenset[str] = frozenset()
    available_from: date | None = None
    available_until: date | None = None
    answers: Answers = NO_HISTORY


class Gate(StrEnum):
    """What must hold for a match to be shown."""

    LANGUAGE = "language"
    PLACE = "place"
    HOURS = "hours"
    DATES = "dates"
    MUST = "must"
    FIT = "fit"


@dataclass(frozen=True, slots=True)
class Meeting:
    """A declared skill that speaks for a need, and how strongly: `path.weight × factor`, in (0, 1]."""

    concept_id: int
    level: int
    path: Path
    factor: float

    @property
    def strength(self) -> float:
        """Path and level together."""
        return self.path.weight * self.factor


class TermKind(StrEnum):
    """What a part of the score is for. The part for answers is a deduction."""

    SKILL = "skill"
    CAUSE = "cause"
    ANSWERS = "answers"


@dataclass(frozen=True, slots=True)
class Term:
    """A part of the score. `met_by`: the skills it hangs on; it is lost when all of them are gone.

    `need` is the concept asked for, `via` the concepts between it and the last of `met_by`. The parts for a shared
    cause and for unanswered invitations have no need and hang on no skill.
    """

    need: int | None
    met_by: tuple[int, ...]
    via: tuple[int, ...]
    value: float
    kind: TermKind = TermKind.SKILL


@dataclass(frozen=True, slots=True)
class Coverage:
    """How one need is met: the skills that speak for it, best first, and its share of the score when met in full."""

    need: Need
    share: float
    meetings: tuple[Meeting, ...]

    @property
    def value(self) -> float:
        """What this need adds to the score."""
        return self.share * self.meetings[0].strength if self.meetings else 0.0

    @property
    def terms(self) -> tuple[Term, ...]:
        """One term a layer: the best skill's lead alone, then what it shares with the next, and so on."""
        strengths = [m.strength for m in self.meetings] + [0.0]
        layers = (
            Term(
                self.need.concept_id,
                tuple(m.concept_id for m in self.meetings[: i + 1]),
                meeting.path.via,
                self.share * (strengths[i] - strengths[i + 1]),
            )
            for i, meeting in enumerate(self.meetings)
        )
        return tuple(t for t in layers if t.value > 0)

    def as_json(self) -> dict[str, Any]:
        """The need, and the declared skills that speak for it, best first."""
        return {
            "need": self.need.concept_id,
            "level": self.need.level,
            "must": self.need.must,
            "share": self.share,
            "value": self.value,
            "met_by": [
                {"skill": m.concept_id, "level": m.level, "via": list(m.path.via), "strength": m.strength}
                for m in self.meetings
            ],
        }


@dataclass(frozen=True, slots=True)
class Score:
    """The fit of one pair. `closed` are the gates that do not hold; `coverage` in the order of the needs."""

    coverage: tuple[Coverage, ...]
    terms: tuple[Term, ...]
    closed: tuple[Gate, ...]
    total: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "total", math.fsum(t.value for t in self.terms))

    @property
    def shown(self) -> bool:
        """Whether the match may be proposed to people."""
        return not self.closed

    @property
    def missing(self) -> tuple[Need, ...]:
        """Needs that no declared skill speaks for."""
        return tuple(c.need for c in self.coverage if not c.meetings)

    @property
    def met(self) -> int:
        """How many needs some skill speaks for."""
        return sum(1 for c in self.coverage if c.meetings)

    @property
    def points(self) -> int:
        """The score as people read it: 100 is every need met in full."""
        return round(self.total * 100)

    def loss_without(self, concept_ids: Iterable[int]) -> float:
        """By how much the score falls when these declared skills are taken away."""
        gone = frozenset(concept_ids)
        return math.fsum(t.value for t in self.terms if t.met_by and gone.issuperset(t.met_by))

    def as_json(self) -> dict[str, Any]:
        """The explanation as it is kept and shown to machines; the values of the terms add up to the score."""
        return {
            "score": self.total,
            "terms": [
                {"kind": t.kind.value, "need": t.need, "met_by": list(t.met_by), "via": list(t.via), "value": t.value}
                for t in self.terms
            ],
            "missing": [n.concept_id for n in self.missing],
            "closed": [gate.value for gate in self.closed],
            "needs": [c.as_json() for c in self.coverage],
        }


def score(ask: Ask, bid: Bid, paths: Paths) -> Score:
    """The fit of a mission and a profile. O(needs × declared skills)."""
    whole = sum(n.weight for n in ask.needs)
    coverage = tuple(Coverage(n, n.weight / whole, _meetings(n, bid, paths)) for n in ask.needs)
    terms = [term for c in coverage for term in c.terms]
    fit = math.fsum(t.value for t in terms)
    if ask.cause and ask.cause in bid.causes:
        terms.append(Term(None, (), (), CAUSE_BONUS, TermKind.CAUSE))
    if bid.answers.loss > 0:
        terms.append(Term(None, (), (), -bid.answers.loss, TermKind.ANSWERS))
    return Score(coverage, tuple(terms), tuple(_closed(ask, bid, coverage, fit)))


def _meetings(need: Need, bid: Bid, paths: Paths) -> tuple[Meeting, ...]:
    """Declared skills that speak for the need, the strongest first; ties: the shorter path, then the lower id."""
    ways = paths.get(need.concept_id, {})
    found = []
    for concept_id, level in bid.skills.items():
        path = SAME if concept_id == need.concept_id else ways.get(concept_id)
        if path is not None and path.weight > 0:
            found.append(Meeting(concept_id, level, path, min(1.0, level / need.level)))
    return tuple(sorted(found, key=lambda m: (-m.strength, len(m.path.via), m.concept_id)))


def _closed(ask: Ask, bid: Bid, coverage: Sequence[Coverage], fit: float) -> Iterable[Gate]:
    if ask.language is not None and ask.language not in bid.languages:
        yield Gate.LANGUAGE
    here = ask.department is not None and ask.department in bid.departments
    if not here and not (ask.remote and bid.remote):
        yield Gate.PLACE
    if ask.hours_per_week > bid.hours_per_week:
        yield Gate.HOURS
    if _elsewhere(ask, bid):
        yield Gate.DATES
    if any(c.need.must and (not c.meetings or c.meetings[0].strength < MUST_FLOOR - SLACK) for c in coverage):
        yield Gate.MUST
    if fit < SHOW_FROM - SLACK:
        yield Gate.FIT


def _elsewhere(ask: Ask, bid: Bid) -> bool:
    """Whether the person is away at the beginning or at the end of the mission, as far as both have told days."""
    late = bool(ask.begins_by and bid.available_from and bid.available_from > ask.begins_by)
    return late or bool(ask.lasts_to and bid.available_until and bid.available_until < ask.lasts_to)


def best(scored: Iterable[tuple[T, Score]], top: int, key: Callable[[T], int]) -> list[tuple[T, Score]]:
    """The `top` pairs that may be shown, best first; equal scores (to nine decimals) in the order of `key`."""
    shown = [(item, s) for item, s in scored if s.shown]
    return sorted(shown, key=lambda pair: (-round(pair[1].total, 9), key(pair[0])))[:top]
