"""Organisations, roles, numbers, audit and erasure."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from koz.accounts import queries, services
from koz.accounts.models import Organisation
from koz.core.errors import Conflict, Invalid
from tests.factories.accounts import make_member, make_organisation, make_person


def test_numbers_are_checked(app):
    assert services.clean_siren("784 671 695") == "784671695"
    assert services.clean_rna(" w75 1234567 ") == "W751234567"
    assert services.clean_siren("") is None
    for wrong in ("784671696", "123", "abcdefghi"):
        with pytest.raises(Invalid):
            services.clean_siren(wrong)
    for wrong in ("751234567", "W75123456", "W7512345678", "W75é234567"):
        with pytest.raises(Invalid):
            services.clean_rna(wrong)


def test_an_organisation_has_an_owner_and_a_free_address(session):
    owner = make_person(session)
    new = services.NewOrganisation(name="Eau Vive", kind="association", owner_id=owner.id, siren="784671695")
    first = services.create_organisation(session, new)
    assert queries.list_member_ids(session, first.id, ["owner"]) == [owner.id]
    with pytest.raises(Conflict):
        services.create_organisation(session, new)
    second = services.create_organisation(
        session, services.NewOrganisation(name="Eau Vive", kind="other", owner_id=owner.id)
    )
    assert (first.slug, second.slug) == ("eau-vive", "eau-vive-2")


def test_the_last_owner_stays(session):
    organisation = make_organisation(session)
    (owner,) = queries.list_member_ids(session, organisation.id, ["owner"])
    with pytest.raises(Conflict):
        services.remove_member(session, organisation.id, owner, "owner")
    make_member(session, organisation, "owner")
    services.remove_member(session, organisation.id, owner, "owner")
    assert owner not in queries.list_member_ids(session, organisation.id, ["owner"])


def test_the_database_refuses_what_the_forms_would(session):
    for values in ({"siren": "12"}, {"rna": "X123456789"}, {"kind": "circus"}):
        with pytest.raises((IntegrityError, ValueError)), session.begin_nested():
            if "kind" in values:
                session.execute(
                    text("INSERT INTO organisations (slug, name, kind, created_at) VALUES ('a', 'a', 'circus', now())")
                )
            session.add(Organisation(**({"slug": "x", "name": "x", "kind": "other"} | values)))
            session.flush()


def test_the_audit_is_append_only(session):
    person = make_person(session)
    services.audit(session, person.id, "look", "campaign 1", "because")
    session.flush()
    for attack in ("UPDATE audit_entries SET reason = ''", "DELETE FROM audit_entries", "TRUNCATE audit_entries"):
        with pytest.raises(IntegrityError), session.begin_nested():
            session.execute(text(attack))


def test_erasure_leaves_nothing_personal(session):
    person = make_person(session, email="erase.me@koz.test", name="Nom Unique")
    services.open_session(session, person, "agent")
    services.erase_person(session, person.id)
    session.flush()
    rows = session.execute(
        select(text("persons::text")).select_from(text("persons")).where(text(f"id = {person.id}"))
    ).scalar()
    assert "erase.me" not in rows
    assert "Nom Unique" not in rows
    assert queries.list_sessions(session, person.id) == []
