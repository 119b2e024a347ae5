"""Every mail, in every language: text and HTML are there, complete, and made as mail programs expect."""

import html as html_module
import re
from email import message_from_bytes
from email.policy import default as modern
from pathlib import Path

import html5lib
import pytest
from jinja2 import meta

from koz.core.settings import current_settings
from koz.notifications.jobs import render_letter
from koz.notifications.mailer import Letter
from koz.notifications.services import Claim
from koz.notifications.smtp_mailer import SmtpMailer

ROOT = Path(__file__).parents[2] / "templates/mail"
NAMES = sorted(folder.name for folder in ROOT.iterdir() if folder.is_dir())
NUMBERS = ("_minor", "count", "days", "number", "_id", "gifts", "hours", "minutes", "total")
DAYS = ("_on", "_at", "day", "date")
KNOWN = {"role": "editor", "currency": "EUR", "stage": 3, "locale_name": "fr"}
GIVEN = {"base_url", "locale", "subject", "koz_env", "unsubscribe_path"}


def plausible(app, name):
    """A value for every variable that a mail's templates use, by its name."""
    wanted = set()
    for path in (ROOT / name).iterdir():
        source = path.read_text()
        wanted |= meta.find_undeclared_variables(app.jinja_env.parse(source))
    params = {}
    for variable in wanted - GIVEN - set(app.jinja_env.globals):
        if variable in KNOWN:
            params[variable] = KNOWN[variable]
        elif variable.endswith("path"):
            params[variable] = f"/exemple/{variable}"
        elif variable.endswith(NUMBERS):
            params[variable] = 1250
        elif variable.endswith(DAYS):
            params[variable] = "2026-11-24"
        else:
            params[variable] = f"Exemple {variable}"
    return params


def letter(app, name, locale, **more):
    return render_letter(Claim(7, name, "a@koz.test", locale, plausible(app, name) | more))


@pytest.mark.parametrize("name", NAMES)
def test_every_mail_is_whole_in_both_languages(app, name):
    assert {p.name for p in (ROOT / name).iterdir()} == {"subject.txt", "body.txt", "body.html"}
    written = {locale: letter(app, name, locale) for locale in ("fr", "en")}
    for locale, mail in written.items():
        where = f"{name} in {locale}"
        assert mail.subject, where
        assert "\n" not in mail.subject, where
        for part in (mail.subject, mail.text, mail.html):
            assert "%(" not in part, where
            assert "None" not in part, where
        assert "<" not in re.sub(r"<[^<>@\s]+@[^<>\s]+>", "", mail.text), f"HTML in the text of {where}"
        html5lib.HTMLParser(strict=True).parse(mail.html)
        assert f'<html lang="{locale}">' in mail.html, where
        assert "<script" not in mail.html, where
        assert not re.search(r'(?:src|href)="https?://(?!127\.0\.0\.1:8000)', mail.html), (
            f"somebody else's host: {where}"
        )
        for path in re.findall(r"http://127\.0\.0\.1:8000/\S+", mail.text):
            assert path in html_module.unescape(mail.html), f"a link is only in the text of {where}"
    assert written["fr"].subject != written["en"].subject, f"{name} is not translated"
    assert written["fr"].text != written["en"].text


def test_names_of_people_cannot_make_headers_or_markup(app):
    mail = letter(app, "invitation", "fr", who='X\r\nBcc: y@koz.test <b onclick="z">', organisation="<i>Y</i>")
    assert "\r" not in mail.subject
    assert "\n" not in mail.subject
    assert "<b onclick" not in mail.html
    assert "<i>" not in mail.html
    message = SmtpMailer("smtp://127.0.0.1", "Koz <k@koz.test>")._message(mail)
    assert message["Bcc"] is None


def test_a_mail_that_one_can_stop_says_where(app):
    base = current_settings().base_url
    mail = letter(app, "known", "en", unsubscribe_path="/stop/abc")
    assert f"{base}/stop/abc" in mail.text
    assert f"{base}/stop/abc" in mail.html
    message = SmtpMailer("smtp://127.0.0.1", "Koz <k@koz.test>")._message(mail)
    assert message["List-Unsubscribe"] == f"<{base}/stop/abc>"
    assert SmtpMailer("smtp://x", "k@koz.test")._message(letter(app, "known", "en"))["List-Unsubscribe"] is None


def test_the_message_has_the_headers_that_programs_look_for():
    mail = Letter("Été@koz.test", "Sujet é", "Bonjour\n", "<p>Bonjour</p>", "<abc@koz.test>", "fr")
    sent = SmtpMailer("smtp://127.0.0.1", "Koz <bonjour@koz.test>")._message(mail)
    message = message_from_bytes(sent.as_bytes(), policy=modern)
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert message["Message-ID"] == "<abc@koz.test>"
    assert message["Date"].datetime.tzinfo is not None
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Subject"] == "Sujet é"
    assert message["Content-Language"] == "fr"


def test_the_same_mail_has_the_same_message_id_however_often_it_is_tried(app):
    assert letter(app, "known", "fr").message_id == letter(app, "known", "fr").message_id
