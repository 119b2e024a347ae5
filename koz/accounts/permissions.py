"""Who may see and change an organisation's inside. Views get one only through `get_organisation_for`."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from koz.accounts.models import Organisation
from koz.accounts.queries import find_organisation_by_slug
from koz.core.access import Actor
from koz.core.errors import NotAllowed, NotFound
from koz.core.i18n import _

Predicate = Callable[[Actor, Organisation], bool]


def can_see_inside(actor: Actor, organisation: Organisation) -> bool:
    """Members see who else is a member."""
    return actor.has_role(organisation.id)


def can_manage(actor: Actor, organisation: Organisation) -> bool:
    """Owners change details, roles and invitations."""
    return actor.has_role(organisation.id, "owner")


def get_organisation_for(
    session: Session, actor: Actor, slug: str, allowed: Predicate = can_see_inside
) -> Organisation:
    """The organisation, for a member who may. Outsiders learn nothing: NotFound. Raises NotAllowed to other members."""
    organisation = find_organisation_by_slug(session, slug)
    if organisation is None or not can_see_inside(actor, organisation):
        raise NotFound(_("This organisation does not exist, or you are not a member of it."))
    if not allowed(actor, organisation):
        raise NotAllowed(_("Only an owner of the organisation may do this. Ask one of them."))
    return organisation
