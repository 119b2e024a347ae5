"""Campaigns for tests."""

from datetime import timedelta
from itertools import count

from sqlalchemy import select
from sqlalchemy.orm import Session

from koz.accounts.models import Membership, Person
from koz.campaigns import services
from koz.campaigns.models import Campaign
from koz.campaigns.services import Ask, End, Line, NewCampaign, Source, Story
from koz.campaigns.states import CampaignState, LineKind
from koz.core.access import Actor
from koz.core.clock import today
from koz.payments.models import PaymentAccount
from tests.factories.accounts import make_organisation

_numbers = count(1)


def make_campaign(session: Session, *, state: CampaignState = CampaignState.LIVE, **values) -> Campaign:
    """A campaign that needs 100 €, of an association of its own unless `organisation_id` is given."""
    n = next(_numbers)
    if "organisation_id" not in values:
        values["organisation_id"] = make_organisation(session).id
    values = {
        "slug": f"campagne-{n}", "title": f"Campagne {n}", "minimum_minor": 100_00, "optimum_minor": 200_00,
        "deadline_on": today() + timedelta(days=30),
    } | values  # fmt: skip
    campaign = Campaign(state=state, **values)
    session.add(campaign)
    session.flush()
    return campaign


def actor_of(session: Session, person: Person, **values) -> Actor:
    """The person as services see them, with their roles as stored."""
    rows = session.execute(
        select(Membership.organisation_id, Membership.role).where(Membership.person_id == person.id)
    ).all()
    roles: dict[int, frozenset[str]] = {}
    for organisation_id, role in rows:
        roles[organisation_id] = roles.get(organisation_id, frozenset()) | {str(role)}
    values = {
        "name": person.name, "email": person.email, "email_verified": person.email_verified_at is not None,
        "locale": person.locale, "is_staff": person.is_staff, "roles": roles, "second_factor": person.is_staff,
    } | values  # fmt: skip
    return Actor(id=person.id, **values)


STORY = "Depuis trois ans, les cours d’école restent fermées le week-end.\n\n**Douze rues** n’ont aucun jardin. " * 4


def make_draft(session: Session, actor: Actor, organisation_id: int, title: str = "Ouvrons les cours d’école") -> str:
    """A complete draft made through the services, ready to be submitted. Returns its slug."""
    slug = services.create_draft(session, actor, NewCampaign(organisation_id=organisation_id, title=title)).slug
    services.save_ask(
        session,
        actor,
        slug,
        Ask(
            title=title,
            ask="d’ouvrir les cours d’école le week-end.",
            summary="Des cours ouvertes, des enfants dehors.",
            cause="education",
            addressee_name="Mme Martin, maire",
            addressee_body="Ville d’Exemple",
            addressee_email="mairie@exemple.test",
        ),
    )
    services.save_story(
        session, actor, slug, Story(story_md=STORY, expected_result="Dix cours ouvertes.", calendar="Mai : étude.")
    )
    services.save_budget(
        session,
        actor,
        slug,
        [
            Line(label="Étude", minimum_minor=1_000_00, optimum_minor=1_500_00),
            Line(label="Affiches", minimum_minor=200_00, optimum_minor=200_00),
            Line(label="Traduction", kind=LineKind.SKILL, hours=12),
        ],
    )
    services.save_sources(
        session, actor, slug, [Source(title="Rapport", url="https://example.org/rapport.pdf", publisher="Institut")]
    )
    services.save_end(
        session,
        actor,
        slug,
        End(
            deadline_on=today() + timedelta(days=60),
            on_success="L’étude commence.",
            on_failure="Nous le disons.",
            consultation_question="Faut-il ouvrir les cours ?",
        ),
    )
    session.flush()
    return slug


def make_payable(session: Session, organisation_id: int) -> None:
    """Give the organisation an account that can be paid to."""
    session.add(PaymentAccount(organisation_id=organisation_id, provider_id=f"acct_{organisation_id}", can_charge=True))
    session.flush()
