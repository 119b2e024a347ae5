"""A professional's profile: own words, skills confirmed out of what the words were understood as, availability.

Nothing is inferred: a concept is in a profile because its person ticked it. Three small steps, each saved by itself.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from koz.accounts.services import exporter
from koz.campaigns.states import CAUSES
from koz.core.clock import now, today
from koz.core.errors import Invalid, NotFound
from koz.core.i18n import _
from koz.skills import queries
from koz.skills.models.offers import WEEK_HOURS, Profile, ProfileSkill
from koz.skills.queries import Found
from koz.skills.states import DEPARTMENTS, LANGUAGES, LEVELS

MAX_WORDS: Final = 2000
MAX_SKILLS: Final = 40
MAX_PHRASES: Final = 12
PER_PHRASE: Final = 4
#: A pause that ends by itself is no longer than this.
MAX_PAUSE: Final = timedelta(days=366)
#: A concept is proposed from this likeness on: below it people mostly see noise.
PROPOSE_FROM: Final = 0.45
#: A phrase is taken for a job title from this likeness to a known title on; so many of the job's skills are proposed.
JOB_FROM: Final = 0.9
PER_JOB: Final = 6
_BREAKS: Final = re.compile(r"[\n,;.:!?•·()/]+|\s[-–—]\s|\s(?:et|ou|and|or)\s", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A phrase of the person and the concepts it may mean, best first.

    If the phrase is a job title: the `job`, and skills that its people often have.
    """

    phrase: str
    found: tuple[Found, ...]
    job: Found | None = None
    often: tuple[Found, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """When, where, in which languages and for what: codes of `koz/skills/states.py`. No date means at any time."""

    hours_per_week: int
    languages: Sequence[str]
    departments: Sequence[str] = ()
    remote: bool = True
    available_from: date | None = None
    available_until: date | None = None
    causes: Sequence[str] = ()
    causes_shared: bool = False


def split_phrases(words: str) -> list[str]:
    """The phrases of a text, as people separate them: lines, commas, "and"; each once, at most MAX_PHRASES."""
    phrases = (" ".join(p.split()) for p in _BREAKS.split(words))
    kept = dict.fromkeys(p for p in phrases if len(p) >= 2)
    return list(kept)[:MAX_PHRASES]


def suggest(session: Session, words: str, lang: str) -> list[Suggestion]:
    """What the words may mean, phrase by phrase; a concept is shown once, under the first phrase that brings it."""
    seen: set[int] = set()
    suggestions = []
    for phrase in split_phrases(words):
        found = queries.find_concepts(session, phrase, lang, PER_PHRASE)
        new = tuple(f for f in found if f.score >= PROPOSE_FROM and f.id not in seen)
        seen |= {f.id for f in new}
        suggestions.append(Suggestion(phrase, new))
    return [_with_job(session, suggestion, lang, seen) for suggestion in suggestions]


def _with_job(session: Session, suggestion: Suggestion, lang: str, seen: set[int]) -> Suggestion:
    """The suggestion with the skills of the job it names, if it names one; `seen` are shown elsewhere."""
    read = queries.find_skills_of_title(session, suggestion.phrase, lang, PER_JOB)
    if not read.occupations or read.occupations[0].score < JOB_FROM:
        return suggestion
    often = tuple(f for f in read.skills if f.id not in seen)
    seen |= {f.id for f in often}
    return replace(suggestion, job=read.occupations[0], often=often)


def save_words(session: Session, person_id: int, words: str) -> Profile:
    """Keep the person's own words; the first time this makes the profile. Confirmed skills stay."""
    profile = _lock_or_make(session, person_id)
    _set_words(profile, words)
    return profile


def save_profile(
    session: Session, person_id: int, words: str, levels: Mapping[int, int], given: Availability
) -> Profile:
    """All three steps at once: own words, confirmed skills, availability. Raises Invalid."""
    profile = _lock_or_make(session, person_id)
    _set_words(profile, words)
    _set_skills(session, profile, levels)
    _set_availability(profile, given)
    return profile


def _set_words(profile: Profile, words: str) -> None:
    if len(words) > MAX_WORDS:
        raise Invalid(_("This text has %(n)s characters; the limit is %(max)s.", n=len(words), max=MAX_WORDS))
    profile.words, profile.updated_at = words, now()


def confirm_skills(session: Session, person_id: int, levels: Mapping[int, int], *, looking_on: bool = False) -> None:
    """The confirmed skills are these from now on: concept → level.

    Raises Invalid, also when nothing is ticked by somebody who had nothing and is not `looking_on` for more.
    """
    profile = _lock_or_make(session, person_id)
    if not levels and not looking_on and not queries.list_profile_skills(session, profile.id):
        raise Invalid(_("Tick at least one skill, or look for another one below."))
    _set_skills(session, profile, levels)


def _set_skills(session: Session, profile: Profile, levels: Mapping[int, int]) -> None:
    if len(levels) > MAX_SKILLS:
        raise Invalid(_("Choose at most %(n)s skills: those you would gladly use.", n=MAX_SKILLS))
    if any(level not in LEVELS for level in levels.values()):
        raise Invalid(_("Choose a level for each skill."))
    if set(levels) != set(queries.get_concepts(session, levels)):
        raise Invalid(_("One of these skills does not exist any more. Reload the page and choose again."))
    gone = delete(ProfileSkill).where(ProfileSkill.profile_id == profile.id)
    session.execute(gone.where(ProfileSkill.concept_id.not_in(levels)) if levels else gone)
    rows = [
        {"profile_id": profile.id, "concept_id": concept_id, "level": level, "confirmed_at": now()}
        for concept_id, level in levels.items()
    ]
    if rows:
        statement = insert(ProfileSkill).values(rows)
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["profile_id", "concept_id"], set_={"level": statement.excluded.level}
            )
        )
    profile.updated_at = now()


def save_availability(session: Session, person_id: int, given: Availability) -> Profile:
    """Keep hours, languages, places and causes. Raises Invalid with what to do."""
    profile = _lock_or_make(session, person_id)
    _set_availability(profile, given)
    return profile


def _set_availability(profile: Profile, given: Availability) -> None:
    if not 1 <= given.hours_per_week <= WEEK_HOURS:
        raise Invalid(_("Enter a number of hours from %(low)s to %(high)s.", low=1, high=WEEK_HOURS))
    if not given.languages:
        raise Invalid(_("Choose at least one language you work in."))
    if not given.remote and not given.departments:
        raise Invalid(_("Choose a place, or tick that you can work remotely."))
    if given.available_from and given.available_until and given.available_until < given.available_from:
        raise Invalid(_("The last day comes before the first one. Correct one of the two."))
    assert set(given.languages) <= set(LANGUAGES)
    assert set(given.departments) <= set(DEPARTMENTS)
    assert set(given.causes) <= set(CAUSES)
    profile.hours_per_week = given.hours_per_week
    profile.languages = sorted(set(given.languages))
    profile.departments = sorted(set(given.departments))
    profile.remote = given.remote
    profile.available_from, profile.available_until = given.available_from, given.available_until
    profile.causes = sorted(set(given.causes))
    profile.causes_shared = given.causes_shared
    profile.updated_at = now()


def set_paused(session: Session, person_id: int, *, paused: bool, until: date | None = None) -> None:
    """Stop or restart being proposed; a pause `until` a day ends by itself on that day. Raises NotFound, Invalid."""
    profile = _lock(session, person_id)
    if profile is None:
        raise NotFound(_("You have no profile yet. Tell what you can do first."))
    if until is not None and not today() < until <= today() + MAX_PAUSE:
        raise Invalid(_("Enter a day to come, within a year, or leave the field empty."))
    profile.paused = paused and until is None
    profile.quiet_until = until if paused else None


def forget_profile(session: Session, person_id: int) -> bool:
    """Delete the profile and its skills (erasure). False when there was none."""
    gone = session.scalar(delete(Profile).where(Profile.person_id == person_id).returning(Profile.id))
    return gone is not None


def _lock(session: Session, person_id: int) -> Profile | None:
    statement = select(Profile).where(Profile.person_id == person_id).with_for_update(key_share=True)
    return session.scalar(statement.execution_options(populate_existing=True))


def _lock_or_make(session: Session, person_id: int) -> Profile:
    profile = _lock(session, person_id)
    if profile is not None:
        return profile
    moment = now()
    blank = {
        "person_id": person_id, "words": "", "hours_per_week": 0, "languages": [], "departments": [], "remote": True,
        "causes": [], "causes_shared": False, "paused": False, "created_at": moment, "updated_at": moment,
    }  # fmt: skip
    session.execute(insert(Profile).values(blank).on_conflict_do_nothing(index_elements=["person_id"]))
    profile = _lock(session, person_id)
    assert profile is not None
    return profile


def without(suggestions: Sequence[Suggestion], known: Collection[int]) -> list[Suggestion]:
    """The suggestions less the concepts that are confirmed already."""
    return [
        replace(
            s,
            found=tuple(f for f in s.found if f.id not in known),
            often=tuple(f for f in s.often if f.id not in known),
        )
        for s in suggestions
    ]


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


@exporter("profile")
def _export_profile(session: Session, person_id: int) -> list[dict[str, Any]]:
    """The profile as its person wrote and confirmed it."""
    profile = queries.find_profile(session, person_id)
    if profile is None:
        return []
    skills = queries.list_profile_skills(session, profile.id)
    return [{
        "words": profile.words, "hours_per_week": profile.hours_per_week, "languages": profile.languages,
        "departments": profile.departments, "remote": profile.remote, "causes": profile.causes,
        "causes_shared": profile.causes_shared, "paused": profile.paused, "quiet_until": _iso(profile.quiet_until),
        "available_from": _iso(profile.available_from), "available_until": _iso(profile.available_until),
        "skills": [{"label_fr": s.label_fr, "label_en": s.label_en, "level": s.level} for s in skills],
    }]  # fmt: skip
