"""An organisation with its people, and staff who may review."""

from dataclasses import dataclass
from datetime import datetime

import pytest
import time_machine
from sqlalchemy import update

from koz.accounts.models import Organisation, Person, UserSession
from koz.core.clock import PARIS, now
from tests.factories.accounts import make_member, make_organisation, make_person
from tests.factories.campaigns import actor_of, make_draft, make_payable


@dataclass
class People:
    """Everybody who can meet a campaign."""

    organisation: Organisation
    owner: Person
    editor: Person
    treasurer: Person
    moderator: Person
    stranger: Person  # owner of another organisation
    staff: Person
    insider: Person  # staff and editor of the organisation

    def actor(self, session, name):
        return actor_of(session, getattr(self, name))


@pytest.fixture
def people(session) -> People:
    owner, stranger = make_person(session, name="Olga"), make_person(session)
    organisation = make_organisation(session, owner=owner, name="Cours ouvertes")
    make_organisation(session, owner=stranger)
    return People(
        organisation,
        owner,
        make_member(session, organisation, "editor", locale="en"),
        make_member(session, organisation, "treasurer"),
        make_member(session, organisation, "moderator"),
        stranger,
        make_person(session, is_staff=True),
        make_member(session, organisation, "editor", is_staff=True),
    )


@pytest.fixture
def owner(session, people):
    return actor_of(session, people.owner)


@pytest.fixture
def draft(session, people, owner) -> str:
    """Slug of a complete draft."""
    return make_draft(session, owner, people.organisation.id)


@pytest.fixture
def payable(session, people):
    make_payable(session, people.organisation.id)


@pytest.fixture
def time_machine_at():
    """`time_machine_at(day, hour=1)`: it is that hour in Paris from now on."""
    travellers = []

    def travel(day, hour=12):
        for traveller in travellers:
            traveller.stop()
        travellers[:] = [time_machine.travel(datetime(day.year, day.month, day.day, hour, tzinfo=PARIS), tick=False)]
        travellers[0].start()

    yield travel
    for traveller in travellers:
        traveller.stop()


@pytest.fixture
def login(login, session):
    """`login(person)`: through the real page; staff with a second factor."""

    def enter(person):
        login(person)
        if person.is_staff:
            mine = update(UserSession).where(UserSession.person_id == person.id)
            session.execute(mine.values(second_factor_at=now()))

    return enter
