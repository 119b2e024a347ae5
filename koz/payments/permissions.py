"""Who may do what with an organisation's money. Pure predicates over an actor and an organisation's id."""

from koz.core.access import Actor


def can_handle_money(actor: Actor, organisation_id: int) -> bool:
    """Owners and treasurers: the payment account, refunds, donors' addresses."""
    return actor.has_role(organisation_id, "owner", "treasurer")


def can_see_gifts(actor: Actor, organisation_id: int) -> bool:
    """Those who work on campaigns see what came in; addresses only as above."""
    return actor.has_role(organisation_id, "owner", "editor", "treasurer")
