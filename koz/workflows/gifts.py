"""Gifts → mail to their donors, each once, in the language in which they gave; and accounts → gifts."""

from sqlalchemy.orm import Session

from koz.accounts.events import PersonErased
from koz.core.outbox import subscribe
from koz.notifications.services import queue_mail
from koz.payments import queries
from koz.payments.events import GiftCollected, GiftRefunded
from koz.payments.services import privacy
from koz.payments.services.give import link_token


@subscribe(GiftCollected)
def mail_thanks(session: Session, event: GiftCollected) -> None:
    """Thanks, with the link to the donor's own page."""
    story = queries.get_story(session, event.gift_id)
    gift = story.gift
    params: dict[str, str | int] = {
        "title": story.campaign_title, "organisation": story.organisation, "amount_minor": gift.amount_minor,
        "tip_minor": gift.tip_minor, "path": f"/gifts/{link_token(gift.id)}",
    }  # fmt: skip
    queue_mail(session, "thanks", gift.address, gift.locale, params, f"thanks-{gift.id}")


@subscribe(GiftRefunded)
def mail_refunded(session: Session, event: GiftRefunded) -> None:
    """Money is on its way back: of the gift, or of what was paid twice."""
    story = queries.get_story(session, event.gift_id)
    gift, refund = story.gift, queries.get_refund(session, event.refund_id)
    params: dict[str, str | int] = {
        "title": story.campaign_title, "organisation": story.organisation, "total_minor": refund.total.minor,
        "surplus": int(refund.surplus), "path": f"/gifts/{link_token(gift.id)}",
    }  # fmt: skip
    queue_mail(session, "refunded", gift.address, gift.locale, params, f"refunded-{refund.id}")


@subscribe(PersonErased)
def forget_donor(session: Session, event: PersonErased) -> None:
    """Gifts made while logged in lose address, name and words, whether or not the account's address was proved."""
    privacy.forget_person(session, event.person_id, "")
