"""The start stops on settings that cannot be right, with one sentence."""

import re
from pathlib import Path

import pytest

from koz.core.settings import NAMES, Settings, SettingsError

GOOD = {
    "KOZ_ENV": "production", "KOZ_DATABASE_URL": "postgresql:///koz", "KOZ_REDIS_URL": "redis://localhost",
    "KOZ_BASE_URL": "https://koz.example", "KOZ_SECRET_KEY": "x" * 40, "KOZ_MAIL_URL": "smtp://localhost",
    "KOZ_FILES_URL": "file:///srv", "STRIPE_SECRET_KEY": "sk_test_1", "STRIPE_WEBHOOK_SECRETS": "whsec_1, whsec_2",
}  # fmt: skip


def test_good_settings_are_taken():
    settings = Settings.from_env(GOOD)
    assert settings.stripe_webhook_secrets == ("whsec_1", "whsec_2")
    assert settings.secure_cookies
    assert Settings.from_env({"KOZ_ENV": "demo"}).checkout_origins == ("http://127.0.0.1:4242",)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"KOZ_COLOUR": "red"}, "KOZ_COLOUR"),
        ({"KOZ_SECRET_KEY": ""}, "KOZ_SECRET_KEY"),
        ({"KOZ_SECRET_KEY": "short"}, "32 bytes"),
        ({"KOZ_ENV": "staging"}, "KOZ_ENV"),
        ({"STRIPE_SECRET_KEY": "sk_live_1"}, "KOZ_LIVE"),
        ({"KOZ_LIVE": "1"}, "live"),
        ({"STRIPE_SECRET_KEY": "sk_live_1", "KOZ_LIVE": "1", "STRIPE_API_BASE": "http://127.0.0.1:1"}, "Stripe's own"),
        ({"STRIPE_API_BASE": "http://stripe.example"}, "plain http"),
        ({"KOZ_TRUSTED_PROXIES": "one"}, "KOZ_TRUSTED_PROXIES"),
        ({"KOZ_ORGANISATION": "air-libre"}, "not built yet"),
    ],
)
def test_wrong_settings_stop_the_start(change, word):
    with pytest.raises(SettingsError, match=word):
        Settings.from_env(GOOD | change)


def test_the_example_lists_every_setting_with_a_comment():
    text = (Path(__file__).parents[2] / ".env.example").read_text()
    assert set(re.findall(r"^([A-Z_]+)=", text, re.MULTILINE)) == set(NAMES)
    for block in re.split(r"\n(?=#)", text):
        assert block.startswith("#")
