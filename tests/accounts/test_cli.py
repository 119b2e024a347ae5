"""`koz accounts`: who belongs to staff."""

from koz.accounts import cli, queries, services
from koz.accounts.models import AuditEntry
from koz.core.db import unit_of_work
from koz.core.errors import NotFound
from tests.factories.accounts import make_person


def run(app, *words):
    result = app.test_cli_runner().invoke(cli.cli, list(words))
    return result.exit_code, result.output, result.exception


def test_staff_are_made_and_unmade_by_their_address(committed_app):
    with unit_of_work() as session:
        person = make_person(session)
        services.open_session(session, person)
        make_person(session, email="unproved@koz.test", verified=False)
    code, said, _error = run(committed_app, "make-staff", person.email.upper())
    assert code == 0
    assert "/security/second-factor" in said
    with unit_of_work() as session:
        found = queries.get_person(session, person.id)
        assert (found.is_staff, found.is_moderator) == (True, False)
        assert queries.list_sessions(session, person.id) == []
        assert session.query(AuditEntry).one().act == "make-staff"
        found.totp_secret = "X" * 32
    assert "their second factor opens" in run(committed_app, "make-staff", "--moderator", person.email)[1]
    assert run(committed_app, "unmake-staff", person.email)[0] == 0
    with unit_of_work() as session:
        found = queries.get_person(session, person.id)
        assert not found.is_staff
        assert not found.is_moderator


def test_unknown_and_unproved_addresses_are_refused_in_a_sentence(committed_app):
    with unit_of_work() as session:
        make_person(session, email="unproved@koz.test", verified=False)
    for words in (
        ("make-staff", "nobody@koz.test"),
        ("make-staff", "unproved@koz.test"),
        ("unmake-staff", "x@koz.test"),
    ):
        code, said, error = run(committed_app, *words)
        assert code == 1
        assert isinstance(error, NotFound)
        assert words[1] in error.sentence
        assert said == ""
