"""Staff's report on invitations: numbers only, and for staff only."""

import pytest

from tests.admin.test_views import staff  # noqa: F401 - a fixture
from tests.factories.accounts import make_person
from tests.factories.matching import invite, make_concept, make_mission, make_profile


@pytest.fixture
def asked(session):
    skill = make_concept(session)
    profile = make_profile(session, {skill.id: 5})
    make_profile(session, {skill.id: 2})
    invite(session, make_mission(session, {skill.id: (3, True)}), profile)


def test_the_report_says_how_invitations_fall(client, asked, staff):  # noqa: F811
    page = client.get("/admin/exposure")
    assert "une fois" in page.text
    assert "50 % des professionnels" in page.text
    assert "jamais" in page.text


def test_nobody_else_reads_it(session, client, login, asked):
    login(make_person(session))
    client.get("/admin/exposure", status=404)
