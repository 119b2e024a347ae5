"""Campaign funded → its consultation opens."""

from sqlalchemy.orm import Session

from koz.campaigns.events import CampaignFunded
from koz.consultations import services as consultations
from koz.core.outbox import subscribe


@subscribe(CampaignFunded)
def open_consultation(session: Session, event: CampaignFunded) -> None:
    """Open the consultation that the organisation prepared; a second delivery finds it open."""
    consultations.open_for_campaign(session, event.campaign_id)
