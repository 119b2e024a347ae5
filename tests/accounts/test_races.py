"""What two requests at one moment do, with real commits."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from koz.accounts import services
from koz.accounts.models import Person
from koz.accounts.services import NewOrganisation, NewPerson
from koz.core.db import unit_of_work
from koz.core.errors import Conflict
from tests.factories.accounts import make_person


def test_a_double_click_on_join_makes_one_person_and_says_nothing_of_it(committed_app):
    new = NewPerson(email="awa@koz.test", name="Awa", password="quatre mots bien choisis")

    def join(_n):
        with committed_app.app_context(), unit_of_work() as session:
            services.join(session, new)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(join, range(4))) == [None] * 4
    with unit_of_work() as session:
        assert session.scalar(select(func.count()).select_from(Person)) == 1


@pytest.mark.parametrize(("siren", "made"), [("", 4), ("784671695", 1)])
def test_organisations_founded_at_one_moment_have_addresses_of_their_own_and_one_has_a_number(
    committed_app, siren, made
):
    with unit_of_work() as session:
        owner_id = make_person(session).id
    new = NewOrganisation(name="Les Amis", kind="association", siren=siren, rna="", owner_id=owner_id)

    def found(_n):
        try:
            with committed_app.app_context(), unit_of_work() as session:
                return services.create_organisation(session, new).slug
        except Conflict:
            return None

    with ThreadPoolExecutor(4) as pool:
        slugs = [slug for slug in pool.map(found, range(4)) if slug]
    assert len(set(slugs)) == len(slugs) == made
