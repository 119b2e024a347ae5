"""The donor's way through the pages: the form, the hosted page, the page of the gift."""

import re
from urllib.parse import urlsplit

import pytest

from koz.campaigns.states import CampaignState
from koz.payments.models import Gift, GiftAttempt, PaymentAccount, Refund
from koz.payments.services import give
from koz.payments.states import GiftState
from tests.factories.accounts import make_person
from tests.factories.campaigns import make_campaign
from tests.fakes.gateway import FakeGateway


@pytest.fixture
def gateway(app, monkeypatch):
    fake = FakeGateway()
    monkeypatch.setitem(app.extensions, "koz_gateway", fake)
    return fake


@pytest.fixture
def campaign(session, gateway):
    campaign = make_campaign(session, title="De l'eau")
    account = PaymentAccount(
        organisation_id=campaign.organisation_id, provider_id=f"acct_{campaign.id}", can_charge=True, state="active"
    )
    session.add(account)
    session.flush()
    return campaign


@pytest.fixture
def typed(client, campaign):
    """`typed(amount="20")` sends the form of a visitor; returns the page."""

    def send(status=303, **fields):
        data = {"amount": "20", "email": "donor@koz.test", "form_key": "k1"} | fields
        return client.post(f"/campaigns/{campaign.slug}/give", data, status=status)

    return send


def gifts(session):
    session.expire_all()
    return session.query(Gift).order_by(Gift.id).all()


def page_of(gateway):
    return list(gateway.states)[-1]


def test_a_visitor_gives_with_an_amount_and_an_address(typed, session, gateway, client, campaign):
    form = client.get(f"/campaigns/{campaign.slug}/give")
    assert not form.all("input", checked=""), "nothing is ticked beforehand"
    answer = typed(amount="12,50")
    assert answer.response.location == f"https://pay.test/{page_of(gateway)}"
    (gift,) = gifts(session)
    assert (gift.amount_minor, gift.tip_minor, gift.public_name, gift.state) == (12_50, 0, None, GiftState.OPENED)
    order = gateway.order_of(page_of(gateway))
    assert urlsplit(order.success_url).path == urlsplit(order.cancel_url).path == f"/gifts/{give.link_token(gift.id)}"


def test_a_chip_a_tip_a_name_and_a_word(typed, session, campaign):
    typed(amount="", choice="50", tip="2", shows_name="y", public_name="Léa  D.", message="Courage\r\nà tous")
    (gift,) = gifts(session)
    assert (gift.amount_minor, gift.tip_minor, gift.public_name) == (50_00, 2_00, "Léa D.")
    assert gift.message == "Courage\nà tous"


def test_a_name_is_kept_only_when_ticked(typed, session, campaign):
    typed(public_name="Léa D.")
    assert gifts(session)[0].public_name is None


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"amount": ""}, "Choose an amount"),
        ({"amount": "0"}, "from 1 to 10000"),
        ({"amount": "0,99"}, "from 1 to 10000"),
        ({"amount": "10000,01"}, "from 1 to 10000"),
        ({"amount": "1e400"}, "such as 12,50"),
        ({"amount": "-5"}, "such as 12,50"),
        ({"amount": "12,5055"}, "such as 12,50"),
        ({"amount": "$20"}, "Only euros"),
        ({"amount": "vingt"}, "such as 12,50"),
        ({"amount": "1.234"}, "two ways"),
        ({"amount": "35", "choice": "20"}, "You chose 20 €"),
        ({"email": "donor"}, "name@example.org"),
        ({"email": ""}, "Fill in"),
        ({"tip": "2000"}, "from 0 to 1000"),
        ({"shows_name": "y", "public_name": ""}, "Enter the name"),
        ({"message": "x" * 501}, "501 characters"),
    ],
)
def test_what_cannot_be_used_is_said_and_what_was_typed_stays(typed, session, client, campaign, fields, sentence):
    client.get("/login?lang=en")
    page = typed(status=422, **fields)
    assert sentence in page.text
    for name, value in ({"amount": "20", "email": "donor@koz.test"} | fields).items():
        if name not in {"choice", "shows_name"}:
            assert page.field(name) == value
    assert gifts(session) == []


def test_the_same_form_twice_is_one_gift_and_one_page(typed, session, gateway):
    first, second = typed().response.location, typed().response.location
    assert first == second
    assert len(gifts(session)) == len(gateway.states) == 1


def test_the_back_button_and_another_amount_is_another_gift(typed, session, gateway):
    typed()
    typed(amount="30")
    assert [gift.amount_minor for gift in gifts(session)] == [20_00, 30_00]


def test_a_form_sent_again_after_it_was_paid_leads_to_the_gift(typed, session, gateway, client):
    typed()
    (gift,) = gifts(session)
    gateway.pay(page_of(gateway))
    client.get(f"/gifts/{give.link_token(gift.id)}?back=1")
    assert typed().response.location == f"/gifts/{give.link_token(gift.id)}"
    assert len(gifts(session)) == 1


@pytest.mark.parametrize("trouble", ["down", "lose"])
def test_when_the_provider_is_down_nothing_is_lost_and_it_says_so(typed, session, gateway, client, trouble):
    client.get("/login?lang=en")
    setattr(gateway, trouble, True)
    page = typed(status=503, amount="12,50", message="Courage")
    assert "Nothing was taken" in page.text
    assert page.response.headers["Retry-After"] == "5"
    assert (page.field("amount"), page.field("message"), page.field("form_key")) == ("12,50", "Courage", "k1")
    setattr(gateway, trouble, False)
    typed(amount="12,50", message="Courage")
    assert len(gifts(session)) == 1


@pytest.mark.parametrize("state", [CampaignState.FAILED, CampaignState.CLOSED])
def test_an_ended_campaign_shows_a_way_on(session, client, campaign, typed, state):
    campaign.state = state
    session.flush()
    page = client.get(f"/campaigns/{campaign.slug}/give")
    assert f"/campaigns/{campaign.slug}" in page.links()
    assert not page.all("form")
    typed(status=409)
    assert gifts(session) == []


def test_a_campaign_whose_organisation_cannot_charge_says_so(session, client, campaign, typed):
    session.query(PaymentAccount).update({"can_charge": False})
    assert "pas fini de mettre en place" in client.get(f"/campaigns/{campaign.slug}/give", lang="fr").text
    typed(status=409)


def test_drafts_and_unknown_slugs_are_not_found(session, client, campaign):
    campaign.state = CampaignState.DRAFT
    session.flush()
    client.get(f"/campaigns/{campaign.slug}/give", status=404)
    client.get("/campaigns/none/give", status=404)


def test_a_member_finds_the_address_filled_in(session, client, campaign, login, gateway):
    person = make_person(session)
    login(person)
    assert client.get(f"/campaigns/{campaign.slug}/give").field("email") == person.email
    client.post(f"/campaigns/{campaign.slug}/give", {"amount": "20", "email": person.email, "form_key": "k2"})
    assert gifts(session)[0].person_id == person.id


def test_too_many_forms_are_slowed_down(typed, campaign):
    for n in range(30):
        typed(form_key=f"many-{n}")
    typed(form_key="one-more", status=429)


# the page of the gift


@pytest.fixture
def link(typed, session, gateway):
    typed()
    return f"/gifts/{give.link_token(gifts(session)[0].id)}"


def test_the_page_is_right_whether_the_event_has_come_or_not(link, session, gateway, client, letters):
    client.get("/login?lang=en")
    assert client.get(f"{link}?stopped=1").text.count("Your gift is not paid yet")
    gateway.pay(page_of(gateway))
    for _ in range(2):
        page = client.get(f"{link}?back=1")
        assert "Thank you, your gift has arrived" in page.text
    assert gifts(session)[0].state is GiftState.COLLECTED
    (letter,) = letters()
    assert letter.to_email == "donor@koz.test"
    assert link in letter.text
    assert link in letter.html
    assert letters() == []


def test_the_page_is_nobody_elses_business(link, client):
    headers = client.get(link).response.headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in headers["X-Robots-Tag"]


@pytest.mark.parametrize("token", ["x", "MQ.forged", "../1"])
def test_a_forged_link_gets_a_sentence(client, token):
    assert client.open(f"/gifts/{token}").status_code == 404


def test_a_link_is_bound_to_its_gift(link, client):
    head, signature = link.rsplit("/", 1)[1].split(".", 1)
    client.get(f"/gifts/{'MjI' if head != 'MjI' else 'MzM'}.{signature}", status=404)


def test_when_the_provider_does_not_answer_the_page_says_what_is_known(link, gateway, client):
    client.get("/login?lang=en")
    gateway.pay(page_of(gateway))
    gateway.down = True
    page = client.get(f"{link}?back=1")
    assert "do not pay again" in page.text
    assert not [f for f in page.all("form") if f.get("action", "").endswith("/pay")]
    gateway.down = False
    assert "Thank you" in client.get(f"{link}?back=1").text


def test_a_refused_card_says_so_and_leads_to_a_fresh_page(link, session, gateway, client):
    client.get("/login?lang=en")
    old = page_of(gateway)
    gateway.decline(old)
    assert "Nothing was taken" in client.get(link).text
    answer = client.post(f"{link}/pay")
    assert answer.response.location == f"https://pay.test/{page_of(gateway)}"
    assert page_of(gateway) != old
    assert gateway.states[old] == "expired"
    gateway.pay(page_of(gateway))
    assert "Thank you" in client.get(link).text
    assert client.post(f"{link}/pay").response.location == link, "a paid gift is not paid again"


def test_an_expired_page_can_be_opened_anew(link, session, gateway, client):
    gateway.expire(page_of(gateway))
    client.get("/login?lang=en")
    assert "Your gift is not paid yet" in client.get(link).text
    assert gifts(session)[0].state is GiftState.ABANDONED
    client.post(f"{link}/pay")
    gateway.pay(page_of(gateway))
    assert "Thank you" in client.get(link).text


def test_money_under_way_is_not_paid_twice(link, session, gateway, client):
    client.get("/login?lang=en")
    gateway.states[page_of(gateway)] = "unpaid"
    assert "Your payment is under way" in client.get(link).text
    client.post(f"{link}/pay", status=409)
    gateway.states[page_of(gateway)] = "open"
    gateway.pay(page_of(gateway))
    assert "Thank you" in client.get(link).text


def test_what_was_given_back_is_shown(link, session, gateway, client):
    client.get("/login?lang=en")
    gateway.pay(page_of(gateway))
    client.get(link)
    gift = gifts(session)[0]
    gift.refunded_minor, gift.state = 20_00, GiftState.REFUNDED
    session.flush()
    assert "Your gift was given back" in client.get(link).text


def test_a_second_payment_by_mistake_is_told(link, session, gateway, client):
    client.get("/login?lang=en")
    first = page_of(gateway)
    gateway.deaf = True
    client.post(f"{link}/pay")
    gateway.pay(first)
    gateway.pay(page_of(gateway))
    assert "You paid twice" in client.get(link).text
    assert session.query(Refund).count() == 1
    assert session.query(GiftAttempt).filter_by(surplus=True).count() == 1


def test_the_thanks_do_not_promise_an_open_consultation(link, gateway, client):
    gateway.pay(page_of(gateway))
    text = client.get(link, lang="fr").text
    assert not re.search(r"consultation (est|a été) ouverte", text)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_page_is_well_made_in_both_languages(link, client, campaign, language, gateway):
    for address in (f"/campaigns/{campaign.slug}/give", link, f"/campaigns/{campaign.slug}/ledger"):
        client.get(address, lang=language)
