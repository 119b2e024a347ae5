"""Every mail about campaigns, in both languages: whole, with its links, and with the way out for those who follow."""

import pytest

from koz.notifications.jobs import render_letter
from koz.notifications.services import Claim

TITLE = "L’école & <b>nous</b>"
COMMON = {"title": TITLE, "slug": "s", "path": "/the/path"}
STOP = {"unfollow_path": "/unfollow/token"}
AMOUNTS = {"collected_minor": 640_00, "minimum_minor": 1_200_00}
MAILS = {
    "campaign_follow": COMMON,
    "campaign_known": COMMON | STOP,
    "campaign_update": COMMON | STOP | {"news": "Dix dons"},
    "campaign_cancelled": COMMON | STOP | {"reason": "Parce que.\n\nVoilà."},
    "campaign_failed": COMMON | STOP | AMOUNTS | {"on_failure": "Nous le disons."},
    "campaign_reviewed": COMMON | {"decision": "changes", "reasons": "La source 2 manque."},
}


def letter(name, locale, params):
    return render_letter(Claim(1, name, "a@koz.test", locale, params))


@pytest.mark.parametrize("name", MAILS)
def test_each_mail_reads_in_both_languages(app, name):
    params = MAILS[name]
    french, english = (letter(name, locale, params) for locale in ("fr", "en"))
    assert french.subject != english.subject
    for one in (french, english):
        assert TITLE in one.subject, "a subject is text, not HTML"
        assert TITLE in one.text
        assert "<b>nous</b>" not in one.html
        assert "{{" not in one.text
        assert "\n\n\n" not in one.text
        if name != "campaign_cancelled":
            assert "http://127.0.0.1:8000/the/path" in one.text
            assert "http://127.0.0.1:8000/the/path" in one.html
        assert ("/unfollow/token" in one.text) is ("unfollow_path" in params)
        assert ("/unfollow/token" in one.html) is ("unfollow_path" in params)


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_each_decision_has_its_own_words(app, locale):
    told = {
        letter("campaign_reviewed", locale, COMMON | {"decision": d, "reasons": ""}).subject
        for d in ("approve", "changes", "refuse")
    }
    assert len(told) == 3


def test_owners_of_a_failed_campaign_get_no_link_to_stop(app):
    assert "unfollow" not in letter("campaign_failed", "fr", COMMON | AMOUNTS | {"on_failure": ""}).text
