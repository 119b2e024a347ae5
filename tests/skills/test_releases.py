"""A next release of ESCO or ROME, descriptions, and the way between their jobs: nothing that people chose is lost."""

import pytest
from sqlalchemy import select

from koz.core.errors import Invalid
from koz.core.i18n import in_locale
from koz.matching import scoring
from koz.skills.models.concepts import SkillConcept, SkillEdge
from koz.skills.queries import find_by_codes, find_concepts, load_graph
from koz.skills.services.taxonomy_import import import_esco, import_rome, load_starter
from koz.skills.taxonomy import EdgeKind, Origin
from tests.factories.skills import ESCO, JOB, ROME, SKILL, write_files
from tests.skills.test_import import rows, run

HEAD = "conceptUri,preferredLabel,altLabels,description\n"
MEDIA, PRESS, BOOKS = f"{SKILL}b", f"{SKILL}a", f"{SKILL}c"
FIRST = (
    f"{PRESS},rédiger des communiqués de presse,faire un communiqué,Écrire pour les journalistes\n"
    f"{MEDIA},communiquer avec les médias,,Parler aux médias\n"
    f"{BOOKS},tenir les comptes d’une association,,\n"
    f"{SKILL}d,réparer des vélos,,\n"
)
#: Renames one, merges one into another (its name lives on as an alias), drops one, adds one.
NEXT = (
    f"{PRESS},écrire aux médias,communiquer avec les médias|rédiger des communiqués de presse,Tout écrit aux médias\n"
    f"{BOOKS},tenir les comptes d’une association,,\n"
    f"{SKILL}e,réparer des trottinettes,,\n"
)


@pytest.fixture
def released(session, tmp_path):
    """Imports a release given as lines of the French file of skills."""

    def release(lines):
        return import_esco(session, [write_files(tmp_path / "esco", {"skills_fr.csv": HEAD + lines})])

    load_starter(session)
    release(FIRST)
    return release


def codes(session, *wanted):
    return [find_by_codes(session, [code])[code] for code in wanted]


def strength(session, declared, needed):
    """How far the concept that somebody declared meets a need for another."""
    reached = load_graph(session).reach(declared).get(needed)
    return reached.weight if reached else 0.0


def test_a_next_release_that_renames_merges_and_drops_loses_no_choice(session, released):
    chosen = {c.code: c.id for c in codes(session, PRESS, MEDIA, BOOKS, f"{SKILL}d")}
    done = released(NEXT)
    assert done.retired == 2
    press, media, books, bikes = codes(session, *chosen)
    assert {c.code: c.id for c in (press, media, books, bikes)} == chosen
    assert (press.label_fr, press.description_fr) == ("écrire aux médias", "Tout écrit aux médias")
    assert [c.retired_at is None for c in (press, media, books, bikes)] == [True, False, True, False]
    assert media.label_fr == "communiquer avec les médias"  # still readable where it was chosen
    assert find_concepts(session, "communiquer avec les médias")[0].id == press.id
    # whoever confirmed the merged concept meets what is asked for under its successor, and above the must-have's floor
    assert strength(session, media.id, press.id) >= scoring.MUST_FLOOR
    assert strength(session, press.id, media.id) >= scoring.MUST_FLOOR
    assert strength(session, bikes.id, bikes.id) == 1.0
    step = load_graph(session).step(media.id, press.id)
    assert step is not None
    assert (step.kind, step.origin) == (EdgeKind.SAME_AS, Origin.KOZ)
    assert not released(NEXT).changed


def test_a_retired_concept_keeps_what_joined_it_with_other_taxonomies(session, released, tmp_path):
    released(FIRST.replace("réparer des vélos", "Droit des associations"))
    ours, theirs = codes(session, "koz:association-law", f"{SKILL}d")
    assert strength(session, theirs.id, ours.id) == 1.0
    released(NEXT)
    assert strength(session, theirs.id, ours.id) == 1.0
    assert not load_starter(session).changed
    released(FIRST)  # back again under its old name: now it is judged as any other
    assert strength(session, theirs.id, ours.id) < 1.0


def test_a_name_that_two_concepts_bear_now_leads_to_neither(session, released):
    released(NEXT.replace("tenir les comptes d’une association,", "tenir les comptes,communiquer avec les médias"))
    media, press = codes(session, MEDIA, PRESS)
    assert load_graph(session).step(media.id, press.id) is None


def test_descriptions_come_from_the_files_that_have_them_and_stay_where_none_speaks(session, tmp_path):
    english = ESCO["skills_en.csv"].replace("altLabels\n", "altLabels,definition,description\n")
    english = english.replace('prepare press releases"', 'prepare press releases",A definition,').replace(
        "communicate with media,", "communicate with media,,A definition,Speaking to the press"
    )
    english = english.replace("knowledge,accounting,", "knowledge,accounting,,,")
    import_esco(session, [write_files(tmp_path / "a", {"skills_en.csv": english})])
    press, media, books = codes(session, PRESS, MEDIA, BOOKS)
    assert [c.description_en for c in (press, media, books)] == ["A definition", "Speaking to the press", None]
    done = import_esco(session, [write_files(tmp_path / "b", {"skills_en.csv": ESCO["skills_en.csv"]})])
    assert not done.changed  # no such column: nothing said
    emptied = english.replace("Speaking to the press", "").replace("A definition", "")
    assert import_esco(session, [write_files(tmp_path / "c", {"skills_en.csv": emptied})]).changed
    assert [c.description_en for c in codes(session, PRESS, MEDIA)] == [None, None]


def test_definitions_of_rome_are_kept(session, tmp_path):
    name = next(n for n in ROME if "competence" in n)
    text = ROME[name].replace("libelle_competence", 'libelle_competence","definition')
    text = text.replace('communiqué"', 'communiqué","Écrire pour la presse"').replace('médias"', 'médias",""')
    import_rome(session, [write_files(tmp_path / "rome", {name: text})])
    assert [c.description_fr for c in codes(session, "rome:20", "rome:21")] == ["Écrire pour la presse", None]


# --- jobs of ROME and ESCO

ISCO = "http://data.europa.eu/esco/isco/C2432"
OCCUPATIONS = {
    "occupations_fr.csv": (
        "conceptUri,preferredLabel,altLabels\n"
        f"{JOB}p,attaché de presse/attachée de presse,chargée de communication\n"
        f"{JOB}q,directeur de la communication/directrice de la communication,\n"
        f"{JOB}r,attaché de presse et de communication,\n"
        f"{JOB}s,soudeur/soudeuse,\n"
    ),
    "broaderRelationsOccPillar.csv": (
        "conceptType,conceptUri,broaderType,broaderUri\n"
        f"Occupation,{JOB}p,ISCOGroup,{ISCO}\n"
        f"Occupation,{JOB}q,Occupation,{JOB}p\n"
        f"Occupation,{JOB}r,Occupation,{JOB}q\n"
        f"Occupation,{JOB}s,ISCOGroup,http://data.europa.eu/esco/isco/C7212\n"
    ),
}


def test_a_job_sheet_is_joined_over_isco_with_the_occupations_whose_titles_are_alike(session, tmp_path):
    import_esco(session, [write_files(tmp_path / "esco", OCCUPATIONS)])
    import_rome(session, [write_files(tmp_path / "rome", ROME)])
    names = {c.id: c.code for c in session.scalars(select(SkillConcept))}
    joined = {
        names[e.target_id].removeprefix(JOB): (e.kind, e.weight)
        for e in session.scalars(select(SkillEdge).where(SkillEdge.origin == Origin.KOZ))
        if names[e.source_id] == "rome:E1103"
    }
    assert joined.keys() == {"p", "r"}
    assert joined["p"] == (EdgeKind.SAME_AS, 0.9)
    assert joined["r"][0] is EdgeKind.RELATED
    assert 0.4 < joined["r"][1] < 0.8
    assert not import_rome(session, [tmp_path / "rome"]).changed


# --- bad files


def gzipped(text, *, keep=1.0):
    import gzip

    whole = gzip.compress(text.encode(), mtime=0)
    return whole[: int(len(whole) * keep)]


LONG = HEAD + "".join(f"{SKILL}{n},compétence {n * 7919 % 10007},,\n" for n in range(3000))
BAD = [
    ("skills_fr.csv", b"", "line 1: the file is empty."),
    ("skills_fr.csv", b"\n\n", "line 1: the file is empty."),
    ("skills_fr.csv.gz", gzipped(""), "line 1: the file is empty."),
    ("skills_fr.csv", HEAD.replace(",", ";").encode(), "line 1: the cells are not separated by commas"),
    ("skills_fr.csv", b"<!DOCTYPE html>\n<p>Not found</p>\n", "line 1: the column conceptUri, preferredLabel"),
    ("skills_fr.csv", b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00\xa9\xd5", "line 1: this is not UTF-8 text"),
    ("skills_fr.csv", (HEAD + FIRST).encode("utf-16"), "line 1: this is not UTF-8 text"),
    ("skills_fr.csv", (HEAD + FIRST).encode("cp1252"), "line 2: this is not UTF-8 text"),
    (
        "skills_fr.csv",
        (HEAD.replace("altLabels", "preferredLabel,altLabels")).encode(),
        "line 1: the column preferredL",
    ),
    ("skills_fr.csv", (HEAD + f"{JOB}p,soudeur,,\n").encode(), "line 2: .*p does not belong into a file named so"),
    ("skills_fr.csv", (HEAD + FIRST + FIRST).encode(), "line 6: .*a is already on line 2"),
    ("skills_fr.csv.gz", gzipped(LONG, keep=0.6), "line [0-9]{3,}: the packed file is damaged or cut off from here"),
    ("skills_fr.csv.gz", b"no gzip", "line 1: the packed file is damaged or cut off from here on"),
    (
        "broaderRelationsSkillPillar.csv",
        (
            "conceptType,conceptUri,broaderType,broaderUri\n"
            f"KnowledgeSkillCompetence,{PRESS},KnowledgeSkillCompetence,{MEDIA}\n"
            f"KnowledgeSkillCompetence,{MEDIA},KnowledgeSkillCompetence,{BOOKS}\n"
            f"KnowledgeSkillCompetence,{BOOKS},KnowledgeSkillCompetence,{PRESS}\n"
        ).encode(),
        "line 4: these concepts are broader in a ring",
    ),
]


@pytest.mark.parametrize(("name", "content", "sentence"), BAD)
def test_a_bad_file_is_one_sentence_with_file_and_line_exit_1_and_nothing_imported(
    session, app, released, tmp_path, monkeypatch, capsys, name, content, sentence
):
    session.commit()
    before = rows(session)
    folder = tmp_path / "bad"
    folder.mkdir()
    (folder / name).write_bytes(content)
    with in_locale("en"), pytest.raises(Invalid, match=f"^{name}, {sentence}"):
        import_esco(session, [folder])
    session.rollback()
    code, out, err = run(monkeypatch, capsys, "--from", "esco", folder)
    assert (code, out) == (1, "")
    told = err.replace("\r", "\n").splitlines()
    assert [line for line in told if line and not line.startswith(("Reading", "Writing"))] == [told[-1]]
    assert told[-1].startswith(name)
    assert rows(session) == before
