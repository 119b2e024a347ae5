"""The team of a campaign: who covers which skill, whom to invite together, and what nobody covers yet.

Reading only, until somebody presses: then each invitation goes through `proposing.invite`, with all its limits. The
search runs over the campaign and the missions of others that need the same skills, so that no two organisations are
shown the same few people while others are free; it is the heuristic alone, bounded in rounds.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Final

from sqlalchemy.orm import Session

from koz.campaigns.models import Campaign
from koz.core.access import Actor
from koz.core.db import Uow
from koz.core.errors import KozError, NotFound
from koz.core.i18n import _
from koz.matching import queries, scoring
from koz.matching.queries import EngagementRow
from koz.matching.queries import teams as reads
from koz.matching.queries.answering import list_answers
from koz.matching.scoring import MUST_FLOOR, SLACK, Score
from koz.matching.services import proposing, ranking
from koz.matching.teams import Job, Market, Offer, Seat, assemble, cover_most
from koz.skills import queries as skills
from koz.skills.models.offers import Profile
from koz.skills.queries import MissionCard, SkillRow
from koz.skills.states import MissionState

#: Missions of others that are looked at, people a mission, rounds of the search, teams a person can be in at once.
RIVALS: Final = 10
TOP: Final = 12
ROUNDS: Final = 100
AT_ONCE: Final = 2
SUBSTITUTES: Final = 2


@dataclass(frozen=True, slots=True)
class Suggested:
    """Somebody who could take a seat; who it is stays unknown. `letter` is theirs on this page only."""

    letter: str
    profile: Profile
    score: Score
    covers: tuple[SkillRow, ...]
    substitutes: tuple["Suggested", ...] = ()


@dataclass(frozen=True, slots=True)
class Role:
    """A skill that a mission needs, and who covers it: engaged people, invitations under way, suggestions."""

    need: SkillRow
    engaged: tuple[str, ...]
    asked: int
    suggested: tuple[str, ...]

    @property
    def standing(self) -> str:
        """The surest of: engaged, asked, suggested, nobody."""
        if self.engaged:
            return "engaged"
        return "asked" if self.asked else "suggested" if self.suggested else "nobody"


@dataclass(frozen=True, slots=True)
class MissionTeam:
    """A mission with its roles. `free`: seats that nobody holds or is asked for."""

    card: MissionCard
    engaged: tuple[EngagementRow, ...]
    asked: int
    free: int
    roles: tuple[Role, ...]
    suggested: tuple[Suggested, ...]


@dataclass(frozen=True, slots=True)
class CampaignTeam:
    """`whole`: with the suggestions, every skill has somebody. `shared`: others need some of the same people."""

    missions: tuple[MissionTeam, ...]
    whole: bool
    shared: bool

    @property
    def roles(self) -> list[Role]:
        """All roles of all missions."""
        return [role for mission in self.missions for role in mission.roles]

    @property
    def suggested(self) -> list[tuple[MissionTeam, Suggested]]:
        """Whom to invite, mission by mission."""
        return [(mission, one) for mission in self.missions for one in mission.suggested]

    def count(self, *standings: str) -> int:
        """How many roles stand so."""
        return sum(role.standing in standings for role in self.roles)


@dataclass(slots=True)
class _Work:
    """A mission while its team is made. `open`: indexes of needs that nobody engaged or asked covers."""

    card: MissionCard
    engaged: list[EngagementRow] = field(default_factory=list)
    names: dict[int, list[str]] = field(default_factory=dict)
    asked: dict[int, int] = field(default_factory=dict)
    waiting: int = 0

    @property
    def open(self) -> list[int]:
        return [n for n in range(len(self.card.needs)) if not self.names.get(n) and not self.asked.get(n)]

    @property
    def free(self) -> int:
        if self.card.mission.state is not MissionState.OPEN:
            return 0
        return max(0, self.card.mission.seats - len(self.engaged) - self.waiting)


def plan_team(session: Session, campaign: Campaign) -> CampaignTeam:
    """The team of a campaign at this moment. A dozen statements, whatever the numbers; nobody learns of it."""
    own = _works(session, reads.list_missions_of_team(session, campaign.id))
    wanted = {need.concept_id for work in own for need in work.card.needs}
    helped = skills.is_helped(campaign)
    rivals = _works(session, reads.list_rivals(session, campaign.id, wanted, RIVALS)) if helped and wanted else []
    rivals = [work for work in rivals if skills.is_helped(work.card.campaign)]
    jobs = [work for work in [*own, *rivals] if work.open and work.free and helped]
    people = _People(session, jobs)
    market = people.market(jobs)
    alone = Market(market.jobs, tuple(o for o in market.offers if _campaign(market, o) == campaign.id), market.room)
    teams = assemble(market, rounds=ROUNDS)
    mine = teams.get(campaign.id)
    seats = mine or assemble(alone, rounds=0).get(campaign.id) or cover_most(alone, campaign.id)
    held = {seat.person for i, team in teams.items() if i != campaign.id for seat in team}
    shared = mine is None and any(seat.person in held for seat in seats)
    missions = _shown(own, jobs, _Casting(alone, seats, people))
    whole = all(role.standing != "nobody" for mission in missions for role in mission.roles)
    return CampaignTeam(missions, whole, shared)


def _campaign(market: Market, offer: Offer) -> int:
    return market.jobs[offer.job].campaign


def _works(session: Session, mission_ids: Sequence[int]) -> list[_Work]:
    """Missions with what engaged people and waiting invitations cover of them."""
    cards = skills.list_cards(session, mission_ids)
    engaged, asked = reads.list_engaged(session, mission_ids), reads.list_asked(session, mission_ids)
    people = {row.professional.id for rows in engaged.values() for row in rows}
    profiles = {p.person_id: p for p in reads.list_profiles(session, person_ids=people)}
    levels = queries.list_levels(session, [p.id for p in profiles.values()])
    graph = skills.load_graph(session)
    works = []
    for card in cards:
        work = _Work(card, engaged[card.mission.id], waiting=len(asked[card.mission.id]))
        ask = queries.ask_of(card)
        paths = ranking.paths_to(graph, ask) if work.engaged else {}
        for row in work.engaged:
            profile = profiles.get(row.professional.id)
            if profile is None:
                continue
            score = scoring.score(ask, queries.bid_of(profile, levels[profile.id], own=False), paths)
            for n in _covered(score):
                work.names.setdefault(n, []).append(row.professional.name)
        for proposal in asked[card.mission.id]:
            for n in _covered_as_kept(card, proposal.explanation):
                work.asked[n] = work.asked.get(n, 0) + 1
        works.append(work)
    return works


def _covered(score: Score) -> list[int]:
    """Indexes of the needs that are met well enough to count as covered."""
    return [n for n, c in enumerate(score.coverage) if c.meetings and c.meetings[0].strength >= MUST_FLOOR - SLACK]


def _covered_as_kept(card: MissionCard, explanation: dict[str, Any]) -> list[int]:
    """The same, from the explanation that was kept with an invitation."""
    met = {
        need["need"] for need in explanation["needs"] if need["met_by"] and need["met_by"][0]["strength"] >= MUST_FLOOR
    }
    return [n for n, need in enumerate(card.needs) if need.concept_id in met]


class _People:
    """Who could be asked for which of some missions, with their scores."""

    def __init__(self, session: Session, works: Sequence[_Work]) -> None:
        graph = skills.load_graph(session)
        asks = {work.card.mission.id: queries.ask_of(work.card) for work in works}
        paths = {m: ranking.paths_to(graph, ask) for m, ask in asks.items()}
        ways = {(n, c, p.weight) for found in paths.values() for n, by in found.items() for c, p in by.items()}
        pairs = reads.list_candidates_of(session, asks, ways, TOP) if asks else []
        profiles = {p.id: p for p in reads.list_profiles(session, ids={p for _m, p in pairs})}
        levels = queries.list_levels(session, profiles)
        answers = list_answers(session, [p.person_id for p in profiles.values()])
        asked = reads.count_invitations_of(session, [p.person_id for p in profiles.values()])
        self.room = {p.id: min(AT_ONCE, queries.PER_WEEK - asked[p.person_id]) for p in profiles.values()}
        self.scores: dict[tuple[int, int], tuple[Profile, Score]] = {}
        for mission_id, profile_id in pairs:
            profile = profiles[profile_id]
            bid = queries.bid_of(profile, levels[profile_id], answers[profile.person_id], own=False)
            score = scoring.score(asks[mission_id], bid, paths[mission_id])
            if score.shown:
                self.scores[mission_id, profile_id] = profile, score

    def market(self, works: Sequence[_Work]) -> Market:
        """Jobs in the order of the works; roles are the needs that are open."""
        jobs, offers = [], []
        number = {work.card.mission.id: n for n, work in enumerate(works)}
        for work in works:
            jobs.append(Job(work.card.campaign.id, len(work.open), work.free))
        for (mission_id, profile_id), (_profile, score) in self.scores.items():
            work = works[number[mission_id]]
            covered = set(_covered(score))
            covers = sum(1 << role for role, n in enumerate(work.open) if n in covered)
            if covers:
                offers.append(Offer(profile_id, number[mission_id], covers, score.total))
        return Market(tuple(jobs), tuple(offers), self.room)


class _Casting:
    """Seats with their people, lettered in the order of the page."""

    def __init__(self, market: Market, seats: Sequence[Seat], people: _People) -> None:
        self.market, self.seats, self.people = market, seats, people
        self.offers = {(o.job, o.person): o for o in market.offers}
        self.taken = {seat.person for seat in seats}
        self.letters = (chr(65 + n % 26) + (str(n // 26) if n >= 26 else "") for n in count())

    def of(self, work: _Work, job: int) -> tuple[Suggested, ...]:
        """Who is suggested for a mission, with who could take their place."""
        team = [self.offers[seat.job, seat.person] for seat in self.seats if seat.job == job]
        suggested = [self._suggestion(work, offer) for offer in team]
        return tuple(
            replace(one, substitutes=tuple(self._suggestion(work, o) for o in self._next_best(team, offer)))
            for one, offer in zip(suggested, team, strict=True)
        )

    def _suggestion(self, work: _Work, offer: Offer) -> Suggested:
        profile, score = self.people.scores[work.card.mission.id, offer.person]
        covers = tuple(work.card.needs[n] for n in _covered(score))
        return Suggested(next(self.letters), profile, score, covers)

    def _next_best(self, team: Sequence[Offer], offer: Offer) -> list[Offer]:
        """The next best who are free and cover what only this person covers in the team."""
        alone = offer.covers
        for mate in team:
            if mate is not offer:
                alone &= ~mate.covers
        able = [
            o
            for o in self.market.offers
            if o.job == offer.job and o.person not in self.taken and o.covers & alone == alone
            and self.market.room[o.person] > 0
        ]  # fmt: skip
        return sorted(able, key=lambda o: (-round(o.score, 9), o.person))[:SUBSTITUTES]


def _shown(own: Sequence[_Work], jobs: Sequence[_Work], casting: _Casting) -> tuple[MissionTeam, ...]:
    """Missions with roles, suggestions and substitutes."""
    number = {id(work): n for n, work in enumerate(jobs)}
    shown = []
    for work in own:
        suggested = casting.of(work, number.get(id(work), -1))
        roles = _roles(work, suggested)
        shown.append(MissionTeam(work.card, tuple(work.engaged), work.waiting, work.free, roles, suggested))
    return tuple(shown)


def _roles(work: _Work, suggested: Sequence[Suggested]) -> tuple[Role, ...]:
    return tuple(
        Role(
            need,
            tuple(work.names.get(n, ())),
            work.asked.get(n, 0),
            tuple(one.letter for one in suggested if need in one.covers),
        )
        for n, need in enumerate(work.card.needs)
    )


@dataclass(frozen=True, slots=True)
class Refusal:
    """An invitation that was not sent: the mission, and the sentence that says why and what to do."""

    mission: str
    sentence: str


def invite_team(
    uow: Uow, actor: Actor, mission_ids: Collection[int], seats: Sequence[tuple[int, int]]
) -> tuple[int, list[Refusal]]:
    """Invite (mission, profile) one after another, each in a transaction of its own: one refusal stops no other.

    `mission_ids` are the missions of the campaign. Returns how many were sent, and what was not. A second press sends
    nothing again: the proposal is there.
    """
    sent, refused = 0, []
    for mission_id, profile_id in seats:
        title = ""
        try:
            with uow() as session:
                if mission_id not in mission_ids:
                    raise NotFound(_("This mission does not exist or is not public. See the missions that are open."))
                title = skills.get_mission(session, mission_id).title
                proposing.invite(session, actor, mission_id, profile_id)
            sent += 1
        except KozError as error:
            refused.append(Refusal(title, error.sentence))
    return sent, refused
