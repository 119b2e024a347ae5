"""The table of steps, all pairs, and the door."""

from itertools import product

import pytest

from koz.campaigns import services
from koz.campaigns.states import (
    AFTER_REVIEW,
    ALLOWED,
    CAUSES,
    DECISION_WORDS,
    EDITABLE,
    GIVING,
    PUBLIC,
    STAGES,
    STATE_WORDS,
    CampaignState,
    Decision,
    may_step,
)
from koz.core.errors import Conflict
from koz.core.i18n import in_locale
from tests.factories.campaigns import make_campaign

S = CampaignState


@pytest.mark.parametrize(("old", "new"), list(product(S, S)))
def test_the_door_follows_the_table(session, old, new):
    campaign = make_campaign(session, state=old)
    if old is new:
        assert services.move(session, campaign.id, new) is False
    elif may_step(old, new):
        assert services.move(session, campaign.id, new) is True
        assert campaign.state is new
    else:
        with pytest.raises(Conflict):
            services.move(session, campaign.id, new)


def test_the_table_hangs_together():
    assert set(ALLOWED) == set(S) == set(STAGES) == set(STATE_WORDS)
    assert set(AFTER_REVIEW) == set(Decision) == set(DECISION_WORDS)
    assert all(AFTER_REVIEW[d] in ALLOWED[S.SUBMITTED] for d in Decision)
    assert not EDITABLE & PUBLIC
    assert GIVING <= PUBLIC
    reached, frontier = {S.DRAFT}, {S.DRAFT}
    while frontier:
        frontier = {n for s in frontier for n in ALLOWED[s]} - reached
        reached |= frontier
    assert reached == set(S)


def test_a_public_campaign_never_becomes_editable_again():
    assert not any(ALLOWED[s] & EDITABLE for s in PUBLIC)


def test_every_word_is_told_in_both_languages(app):
    for word in [*STATE_WORDS.values(), *CAUSES.values(), *DECISION_WORDS.values()]:
        with in_locale("fr"):
            french = str(word)
        with in_locale("en"):
            english = str(word)
        assert french
        assert english
        assert french != english or english == "Culture"
