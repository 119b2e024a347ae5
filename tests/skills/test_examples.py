"""The demonstration's professionals and missions: made by the services, the same each time, with matches to show."""

from koz.matching.services import ranking
from koz.skills.services import examples
from koz.skills.services.taxonomy_import import load_starter
from tests.factories.accounts import make_organisation, make_person
from tests.factories.campaigns import make_campaign
from tests.factories.matching import actor_of


def test_two_hundred_professionals_and_thirty_missions_find_each_other(session):
    load_starter(session)
    owner = make_person(session)
    organisation = make_organisation(session, owner=owner)
    slugs = [make_campaign(session, organisation_id=organisation.id).slug for _ in range(10)]
    people = [make_person(session).id for _ in range(200)]
    assert examples.seed_professionals(session, people) == 200
    missions = examples.seed_missions(session, actor_of(session, owner.id), slugs)
    assert len(missions) == 30
    found = [ranking.best_professionals(session, m) for m in missions]
    assert sum(1 for f in found if len(f) >= 3) >= 25
    assert any(ranking.best_missions(session, p) for p in people[:16])
