"""What layers above know about a mission and its page shows: asked through registered functions, as in adr/0021.

They run in the reader's transaction and only read.
"""

from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from koz.skills.queries import MissionCard

#: Pairs of a term and what it is.
Facts = Sequence[tuple[str, str]]
FactSource = Callable[[Session, MissionCard], Facts]
_sources: dict[str, FactSource] = {}


def mission_fact(source: FactSource) -> FactSource:
    """Register a source of facts beside a mission."""
    _sources[f"{source.__module__}.{source.__name__}"] = source
    return source


def facts_beside(session: Session, card: MissionCard) -> list[tuple[str, str]]:
    """All facts about a mission that others tell."""
    return [fact for source in _sources.values() for fact in source(session, card)]
