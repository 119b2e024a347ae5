"""The one composition root: `create_app` joins settings, extensions, features and gateways.

Features are listed here and nowhere else: a new blueprint, job module or subscriber module is one line below.
"""

import os
from importlib import import_module
from typing import Any, Final

from flask import Flask
from flask_migrate import Migrate
from limits.storage import MemoryStorage  # noqa: F401 - registers memory://
from redis import Redis
from sqlalchemy.pool import NullPool

from koz.accounts.views import init_login
from koz.core import jobs
from koz.core.db import Base, db
from koz.core.i18n import init_i18n
from koz.core.limits import init_limits
from koz.core.logs import init_logs
from koz.core.settings import Settings
from koz.core.templating import ROOT, init_templating
from koz.core.web import csrf, init_web
from koz.notifications.mailer import Mailer
from koz.notifications.smtp_mailer import SmtpMailer
from koz.payments.gateway import PaymentGateway
from koz.payments.stripe_gateway import StripeGateway

#: Modules with a blueprint `bp`.
BLUEPRINTS: Final[tuple[str, ...]] = (
    "koz.accounts.views",
    "koz.admin.exposure",
    "koz.admin.reviews",
    "koz.admin.views",
    "koz.answers.views",
    "koz.api.feeds",
    "koz.api.machines",
    "koz.api.oembed",
    "koz.api.views",
    "koz.campaigns.views",
    "koz.consultations.views",
    "koz.matching.views",
    "koz.matching.views.certificates",
    "koz.matching.views.history",
    "koz.matching.views.letters",
    "koz.matching.views.teams",
    "koz.matching.views.work",
    "koz.pages.campaigns",
    "koz.pages.embed",
    "koz.pages.home",
    "koz.pages.my",
    "koz.pages.organisations",
    "koz.payments.views",
    "koz.skills.views",
)
#: Modules that only have to be imported: jobs, subscribers.
MODULES: Final[tuple[str, ...]] = (
    "koz.accounts.jobs",
    "koz.answers.jobs",
    "koz.campaigns.jobs",
    "koz.consultations.jobs",
    "koz.matching.jobs",
    "koz.notifications.jobs",
    "koz.payments.jobs",
    "koz.workflows.accounts",
    "koz.workflows.answers",
    "koz.workflows.budgets",
    "koz.workflows.campaigns",
    "koz.workflows.consultations",
    "koz.workflows.following",
    "koz.workflows.funding",
    "koz.workflows.gifts",
    "koz.workflows.matching",
)

migrate = Migrate(compare_type=True)


def create_app(
    settings: Settings | None = None,
    *,
    redis: "Redis | None" = None,
    mailer: Mailer | None = None,
    gateway: PaymentGateway | None = None,
    **config: Any,
) -> Flask:
    """The application. `settings` default to the environment's; `redis` replaces the client made from them."""
    settings = settings or Settings.from_env(os.environ)
    init_logs()
    app = Flask("koz", root_path=str(ROOT), static_folder="static", template_folder="templates")
    app.config["KOZ"] = settings
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(ROOT / "translations")
    app.config["BRIEF_CACHE_S"] = 0 if settings.env == "test" else 1.0
    app.config.update(config)
    _init_database(app, settings)
    init_i18n(app)
    init_templating(app)
    init_web(app, settings)
    init_login(app)
    jobs.init_jobs(app, redis if redis is not None else _redis(settings))
    app.extensions["koz_mailer"] = mailer or SmtpMailer(settings.mail_url, settings.mail_from)
    app.extensions["koz_gateway"] = gateway or StripeGateway(
        settings.stripe_secret_key, settings.stripe_webhook_secrets, settings.stripe_api_base
    )
    init_limits(app, _limits_url(settings))
    for name in MODULES:
        import_module(name)
    for name in BLUEPRINTS:
        module = import_module(name)
        app.register_blueprint(module.bp)
        for view in getattr(module, "CSRF_EXEMPT", ()):
            csrf.exempt(view)
    return app


def _init_database(app: Flask, settings: Settings) -> None:
    url = settings.database_url.replace("postgresql://", "postgresql+psycopg://", 1)
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    options: dict[str, Any] = {"pool_pre_ping": True, "pool_size": 8, "max_overflow": 8, "pool_timeout": 5}
    if settings.env == "test":
        options = {"poolclass": NullPool}
    options["hide_parameters"] = True  # an error that is logged must not hold what people typed
    options["connect_args"] = {"connect_timeout": 5, "options": "-c statement_timeout=20000 -c lock_timeout=8000"}
    app.config.setdefault("SQLALCHEMY_ENGINE_OPTIONS", options)
    db.init_app(app)
    migrate.init_app(app, db, directory=str(ROOT / "migrations"))
    assert Base.metadata is db.metadata


def _limits_url(settings: Settings) -> str:
    """The counters' address: `limits` has a scheme of its own for Redis on a socket."""
    return settings.redis_url.replace("unix://", "redis+unix://", 1) or "memory://"


def _redis(settings: Settings) -> "Redis | None":
    if not settings.redis_url:
        return None
    return Redis.from_url(settings.redis_url, socket_timeout=5, socket_connect_timeout=2)
