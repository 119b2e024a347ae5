"""A Cap Collectif file comes in whole or not at all, once or twice, with other people's counts kept apart."""

import copy
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from koz.consultations import queries, services
from koz.consultations.cli import cli
from koz.consultations.models import Argument, Consultation, Contribution, ContributionVote, Section, Source
from koz.consultations.services.import_cap import ImportAs
from koz.consultations.states import Choice, ConsultationState, Side, SourceKind
from koz.core.errors import Conflict, Invalid
from tests.factories.accounts import make_person
from tests.factories.consultations import make_argument, make_consultation

PERSON = {"username": "p1", "displayName": "p00001", "uniqueId": "p1", "isAdmin": False, "vip": False}
OPINION = {
    "id": 61, "title": "Article 1", "body": "<p>Un &laquo;&nbsp;texte&nbsp;&raquo;.</p><script>alert(1)</script>",
    "created_at": "2015-09-26T02:27:54+0200", "updated_at": "2015-09-26T02:27:54+0200", "is_trashed": False,
    "ranking": None, "isContribuable": False, "section_slug": "ouverture",
    "type": {"id": 86, "title": "Section 1", "subtitle": "Ouverture", "votesHelpText": "Pensez-vous que oui ?"},
    "author": PERSON | {"vip": True}, "votes_total": 12, "votes_ok": 7, "votes_nok": 3, "votes_mitige": 2,
    "arguments_count": 2, "sources_count": 1, "versions_count": 5,
    "appendices": [{"type": {"title": "Explication"}, "body": "<p>Parce que.</p>"}, {"type": {"title": "Vide"}, "body": None}],
    "modals": [{"key": "article 7", "title": "article 7", "before": "<p>Le vieux texte.</p>", "after": "<p>Le nouveau texte.</p>"}],
    "arguments": [
        {"id": 1, "type": 1, "body": "Oui.", "created_at": "2015-09-27T10:00:00+0200", "votes_count": 4, "author": PERSON},
        {"id": 2, "type": 0, "body": "Non <b>!", "created_at": "2015-10-18T23:00:00+0200", "votes_count": 0, "author": PERSON},
    ],
    "sources": [
        {"id": 9, "title": "Un site", "link": "https://example.org", "body": "Voir.", "category": "Rapport / Étude",
         "created_at": "2015-09-27T10:00:00+0200", "votes_count": 2, "author": PERSON},
    ],
}  # fmt: skip
TARGET = ImportAs(slug="essai", title="Essai", question="Et vous ?", origin="Cap Collectif")


def opinion(number=61, **changes):
    made = copy.deepcopy(OPINION) | {"id": number}
    if number != 61:
        made |= {"arguments": [], "sources": [], "author": PERSON}
    return made | changes


def lines(*opinions):
    return [json.dumps(o).encode() for o in opinions]


def count(session, table):
    return session.scalar(select(func.count()).select_from(table))


def test_all_of_it_comes_in_apart_from_our_own_counts(session):
    report = services.import_cap(session, [*lines(opinion(), opinion(62, is_trashed=True)), b"\n"], TARGET)
    assert (report.contributions, report.arguments, report.sources, report.amendments) == (2, 2, 1, 10)
    assert report.votes == {"agree": 14, "mixed": 4, "disagree": 6}
    assert report.new == {"contributions": 2, "arguments": 2, "sources": 1}
    consultation = queries.get_consultation(session, "essai")
    assert (consultation.campaign_id, consultation.state, consultation.is_open) == (
        None,
        ConsultationState.CLOSED,
        False,
    )
    assert consultation.closes_on.isoformat() == "2015-10-18"
    first, second = (v.contribution for v in queries.list_contributions(session, consultation.id).items)
    assert (first.external_id, first.by_organiser, first.author_label) == ("61", True, "p00001")
    assert (first.imported_agree, first.imported_mixed, first.imported_disagree, first.imported_amendments) == (
        7,
        2,
        3,
        5,
    )
    assert (first.agree, first.mixed, first.disagree, first.amendments) == (0, 0, 0, 0)
    assert (first.arguments_for, first.arguments_against) == (1, 1)
    assert "<script" not in first.body_html
    assert first.excerpt == "Un « texte »."
    assert second.imported_trashed
    titles = [a["title"] for a in queries.list_annexes(session, first.id)]
    assert titles == ["Explication", "Vide", "article 7"]
    source = session.scalars(select(Source)).one()
    assert (source.kind, source.imported_useful) == (SourceKind.REPORT, 2)
    results = queries.results(session, consultation.id)
    assert (results.participants, results.total.votes, results.total.imported_votes) == (0, 0, 24)
    assert queries.list_mismatches(session) == []


def test_twice_doubles_nothing_and_brings_what_changed(session):
    services.import_cap(session, lines(opinion()), TARGET)
    ids = session.scalars(select(Contribution.id)).all()
    report = services.import_cap(session, lines(opinion(votes_ok=9, title="Article un"), opinion(62)), TARGET)
    assert report.new == {"contributions": 1, "arguments": 0, "sources": 0}
    contribution = session.get_one(Contribution, ids[0], populate_existing=True)
    assert (contribution.imported_agree, contribution.title) == (9, "Article un")
    assert [count(session, t) for t in (Consultation, Section, Contribution, Argument, Source)] == [1, 1, 2, 2, 1]


def test_opened_for_a_trial_it_takes_votes_of_our_own_which_stay_apart(session):
    services.import_cap(
        session, lines(opinion()), ImportAs(slug="essai", title="E", question="Q", origin="O", open_days=10)
    )
    consultation = queries.get_consultation(session, "essai")
    contribution = session.scalars(select(Contribution)).one()
    services.vote_on_contribution(session, consultation.id, contribution.id, make_person(session).id, Choice.AGREE)
    make_argument(session, contribution, Side.FOR, sourced=True)
    services.import_cap(session, lines(opinion()), TARGET)
    session.refresh(contribution)
    assert (contribution.agree, contribution.imported_agree, contribution.arguments_for) == (1, 7, 2)
    results = queries.results(session, consultation.id)
    assert (results.total.votes, results.total.imported_votes, results.participants) == (1, 12, 2)
    assert queries.list_mismatches(session) == []


def test_an_address_of_somebody_else_is_left_alone(session):
    make_consultation(session, slug="essai")
    with pytest.raises(Conflict):
        services.import_cap(session, lines(opinion()), TARGET)


BAD = {
    "not json": b"{",
    "not an object": b"[1]",
    "deep": b"[" * 100_000,
    "not text": b"\xff\xfe",
    "no title": lines(opinion(title=None))[0],
    "a title of blanks": lines(opinion(title=" \u202e "))[0],
    "votes as text": lines(opinion(votes_ok="7"))[0],
    "votes below nothing": lines(opinion(votes_ok=-1))[0],
    "votes beyond bounds": lines(opinion(votes_ok=10**12))[0],
    "a boolean as number": lines(opinion(votes_ok=True))[0],
    "no date": lines(opinion(created_at="yesterday"))[0],
    "a date without a zone": lines(opinion(created_at="2015-09-26T02:27:54"))[0],
    "no author": lines(opinion(author=None))[0],
    "arguments not a list": lines(opinion(arguments={}))[0],
    "a third side": lines(opinion(arguments=[OPINION["arguments"][0] | {"type": 2}]))[0],
    "the same opinion again": lines(opinion())[0],
    "the same argument again": lines(opinion(63, arguments=OPINION["arguments"]))[0],
    "a title without end": lines(opinion(63, title="x" * 251))[0],
}


@pytest.fixture
def run(app, tmp_path):
    """`run(content, ...)` writes a file and runs the command on it."""

    def command(content, *options, name="opinions.jsonl"):
        path = tmp_path / name
        path.write_bytes(content)
        return CliRunner().invoke(cli, ["import-cap", str(path), *options])

    return command


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_a_bad_line_is_named_and_nothing_is_brought_in(run, session, bad):
    result = run(b"\n".join([*lines(opinion(), *(opinion(n) for n in range(100, 160))), bad, *lines(opinion(99))]))
    assert isinstance(result.exception, Invalid), result.output
    assert "62" in result.exception.sentence
    assert "\n" not in result.exception.sentence
    assert [count(session, t) for t in (Consultation, Section, Contribution, Argument, Source)] == [0] * 5


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_an_empty_file_is_refused(run, session, content):
    assert isinstance(run(content).exception, Invalid)
    assert count(session, Consultation) == 0


def test_a_damaged_archive_is_refused(run, session):
    whole = gzip.compress(b"\n".join(lines(*(opinion(n) for n in range(100, 400)))))
    for content in (whole[:-20], b"not a gzip", whole[:200] + b"\x00" * 200):
        assert isinstance(run(content, name="o.jsonl.gz").exception, Invalid)
    assert count(session, Contribution) == 0


def test_the_command_tells_in_one_document_what_it_did(run, session):
    result = run(
        gzip.compress(lines(opinion())[0]), "--slug", "un essai", "--json", "--title", "Titre", name="o.jsonl.gz"
    )
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["slug"], told["contributions"], told["stored"]["arguments"]) == ("un-essai", 1, 2)
    assert run(lines(opinion())[0]).exit_code == 0
    assert count(session, Consultation) == 2


def test_as_a_command_it_speaks_one_sentence_and_leaves_nothing(fresh_database, tmp_path):
    path = tmp_path / "opinions.jsonl"
    path.write_bytes(lines(opinion())[0] + b"\n{")
    environment = os.environ | {"KOZ_ENV": "test", "KOZ_DATABASE_URL": fresh_database(), "PYTHONPATH": str(Path.cwd())}

    def koz(*arguments):
        command = [sys.executable, "-m", "koz.cli", "consultations", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    refused = koz("import-cap", str(path), "--json")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("La ligne 2 ")
    assert refused.stderr.count("\n") == 1
    path.write_bytes(lines(opinion())[0])
    done = koz("import-cap", str(path), "--json")
    assert (done.returncode, json.loads(done.stdout)["new"]["arguments"]) == (0, 2)
    assert koz("check").stdout == "every tally is right\n"
    assert koz("import-cap", str(tmp_path / "none.jsonl")).returncode == 2


def test_the_recount_command(app, session):
    assert CliRunner().invoke(cli, ["check", "--json"]).exit_code == 0
    services.import_cap(session, lines(opinion()), TARGET)
    session.scalars(select(Contribution)).one().agree = 4
    session.commit()
    result = CliRunner().invoke(cli, ["check", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["problems"][0]["column"] == "agree"
    assert "agree is 4" in CliRunner().invoke(cli, ["check"]).stderr


def test_its_pages_say_that_it_was_imported_and_show_two_tallies(client, session):
    services.import_cap(session, lines(opinion()), TARGET)
    contribution = session.scalars(select(Contribution)).one()
    for address in ("", "/results", f"/contributions/{contribution.id}"):
        page = client.get(f"/consultations/essai{address}")
        assert "Importée pour un essai" in page.text
        assert "p00001" in page.text or address == "/results"
    annexes = client.get(f"/consultations/essai/contributions/{contribution.id}/annexes")
    assert "vieux" in "".join("".join(d.itertext()) for d in annexes.all("del"))
    assert "7 d’accord" in client.get("/consultations/essai").text


def test_the_real_consultation_of_2015(shared, app, session, client, queries):
    """696 opinions, 88,622 votes, 3,994 arguments, 326 sources, 1,389 amendments, 18 sections: all, twice, quickly shown."""
    file = shared / "data/republique-numerique/opinions.jsonl.gz"
    for is_new in (True, False):
        result = CliRunner().invoke(cli, ["import-cap", str(file), "--json", "--title", "République numérique"])
        assert result.exit_code == 0, result.output
        told = json.loads(result.stdout)
        assert told["new"] == (
            {"contributions": 696, "arguments": 3994, "sources": 326} if is_new else dict.fromkeys(told["new"], 0)
        )
    stored = told["stored"]
    assert (told["contributions"], told["arguments_for"], told["arguments_against"]) == (696, 1960, 2034)
    assert stored == {
        "sections": 18, "contributions": 696, "arguments": 3994, "sources": 326,
        "agree": 71_940, "mixed": 5_947, "disagree": 10_735, "amendments": 1_389,
    }  # fmt: skip
    assert told["authors"] <= 2072
    assert count(session, ContributionVote) == 0
    big = session.scalars(
        select(Contribution).order_by(func.length(Contribution.body_html).desc(), Contribution.id).limit(3)
    ).all()
    big += session.scalars(
        select(Contribution).order_by((Contribution.arguments_for + Contribution.arguments_against).desc()).limit(3)
    ).all()
    base = "/consultations/republique-numerique"
    sections = session.scalars(select(Section.id)).all()
    addresses = ["/consultations", base, f"{base}/results", *(f"{base}?section={s}" for s in sections)]
    addresses += [f"{base}/contributions/{c.id}" for c in big]
    for address in addresses:
        with queries() as q:
            page = client.get(address)
        assert q.count <= 10, address
        assert len(page.response.data) < 100_000, address
    for c in big:
        client.get(f"{base}/contributions/{c.id}/annexes")
