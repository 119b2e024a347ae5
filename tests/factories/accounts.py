"""People and organisations for tests."""

from itertools import count

from sqlalchemy.orm import Session

from koz.accounts import services
from koz.accounts.models import Organisation, Person, Role
from koz.core.clock import now

_numbers = count(1)
PASSWORD = "koz-demo-2026"
_hash: list[str] = []


def make_person(session: Session, *, verified: bool = True, **values) -> Person:
    """A person whose password is PASSWORD (hashed once for all tests)."""
    n = next(_numbers)
    if not _hash:
        _hash.append(services.hash_password(PASSWORD))
    values = {
        "email": f"person{n}@koz.test",
        "name": f"Personne {n}",
        "locale": "fr",
        "password_hash": _hash[0],
    } | values
    person = Person(email_verified_at=now() if verified else None, **values)
    session.add(person)
    session.flush()
    return person


def make_organisation(session: Session, *, owner: Person | None = None, **values) -> Organisation:
    """An association, with an owner of its own unless given."""
    n = next(_numbers)
    values = {"slug": f"association-{n}", "name": f"Association {n}", "kind": "association"} | values
    organisation = Organisation(**values)
    session.add(organisation)
    session.flush()
    services.add_member(session, organisation.id, (owner or make_person(session)).id, Role.OWNER)
    return organisation


def make_member(session: Session, organisation: Organisation, role: str, **values) -> Person:
    """A person with a role in the organisation."""
    person = make_person(session, **values)
    services.add_member(session, organisation.id, person.id, role)
    return person
