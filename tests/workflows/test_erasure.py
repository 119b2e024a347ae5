"""What the erasure of an account does in every feature that holds something on a person, and what their copy holds."""

import pytest
from sqlalchemy import select

from koz.accounts import services as accounts
from koz.accounts.models import Organisation, Person
from koz.accounts.services import export_person
from koz.campaigns.models import CampaignFollower
from koz.consultations.states import Choice
from koz.core.clock import now
from koz.matching.services import proposing
from koz.notifications.models import Mail, MailState
from koz.notifications.services import queue_mail
from koz.payments.models import Gift
from koz.payments.queries import has_given
from koz.payments.states import GiftState
from tests.factories.accounts import make_member, make_person
from tests.factories.campaigns import make_campaign
from tests.factories.consultations import (
    cast_votes,
    make_amendment,
    make_argument,
    make_consultation,
    make_contribution,
)
from tests.factories.matching import actor_of, invite, make_concept, make_mission, make_profile


def make_gift(session, campaign, email, **values):
    values = {"state": GiftState.COLLECTED, "collected_at": now(), "public_name": "Awa D.", "message": "Bravo"} | values
    gift = Gift(
        campaign_id=campaign.id, organisation_id=campaign.organisation_id, email=email, amount_minor=1000, **values
    )
    session.add(gift)
    session.flush()
    return gift


def follow(session, campaign, email):
    session.add(CampaignFollower(campaign_id=campaign.id, email=email, locale="fr", confirmed_at=now()))
    session.flush()


def erase(session, letters, person, *, keep=True):
    accounts.erase_person(session, person.id, keep_contributions=keep)
    session.commit()
    letters()
    session.expire_all()


def test_gifts_stay_in_the_books_without_their_donor(session, letters):
    campaign, person = make_campaign(session), make_person(session)
    mine = make_gift(session, campaign, "other@koz.test", person_id=person.id)
    as_guest = [make_gift(session, campaign, person.email) for _ in range(2)]
    others = make_gift(session, campaign, "else@koz.test")
    erase(session, letters, person)
    for gift in (mine, *as_guest):
        assert (gift.address, gift.public_name, gift.message, gift.amount_minor) == (None, None, "", 1000)
    assert (others.address, others.public_name, others.message) == ("else@koz.test", "Awa D.", "Bravo")
    assert as_guest[0].email == as_guest[1].email != mine.email, "still one donor each"
    assert has_given(session, campaign.id, as_guest[0].email, but=as_guest[0].id)


def test_the_address_of_an_account_that_never_proved_it_is_left_alone(session, letters):
    campaign, person = make_campaign(session), make_person(session, verified=False)
    gift = make_gift(session, campaign, person.email)
    mine = make_gift(session, campaign, "typed@koz.test", person_id=person.id)
    follow(session, campaign, person.email)
    copy = export_person(session, person.id)
    assert [g["email"] for g in copy["gifts"]] == ["typed@koz.test"]
    assert copy["followed_campaigns"] == []
    erase(session, letters, person)
    assert gift.address is not None
    assert mine.address is None
    assert session.scalar(select(CampaignFollower.id)) is not None


def test_no_mail_waits_for_an_erased_address_and_nothing_is_followed(session, letters):
    campaign, person = make_campaign(session), make_person(session)
    follow(session, campaign, person.email)
    params = {"name": "Awa", "path": "/"}
    queue_mail(session, "changed", person.email, "fr", params, "k1")
    queue_mail(session, "changed", "else@koz.test", "fr", params, "k2")
    accounts.erase_person(session, person.id)
    session.commit()
    assert [x.to_email for x in letters()] == ["else@koz.test"]
    mail = session.scalars(select(Mail).where(Mail.key == "k1").execution_options(populate_existing=True)).one()
    assert (mail.to_email, mail.params, mail.state) == ("", {}, MailState.REFUSED)
    assert session.scalar(select(CampaignFollower.id)) is None


@pytest.mark.parametrize("keep", [True, False])
def test_what_was_said_loses_its_name_or_is_taken_down(client, session, letters, keep):
    person, consultation = make_person(session, name="Awa Diop"), make_consultation(session)
    theirs = make_contribution(session, consultation, person, title="Des bancs", body_md="Partout des bancs")
    other = make_contribution(session, consultation)
    make_amendment(session, other, person, title="Autrement dit", reason="Plus juste ainsi")
    make_argument(session, other, person=person, sourced=True, body="Parce que les anciens marchent")
    cast_votes(session, theirs, Choice.AGREE, Choice.AGREE)
    erase(session, letters, person, keep=keep)
    at = f"/consultations/{consultation.slug}"
    addresses = (at, f"{at}/contributions/{theirs.id}", f"{at}/contributions/{other.id}", f"{at}/results")
    text = " ".join(client.get(address).text for address in addresses)
    assert "Awa Diop" not in text
    for words in ("Des bancs", "Partout des bancs", "Autrement dit", "Plus juste ainsi", "les anciens marchent"):
        assert (words in text) is keep, words
    assert ("Retiré par son auteur" in text) is not keep
    assert session.get_one(type(theirs), theirs.id).agree == 2


def test_an_engagement_outlives_its_professional_without_a_name(client, session, letters, enter):
    skill, campaign = make_concept(session), make_campaign(session)
    editor = make_member(session, session.get_one(Organisation, campaign.organisation_id), "editor")
    mission, profile = (
        make_mission(session, {skill.id: (3, True)}, campaign=campaign),
        make_profile(session, {skill.id: 3}),
    )
    pro = session.get_one(Person, profile.person_id)
    invited = invite(session, mission, profile)
    engagement = proposing.accept(session, actor_of(session, pro.id), invited.id)
    name, email = pro.name, pro.email
    erase(session, letters, pro)
    enter(editor)
    for address in (f"/engagements/{engagement}", f"/manage/missions/{mission.id}/matches"):
        page = client.get(address)
        assert "Compte supprimé" in page.text or "n’existe plus" in page.text
        assert name not in page.text
        assert email not in page.body
        assert "None" not in page.body


def test_a_person_s_copy_holds_gifts_follows_words_and_votes(session):
    campaign, person, consultation = make_campaign(session), make_person(session), make_consultation(session)
    make_gift(session, campaign, person.email)
    follow(session, campaign, person.email)
    contribution = make_contribution(session, consultation, person, title="Des bancs")
    make_amendment(session, contribution, person)
    make_argument(session, contribution, person=person)
    copy = export_person(session, person.id)
    assert [g["message"] for g in copy["gifts"]] == ["Bravo"]
    assert [f["campaign"] for f in copy["followed_campaigns"]] == [campaign.slug]
    assert [t["kind"] for t in copy["consultation_texts"]] == ["contribution", "amendment", "argument"]
    assert copy["consultation_names"] == [{"consultation": consultation.slug, "name": person.name, "as": None}]
    assert copy["consultation_votes"] == []
