"""Who may do what in a consultation. Reading is open to all; whoever pays or organises weighs no more than others."""

from koz.core.access import Actor


def can_take_part(actor: Actor) -> bool:
    """Anybody with an account and a proved address."""
    return actor.id is not None and actor.email_verified
