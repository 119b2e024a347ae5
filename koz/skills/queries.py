"""Reads of the taxonomy; search and graph are in an index that each process maps and holds until the stamp changes."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Final

from sqlalchemy import Select, case, func, select, text
from sqlalchemy.orm import Session

from koz.accounts.models import Organisation
from koz.campaigns.models import Campaign
from koz.campaigns.queries import rows_of
from koz.core.access import Actor
from koz.core.errors import Invalid, NotAllowed, NotFound
from koz.core.i18n import _
from koz.core.settings import current_part, current_settings
from koz.skills import permissions
from koz.skills.models.concepts import SkillAlias, SkillConcept, SkillEdge
from koz.skills.models.offers import Mission, MissionNeed, Profile, ProfileSkill
from koz.skills.states import PUBLIC_MISSIONS, MissionState
from koz.skills.taxonomy import Alias, Concept, Edge, Embedder, Graph, Origin, Rows, SearchIndex
from koz.skills.taxonomy.index import Index, Told, make_contents
from koz.skills.taxonomy.shelf import Key, Shelf
from koz.skills.taxonomy.titles import Near

Stamp = tuple[object, ...]
"""First the database, then what changes with its taxonomy."""
MAX_TOP: Final = 100
#: How the codes of our own concepts begin.
OURS: Final = f"{Origin.KOZ}:"


@dataclass(frozen=True, slots=True)
class Found:
    """A concept that answers a phrase; `score` in (0, 1], 1 for the very label of one of ours."""

    id: int
    code: str
    label_fr: str | None
    label_en: str | None
    score: float


@dataclass(frozen=True, slots=True)
class Prepared:
    """An index on this machine: its folder, how large it is, and whether it had to be made."""

    folder: Path
    size: int
    made: bool


class _Held:
    """The index of each process, opened anew when the stamp differs.

    While one thread opens or makes it, or another process makes it, those that have an old one go on with that: an
    import must not stop the site.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._value: tuple[Stamp, Index] | None = None

    def get(self, session: Session) -> Index:
        """The index of the database's present taxonomy, or in the meantime the one before."""
        stamp = _stamp(session)
        held = self._value
        if held is not None and held[0] == stamp:
            return held[1]
        old = held[1] if held is not None and held[0][:2] == stamp[:2] else None
        if not self._lock.acquire(blocking=old is None):
            assert old is not None
            return old
        try:
            if self._value is not None and self._value[0] == stamp:
                return self._value[1]
            return self._open(session, stamp, old)
        finally:
            self._lock.release()

    def _open(self, session: Session, stamp: Stamp, old: Index | None) -> Index:
        shelf, key = Shelf(current_settings().cache_dir), _key(stamp)
        found = shelf.find(key)
        if found is None:
            old = old or shelf.find_older(key)
            found = shelf.get(key, lambda: Index.made(load_rows(session)), wait=old is None)
        if found is None:
            assert old is not None
            self._value = ((*stamp[:2], "the one before"), old)
            return old
        self._value = (stamp, found)
        return found


def _stamp(session: Session) -> Stamp:
    """What changes whenever the taxonomy does: the last import, and the last row of each table (ids never return)."""
    row = session.execute(
        text(
            "SELECT (SELECT oid FROM pg_database WHERE datname = current_database()),"
            " (SELECT stamp FROM skill_imports ORDER BY id DESC LIMIT 1), (SELECT max(id) FROM skill_concepts),"
            " (SELECT max(id) FROM skill_aliases), (SELECT max(id) FROM skill_edges)"
        )
    ).one()
    return (session.get_bind().engine.url.render_as_string(hide_password=True), *row)


def _key(stamp: Stamp) -> Key:
    return Key(repr(stamp[:2]), repr(stamp[2:]))


def index_key(session: Session) -> Key:
    """Of which database and state of its taxonomy the index is."""
    return _key(_stamp(session))


@contextmanager
def index_lock(key: Key) -> Iterator[None]:
    """Have other processes of this machine go on with the index they have until the one made inside is there.

    Waits while another process makes it. A folder that cannot be written raises `Invalid`.
    """
    shelf = Shelf(current_settings().cache_dir)
    with ExitStack() as stack:
        try:
            stack.enter_context(shelf.alone(key))
        except OSError as error:
            raise Invalid(
                _("The index of skills cannot be kept in %(folder)s: %(why)s.", folder=shelf.folder, why=error)
            ) from error
        yield


def prepare_index(session: Session, told: Told = lambda _name: None, *, anew: bool = False) -> Prepared:
    """Make the index of the present taxonomy unless it is there and sound; `anew`: in any case. Under `index_lock`."""
    shelf, key = Shelf(current_settings().cache_dir), index_key(session)
    found = None if anew else shelf.find(key)
    if found is None:
        told("rows")
        contents = make_contents(load_rows(session), told)
        told("files")
        shelf.put(key, contents)
    place = shelf.place(key)
    return Prepared(place, sum(path.stat().st_size for path in place.iterdir()), made=found is None)


def find_concepts(session: Session, text: str, lang: str = "fr", top: int = 10) -> list[Found]:
    """Concepts that a phrase in French or English means, best first; [] for an empty phrase or for nonsense.

    Retired concepts are not proposed. Of concepts joined as the same, only the best is: ours before ESCO's before
    ROME's.
    """
    if not text.strip():
        return []
    top = min(max(top, 0), MAX_TOP)
    index = _index.get(session)
    found: list[Found] = []
    hidden: set[int] = set()
    for hit in _beside.get(index).search(text, lang, top * 3):
        if hit.concept_id in hidden:
            continue
        found.append(Found(hit.concept_id, *index.cards.card(hit.concept_id), hit.score))
        hidden |= index.cards.same(hit.concept_id)
    return found[:top]


@dataclass(frozen=True, slots=True)
class ReadTitle:
    """What a job title is read as: likely skills, nearest occupations of ESCO, likeliest job sheets of ROME.

    Best first. The scores are comparable within one list; 1 is an occupation that bears the very title.
    """

    skills: tuple[Found, ...]
    occupations: tuple[Found, ...]
    sheets: tuple[Found, ...]


def find_skills_of_title(session: Session, text: str, lang: str = "fr", top: int = 10) -> ReadTitle:
    """The skills that somebody with this job title likely has: proposals to confirm, never facts.

    Nothing while ESCO has not been imported; sheets need ROME and a French title. A skill that is one of ours as well
    is named by ours.
    """
    index = _index.get(session)
    read = index.titles.read(text, lang, min(max(top, 0), MAX_TOP))
    return ReadTitle(*(_found_near(index, listed) for listed in (read.skills, read.occupations, read.sheets)))


def _found_near(index: Index, listed: Sequence[Near]) -> tuple[Found, ...]:
    found: dict[int, Found] = {}
    for near in listed:
        ours = (i for i in sorted(index.cards.same(near.concept_id)) if index.cards.card(i).code.startswith(OURS))
        concept = next(ours, near.concept_id)
        found.setdefault(concept, Found(concept, *index.cards.card(concept), round(near.score, 4)))
    return tuple(found.values())


def get_concept(session: Session, concept_id: int) -> SkillConcept:
    """The concept, retired or not."""
    concept = session.get(SkillConcept, concept_id)
    if concept is None:
        raise NotFound(_("This skill does not exist."))
    return concept


def get_concepts(session: Session, ids: Iterable[int]) -> dict[int, SkillConcept]:
    """The concepts of these ids, retired or not; ids that do not exist are left out."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    return {c.id: c for c in session.scalars(select(SkillConcept).where(SkillConcept.id.in_(wanted)))}


def find_by_codes(session: Session, codes: Iterable[str]) -> dict[str, SkillConcept]:
    """The concepts of these codes, retired or not; codes that do not exist are left out."""
    wanted = sorted(set(codes))
    if not wanted:
        return {}
    return {c.code: c for c in session.scalars(select(SkillConcept).where(SkillConcept.code.in_(wanted)))}


def count_concepts(session: Session) -> dict[Origin, int]:
    """How many concepts in use each origin has."""
    counted = select(SkillConcept.origin, func.count()).where(SkillConcept.retired_at.is_(None))
    return {row[0]: row[1] for row in session.execute(counted.group_by(SkillConcept.origin))}


def load_graph(session: Session) -> Graph:
    """The graph over all concepts, retired ones too: what people chose once keeps its neighbours."""
    return _index.get(session).graph


def load_rows(session: Session) -> Rows:
    """The whole taxonomy as rows, retired concepts and their edges too."""
    concepts = session.execute(
        select(
            SkillConcept.id,
            SkillConcept.code,
            SkillConcept.origin,
            SkillConcept.kind,
            SkillConcept.label_fr,
            SkillConcept.label_en,
            SkillConcept.description_fr,
            SkillConcept.description_en,
            SkillConcept.retired_at.is_not(None),
        )
    )
    aliases = session.execute(select(SkillAlias.concept_id, SkillAlias.lang, SkillAlias.text).order_by(SkillAlias.id))
    edges = session.execute(
        select(SkillEdge.source_id, SkillEdge.target_id, SkillEdge.kind, SkillEdge.weight, SkillEdge.origin)
    )
    return Rows.of((Concept(*c) for c in concepts), (Alias(*a) for a in aliases), (Edge(*e) for e in edges))


class _Beside:
    """Search with more candidates from the embedder that the application was given (`create_app`), if it was."""

    def __init__(self) -> None:
        self._value: tuple[Index, Embedder, SearchIndex] | None = None

    def get(self, index: Index) -> SearchIndex:
        """The search of the index; vectors of all names are made when an index is first used."""
        embedder: Embedder | None = current_part("koz_embedder")
        if embedder is None:
            return index.search
        held = self._value
        if held is None or held[0] is not index or held[1] is not embedder:
            held = self._value = (index, embedder, index.search.beside(embedder, index.cards.names()))
        return held[2]


_index: Final = _Held()
_beside: Final = _Beside()


# Profiles and missions ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SkillRow:
    """A declared or needed skill with its labels: `must` only of needs."""

    concept_id: int
    label_fr: str | None
    label_en: str | None
    level: int
    must: bool = False

    def label(self, lang: str) -> str:
        """The label in `lang`, else in the other language."""
        first, second = (self.label_en, self.label_fr) if lang == "en" else (self.label_fr, self.label_en)
        return first or second or ""


@dataclass(frozen=True, slots=True)
class MissionCard:
    """A mission with what a reader needs beside it."""

    mission: Mission
    campaign: Campaign
    organisation: str
    needs: tuple[SkillRow, ...]


def find_profile(session: Session, person_id: int) -> Profile | None:
    """The person's profile."""
    return session.scalar(select(Profile).where(Profile.person_id == person_id))


def list_profile_skills(session: Session, profile_id: int) -> Sequence[SkillRow]:
    """What the person confirmed, the strongest first."""
    query = (
        select(SkillConcept.id, SkillConcept.label_fr, SkillConcept.label_en, ProfileSkill.level)
        .join(SkillConcept, SkillConcept.id == ProfileSkill.concept_id)
        .where(ProfileSkill.profile_id == profile_id)
        .order_by(ProfileSkill.level.desc(), SkillConcept.id)
    )
    return [SkillRow(*row) for row in session.execute(query)]


def _no_mission() -> NotFound:
    return NotFound(_("This mission does not exist or is not public. See the missions that are open."))


def get_mission(session: Session, mission_id: int) -> Mission:
    """The mission, whatever its state. Raises NotFound."""
    mission = session.get(Mission, mission_id)
    if mission is None:
        raise _no_mission()
    return mission


def lock_mission(session: Session, mission_id: int) -> Mission:
    """The mission's row, locked until the end of the transaction and freshly read. Raises NotFound."""
    mission = session.scalar(
        select(Mission)
        .where(Mission.id == mission_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if mission is None:
        raise _no_mission()
    return mission


def get_mission_for(session: Session, actor: Actor, mission_id: int) -> tuple[Mission, Campaign]:
    """The mission and its campaign, for the owners and editors of its organisation. Raises NotFound, NotAllowed."""
    row = session.execute(
        select(Mission, Campaign).join(Campaign, Campaign.id == Mission.campaign_id).where(Mission.id == mission_id)
    ).first()
    if row is None or not permissions.can_see_mission(actor, row[0], row[1]):
        raise _no_mission()
    if not permissions.can_manage_missions(actor, row[1]):
        raise NotAllowed(_("Only owners and editors of this organisation may do this."))
    return row[0], row[1]


def get_mission_card(session: Session, actor: Actor, mission_id: int) -> MissionCard:
    """One mission as its page shows it, if the actor may see it. Raises NotFound."""
    (card,) = _cards(session, _card_query().where(Mission.id == mission_id)) or (None,)
    if card is None or not permissions.can_see_mission(actor, card.mission, card.campaign):
        raise _no_mission()
    return card


def list_cards(session: Session, mission_ids: Sequence[int]) -> list[MissionCard]:
    """Missions by their ids, whatever their state, in the order of the ids given."""
    if not mission_ids:
        return []
    found = {c.mission.id: c for c in _cards(session, _card_query().where(Mission.id.in_(mission_ids)))}
    return [found[i] for i in mission_ids if i in found]


def is_helped(campaign: Campaign) -> bool:
    """Whether people may take missions of the campaign now."""
    return campaign.state in permissions.HELPED


def list_needs(session: Session, mission_ids: Iterable[int]) -> dict[int, tuple[SkillRow, ...]]:
    """Needs by mission, must-haves first."""
    wanted = sorted(set(mission_ids))
    found: dict[int, list[SkillRow]] = {m: [] for m in wanted}
    if wanted:
        query = (
            select(
                MissionNeed.mission_id,
                SkillConcept.id,
                SkillConcept.label_fr,
                SkillConcept.label_en,
                MissionNeed.level,
                MissionNeed.must,
            )
            .join(SkillConcept, SkillConcept.id == MissionNeed.concept_id)
            .where(MissionNeed.mission_id.in_(wanted))
            .order_by(MissionNeed.mission_id, MissionNeed.must.desc(), SkillConcept.id)
        )
        for mission_id, concept_id, label_fr, label_en, level, must in session.execute(query):
            found[mission_id].append(SkillRow(concept_id, label_fr, label_en, level, must))
    return {m: tuple(rows) for m, rows in found.items()}


def _card_query() -> Select[Mission, Campaign, str]:
    return (
        select(Mission, Campaign, Organisation.name)
        .join(Campaign, Campaign.id == Mission.campaign_id)
        .join(Organisation, Organisation.id == Campaign.organisation_id)
    )


def _cards(session: Session, query: Select[Mission, Campaign, str]) -> list[MissionCard]:
    """Two statements, however many missions."""
    rows = session.execute(query).all()
    needs = list_needs(session, [mission.id for mission, _campaign, _name in rows])
    return [MissionCard(mission, campaign, name, needs[mission.id]) for mission, campaign, name in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a list of missions is narrowed to; empty is everything."""

    text: str = ""
    cause: str = ""
    campaign: str = ""
    remote: bool = False


def list_open_missions(
    session: Session, wanted: Wanted | None = None, *, before: int | None = None, limit: int = 21
) -> list[MissionCard]:
    """Open missions of campaigns that can use help, latest first; `before` is the last id of the page before."""
    query = _card_query().where(Mission.state == MissionState.OPEN, Campaign.state.in_(permissions.HELPED))
    if wanted and wanted.text:
        query = query.where(Mission.search.op("@@")(func.websearch_to_tsquery("french", wanted.text)))
    if wanted and wanted.cause:
        query = query.where(Campaign.cause == wanted.cause)
    if wanted and wanted.campaign:
        query = query.where(Campaign.slug == wanted.campaign)
    if wanted and wanted.remote:
        query = query.where(Mission.remote)
    if before is not None:
        query = query.where(Mission.id < before)
    return _cards(session, query.order_by(Mission.id.desc()).limit(limit))


def list_missions_of(session: Session, campaign_id: int, *, drafts: bool = False, limit: int = 50) -> list[MissionCard]:
    """Missions of a campaign, open ones first; drafts only for its organisation's own pages."""
    query = _card_query().where(Mission.campaign_id == campaign_id)
    if not drafts:
        query = query.where(Mission.state.in_(PUBLIC_MISSIONS))
    rank = case({MissionState.OPEN: 0, MissionState.DRAFT: 1, MissionState.FILLED: 2}, value=Mission.state, else_=3)
    return _cards(session, query.order_by(rank, Mission.id).limit(limit))


def missions_column(limit: int) -> Any:
    """For `campaigns.queries.public_page`: the campaign's public missions, open ones first, as JSON objects."""
    facts = ("id", "title", "state", "hours_total", "hours_per_week")
    names = (*facts, "remote", "department", "starts_on", "ends_on")
    rank = case({MissionState.OPEN: 0, MissionState.FILLED: 1}, value=Mission.state, else_=2)
    return rows_of(Mission, names, rank, where=(Mission.state.in_(PUBLIC_MISSIONS),), limit=limit)


def count_open_missions(session: Session) -> int:
    """How many missions wait for somebody."""
    query = (
        select(func.count())
        .select_from(Mission)
        .join(Campaign, Campaign.id == Mission.campaign_id)
        .where(Mission.state == MissionState.OPEN, Campaign.state.in_(permissions.HELPED))
    )
    return session.scalar(query) or 0
