"""Accounts → consultations and answers: what an erased person said loses their name, or is taken down."""

from sqlalchemy.orm import Session

from koz.accounts.events import PersonErased
from koz.answers import services as answers
from koz.consultations import services
from koz.core.outbox import subscribe


@subscribe(PersonErased)
def forget_person(session: Session, event: PersonErased) -> None:
    """Names go; texts too when the person wished so, also where an answer quotes them."""
    emptied = services.forget_person(session, event.person_id, keep_texts=bool(event.keep_contributions))
    answers.take_down(session, [f"contribution-{contribution_id}" for contribution_id in emptied])
