"""What the service counts for those who run it."""

from koz.notifications.services import queue_mail
from koz.payments.models import InboxEvent
from koz.payments.states import InboxState
from tests.api.world import build


def test_metrics_count_inbox_mails_and_gifts_by_state(client, session):
    build(session)
    queue_mail(session, "verify", "secret@koz.test", "fr", {"name": "x", "path": "/"}, "k")
    for n, state in enumerate(InboxState):
        session.add(
            InboxEvent(endpoint="connect", external_id=f"evt_{n}", type="x", payload={"a": "Nom Secret"}, state=state)
        )
    session.flush()
    text = client.open("/metrics").text
    for line in (
        'koz_inbox{state="waiting"} 1.0',
        'koz_inbox{state="dead"} 1.0',
        'koz_mails{state="waiting"} 1.0',
        'koz_mails{state="unknown"} 0.0',
        'koz_gifts{state="collected"} 2.0',
    ):
        assert line in text, line
    assert "secret" not in text.lower()
