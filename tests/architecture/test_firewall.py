"""Who gives and who speaks are two identities: nothing in Koz brings a donor and a participant together."""

import ast
import re
from pathlib import Path

from koz.consultations.services import vote_on_contribution
from koz.consultations.states import Choice
from koz.core.clock import now
from koz.payments.models import Gift
from koz.payments.states import GiftState
from tests.factories.accounts import make_person
from tests.factories.campaigns import make_campaign
from tests.factories.consultations import make_consultation, make_contribution

ROOT = Path(__file__).parents[2] / "koz"
GIVERS = {"Gift", "GiftAttempt", "Refund"}
SPEAKERS = {
    "Participant", "Contribution", "Amendment", "Argument", "ContributionVote", "AmendmentVote", "ArgumentVote",
}  # fmt: skip
#: The same tables by their names, for SQL written by hand.
TABLES = (
    re.compile(r"\b(FROM|JOIN)\s+(gifts|gift_attempts|refunds)\b", re.IGNORECASE),
    re.compile(r"\b(FROM|JOIN)\s+(consultation_participants|contributions|\w+_votes)\b", re.IGNORECASE),
)


def models_imported(path: Path) -> set[str]:
    """Names that a module takes from the models of payments and of consultations."""
    tree = ast.parse(path.read_text())
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    models = ("koz.payments.models", "koz.consultations.models")
    return {alias.name for node in froms if node.module in models for alias in node.names}


def test_no_module_reads_donors_and_participants_together():
    read = 0
    for path in ROOT.rglob("*.py"):
        names, text = models_imported(path), path.read_text()
        assert not (names & GIVERS and names & SPEAKERS), path
        assert not all(table.search(text) for table in TABLES), path
        read += bool(names & (GIVERS | SPEAKERS))
    assert read > 5, "the scan finds the modules that read one of the two"


def test_staff_and_the_public_see_no_donor_who_speaks(client, session, enter):
    campaign, person = make_campaign(session, state="consulting"), make_person(session, name="Awa Diop")
    consultation = make_consultation(session, campaign_id=campaign.id, organisation_id=campaign.organisation_id)
    contribution = make_contribution(session, consultation, person, title="Des bancs")
    vote_on_contribution(session, consultation.id, contribution.id, person.id, Choice.AGREE)
    names = {"ticked": "Zoé Q.", "not": None}
    for public_name in names.values():
        session.add(
            Gift(
                campaign_id=campaign.id, organisation_id=campaign.organisation_id, person_id=person.id,
                email=person.email, public_name=public_name, amount_minor=1000, state=GiftState.COLLECTED,
                collected_at=now(),
            )
        )  # fmt: skip
    campaign.gifts = 2
    session.flush()
    at = f"/consultations/{consultation.slug}"
    spoken = [client.get(a).body for a in (at, f"{at}/contributions/{contribution.id}", f"{at}/results")]
    assert not any("Zoé" in page for page in spoken)
    given = [client.get(f"/campaigns/{campaign.slug}{more}").body for more in ("", "/ledger")]
    assert not any("Awa" in page or person.email in page for page in given)
    assert any("Zoé Q." in page for page in given), "who ticked the box is named"
    enter(make_person(session, is_staff=True, totp_secret="A" * 32), second_factor=True)
    desk = client.get(f"/admin/people/{person.id}").text
    assert "Des bancs" not in desk
    assert "Zoé" not in desk
    assert "10,00" not in desk
