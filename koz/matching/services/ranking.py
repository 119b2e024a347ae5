"""The best professionals for a mission and the best missions for a professional, each with its explanation.

Seven statements or fewer, whatever the numbers of people, missions and skills (the taxonomy's graph is held in memory).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.orm import Session

from koz.core.errors import Conflict
from koz.core.i18n import _
from koz.matching import queries, scoring
from koz.matching.queries.answering import list_answers
from koz.matching.scoring import Ask, Path, Paths, Score, TermKind
from koz.skills import queries as skills
from koz.skills.models.offers import Profile
from koz.skills.queries import MissionCard
from koz.skills.states import MissionState
from koz.skills.taxonomy import Graph

TOP: Final = 10


@dataclass(frozen=True, slots=True)
class RankedProfessional:
    """A profile that fits a mission. Who it is stays unknown to the organisation until both sides have said yes."""

    profile: Profile
    score: Score


@dataclass(frozen=True, slots=True)
class RankedMission:
    """A mission that fits a profile."""

    card: MissionCard
    score: Score


def best_professionals(session: Session, mission_id: int, top: int = TOP) -> list[RankedProfessional]:
    """The best profiles for an open mission that may be asked now: not paused, not asked too often, not asked before.

    Best first, ties in the order of profiles. Reading only: nobody learns of it.
    """
    card = _open_card(session, mission_id)
    if card is None or not card.needs:
        return []
    ask = queries.ask_of(card)
    paths = paths_to(skills.load_graph(session), ask)
    ways = [(need, concept, path.weight) for need, found in paths.items() for concept, path in found.items()]
    profiles = queries.list_candidates(session, mission_id, ask, ways, top)
    levels = queries.list_levels(session, [p.id for p in profiles])
    answers = list_answers(session, [p.person_id for p in profiles])
    scored = (
        (p, scoring.score(ask, queries.bid_of(p, levels[p.id], answers[p.person_id], own=False), paths))
        for p in profiles
    )
    return [RankedProfessional(p, s) for p, s in scoring.best(scored, top, key=lambda p: p.id)]


def best_missions(session: Session, person_id: int, top: int = TOP) -> list[RankedMission]:
    """The best open missions for a professional, best first, ties in the order of missions."""
    profile = skills.find_profile(session, person_id)
    if profile is None:
        return []
    levels = queries.list_levels(session, [profile.id])[profile.id]
    if not levels:
        return []
    graph = skills.load_graph(session)
    ways = [(n, r.weight, level) for concept, level in levels.items() for n, r in graph.reach(concept).items()]
    ids = queries.list_fitting_missions(session, profile.id, ways, top)
    bid = queries.bid_of(profile, levels, list_answers(session, [person_id])[person_id], own=True)
    scored = []
    for card in skills.list_cards(session, ids):
        ask = queries.ask_of(card)
        scored.append((card, scoring.score(ask, bid, paths_to(graph, ask))))
    return [RankedMission(c, s) for c, s in scoring.best(scored, top, key=lambda c: c.mission.id)]


def explain(session: Session, mission_id: int, profile: Profile, *, own: bool) -> Score:
    """The score of one pair, whether it may be shown or not. Raises Conflict when the mission cannot be taken."""
    card = _open_card(session, mission_id)
    if card is None:
        raise Conflict(_("This mission is filled or closed. See the missions that are open."))
    ask = queries.ask_of(card)
    levels = queries.list_levels(session, [profile.id])[profile.id]
    answers = list_answers(session, [profile.person_id])[profile.person_id]
    bid = queries.bid_of(profile, levels, answers, own=own)
    return scoring.score(ask, bid, paths_to(skills.load_graph(session), ask))


def paths_to(graph: Graph, ask: Ask) -> Paths:
    """For each need, the concepts that speak for it, itself included."""
    return {
        need.concept_id: {c: Path(r.weight, r.via) for c, r in graph.reached_by(need.concept_id).items()}
        for need in ask.needs
    }


def _open_card(session: Session, mission_id: int) -> MissionCard | None:
    cards = skills.list_cards(session, [mission_id])
    if not cards or cards[0].mission.state is not MissionState.OPEN or not skills.is_helped(cards[0].campaign):
        return None
    return cards[0]


@dataclass(frozen=True, slots=True)
class MetBy:
    """A declared skill that speaks for a need, in words; `points` of 100 are what it gives, alone, for this need."""

    label: str
    level: int
    via: tuple[str, ...]
    exact: bool
    points: float


@dataclass(frozen=True, slots=True)
class NeedLine:
    """One line of an explanation: the need, what meets it, and its points of 100.

    `backup` is the next best skill: without the first, the line would have the backup's points, or none.
    """

    label: str
    level: int
    must: bool
    points: float
    of: float
    met_by: MetBy | None
    backup: MetBy | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A score as people read it: the parts of 100 of the needs, of a cause both care for, of unanswered invitations."""

    points: int
    lines: tuple[NeedLine, ...]
    cause: float
    answers: float
    closed: tuple[str, ...]

    @property
    def met(self) -> int:
        """Needs that some skill speaks for."""
        return sum(1 for line in self.lines if line.met_by)


def read_explanations(session: Session, given: Collection[dict[str, Any]], lang: str) -> list[Explanation]:
    """Kept or fresh explanations (`Score.as_json`) with labels in `lang`: one statement for all of them."""
    concepts = skills.get_concepts(session, {i for e in given for i in _ids(e)})

    def label(concept_id: int) -> str:
        concept = concepts.get(concept_id)
        return concept.label(lang) if concept else "?"

    def meeting(n: dict[str, Any], m: dict[str, Any]) -> MetBy:
        way = tuple(label(v) for v in m["via"])
        return MetBy(label(m["skill"]), m["level"], way, m["skill"] == n["need"], 100 * n["share"] * m["strength"])

    def line(n: dict[str, Any]) -> NeedLine:
        first, second, *_rest = [*(meeting(n, m) for m in n["met_by"][:2]), None, None]
        points, of = 100 * n["value"], 100 * n["share"]
        return NeedLine(label(n["need"]), n["level"], n["must"], points, of, first, second)

    return [
        Explanation(
            round(100 * e["score"]),
            tuple(line(n) for n in e["needs"]),
            _points(e, TermKind.CAUSE),
            _points(e, TermKind.ANSWERS),
            tuple(e["closed"]),
        )
        for e in given
    ]


def _points(explanation: dict[str, Any], kind: TermKind) -> float:
    """What the terms of a kind give; terms kept without a kind and without a need are from before there were kinds."""
    terms = (t for t in explanation["terms"] if t["need"] is None)
    return sum(100 * float(t["value"]) for t in terms if t.get("kind", TermKind.CAUSE) == kind)


def _ids(explanation: dict[str, Any]) -> Iterable[int]:
    for need in explanation["needs"]:
        yield need["need"]
        for meeting in need["met_by"]:
            yield meeting["skill"]
            yield from meeting["via"]
