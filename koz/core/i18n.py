"""Languages: French first, English second. Messages are written in English and translated by `translations/`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from flask import Flask, g, has_app_context, has_request_context, request
from flask_babel import Babel, force_locale, get_locale, get_translations
from flask_babel import lazy_gettext as _lazy
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

LOCALES: Final = ("fr", "en")
LOCALE_COOKIE: Final = "koz_lang"

babel = Babel()
#: Translated messages of templates; as many as the catalogues hold.
_markups: dict[tuple[str, str], Markup] = {}


def _(message: str, **values: Any) -> str:
    """The message in the present language, with `%(name)s` places filled."""
    text: str = _translations().ugettext(message)
    return text % values if values else text


def _l(message: str, **values: Any) -> Any:
    """Like `_`, translated when it is shown (for forms and tables made at import)."""
    return _lazy(message, **values)


def ngettext(singular: str, plural: str, num: int, **values: Any) -> str:
    """The form of the message that fits `num`, which is also the value `%(num)s`."""
    text: str = _translations().ungettext(singular, plural, num)
    return text % ({"num": num} | values)


def _translations() -> Any:
    """The catalogue of the present language, found once a context: a page asks for it fifty times."""
    found = g.get("koz_translations")
    if found is None:
        found = g.koz_translations = get_translations()
    return found


def current_locale() -> str:
    """`fr` or `en`."""
    found: str | None = g.get("koz_locale") if has_app_context() else LOCALES[0]
    if found is None:
        babel_locale = get_locale()
        found = g.koz_locale = babel_locale.language if babel_locale else LOCALES[0]
    return found


@contextmanager
def in_locale(locale: str) -> Iterator[None]:
    """Speak another language for a while: mails are written in the recipient's."""
    kept = {name: g.pop(name, None) for name in ("koz_translations", "koz_locale")}
    try:
        with force_locale(locale if locale in LOCALES else LOCALES[0]):
            yield
    finally:
        for name, value in kept.items():
            g.pop(name, None)
            if value is not None:
                setattr(g, name, value)


def choose_locale() -> str:
    """Language of the request: asked for now, the person's, the cookie's, the browser's, French."""
    if not has_request_context():
        return LOCALES[0]
    asked = request.args.get("lang")
    if asked in LOCALES:
        return asked
    person = getattr(g, "person_locale", None)
    if person in LOCALES:
        return str(person)
    cookie = request.cookies.get(LOCALE_COOKIE)
    if cookie in LOCALES:
        return cookie
    return request.accept_languages.best_match(LOCALES, LOCALES[0])


def init_i18n(app: Flask) -> None:
    """Wire Babel; catalogues lie beside the package."""
    babel.init_app(app, locale_selector=choose_locale, default_locale="fr", default_timezone="Europe/Paris")
    app.jinja_env.install_gettext_callables(_, ngettext, newstyle=True)  # type: ignore[attr-defined]
    app.jinja_env.globals.update(_=_markup, ngettext=_ngettext_markup)


@pass_eval_context
def _markup(about: EvalContext, message: str, **values: Any) -> str:
    """`_` of templates: in HTML values are escaped, the message is ours. Jinja's own wrapper costs three times as much.

    Templates of plain text (subjects and texts of mails) escape nothing.
    """
    if not about.autoescape:
        plain: str = _translations().ugettext(message)
        return plain % values if "%" in plain else plain
    locale = current_locale()
    text = _markups.get((locale, message))
    if text is None:
        text = _markups[locale, message] = Markup(_translations().ugettext(message))  # noqa: S704 - our catalogues
    return text % values if "%" in text else text


@pass_eval_context
def _ngettext_markup(about: EvalContext, singular: str, plural: str, num: int, **values: Any) -> str:
    """`ngettext` of templates: like `_markup`, with `num` among the values."""
    text: str = _translations().ungettext(singular, plural, num)
    if about.autoescape:
        text = Markup(text)  # noqa: S704 - a text of our catalogues
    return text % ({"num": num} | values) if "%" in text else text
