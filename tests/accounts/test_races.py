"""What two requests at one moment do, with real commits."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select

from koz.accounts import services
from koz.accounts.models import Person
from koz.accounts.services import NewPerson
from koz.core.db import unit_of_work


def test_a_double_click_on_join_makes_one_person_and_says_nothing_of_it(committed_app):
    new = NewPerson(email="awa@koz.test", name="Awa", password="quatre mots bien choisis")

    def join(_n):
        with committed_app.app_context(), unit_of_work() as session:
            services.join(session, new)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(join, range(4))) == [None] * 4
    with unit_of_work() as session:
        assert session.scalar(select(func.count()).select_from(Person)) == 1
