"""What templates may use: money, numbers and dates in the reader's language, fingerprinted static addresses."""

import hashlib
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Final

from babel.dates import format_date as babel_date
from babel.dates import format_timedelta
from babel.numbers import format_currency
from flask import Flask, current_app, url_for
from flask_babel import format_datetime, format_decimal, format_percent, get_locale
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup, escape

from koz.core.access import current_actor
from koz.core.clock import PARIS, now, today
from koz.core.i18n import current_locale, ngettext
from koz.core.money import Money
from koz.core.settings import current_settings

ROOT: Final = Path(__file__).resolve().parent.parent.parent


def money(amount: Money | int | None, currency: str = "EUR") -> str:
    """An amount in the reader's language; whole euros without decimals. Integers are minor units."""
    if amount is None:
        return ""
    value = amount if isinstance(amount, Money) else Money(int(amount), currency)
    return _money(value.minor, value.currency, current_locale())


@lru_cache(maxsize=4096)
def _money(minor: int, currency: str, locale: str) -> str:
    pattern = None
    if minor % 100 == 0:
        pattern = "#,##0 ¤" if locale == "fr" else "¤#,##0"
    units, cents = divmod(abs(minor), 100)
    number = Decimal(f"{'-' if minor < 0 else ''}{units}.{cents:02d}")
    return format_currency(number, currency, pattern, locale=locale, currency_digits=pattern is None)


def number(value: float | None) -> str:
    """A number in the reader's language."""
    return "" if value is None else str(format_decimal(value))


def percent(share: float | None, digits: int = 0) -> str:
    """A share of 1 as a percentage."""
    if share is None:
        return ""
    return str(format_percent(share, "#,##0 %" if digits == 0 else "#,##0.0 %"))


def long_date(value: date | datetime | str | None) -> str:
    """A day: « 24 novembre 2026 », in Paris. Text is read as ISO 8601, as JSON columns hold it."""
    if not value:
        return ""
    if isinstance(value, str):
        value = datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
    day = value.astimezone(PARIS).date() if isinstance(value, datetime) else value
    return _long_date(day, current_locale())


@lru_cache(maxsize=1024)
def _long_date(day: date, locale: str) -> str:
    return str(babel_date(day, "long", locale=locale))


def moment(value: datetime | None) -> str:
    """A day and time in Paris."""
    return "" if value is None else str(format_datetime(value, "d MMMM y, HH:mm"))


def ago(value: datetime) -> str:
    """How long ago, roughly: « il y a 3 jours »."""
    return str(format_timedelta(value - now(), add_direction=True, locale=get_locale() or "fr"))


def days_left(day: date | None) -> int:
    """Days from today until the end of `day`; 0 on the day itself and after it."""
    return 0 if day is None else max(0, (day - today()).days)


def paragraphs(text: str | None) -> Markup:
    """Plain text as paragraphs and line breaks, escaped."""
    blocks = [b for b in (text or "").replace("\r\n", "\n").split("\n\n") if b.strip()]
    return Markup("").join(
        Markup("<p>{}</p>").format(Markup("<br>").join(escape(line) for line in block.strip().split("\n")))
        for block in blocks
    )


def duration_label(days: int) -> str:
    """A number of days in words."""
    return ngettext("%(num)s day", "%(num)s days", days)


def static(filename: str) -> str:
    """Address of a static file with its fingerprint, so that browsers may keep it for a year."""
    addresses: dict[str, str] = current_app.extensions.setdefault("koz_static", {})
    address = addresses.get(filename)
    if address is None or current_app.debug:
        path = Path(current_app.static_folder or "") / filename
        if not path.is_file():
            raise AssertionError(f"no static file {filename}")
        mark = hashlib.sha256(path.read_bytes()).hexdigest()[:10]
        address = addresses[filename] = url_for("static", filename=filename, v=mark)
    return address


def _context() -> dict[str, str]:
    """What every template knows; `colon` is the one of the language, with the blank that goes before it."""
    settings, locale = current_settings(), current_locale()
    return {
        "locale": locale,
        "colon": "\u00a0: " if locale == "fr" else ": ",
        "koz_env": settings.env,
        "base_url": settings.base_url,
    }


def init_templating(app: Flask) -> None:
    """Give the app's templates their filters and globals."""
    app.jinja_env.filters.update(
        money=money,
        number=number,
        percent=percent,
        date=long_date,
        datetime=moment,
        ago=ago,
        days_left=days_left,
        paragraphs=paragraphs,
        days=duration_label,
    )
    app.jinja_env.globals.update(static=static, current_actor=current_actor, csrf_token=generate_csrf, today=today)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.context_processor(_context)
