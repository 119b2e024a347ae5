"""The demo's data, made through the same services and the same sandbox that people use, so that the books tie.

Nothing here is written behind the services' back but three things that only time can do: dates are turned back so that
a collection has failed, a consultation is closed, and a commitment is late. A second run changes nothing.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import requests
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from tqdm import tqdm

from koz.accounts import services as accounts
from koz.accounts.models import Membership, Organisation, Person, Role
from koz.answers import queries as answer_queries
from koz.answers import services as answers
from koz.answers.states import Stance
from koz.campaigns import queries as campaign_queries
from koz.campaigns import services as campaigns
from koz.campaigns.models import BudgetLine, Campaign
from koz.campaigns.states import Decision, LineKind
from koz.consultations import queries as consultation_queries
from koz.consultations import services as consultations
from koz.consultations.models import Consultation
from koz.consultations.queries import Target
from koz.consultations.services import NewArgument, NewContribution, NewSource, Speaker
from koz.consultations.states import ActorKind, Choice, Side, SourceKind
from koz.core.access import Actor
from koz.core.clock import now, today
from koz.core.db import reading, unit_of_work
from koz.core.money import Money
from koz.core.outbox import relay
from koz.core.settings import current_settings
from koz.demo.content import (
    ANSWER_ASK,
    ANSWER_NO,
    ANSWER_SIGNED,
    ANSWER_YES,
    CAUSES,
    COMMITMENTS,
    FIRST_NAMES,
    LAST_NAMES,
    ORGANISATIONS,
    VOICES,
    Cause,
)
from koz.matching.services import proposing, ranking
from koz.payments import queries as payment_queries
from koz.payments.gateway import PaymentGateway
from koz.payments.jobs import current_gateway
from koz.payments.services import give, onboard, settle
from koz.skills import queries as skill_queries
from koz.skills import services as skills
from koz.skills.models.offers import Mission
from koz.skills.services import examples

PASSWORD: Final = "koz-demo-2026"
IDENTITIES: Final = {
    "ngo": "Noémie Garnier", "treasurer": "Théo Trésor", "pro": "Priya Roux", "employer": "Emma Leroy",
    "donor": "Denis Petit", "citizen": "Camille Faure", "moderator": "Momo Blanc", "official": "Camille Roche",
    "coach": "Cora Mercier", "staff": "Sacha Moreau",
}  # fmt: skip
PROFESSIONALS: Final = 200
PARTICIPANTS: Final = 120
MISSIONS_EACH: Final = 10
INVITATIONS: Final = 2
TIMEOUT_S: Final = 20


@dataclass
class People:
    """The demo's people: the ten identities by name, then professionals and participants by id."""

    by_name: dict[str, int]
    professionals: list[int]
    participants: list[int]


def is_seeded(session: Session) -> bool:
    """Whether the demo's data are there."""
    return session.scalar(select(Person.id).where(Person.email == "staff@koz.test")) is not None


def run() -> bool:
    """Make the data; False when they are there already. Needs the sandbox. Raises requests.RequestException."""
    assert not current_settings().is_production, "demo data are refused in production"
    with reading() as session:
        if is_seeded(session):
            return False
    dice = random.Random(2026)
    steps: list[tuple[str, Callable[[], object]]] = []
    people = People({}, [], [])
    steps.append(("people", lambda: _people(people, dice)))
    steps.append(("organisations", lambda: _organisations(people)))
    for cause in CAUSES:
        steps.append((cause.title, lambda cause=cause: _campaign(cause, people, dice)))  # type: ignore[misc]
    steps.append(("missions and professionals", lambda: _skills(people)))
    with tqdm(steps, desc="Demo data", unit="step", leave=False) as bar:
        for name, step in bar:
            bar.set_postfix_str(name[:40])
            step()
            relay()
    return True


def _actor(session: Session, person_id: int) -> Actor:
    person = session.get_one(Person, person_id)
    return Actor(
        id=person.id, name=person.name, email=person.email, email_verified=True, is_staff=person.is_staff,
        is_moderator=person.is_moderator, roles=_roles(session, person.id), fresh=True, second_factor=True,
    )  # fmt: skip


def _roles(session: Session, person_id: int) -> dict[int, frozenset[str]]:
    rows = session.execute(
        select(Membership.organisation_id, func.array_agg(Membership.role))
        .where(Membership.person_id == person_id)
        .group_by(Membership.organisation_id)
    )
    return {organisation_id: frozenset(str(r) for r in roles) for organisation_id, roles in rows}


def _people(people: People, dice: random.Random) -> None:
    """Everybody has the same password, hashed once."""
    hashed = accounts.hash_password(PASSWORD)

    def person(email: str, name: str, **values: bool) -> Person:
        return Person(email=email, name=name, password_hash=hashed, email_verified_at=now(), **values)

    with unit_of_work() as session:
        for key, name in IDENTITIES.items():
            one = person(f"{key}@koz.test", name, is_staff=key == "staff", is_moderator=key == "moderator")
            session.add(one)
            session.flush()
            people.by_name[key] = one.id
        crowd = [
            person(f"exemple{n}@koz.test", f"{dice.choice(FIRST_NAMES)} {dice.choice(LAST_NAMES)}")
            for n in range(PROFESSIONALS + PARTICIPANTS - 2)
        ]
        session.add_all(crowd)
        session.flush()
        ids = [p.id for p in crowd]
        people.professionals = [people.by_name["pro"], *ids[: PROFESSIONALS - 1]]
        people.participants = [people.by_name["citizen"], *ids[PROFESSIONALS - 1 :]]


def _organisations(people: People) -> None:
    """Each with the demo's NGO as owner, a treasurer, and an account at the sandbox that may take payments."""
    for name, kind, siren in ORGANISATIONS:
        with unit_of_work() as session:
            new = accounts.NewOrganisation(name=name, kind=kind, owner_id=people.by_name["ngo"], siren=siren)
            organisation = accounts.create_organisation(session, new)
            organisation.verified_at = now()
            accounts.add_member(session, organisation.id, people.by_name["treasurer"], Role.TREASURER)
            organisation_id = organisation.id
        base = current_settings().base_url
        command = onboard.StartOnboarding(
            organisation_id=organisation_id, email="ngo@koz.test", refresh_url=base, return_url=base
        )
        onboard.start(unit_of_work, current_gateway(), command)
        with reading() as session:
            account_id = _account_of(session, organisation_id)
        _control("accounts/state", account=account_id, state="active")
        onboard.look(unit_of_work, current_gateway(), account_id)


def _account_of(session: Session, organisation_id: int) -> str:
    account = payment_queries.find_account(session, organisation_id)
    assert account is not None
    assert account.provider_id is not None
    return account.provider_id


def _control(path: str, **values: object) -> None:
    """Turn a knob of the sandbox."""
    answer = requests.post(f"{current_settings().stripe_api_base}/_control/{path}", json=values, timeout=TIMEOUT_S)
    answer.raise_for_status()


def _campaign(cause: Cause, people: People, dice: random.Random) -> None:
    """A campaign brought to its state by the acts that lead there."""
    with unit_of_work() as session:
        slug = _draft(session, cause, _actor(session, people.by_name["ngo"]))
    if cause.state == "draft":
        return
    staff, owner = people.by_name["staff"], people.by_name["ngo"]
    if cause.state == "cancelled":
        with unit_of_work() as session:
            campaigns.cancel(session, _actor(session, owner), slug, "Le guichet a ouvert sans nous.")
        return
    with unit_of_work() as session:
        campaigns.submit(session, _actor(session, owner), slug)
    if cause.state == "submitted":
        return
    with unit_of_work() as session:
        decision = Decision.CHANGES if cause.state == "changes_requested" else Decision.APPROVE
        reasons = "Précisez qui évaluera l’essai, et comment." if decision is Decision.CHANGES else ""
        campaigns.review(session, _actor(session, staff), slug, decision, reasons)
    if cause.state in {"changes_requested", "approved"}:
        return
    with unit_of_work() as session:
        campaign_id = campaigns.publish(session, _actor(session, owner), slug).id
    relay()
    for n, euros in enumerate(cause.gifts_eur):
        _gift(campaign_id, euros, n, people, dice)
    relay()
    if cause.state == "failed":
        _fail(campaign_id)
    if cause.state in {"consulting", "answered"}:
        _consult(cause, campaign_id, people, dice)
    if cause.state == "answered":
        _answer(campaign_id)


def _draft(session: Session, cause: Cause, owner: Actor) -> str:
    organisation_id = session.scalars(select(Organisation.id).where(Organisation.name == cause.organisation)).one()
    made = campaigns.create_draft(
        session, owner, campaigns.NewCampaign(organisation_id=organisation_id, title=cause.title)
    )
    name, body = cause.addressee
    campaigns.save_ask(session, owner, made.slug, campaigns.Ask(
        title=cause.title, ask=cause.ask, summary=cause.summary, cause=cause.cause, addressee_name=name,
        addressee_body=body, addressee_email="official@koz.test",
    ))  # fmt: skip
    story = campaigns.Story(story_md=cause.story, expected_result=cause.result, calendar=cause.calendar)
    campaigns.save_story(session, owner, made.slug, story)
    lines = [
        campaigns.Line(label=label, minimum_minor=low * 100, optimum_minor=high * 100)
        for label, low, high in cause.lines
    ]
    lines += [
        campaigns.Line(
            label=label, kind=LineKind.EITHER, minimum_minor=low * 100, optimum_minor=high * 100, hours=hours
        )
        for label, low, high, hours in cause.either
    ]
    lines += [campaigns.Line(label=label, kind=LineKind.SKILL, hours=hours) for label, hours in cause.skills]
    campaigns.save_budget(session, owner, made.slug, lines)
    sources = [campaigns.Source(title=title, url=url, publisher=who) for title, url, who in cause.sources]
    campaigns.save_sources(session, owner, made.slug, sources)
    campaigns.save_end(session, owner, made.slug, campaigns.End(
        deadline_on=today() + timedelta(days=max(cause.days_left, 8)), on_success=cause.success,
        on_failure=cause.failure, consultation_question=cause.question,
    ))  # fmt: skip
    return made.slug


def _gift(campaign_id: int, euros: int, n: int, people: People, dice: random.Random) -> None:
    """A gift through the hosted page of the sandbox; every third donor shows a name, every fourth tips Koz."""
    name = f"{dice.choice(FIRST_NAMES)} {dice.choice(LAST_NAMES)[0]}."
    wish = give.OpenGift(
        campaign_id=campaign_id, amount=Money(euros * 100), tip=Money(euros * 5 if n % 4 == 0 else 0),
        email="donor@koz.test" if n == 0 else f"exemple-don{n}@koz.test",
        person_id=people.by_name["donor"] if n == 0 else None, public_name=name if n % 3 == 0 else None,
        form_key=f"demo-{campaign_id}-{n}",
    )  # fmt: skip
    gateway: PaymentGateway = current_gateway()
    base = current_settings().base_url
    started = give.start(unit_of_work, gateway, wish, lambda _gift_id: (base, base))
    with reading() as session:
        attempt = payment_queries.last_attempt(session, started.gift_id)
        assert attempt is not None
        assert attempt.session_id is not None
        account_id, session_id = attempt.account_id, attempt.session_id
    _control("checkout/pay", session=session_id)
    settle.look(unit_of_work, gateway, account_id, session_id)


def _fail(campaign_id: int) -> None:
    """Turn the clock back: the last day is over."""
    with unit_of_work() as session:
        session.execute(
            update(Campaign).where(Campaign.id == campaign_id).values(deadline_on=today() - timedelta(days=2))
        )
    with unit_of_work() as session:
        campaigns.close_due(session, campaign_id)


def _consult(cause: Cause, campaign_id: int, people: People, dice: random.Random) -> None:
    """The consultation has opened by itself; people write, argue and vote."""
    with unit_of_work() as session:
        consultation = consultation_queries.find_by_campaign(session, campaign_id)
        assert consultation is not None, "the consultation opens by itself"
        sections = [s.id for s in consultation_queries.list_sections(session, consultation.id)]
        consultation_id = consultation.id
    for n, voice in enumerate(VOICES[cause.title]):
        author = people.participants[n]
        with unit_of_work() as session:
            made = consultations.contribute(session, NewContribution(
                consultation_id=consultation_id, section_id=sections[min(voice.section, len(sections) - 1)],
                speaker=_speaker(session, author, n), title=voice.title, body_md=voice.body,
                form_key=f"demo-{consultation_id}-{n}",
            ))  # fmt: skip
            for m, (side, text, source) in enumerate(voice.arguments):
                found = NewSource(kind=SourceKind.REPORT, title=source, publisher="Exemple") if source else None
                consultations.argue(session, NewArgument(
                    consultation_id=consultation_id, target=Target(contribution_id=made), side=Side(side),
                    speaker=_speaker(session, people.participants[-1 - n - m], n + m), body=text, source=found,
                    form_key=f"demo-{consultation_id}-{n}-{m}",
                ))  # fmt: skip
        _vote(consultation_id, made, voice.support, people.participants, dice)


def _speaker(session: Session, person_id: int, n: int) -> Speaker:
    kinds = (ActorKind.PERSON, ActorKind.PERSON, ActorKind.ASSOCIATION, ActorKind.PERSON, ActorKind.COMPANY)
    return Speaker(person_id, session.get_one(Person, person_id).name, kinds[n % len(kinds)])


def _vote(
    consultation_id: int,
    contribution_id: int,
    support: tuple[int, int, int],
    voters: Sequence[int],
    dice: random.Random,
) -> None:
    turnout = dice.randint(60, 95)
    choices = dice.choices((Choice.AGREE, Choice.MIXED, Choice.DISAGREE), weights=support, k=len(voters))
    with unit_of_work() as session:
        for person_id, choice in zip(voters, choices, strict=True):
            if dice.randint(1, 100) <= turnout:
                consultations.vote_on_contribution(session, consultation_id, contribution_id, person_id, choice)


def _answer(campaign_id: int) -> None:
    """The consultation closes, the addressee accepts, answers point by point and commits."""
    with unit_of_work() as session:
        found = consultation_queries.find_by_campaign(session, campaign_id)
        assert found is not None
        session.execute(
            update(Consultation)
            .where(Consultation.id == found.id)
            .values(opens_at=now() - timedelta(days=33), closes_at=now() - timedelta(days=3))
        )
        consultation_id = found.id
    with unit_of_work() as session:
        consultations.close(session, consultation_id)
    relay()
    with unit_of_work() as session:
        request = answer_queries.find_request_of(session, campaign_id)
        assert request is not None
        request_id = request.id
        answers.accept(session, request_id)
    with unit_of_work() as session:
        request = answer_queries.get_request(session, request_id)
        points = answer_queries.list_points(session, request_id)
        name, function = ANSWER_SIGNED
        said = {point.id: answers.PointDraft(Stance.YES, ANSWER_YES) for point in points}
        said[points[-1].id] = answers.PointDraft(Stance.NO, ANSWER_NO)
        said[points[0].id] = answers.PointDraft(Stance.PARTLY, ANSWER_ASK)
        promised = [
            answers.CommitmentDraft(text=text, owner=owner, due_on=today() + timedelta(days=days))
            for text, owner, days in COMMITMENTS
        ]
        draft = answers.Draft(
            version=request.draft_version, signed_name=name, signed_function=function, points=said, commitments=promised
        )
        answers.save_draft(session, request_id, draft)
        answers.publish(session, request_id)


def _skills(people: People) -> None:
    """The starter taxonomy, two hundred profiles, and missions of the causes under way, two invitations."""
    with unit_of_work() as session:
        skills.load_starter(session)
    with unit_of_work() as session:
        examples.seed_professionals(session, people.professionals)
    with unit_of_work() as session:
        owner = _actor(session, people.by_name["ngo"])
        slugs = [c.slug for c in campaign_queries.list_public(session, limit=20) if c.state in {"live", "consulting"}]
        examples.seed_missions(session, owner, slugs, each=MISSIONS_EACH)
    with unit_of_work() as session:
        owner, pro_id = _actor(session, people.by_name["ngo"]), people.by_name["pro"]
        profile = skill_queries.find_profile(session, pro_id)
        assert profile is not None
        for fit in ranking.best_missions(session, pro_id)[:INVITATIONS]:
            proposing.invite(session, owner, fit.card.mission.id, profile.id)
    _hours(people)


def _hours(people: People) -> None:
    """On a line payable in money or in hours: a mission that a professional has agreed to."""
    with unit_of_work() as session:
        line, campaign_id = session.execute(
            select(BudgetLine.id, BudgetLine.campaign_id).where(BudgetLine.kind == LineKind.EITHER)
        ).one()
        mission = session.scalars(
            select(Mission).where(Mission.campaign_id == campaign_id, Mission.hours_total < 20).order_by(Mission.id)
        ).first()
        assert mission is not None
        mission.budget_line_id = line
        session.flush()
        owner = _actor(session, people.by_name["ngo"])
        fits = [
            r
            for r in ranking.best_professionals(session, mission.id)
            if r.profile.person_id in people.professionals[1:]
        ]
        proposal = proposing.invite(session, owner, mission.id, fits[0].profile.id)
        proposing.accept(session, _actor(session, fits[0].profile.person_id), proposal.id)
    relay()
