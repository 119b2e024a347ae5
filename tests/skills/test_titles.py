"""Job titles → skills, occupations, sheets: learned from rows, the same for every gender, stored and mapped."""

import json
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from koz.cli import main
from koz.core.db import unit_of_work
from koz.skills.models.concepts import SkillConcept, SkillEdge
from koz.skills.queries import find_skills_of_title
from koz.skills.services.profiles import suggest
from koz.skills.taxonomy import Alias, Concept, ConceptKind, Edge, EdgeKind, Origin, Rows
from koz.skills.taxonomy import vectors as v
from koz.skills.taxonomy.store import write
from koz.skills.taxonomy.titles import JobTitles, Read
from tests.factories.accounts import make_person
from tests.factories.matching import make_concept, make_profile

FIELDS = (
    ("cuir", "leather"), ("bois", "wood"), ("verre", "glass"), ("papier", "paper"), ("coton", "cotton"),
    ("vélo", "bicycle"), ("jardin", "garden"), ("musique", "music"), ("danse", "dance"), ("théâtre", "theatre"),
    ("banque", "bank"), ("presse", "press"),
)  # fmt: skip
TRADES = (
    ("Directeur / Directrice", "manager", "diriger", "manage"),
    ("Vendeur / Vendeuse", "seller", "vendre", "sell"),
    ("Formateur / Formatrice", "trainer", "former", "train"),
)
SKILL, JOB, GROUP = ConceptKind.SKILL, ConceptKind.OCCUPATION, ConceptKind.GROUP


def make_rows():
    """Jobs are a trade in a field; each needs the skill of its trade and knowledge of its field."""
    concepts, aliases, edges = [], [], []
    for i, (fr, en) in enumerate(FIELDS):
        concepts.append(Concept(100 + i, f"esco:s{i}", Origin.ESCO, SKILL, f"connaître le {fr}", f"know {en}"))
    for j, (title_fr, title_en, verb_fr, verb_en) in enumerate(TRADES):
        concepts.append(Concept(200 + j, f"esco:v{j}", Origin.ESCO, SKILL, f"{verb_fr} une équipe", f"{verb_en} teams"))
        concepts.append(Concept(300 + j, f"esco/isco/{j}", Origin.ESCO, GROUP, None, f"ISCO-08 {j}"))
        for i, (fr, en) in enumerate(FIELDS):
            job, sheet = 1000 + 100 * j + i, 2000 + 100 * j + i
            concepts.append(Concept(job, f"esco:o{job}", Origin.ESCO, JOB, f"{title_fr} {fr}", f"{en} {title_en}"))
            concepts.append(Concept(sheet, f"rome:{sheet}", Origin.ROME, JOB, f"{title_fr} de {fr}", None))
            aliases.append(Alias(sheet, "fr", f"Responsable {title_fr} en {fr}"))
            edges += [
                Edge(job, 200 + j, EdgeKind.NEEDS, 0.9, Origin.ESCO),
                Edge(job, 100 + i, EdgeKind.NEEDS, 0.5, Origin.ESCO),
                Edge(sheet, 100 + i, EdgeKind.NEEDS, 0.9, Origin.ROME),
                Edge(job, 300 + j, EdgeKind.BROADER, 0.7, Origin.ESCO),
                Edge(sheet, 300 + j, EdgeKind.BROADER, 0.5, Origin.ROME),
            ]
    return Rows.of(concepts, aliases, edges)


@pytest.fixture(scope="module")
def titles():
    return JobTitles.of(make_rows())


def ids(found):
    return [near.concept_id for near in found]


def test_a_known_title_gives_its_occupation_its_sheet_and_what_they_need(titles):
    read = titles.read("directrice de danse", "fr", 3)
    assert read.occupations[0] == (1008, 1.0)
    assert read.sheets[0].concept_id == 2008
    assert {200, 108} <= set(ids(read.skills))
    english = titles.read("Dance manager", "en", 3)
    assert english.occupations[0] == (1008, 1.0)
    assert {200, 108} <= set(ids(english.skills))
    assert english.sheets == ()


def test_an_unknown_title_is_read_by_its_parts(titles):
    read = titles.read("vendeuse de bicyclettes et de vélos d'occasion", "fr", 5)
    assert 201 in ids(read.skills)[:2]
    assert ids(read.occupations)[0] == 1105
    assert read.occupations[0].score < 1


@pytest.mark.parametrize("text", ["", "   ", "de la", "日本", "?!", "qzx"])
def test_nothing_is_read_from_nothing(titles, text):
    assert titles.read(text, "fr") == Read()


def test_scores_are_shares_and_go_down(titles):
    read = titles.read("formateur théâtre et danse", "fr", 10)
    for found in (read.skills, read.occupations, read.sheets):
        scores = [near.score for near in found]
        assert scores == sorted(scores, reverse=True)
        assert all(0 <= score <= 1 for score in scores)
        assert len(set(ids(found))) == len(found)
    assert titles.read("formateur théâtre", "fr", 0) == Read()


GENDERS = (
    ("directeur", "directrice", "directeur·rice", "directeur/directrice", "Directeur(trice)", "directrices"),
    ("vendeur", "vendeuse", "vendeur·euse", "Vendeur / Vendeuse", "vendeur(se)", "VENDEUSES"),
    ("formateur", "formatrice", "formateur·trice", "formatrices et formateurs", "formateur/trice"),
    ("chargé", "chargée", "chargé·e", "chargé(e)", "chargé / chargée", "chargé·e·s"),
    ("infirmier", "infirmière", "infirmier·ère", "infirmier(ère)", "infirmières"),
    ("comptable", "comptables", "COMPTABLE"),
    ("musicien", "musicienne", "musicien·ne", "musiciennes"),
    ("administratif", "administrative", "administratives"),
)


@given(st.sampled_from(GENDERS), st.sampled_from(FIELDS), st.data())
def test_the_gender_of_a_title_changes_nothing(titles, genders, field, data):
    one, other = data.draw(st.sampled_from(genders)), data.draw(st.sampled_from(genders))
    assert titles.read(f"{one} de {field[0]}", "fr", 8) == titles.read(f"{other} de {field[0]}", "fr", 8)


def test_the_same_rows_give_the_same_model_and_it_comes_back_from_a_folder(titles, tmp_path):
    again = JobTitles.of(make_rows()).arrays()
    assert sorted(again) == sorted(titles.arrays())
    assert all(np.array_equal(again[name], array) for name, array in titles.arrays().items())
    arrays = {f"titles.{name}": array for name, array in again.items()}
    store = write(tmp_path / "index", arrays, {f"titles.{name}": texts for name, texts in titles.texts().items()})
    mapped = JobTitles.from_store(store, "titles.")
    assert mapped.read("vendeur presse", "fr") == titles.read("vendeur presse", "fr")
    assert mapped.read("press seller", "en") == titles.read("press seller", "en")


@pytest.mark.parametrize("origin", [Origin.ESCO, Origin.ROME])
def test_what_was_not_imported_is_not_found(origin):
    whole = make_rows()
    kept = {c.id for c in whole.concepts if c.origin is origin}
    rows = Rows.of(
        (c for c in whole.concepts if c.id in kept), [], (e for e in whole.edges if {e.source, e.target} <= kept)
    )
    read = JobTitles.of(rows).read("directeur danse", "fr")
    assert bool(read.occupations) == bool(read.skills) == (origin is Origin.ESCO)
    assert bool(read.sheets) == (origin is Origin.ROME)


def test_a_small_taxonomy_teaches_nothing(tmp_path):
    nothing = JobTitles.of(Rows([], [], []))
    assert nothing.read("directeur", "fr") == Read()
    store = write(tmp_path / "index", {f"titles.{n}": a for n, a in nothing.arrays().items()}, {})
    assert JobTitles.from_store(store, "titles.").read("directeur", "fr") == Read()


def test_retired_skills_and_jobs_are_not_proposed():
    whole = make_rows()
    rows = Rows.of((c._replace(retired=c.id in {1008, 200}) for c in whole.concepts), [], whole.edges)
    read = JobTitles.of(rows).read("directeur danse", "fr", 30)
    assert 1008 not in ids(read.occupations)
    assert 200 not in ids(read.skills)


def test_vectors_have_length_one_or_nothing():
    weighting = v.Weighting.of(v.grams(2, 4), ["directeur musique", "vendeur"])
    found = weighting.vectors(["directeur", "日", "", "vendeur vendeur"]).toarray()
    assert np.allclose(np.linalg.norm(found, axis=1), [1, 0, 0, 1])


def test_main_directions_are_those_of_the_exact_decomposition():
    matrix = v.sparse(np.random.default_rng(1).random((40, 6)).astype(np.float32))
    found = v.main_directions(matrix, 2)
    exact = np.linalg.svd(matrix.toarray(), full_matrices=False)[2][:2].T
    assert np.allclose(np.abs((found * exact).sum(0)), 1, atol=1e-3)


@pytest.fixture
def stored(session):
    """The rows in the tables, ESCO's alone, and one of ours that is the same as one of theirs."""
    concepts = {}
    for c in make_rows().concepts:
        concepts[c.id] = SkillConcept(
            code=c.code, origin=c.origin, kind=c.kind, label_fr=c.label_fr, label_en=c.label_en
        )
    with unit_of_work():
        session.add_all(concepts.values())
        session.flush()
        for e in make_rows().edges:
            session.add(
                SkillEdge(
                    source_id=concepts[e.source].id, target_id=concepts[e.target].id, kind=e.kind, weight=e.weight,
                    origin=e.origin,
                )
            )  # fmt: skip
        ours = make_concept(session, "Mener une équipe", "Leading teams")
        session.add(
            SkillEdge(
                source_id=ours.id, target_id=concepts[200].id, kind=EdgeKind.SAME_AS, weight=1.0, origin=Origin.KOZ
            )
        )
        session.flush()
    return concepts, ours


def test_a_title_in_the_product_names_our_own_concept_first(session, stored):
    concepts, ours = stored
    read = find_skills_of_title(session, "Directrice de danse", "fr", 3)
    assert read.occupations[0].id == concepts[1008].id
    assert read.sheets[0].code == "rome:2008"
    assert ours.id in {f.id for f in read.skills}
    assert concepts[200].id not in {f.id for f in read.skills}
    nothing = find_skills_of_title(session, "", "fr")
    assert (nothing.skills, nothing.occupations, nothing.sheets) == ((), (), ())


def test_only_a_phrase_that_is_a_title_brings_the_skills_of_the_job(session, stored):
    concepts, ours = stored
    by_phrase = {s.phrase: s for s in suggest(session, "Directrice danse\nj'aime la danse", "fr")}
    job = by_phrase["Directrice danse"]
    assert job.job is not None
    assert job.job.id == concepts[1008].id
    assert {ours.id, concepts[108].id} <= {f.id for f in (*job.found, *job.often)}
    assert by_phrase["j'aime la danse"].job is None
    shown = [f.id for s in by_phrase.values() for f in (*s.found, *s.often)]
    assert len(set(shown)) == len(shown)


def test_skills_of_a_job_are_proposed_on_the_page_and_none_is_ticked(session, client, login, stored):
    person = make_person(session)
    login(person)
    make_profile(session, {}, person=person, words="Directrice danse")
    page = client.get("/professionals/me/skills")
    assert "Souvent lié au métier" in page.text
    boxes = page.all("input", name="concept")
    assert boxes
    assert not [box for box in boxes if "checked" in box.attrib]


def test_a_title_on_the_command_line(stored, monkeypatch, capsys):
    def run(*args):
        monkeypatch.setattr(sys, "argv", ["koz", "skills", "title", *args])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code or 0, capsys.readouterr().out

    code, out = run("directrice de danse", "--top", "2", "--json")
    assert code == 0
    told = json.loads(out)
    assert [len(told[part]) for part in ("skills", "occupations", "sheets")] == [2, 2, 2]
    code, out = run("dance manager", "--lang", "en")
    assert code == 0
    assert out.startswith("Skills:\n")
    assert "1.00  dance manager  [esco:o1008]" in out
    assert "Job sheets" not in out
    assert run("x", "--lang", "de")[0] == 2
