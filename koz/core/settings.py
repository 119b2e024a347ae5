"""Settings from the environment: read once, checked at the start, frozen.

Every name is listed with a comment in `.env.example`; a test compares the two. An unknown `KOZ_*` name,
a missing secret or a live key in the wrong place stops the start with one clear sentence.
"""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from flask import current_app

STRIPE_API_BASE: Final = "https://api.stripe.com"
STRIPE_CHECKOUT_ORIGIN: Final = "https://checkout.stripe.com"
ENVIRONMENTS: Final = ("demo", "test", "production")

#: Names that start with KOZ_ and belong to tools around the service (set-up, tests), not to the service.
TOOL_NAMES: Final = frozenset(
    {"KOZ_HOME", "KOZ_SHARED", "KOZ_CHROMIUM", "KOZ_SCREENSHOTS", "KOZ_TEST_DATABASE_URL", "KOZ_CHAOS_SEED"}
)

#: Setting -> field of `Settings`.
NAMES: Final[Mapping[str, str]] = {
    "KOZ_ENV": "env",
    "KOZ_DATABASE_URL": "database_url",
    "KOZ_REDIS_URL": "redis_url",
    "KOZ_BASE_URL": "base_url",
    "KOZ_SECRET_KEY": "secret_key",
    "KOZ_MAIL_URL": "mail_url",
    "KOZ_MAIL_FROM": "mail_from",
    "KOZ_FILES_URL": "files_url",
    "KOZ_CACHE_DIR": "cache_dir",
    "KOZ_ORGANISATION": "organisation",
    "KOZ_LIVE": "live",
    "KOZ_METRICS_TOKEN": "metrics_token",
    "KOZ_TRUSTED_PROXIES": "trusted_proxies",
    "STRIPE_SECRET_KEY": "stripe_secret_key",
    "STRIPE_WEBHOOK_SECRETS": "stripe_webhook_secrets",
    "STRIPE_API_BASE": "stripe_api_base",
}

DEMO_SECRET_KEY: Final = "koz-demo-secret-key-not-for-production-0123456789"
DEMO_WEBHOOK_SECRET: Final = "whsec_koz_demo"
DEMO_STRIPE_KEY: Final = "sk_test_koz_demo"


TEMPORARY: Final = Path(tempfile.gettempdir()) / f"koz-{os.getuid()}"


class SettingsError(Exception):
    """The environment cannot be used; the text is one sentence for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that the environment decides. Times in seconds, addresses without a final slash."""

    env: str = "production"
    database_url: str = ""
    redis_url: str = ""
    base_url: str = ""
    secret_key: str = ""
    mail_url: str = ""
    mail_from: str = "Koz <bonjour@koz.test>"
    files_url: str = ""
    cache_dir: Path = TEMPORARY
    organisation: str = ""
    live: bool = False
    metrics_token: str = ""
    trusted_proxies: int = 0
    stripe_secret_key: str = ""
    stripe_webhook_secrets: tuple[str, ...] = ()
    stripe_api_base: str = STRIPE_API_BASE

    @property
    def is_production(self) -> bool:
        """Whether this is the real service: no demo identities, no design page, secure cookies."""
        return self.env == "production"

    @property
    def secure_cookies(self) -> bool:
        """`__Host-` cookies need TLS; the demo on plain http on loopback cannot have them."""
        return self.base_url.startswith("https://")

    @property
    def checkout_origins(self) -> tuple[str, ...]:
        """Origins to which a form may lead the browser: Stripe's hosted pages, or the sandbox's."""
        if self.stripe_api_base == STRIPE_API_BASE:
            return (STRIPE_CHECKOUT_ORIGIN, "https://connect.stripe.com")
        parts = urlsplit(self.stripe_api_base)
        return (f"{parts.scheme}://{parts.netloc}",)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Read and check. Raises SettingsError with one sentence."""
        for name in environ:
            if name.startswith("KOZ_") and name not in NAMES and name not in TOOL_NAMES:
                raise SettingsError(f"{name} is not a setting of Koz; see .env.example for the names.")
        given: dict[str, Any] = {
            field: environ[name].strip() for name, field in NAMES.items() if environ.get(name, "").strip()
        }
        env = given.get("env", "production")
        if env not in ENVIRONMENTS:
            raise SettingsError(f"KOZ_ENV must be one of {', '.join(ENVIRONMENTS)}, not {env!r}.")
        if env != "production":
            given = _demo_values() | given
        cache_dir = Path(given.pop("cache_dir", "") or _cache_dir(environ, env))
        secrets = tuple(s.strip() for s in given.pop("stripe_webhook_secrets", "").split(",") if s.strip())
        try:
            proxies = int(given.pop("trusted_proxies", "0"))
        except ValueError:
            raise SettingsError("KOZ_TRUSTED_PROXIES must be a number, such as 1.") from None
        live = given.pop("live", "") in {"1", "true", "yes"}
        settings = cls(**given, cache_dir=cache_dir, live=live, trusted_proxies=proxies, stripe_webhook_secrets=secrets)
        settings._check()
        return settings

    def _check(self) -> None:
        if self.is_production:
            required = {
                "KOZ_DATABASE_URL": self.database_url,
                "KOZ_REDIS_URL": self.redis_url,
                "KOZ_BASE_URL": self.base_url,
                "KOZ_SECRET_KEY": self.secret_key,
                "KOZ_MAIL_URL": self.mail_url,
                "KOZ_FILES_URL": self.files_url,
                "STRIPE_SECRET_KEY": self.stripe_secret_key,
                "STRIPE_WEBHOOK_SECRETS": "".join(self.stripe_webhook_secrets),
            }
            missing = [name for name, value in required.items() if not value]
            if missing:
                raise SettingsError(f"{', '.join(missing)} must be set in production; see .env.example.")
            if self.secret_key == DEMO_SECRET_KEY:
                raise SettingsError("KOZ_SECRET_KEY is the demo's; make one of your own with 32 bytes or more.")
        if self.organisation:
            raise SettingsError("KOZ_ORGANISATION: single-organisation mode is not built yet; leave it empty.")
        if len(self.secret_key.encode()) < 32:
            raise SettingsError("KOZ_SECRET_KEY must be 32 bytes or more.")
        self._check_stripe()

    def _check_stripe(self) -> None:
        is_live_key = self.stripe_secret_key.startswith(("sk_live_", "rk_live_"))
        base = urlsplit(self.stripe_api_base)
        if is_live_key and self.stripe_api_base != STRIPE_API_BASE:
            raise SettingsError("A live Stripe key may only be used with Stripe's own address: unset STRIPE_API_BASE.")
        if is_live_key and not self.live:
            raise SettingsError("STRIPE_SECRET_KEY is a live key but KOZ_LIVE is not 1: refusing to move real money.")
        if self.live and not is_live_key:
            raise SettingsError("KOZ_LIVE=1 needs a live Stripe key, and STRIPE_SECRET_KEY is a test key.")
        if base.scheme == "http" and base.hostname not in {"127.0.0.1", "localhost", "::1"}:
            raise SettingsError("STRIPE_API_BASE in plain http must be on this machine (127.0.0.1).")


def _cache_dir(environ: Mapping[str, str], env: str) -> Path:
    """Where what can be made again is kept when nothing is said: the demo's home, else the user's folder for such."""
    if env != "production" and environ.get("KOZ_HOME"):
        return Path(environ["KOZ_HOME"]) / "cache"
    if environ.get("XDG_CACHE_HOME"):
        return Path(environ["XDG_CACHE_HOME"]) / "koz"
    return Path(environ["HOME"]) / ".cache/koz" if environ.get("HOME") else TEMPORARY


def _demo_values() -> dict[str, str]:
    return {
        "base_url": "http://127.0.0.1:8000",
        "secret_key": DEMO_SECRET_KEY,
        "stripe_secret_key": DEMO_STRIPE_KEY,
        "stripe_webhook_secrets": DEMO_WEBHOOK_SECRET,
        "stripe_api_base": "http://127.0.0.1:4242",
        "mail_url": "smtp://127.0.0.1:1025",
    }


def current_settings() -> Settings:
    """Settings of the running app. Needs an app context."""
    settings = current_app.config["KOZ"]
    assert isinstance(settings, Settings)
    return settings


def current_part(name: str) -> Any:
    """What `create_app` was given under this name, None when nothing was. Needs an app context."""
    return current_app.extensions.get(name)
