"""Consultations for tests."""

from datetime import timedelta
from itertools import count

from sqlalchemy.orm import Session

from koz.consultations import queries, services
from koz.consultations.models import Amendment, Argument, Consultation, Contribution, Section
from koz.consultations.queries import Target
from koz.consultations.services import NewAmendment, NewArgument, NewContribution, NewSource, Speaker
from koz.consultations.states import Choice, ConsultationState, Side, SourceKind
from koz.core.clock import now
from tests.factories.accounts import make_person

_numbers = count(1)


def make_consultation(session: Session, *, sections: int = 1, **values) -> Consultation:
    """An open consultation without a campaign, with sections of a text."""
    n = next(_numbers)
    values = {
        "slug": f"consultation-{n}", "title": f"Consultation {n}", "question": f"Faut-il agir, question {n} ?",
        "state": ConsultationState.OPEN, "opens_at": now() - timedelta(days=1), "closes_at": now() + timedelta(days=9),
    } | values  # fmt: skip
    consultation = Consultation(**values)
    session.add(consultation)
    session.flush()
    for k in range(sections):
        text = f"Texte de la partie {k + 1}, avec des mots à changer."
        session.add(
            Section(
                consultation_id=consultation.id, position=k, title=f"Partie {k + 1}", body_md=text,
                body_html=f"<p>{text}</p>",
            )
        )  # fmt: skip
    session.flush()
    return consultation


def speaker(session: Session, person=None) -> Speaker:
    person = person or make_person(session)
    return Speaker(person.id, person.name)


def make_contribution(session: Session, consultation: Consultation, person=None, **values) -> Contribution:
    n = next(_numbers)
    section = values.pop("section_id", None) or queries.list_sections(session, consultation.id)[0].id
    values = {
        "title": f"Contribution {n}",
        "body_md": f"Le corps de la contribution {n}.",
        "form_key": f"k{n}",
    } | values
    command = NewContribution(
        consultation_id=consultation.id, section_id=section, speaker=speaker(session, person), **values
    )
    return session.get_one(Contribution, services.contribute(session, command))


def make_amendment(session: Session, contribution: Contribution, person=None, **values) -> Amendment:
    n = next(_numbers)
    values = {
        "title": f"Amendement {n}", "proposed_md": contribution.body_md + f" Et plus, {n}.", "reason": "Plus clair.",
        "form_key": f"k{n}",
    } | values  # fmt: skip
    command = NewAmendment(
        consultation_id=contribution.consultation_id, contribution_id=contribution.id,
        speaker=speaker(session, person), **values,
    )  # fmt: skip
    return session.get_one(Amendment, services.amend(session, command))


def make_argument(
    session: Session, contribution: Contribution, side=Side.FOR, *, sourced=False, person=None, **values
) -> Argument:
    n = next(_numbers)
    source = NewSource(kind=SourceKind.REPORT, title=f"Rapport {n}", url="https://example.org/r") if sourced else None
    values = {"body": f"Parce que {n}.", "form_key": f"k{n}", "target": Target(contribution.id)} | values
    command = NewArgument(
        consultation_id=contribution.consultation_id, side=side, speaker=speaker(session, person), source=source,
        **values,
    )  # fmt: skip
    return session.get_one(Argument, services.argue(session, command))


def cast_votes(session: Session, contribution: Contribution, *choices: Choice) -> None:
    """One vote each by new people."""
    for choice in choices:
        person = make_person(session)
        services.vote_on_contribution(session, contribution.consultation_id, contribution.id, person.id, choice)
