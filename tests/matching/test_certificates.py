"""Certificates: facts that were confirmed, one fingerprint for them, a PDF that can be read aloud, a page that checks."""

import io
import json
import re
from datetime import timedelta

import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from koz.accounts import services as accounts
from koz.accounts.services import export_person
from koz.core.clock import today
from koz.core.db import unit_of_work
from koz.core.errors import Conflict, NotFound
from koz.core.limits import reset_limits
from koz.matching import certificate as paper
from koz.matching.models import Certificate, TimeEntry
from koz.matching.services import certifying, engaging, timekeeping
from koz.matching.services.timekeeping import Worked
from koz.matching.states import EngagementState, Revoked
from tests.factories.engagements import make_pair
from tests.matching.test_proposing import at_once

E = EngagementState
NASTY = '#panic("x") $a$ *b* _c_ `d` \\ @e <f> #{1+1} // g /* h */ [i] = j ~ " \' &amp; %(k)s'
WORDS = {
    "heading": "Certificate", "kicker": "k", "author": NASTY, "description": NASTY, "sentence": NASTY,
    "rows": [[NASTY, NASTY]], "skills_heading": "s", "skills": [NASTY], "no_skills": "", "check_heading": "c",
    "check_text": NASTY, "url_shown": "http://koz.test/certificates/x", "fingerprint_label": "f",
    "fingerprint": ["0123 4567", "89ab cdef"], "qr_alt": NASTY, "footer": NASTY,
}  # fmt: skip


@pytest.fixture
def pair(session):
    return make_pair(session, E.CLOSED)


def read(pdf):
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    return reader, " ".join("".join(page.extract_text() for page in reader.pages).split())


def squeezed(text):
    return re.sub(r"\s", "", text)


# The paper ------------------------------------------------------------------------------------------------------------


@given(st.dictionaries(st.text(max_size=8), st.one_of(st.integers(), st.text(max_size=8), st.booleans()), max_size=6))
def test_the_same_facts_have_the_same_fingerprint_in_any_order(facts):
    turned = dict(reversed(list(facts.items())))
    assert paper.fingerprint_of(facts) == paper.fingerprint_of(turned)
    assert json.loads(paper.canonical(facts)) == facts
    assert paper.fingerprint_of(facts | {"another": 1}) != paper.fingerprint_of(facts)


def test_texts_of_people_are_texts_and_nothing_else():
    reader, text = read(paper.make_pdf(WORDS, "http://koz.test/x", "fr", 1_764_000_000))
    assert squeezed(text).count(squeezed(NASTY)) == 6
    assert reader.metadata.author == NASTY


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Co", "Cn"]), min_size=1, max_size=40))
def test_any_name_makes_a_paper(name):
    pdf = paper.make_pdf(WORDS | {"sentence": name, "rows": [["n", name]]}, "http://koz.test/x", "fr", 1_764_000_000)
    assert pdf.startswith(b"%PDF")


def test_the_same_words_make_the_same_file_which_can_be_read_aloud():
    one, two = (paper.make_pdf(WORDS, "http://koz.test/x", "en", 1_764_000_000) for _ in range(2))
    assert one == two
    reader, _text = read(one)
    root = reader.trailer["/Root"]
    assert reader.metadata.title == "Certificate"
    assert root["/Lang"] == "en"
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert b"pdfuaid" in root["/Metadata"].get_data()


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("0123 4567 89AB cdef", "0123456789abcdef"), ("0123-4567-89ab-cdef-00", "0123456789abcdef00"),
        ("0123456789abcde", None), ("0123456789abcdeg", None), ("a" * 64, "a" * 64), ("a" * 65, None), ("", None),
        ("%' OR 1=1 --aaaaaaa", None),
    ],
)  # fmt: skip
def test_codes_are_read_as_people_copy_them(typed, code):
    assert paper.read_code(typed) == code


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Violaine Kermadec", "violaine  KERMADEC", True), ("Élodie Le-Bihan", "elodie le bihan", True),
        ("Violaine Kermadec", "Kermadec", False), ("", "", False), ("…", "!", False), ("李雷", "李雷", True),
    ],
)  # fmt: skip
def test_names_are_compared_as_people_write_them(one, other, same):
    assert paper.same_name(one, other) is same


# The certificate ------------------------------------------------------------------------------------------------------


def test_only_what_was_confirmed_is_certified_and_only_to_who_gave_it(session):
    pair = make_pair(session, E.DELIVERED)
    with pytest.raises(Conflict):
        certifying.certify(session, pair.pro, pair.engagement.id)
    engaging.advance(session, pair.owner, pair.engagement.id, E.CLOSED)
    for stranger in (pair.owner, make_pair(session).pro):
        with pytest.raises(NotFound):
            certifying.certify(session, stranger, pair.engagement.id)
    made = certifying.certify(session, pair.pro, pair.engagement.id)
    assert certifying.certify(session, pair.pro, pair.engagement.id) is made
    assert made.fingerprint == paper.fingerprint_of(made.facts)
    assert made.facts["minutes"] == 360
    assert made.facts["skills"] == [{"fr": "communiqués de presse", "en": "press releases"}]


def test_the_log_is_what_it_rests_on(session):
    pair = make_pair(session, E.RUNNING)
    day = today()
    pair.engagement.accepted_at -= timedelta(days=9)
    for back, minutes in ((5, 90), (2, 60), (2, 30)):
        worked = Worked(worked_on=day - timedelta(days=back), minutes=minutes, what="Relecture")
        timekeeping.add_entry(session, pair.pro, pair.engagement.id, worked)
    engaging.advance(session, pair.pro, pair.engagement.id, E.DELIVERED)
    engaging.advance(session, pair.owner, pair.engagement.id, E.CLOSED)
    facts = certifying.certify(session, pair.pro, pair.engagement.id).facts
    assert (facts["minutes"], facts["days"]) == (180, 2)
    assert facts["begun_on"] == (day - timedelta(days=5)).isoformat()


def test_facts_stay_as_they_were(session, pair):
    made = certifying.certify(session, pair.pro, pair.engagement.id)
    pair.person.name, pair.mission.title = "Autre Nom", "Autre titre"
    session.flush()
    assert certifying.certify(session, pair.pro, pair.engagement.id).facts["name"] == "Violaine Kermadec"
    assert paper.fingerprint_of(made.facts) == made.fingerprint


def test_two_presses_make_one(committed_app):
    with unit_of_work() as session:
        pair = make_pair(session, E.CLOSED)
        pro, engagement_id = pair.pro, pair.engagement.id

    def press(session):
        return certifying.certify(session, pro, engagement_id).id

    assert len(set(at_once(committed_app, *[press] * 6))) == 1


@pytest.mark.parametrize(("lang", "words"), [("fr", "Attestation d’engagement"), ("en", "Certificate of engagement")])
def test_the_pdf_says_it_in_either_language(session, client, enter, pair, lang, words):
    enter(pair.person)
    url = f"/engagements/{pair.engagement.id}"
    client.get(f"{url}/certificate-{lang}.pdf", status=404)
    client.post(f"{url}/certificate")
    answer = client.open(f"{url}/certificate-{lang}.pdf")
    assert answer.content_type == "application/pdf"
    assert answer.headers["Cache-Control"] == "no-store"
    reader, text = read(answer.data)
    assert reader.metadata.title == words
    assert reader.trailer["/Root"]["/Lang"] == lang
    made = session.scalars(select(Certificate)).one()
    for part in (words, "Violaine Kermadec", pair.mission.title, "6 h", made.number):
        assert part in text.replace("\u00a0", " "), part
    assert made.fingerprint in squeezed(text)
    client.get(f"{url}/certificate-de.pdf", status=404)
    enter(pair.member)
    client.get(f"{url}/certificate-{lang}.pdf", status=404)
    client.post(f"{url}/certificate", status=404)


# Checking -------------------------------------------------------------------------------------------------------------


def test_anybody_checks_and_nobody_learns_the_name(session, client, pair):
    made = certifying.certify(session, pair.pro, pair.engagement.id)
    session.flush()
    page = client.get(f"/certificates/{made.fingerprint}")
    assert "authentique" in page.text
    assert pair.mission.title in page.text
    for secret in ("Kermadec", "Violaine", made.facts["mark"], pair.person.email):
        assert secret not in page.body
    assert "noindex" in page.response.headers["X-Robots-Tag"]
    assert "no-store" in page.response.headers["Cache-Control"]
    page = client.post(f"/certificates/{made.fingerprint[:16]}", {"name": "violaine kermadec"}, status=200)
    assert "Oui, c’est bien le nom" in page.text
    page = client.post(f"/certificates/{made.fingerprint[:16]}", {"name": "Violaine"}, status=200)
    assert "Non, un autre nom" in page.text
    assert "Kermadec" not in page.body


def test_what_is_unknown_is_said_to_be(session, client, pair):
    certifying.certify(session, pair.pro, pair.engagement.id)
    for code in ("0" * 64, "0" * 16, "x", "%", "KZ-1-1"):
        assert "Aucune attestation" in client.get(f"/certificates/{code}", status=404).text
    page = client.get("/certificates?code=0123", status=422)
    assert page.field("code") == "0123"
    answer = client.get("/certificates?code=0123+4567+89ab+CDEF", status=303).response
    assert answer.location == "/certificates/0123456789abcdef"


def test_trying_is_limited(session, app, client, pair):
    made = certifying.certify(session, pair.pro, pair.engagement.id)
    session.flush()
    reset_limits(app)
    for _ in range(20):
        client.post(f"/certificates/{made.fingerprint}", {"name": "Jean"}, status=200)
    client.post(f"/certificates/{made.fingerprint}", {"name": "Jean"}, status=429)


def test_a_correction_voids_it_and_the_next_one_is_another(session, client, pair):
    made = certifying.certify(session, pair.pro, pair.engagement.id)
    engaging.advance(session, pair.owner, pair.engagement.id, E.RUNNING)
    session.flush()
    session.refresh(made)
    assert made.revoked_because is Revoked.CORRECTED
    page = client.get(f"/certificates/{made.fingerprint}")
    assert "n’est plus valable" in page.text
    assert pair.mission.title not in page.text
    engaging.advance(session, pair.pro, pair.engagement.id, E.DELIVERED, 5)
    engaging.advance(session, pair.owner, pair.engagement.id, E.CLOSED)
    again = certifying.certify(session, pair.pro, pair.engagement.id)
    assert again.fingerprint != made.fingerprint
    assert again.number != made.number


def test_an_erasure_leaves_no_fact_and_the_copy_holds_all(session, client, pair, letters):
    made = certifying.certify(session, pair.pro, pair.engagement.id)
    session.commit()
    letters()
    copy = json.dumps(export_person(session, pair.person.id), default=str)
    assert made.fingerprint in copy
    assert '"log"' in copy
    accounts.erase_person(session, pair.person.id)
    session.commit()
    letters()
    session.expire_all()
    assert made.facts == {}
    assert made.revoked_because is Revoked.ERASED
    assert session.scalar(select(func.sum(TimeEntry.minutes))) == 360
    page = client.get(f"/certificates/{made.fingerprint}")
    assert "ne conserve plus" in page.text
    assert "Kermadec" not in page.body
