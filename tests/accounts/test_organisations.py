"""An organisation from inside: who sees what, roles, invitations, the log."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from koz.accounts import queries, services
from koz.accounts.models import Invitation, OrganisationAct, Role
from koz.core.clock import now
from koz.core.db import unit_of_work
from koz.core.errors import Conflict, KozError
from tests.factories.accounts import PASSWORD, make_member, make_organisation, make_person
from tests.workflows.test_account_mails import path_in


@pytest.fixture
def place(session):
    owner = make_person(session, name="Olga Propriétaire")
    return make_organisation(session, owner=owner), owner


def address(organisation, rest=""):
    return f"/manage/organisations/{organisation.slug}{rest}"


def acts(session, organisation):
    return [row.entry.act for row in queries.list_organisation_entries(session, organisation.id)]


def test_members_see_the_inside_outsiders_learn_nothing(client, session, place, enter):
    organisation, owner = place
    enter(make_person(session))
    stranger = client.get(address(organisation), status=404)
    assert stranger.text == client.get("/manage/organisations/no-such-place", status=404).text
    enter(make_member(session, organisation, "treasurer"))
    page = client.get(address(organisation))
    assert owner.name in page.text
    assert owner.email not in page.text, "addresses are for owners"
    assert not page.all("input", name="email")
    client.get(address(organisation, "/edit"), status=403)
    client.get(address(organisation, f"/members/{owner.id}"), status=403)
    client.post(address(organisation, "/invitations"), {"email": "x@koz.test", "role": "editor"}, status=403)


def test_details_change_with_a_fresh_password_and_are_checked_again(client, session, place, enter):
    organisation, owner = place
    organisation.verified_at = now()
    form = {"name": "Eau Claire", "kind": "association", "siren": "784 671 695", "rna": "w751234567"}
    enter(owner, fresh=False)
    assert "/confirm" in client.post(address(organisation, "/edit"), form).response.location
    enter(owner)
    assert client.get(address(organisation, "/edit")).field("name") == organisation.name
    assert client.post(address(organisation, "/edit"), form | {"siren": "1"}, status=422).field("name") == "Eau Claire"
    client.post(address(organisation, "/edit"), form)
    session.refresh(organisation)
    assert (organisation.name, organisation.siren, organisation.rna) == ("Eau Claire", "784671695", "W751234567")
    assert organisation.verified_at is None
    client.post(address(organisation, "/edit"), form)
    assert acts(session, organisation) == [OrganisationAct.EDITED], "what changes nothing is not logged"
    other = make_organisation(session, owner=owner)
    client.post(address(other, "/edit"), form, status=422)


@pytest.mark.parametrize("known", [False, True])
def test_an_invitation_leads_from_the_mail_into_the_organisation(client, session, place, enter, letters, known):
    organisation, owner = place
    email = make_person(session, email="nina@koz.test", locale="en").email if known else "nina@koz.test"
    enter(owner)
    client.post(address(organisation, "/invitations"), {"email": " Nina@Koz.test ", "role": "treasurer"})
    (letter,) = letters()
    assert letter.to_email == email
    assert organisation.name in letter.subject
    assert "treasurer" in letter.text if known else "trésorerie" in letter.text
    assert "Nina" not in client.get(address(organisation)).text
    assert email in client.get(address(organisation)).text
    link = path_in(letter)
    client.client.delete_cookie("koz_session")
    page = client.get(link)
    assert session.scalars(select(Invitation)).one().accepted_at is None, "opening the link accepts nothing"
    if known:
        assert f"/login?next={link}" in page.links()
        client.post(f"/login?next={link}", {"email": email, "password": PASSWORD})
        client.get(link)
        client.post(link)
    else:
        client.post(link, {"name": "Nina", "password": "motdepasse1"}, status=422)
        client.post(link, {"name": "Nina", "password": "quatre mots bien choisis"})
        assert queries.find_person_by_email(session, email).email_verified_at is not None
    assert organisation.name in client.get(address(organisation)).text
    nina = queries.find_person_by_email(session, email)
    assert queries.list_member_ids(session, organisation.id, ["treasurer"]) == [nina.id]
    (told,) = letters()
    assert told.to_email == owner.email
    client.get(link, status=410)
    client.post(link, {"name": "X", "password": "quatre mots bien choisis"}, status=410)
    assert acts(session, organisation) == [OrganisationAct.JOINED, OrganisationAct.INVITED]


def test_links_that_are_taken_back_expired_or_forged_say_so(client, session, place, enter):
    organisation, owner = place
    enter(owner)
    for n, email in enumerate(("a@koz.test", "b@koz.test")):
        client.post(address(organisation, "/invitations"), {"email": email, "role": "editor"})
        assert len(queries.list_open_invitations(session, organisation.id)) == n + 1
    second, first = queries.list_open_invitations(session, organisation.id)
    client.post(address(organisation, f"/invitations/{first.id}/revoke"))
    client.post(address(organisation, f"/invitations/{first.id}/revoke"), status=404)
    second.expires_at = now()
    session.flush()
    sentences = {
        client.get(f"/invitations/{services.invitation_token(first)}", status=410).text,
        client.get(f"/invitations/{services.invitation_token(second)}", status=410).text,
        client.get("/invitations/forged", status=404).text,
    }
    assert len(sentences) == 3


def test_inviting_again_renews_the_same_invitation(session, place):
    organisation, owner = place
    new = services.NewInvitation(
        organisation_id=organisation.id, email="a@koz.test", role="editor", invited_by=owner.id
    )
    first = services.invite(session, new)
    row = session.get_one(Invitation, first)
    row.expires_at = now()
    session.flush()
    assert services.invite(session, new) == first
    session.refresh(row)
    assert row.expires_at > now()
    person = make_member(session, organisation, "editor")
    with pytest.raises(Conflict):
        services.invite(
            session,
            services.NewInvitation(
                organisation_id=organisation.id, email=person.email, role=Role.EDITOR, invited_by=owner.id
            ),
        )


def test_nobody_invites_before_their_own_address_is_proved(client, session, enter):
    owner = make_person(session, verified=False)
    organisation = make_organisation(session, owner=owner)
    enter(owner)
    client.post(address(organisation, "/invitations"), {"email": "x@koz.test", "role": "editor"}, status=403)


def test_invitations_are_bounded(client, session, place, enter):
    organisation, owner = place
    enter(owner)
    for n in range(50):
        client.post(address(organisation, "/invitations"), {"email": f"p{n}@koz.test", "role": "editor"})
    client.post(address(organisation, "/invitations"), {"email": "one@koz.test", "role": "editor"}, status=429)


def test_roles_change_and_the_last_owner_stays(client, session, place, enter):
    organisation, owner = place
    member = make_member(session, organisation, "editor", name="Max")
    enter(owner)
    assert client.get(address(organisation, f"/members/{member.id}")).all("input", name="editor", checked="")
    client.post(address(organisation, f"/members/{member.id}"), {"editor": "y", "treasurer": "y"})
    client.post(address(organisation, f"/members/{member.id}"), {}, status=422)
    assert queries.find_member(session, organisation.id, member.id).roles == {Role.EDITOR, Role.TREASURER}
    client.post(address(organisation, f"/members/{owner.id}"), {"editor": "y"}, status=422)
    client.post(address(organisation, "/leave"), status=409)
    client.post(address(organisation, f"/members/{member.id}/remove"))
    assert queries.find_member(session, organisation.id, member.id) is None
    client.post(address(organisation, f"/members/{member.id}/remove"), status=404)
    other = make_member(session, organisation, "owner")
    client.post(address(organisation, "/leave"))
    assert queries.list_member_ids(session, organisation.id, ["owner"]) == [other.id]
    assert acts(session, organisation) == [OrganisationAct.LEFT, OrganisationAct.REMOVED, OrganisationAct.ROLES_CHANGED]


def meanwhile(app, first, second):
    """Run `first(session)`; before it commits, start `second(session)` elsewhere and wait until it is blocked or done.

    Returns whether the second one went through: without the right lock it would not wait for the first.
    """

    def run() -> bool:
        with app.app_context():
            try:
                with unit_of_work() as session:
                    second(session)
            except KozError:
                return False
            return True

    blocked = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with ThreadPoolExecutor(1) as pool:
        with unit_of_work() as session:
            first(session)
            session.flush()
            other = pool.submit(run)
            while not other.done() and not session.scalar(blocked):
                pass
        return other.result(30)


def test_owners_who_leave_together_leave_one(committed_app):
    with unit_of_work() as session:
        organisation = make_organisation(session)
        (first,) = queries.list_member_ids(session, organisation.id, ["owner"])
        second = make_member(session, organisation, "owner").id

    def leave(person_id):
        return lambda session: services.set_roles(session, organisation.id, person_id, person_id, ())

    assert not meanwhile(committed_app, leave(first), leave(second))
    with unit_of_work() as session:
        assert queries.list_member_ids(session, organisation.id, ["owner"]) == [second]


def test_owners_who_are_erased_together_leave_one(committed_app):
    with unit_of_work() as session:
        organisation = make_organisation(session)
        (first,) = queries.list_member_ids(session, organisation.id, ["owner"])
        second = make_member(session, organisation, "owner").id

    def erase(person_id):
        return lambda session: services.erase_person(session, person_id)

    assert not meanwhile(committed_app, erase(first), erase(second))


def test_an_invitation_is_accepted_once_by_whoever_is_first(committed_app):
    with unit_of_work() as session:
        organisation = make_organisation(session)
        (owner,) = queries.list_member_ids(session, organisation.id, ["owner"])
        new = services.NewInvitation(
            organisation_id=organisation.id, email="a@koz.test", role="editor", invited_by=owner
        )
        token = services.invitation_token(session.get_one(Invitation, services.invite(session, new)))
        first, second = (make_person(session).id for _ in range(2))

    def accept(person_id):
        return lambda session: services.accept_invitation(session, token, person_id)

    assert not meanwhile(committed_app, accept(first), accept(second))
    with unit_of_work() as session:
        assert queries.list_member_ids(session, organisation.id, ["editor"]) == [first]


def test_the_log_is_append_only_paged_and_bounded(client, session, place, enter, queries):
    organisation, owner = place
    for _ in range(25):
        services.log_act(session, organisation.id, owner.id, OrganisationAct.EDITED, detail="name")
    session.flush()
    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(text("DELETE FROM organisation_entries"))
    enter(owner)
    with queries() as q:
        page = client.get(address(organisation))
    assert q.count <= 5
    assert len(page.all("time")) == 20
    (onward,) = [a.get("href") for a in page.all("a", rel="next")]
    assert len(client.get(onward).all("time")) == 5
