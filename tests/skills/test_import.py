"""Importing taxonomies: what arrives, twice the same, all or nothing, nothing chosen is lost, every fault told."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select, text

from koz.cli import main
from koz.core.db import db, unit_of_work
from koz.core.errors import Invalid
from koz.core.i18n import in_locale
from koz.skills.models.concepts import SkillAlias, SkillConcept, SkillEdge, SkillImport
from koz.skills.queries import count_concepts, find_by_codes, find_concepts, load_graph
from koz.skills.services.taxonomy_import import import_esco, import_rome, load_starter
from koz.skills.taxonomy import ConceptKind, EdgeKind, Origin
from tests.factories.skills import ESCO, JOB, ROME, SKILL, phrases, write_files

PRESS = f"{SKILL}a"


def rows(session):
    """All that imports write, ids too."""
    session.flush()
    return {
        table: session.execute(text(f"SELECT * FROM {table} ORDER BY id")).all()
        for table in ("skill_concepts", "skill_aliases", "skill_edges", "skill_imports")
    }


def edge(session, source, target, kind):
    ids = {c.code: c.id for c in session.scalars(select(SkillConcept))}
    return session.scalar(
        select(SkillEdge.weight).where(
            SkillEdge.source_id == ids[source], SkillEdge.target_id == ids[target], SkillEdge.kind == kind
        )
    )


@pytest.fixture
def esco(tmp_path):
    return write_files(tmp_path / "esco", ESCO)


@pytest.fixture
def rome(tmp_path):
    return write_files(tmp_path / "rome", ROME)


def test_esco_arrives_whole(session, esco):
    done = import_esco(session, [esco])
    assert (done.concepts, done.skipped, done.retired, done.changed) == (6, 2, 0, True)
    press = find_by_codes(session, [PRESS])[PRESS]
    assert (press.label_fr, press.label_en) == ("rédiger des communiqués de presse", "write press releases")
    assert press.kind is ConceptKind.SKILL
    assert find_by_codes(session, [f"{SKILL}c"])[f"{SKILL}c"].kind is ConceptKind.KNOWLEDGE
    aliases = session.execute(select(SkillAlias.lang, SkillAlias.text).where(SkillAlias.concept_id == press.id)).all()
    assert set(aliases) == {
        ("en", "draft press releases"),
        ("en", "prepare press releases"),
        ("fr", "écrire un communiqué"),
        ("fr", "faire un communiqué"),
    }
    assert edge(session, PRESS, f"{SKILL}b", EdgeKind.BROADER) == 0.8
    assert edge(session, PRESS, f"{SKILL}c", EdgeKind.RELATED) == 0.5
    assert edge(session, f"{JOB}p", PRESS, EdgeKind.NEEDS) == 0.9
    assert find_concepts(session, "faire un communiqué")[0].code == PRESS
    group = find_by_codes(session, ["http://data.europa.eu/esco/isco/C2432"]).popitem()[1]
    assert (group.kind, group.label_en) == (ConceptKind.GROUP, "ISCO-08 2432")
    assert find_concepts(session, "ISCO-08 2432") == []


def test_rome_arrives_whole_and_hangs_under_esco(session, esco, rome):
    import_esco(session, [esco])
    done = import_rome(session, [rome])
    assert (done.concepts, done.skipped) == (4, 1)
    job = find_by_codes(session, ["rome:E1103"])["rome:E1103"]
    assert (job.kind, job.label_fr) == (ConceptKind.OCCUPATION, "Chargé / Chargée de communication")
    assert find_concepts(session, "attachée de presse")[0].code == "rome:E1103"
    assert edge(session, "rome:20", "rome:21", EdgeKind.BROADER) == 0.8
    assert edge(session, "rome:E1103", "rome:20", EdgeKind.NEEDS) == 0.9
    assert edge(session, "rome:E1103", "http://data.europa.eu/esco/isco/C2432", EdgeKind.BROADER) == 0.5


def test_taxonomies_are_joined_where_they_name_the_same(session, esco, rome):
    import_esco(session, [esco])
    import_rome(session, [rome])
    load_starter(session)
    assert edge(session, "koz:accounting", f"{SKILL}c", EdgeKind.SAME_AS) == 1.0
    assert edge(session, "koz:accounting", "rome:30", EdgeKind.SAME_AS) == 1.0
    assert edge(session, f"{SKILL}c", "rome:30", EdgeKind.SAME_AS) == 1.0
    found = [f.code for f in find_concepts(session, "comptabilité")]
    assert found[0] == "koz:accounting"
    assert not {f"{SKILL}c", "rome:30"} & set(found)
    known = find_by_codes(session, ["koz:accounting", "rome:30"])
    assert load_graph(session).reach(known["rome:30"].id)[known["koz:accounting"].id].weight == 1.0


def test_order_of_imports_does_not_matter_for_the_joins(session, esco, rome):
    load_starter(session)
    import_esco(session, [esco])
    import_rome(session, [rome])
    assert edge(session, "koz:accounting", "rome:30", EdgeKind.SAME_AS) == 1.0


@pytest.mark.parametrize("packed", [False, True])
def test_twice_is_once(session, tmp_path, packed):
    folder = write_files(tmp_path / "both", ESCO | ROME, packed=packed)
    load_starter(session)
    import_esco(session, [folder])
    import_rome(session, [folder])
    before = rows(session)
    again = [import_esco(session, [folder]), import_rome(session, [folder]), load_starter(session)]
    assert not any(done.changed for done in again)
    assert rows(session) == before


def test_files_may_be_named_one_by_one(session, esco):
    import_esco(session, [esco / "skills_en.csv", esco / "skills_fr.csv"])
    assert count_concepts(session) == {Origin.ESCO: 3}


def test_what_vanishes_is_retired_and_keeps_its_labels_and_neighbours(session, esco):
    import_esco(session, [esco])
    press = find_by_codes(session, [PRESS])[PRESS]
    newer = {
        name: "\n".join(line for line in content.split("\n") if PRESS not in line and "press releases" not in line)
        for name, content in ESCO.items()
    }
    write_files(esco, newer)
    done = import_esco(session, [esco])
    assert done.retired == 1
    gone = find_by_codes(session, [PRESS])[PRESS]
    assert (gone.id, gone.label_fr) == (press.id, "rédiger des communiqués de presse")
    assert gone.retired_at is not None
    assert PRESS not in [f.code for f in find_concepts(session, "rédiger des communiqués de presse")]
    assert load_graph(session).reach(press.id).keys() > {press.id}
    assert not import_esco(session, [esco]).changed
    write_files(esco, ESCO)
    import_esco(session, [esco])
    back = find_by_codes(session, [PRESS])[PRESS]
    assert (back.id, back.retired_at) == (press.id, None)


def test_a_language_read_alone_leaves_the_other(session, tmp_path):
    english = write_files(tmp_path / "en", {"skills_en.csv": ESCO["skills_en.csv"]})
    french = write_files(tmp_path / "fr", {"skills_fr.csv": ESCO["skills_fr.csv"]})
    import_esco(session, [english])
    done = import_esco(session, [french])
    assert done.retired == 0
    press = find_by_codes(session, [PRESS])[PRESS]
    assert (press.label_fr, press.label_en) == ("rédiger des communiqués de presse", "write press releases")
    assert find_by_codes(session, [f"{SKILL}c"])[f"{SKILL}c"].kind is ConceptKind.KNOWLEDGE
    assert session.scalar(select(func.count()).select_from(SkillAlias)) == 4


def test_relations_read_alone_leave_the_labels(session, esco):
    import_esco(session, [esco])
    done = import_esco(session, [esco / "skillSkillRelations.csv"])
    assert (done.retired, done.changed) == (0, False)


def test_a_group_named_by_its_number_gets_its_label_and_keeps_it(session, esco):
    import_esco(session, [esco])
    labels = f"conceptType,conceptUri,preferredLabel,altLabels\nSkillGroup,{SKILL}S1.2,working with others,\n"
    import_esco(session, [write_files(esco, {"skillGroups_en.csv": labels})])
    assert find_by_codes(session, [f"{SKILL}S1.2"])[f"{SKILL}S1.2"].label_en == "working with others"
    (esco / "skillGroups_en.csv").unlink()
    import_esco(session, [esco])
    assert find_by_codes(session, [f"{SKILL}S1.2"])[f"{SKILL}S1.2"].label_en == "working with others"


BAD_ESCO = [
    (
        "skills_en.csv",
        lambda t: t.replace("preferredLabel", "label"),
        "skills_en.csv, line 1: the column preferredLabel",
    ),
    ("skills_en.csv", lambda t: t + t.split("\n")[-2] + "\n", "skills_en.csv, line 6: .* already on line 5"),
    ("skills_en.csv", lambda t: t + "x,y\n", "skills_en.csv, line 6: 2 cells instead of 5"),
    ("skills_en.csv", lambda t: t + 'a,"b,c,d,e\n', "skills_en.csv, line 6: this is not readable as CSV"),
    ("skills_en.csv", lambda t: t + "a,foo,b,c,\n", "skills_en.csv, line 6: « foo » is not an ESCO address"),
    ("skills_en.csv", lambda t: t + f"a,{SKILL}z,b,,\n", "skills_en.csv, line 6: .* has no label"),
    ("skills_en.csv", lambda t: t + f"a,{SKILL}z,b,c,{'x' * 501}\n", "skills_en.csv, line 6: .* is longer than 500"),
    (
        "broaderRelationsSkillPillar.csv",
        lambda t: t + f"KnowledgeSkillCompetence,{SKILL}b,KnowledgeSkillCompetence,{SKILL}nowhere\n",
        "broaderRelationsSkillPillar.csv, line 4: the concept .*nowhere is in none of the files",
    ),
    (
        "broaderRelationsSkillPillar.csv",
        lambda t: t + f"KnowledgeSkillCompetence,{SKILL}b,KnowledgeSkillCompetence,{SKILL}a\n",
        "broaderRelationsSkillPillar.csv, line 4: these concepts are broader in a ring",
    ),
    (
        "broaderRelationsSkillPillar.csv",
        lambda t: t + f"KnowledgeSkillCompetence,{SKILL}b,KnowledgeSkillCompetence,{SKILL}b\n",
        "broaderRelationsSkillPillar.csv, line 4: .* broader than itself",
    ),
    (
        "skillSkillRelations.csv",
        lambda t: t + f"{SKILL}a,s,maybe,k,{SKILL}c\n",
        "skillSkillRelations.csv, line 3: the relation « maybe » is unknown",
    ),
    (
        "occupationSkillRelations.csv",
        lambda t: t + f"{JOB}p,essential,s,{SKILL}nowhere\n",
        "occupationSkillRelations.csv, line 4: the concept .*nowhere is in none of the files",
    ),
]


@pytest.mark.parametrize(("name", "spoil", "sentence"), BAD_ESCO)
def test_a_bad_file_of_esco_is_told_by_file_and_line_and_leaves_nothing(session, esco, name, spoil, sentence):
    write_files(esco, {name: spoil(ESCO[name])})
    before = rows(session)
    with in_locale("en"), pytest.raises(Invalid, match=sentence):
        import_esco(session, [esco])
    assert rows(session) == before


BAD_ROME = [
    ("appellation", lambda t: t + t.split("\n")[1] + "\n", "line 4: 10 is already on line 2"),
    ("appellation", lambda t: t + '"12","T","T","??","","E1103"\n', "line 4: « \\?\\? » is not a job sheet"),
    ("appellation", lambda t: t + '"12","","","E1103","","E1103"\n', "line 4: 12 has no label"),
    ("competence", lambda t: t + '"20","Compétence","X",""\n', "line 4: the number 20 is there twice"),
    ("competence", lambda t: t + '"x","Compétence","X",""\n', "line 4: « x » is not a number"),
    ("competence", lambda t: t + '"22","Compétence","X","77"\n', "line 4: the skill above, rome:77, is in none"),
    ("competence", lambda t: t.replace('médias",""', 'médias","20"'), "line 3: these concepts are broader in a ring"),
    ("competence", lambda t: t.replace('médias",""', 'médias","21"'), "line 3: .* broader than itself"),
    ("savoir", lambda t: t + '"20","Un savoir"\n', "line 3: the number 20 is there twice"),
    ("coherence", lambda t: t + '"E1103","20","Peut-être"\n', "line 5: the relation « Peut-être » is unknown"),
]


@pytest.mark.parametrize(("what", "spoil", "sentence"), BAD_ROME)
def test_a_bad_file_of_rome_is_told_by_file_and_line_and_leaves_nothing(session, rome, what, spoil, sentence):
    name = next(n for n in ROME if what in n)
    write_files(rome, {name: spoil(ROME[name])})
    before = rows(session)
    with in_locale("en"), pytest.raises(Invalid, match=f"{name}, {sentence}"):
        import_rome(session, [rome])
    assert rows(session) == before


def test_wrong_encoding_is_told_by_line(session, esco):
    (esco / "skills_fr.csv").write_bytes(ESCO["skills_fr.csv"].encode("latin-1"))
    with in_locale("en"), pytest.raises(Invalid, match=r"skills_fr.csv, line 2: this is not UTF-8"):
        import_esco(session, [esco])


def test_a_broken_gzip_is_told(session, tmp_path):
    folder = write_files(tmp_path / "packed", ESCO, packed=True)
    whole = (folder / "skills_en.csv.gz").read_bytes()
    for broken in (whole[:-20], b"no gzip", whole[:30] + b"????" + whole[34:]):
        (folder / "skills_en.csv.gz").write_bytes(broken)
        with in_locale("en"), pytest.raises(Invalid, match=r"skills_en.csv.gz"):
            import_esco(session, [folder])


def test_files_that_are_not_there_or_not_theirs_are_told(session, esco, rome):
    with in_locale("en"), pytest.raises(Invalid, match="does not exist"):
        import_esco(session, [esco / "nowhere"])
    with in_locale("en"), pytest.raises(Invalid, match="None of the files of ESCO"):
        import_esco(session, [rome])
    with in_locale("en"), pytest.raises(Invalid, match=r"rome_v3_isco08.csv is no file of ESCO"):
        import_esco(session, [rome / "rome_v3_isco08.csv"])
    with in_locale("en"), pytest.raises(Invalid, match="are the same table"):
        import_esco(session, [write_files(esco, {"skills_en.csv": ESCO["skills_en.csv"]}, packed=True)])
    with in_locale("en"), pytest.raises(Invalid, match="only together with the file of job titles"):
        import_rome(session, [rome / "rome_v3_isco08.csv"])


def test_a_file_with_a_byte_order_mark_and_crlf_is_read(session, esco):
    (esco / "skills_en.csv").write_bytes(b"\xef\xbb\xbf" + ESCO["skills_en.csv"].replace("\n", "\r\n").encode())
    assert import_esco(session, [esco]).concepts == 6


def test_nothing_is_half_imported_when_writing_fails(committed_app, tmp_path, monkeypatch):
    folder = write_files(tmp_path / "esco", ESCO)
    monkeypatch.setattr("koz.skills.services.taxonomy_import.join_same", lambda _session: 1 / 0)
    with pytest.raises(ZeroDivisionError), unit_of_work() as session:
        import_esco(session, [folder])
    with unit_of_work() as session:
        assert session.scalar(select(func.count()).select_from(SkillConcept)) == 0
        monkeypatch.undo()
        assert import_esco(session, [folder]).concepts == 6


def test_imports_at_the_same_time_take_turns(committed_app, tmp_path):
    folder = write_files(tmp_path / "esco", ESCO)

    def load(_n):
        with committed_app.app_context():
            try:
                with unit_of_work() as session:
                    return import_esco(session, [folder]).changed, load_starter(session).changed
            finally:
                db.session.remove()

    with ThreadPoolExecutor(4) as pool:
        changed = list(pool.map(load, range(4)))
    assert sorted(changed) == [(False, False)] * 3 + [(True, True)]


def run(monkeypatch, capsys, *args):
    monkeypatch.setattr(sys, "argv", ["koz", "skills", "import", *map(str, args)])
    with pytest.raises(SystemExit) as stopped:
        main()
    told = capsys.readouterr()
    return stopped.value.code, told.out, told.err


def test_import_on_the_command_line(app, monkeypatch, capsys, esco):
    code, out, err = run(monkeypatch, capsys, "--from", "esco", esco, "--json")
    assert code == 0
    assert json.loads(out)["concepts"] == 6
    assert "Reading ESCO" in err
    code, out, _err = run(monkeypatch, capsys, "--from", "esco", esco)
    assert (code, out.strip().endswith("nothing has changed")) == (0, True)
    code, out, _err = run(monkeypatch, capsys, "--from", "koz")
    assert (code, out.startswith("koz: ")) == (0, True)


def test_a_refusal_is_one_sentence_on_standard_error(app, monkeypatch, capsys, esco):
    write_files(esco, {"skills_en.csv": "nothing\n"})
    code, out, err = run(monkeypatch, capsys, "--from", "esco", esco, "--json")
    assert (code, out) == (1, "")
    assert err.splitlines()[-1].startswith("skills_en.csv, line 1: the column conceptUri, preferredLabel")


@pytest.mark.parametrize("args", [(), ("--from", "esco"), ("--from", "koz", "x"), ("--from", "onet", "x")])
def test_unusable_arguments_exit_2(app, monkeypatch, capsys, args):
    assert run(monkeypatch, capsys, *args)[0] == 2


@pytest.mark.timeout(600)
def test_the_official_files_as_published(session, shared):
    load_starter(session)
    done = import_esco(session, [shared / "data/esco"])
    assert done.retired == 0
    assert 50 < done.skipped < 100
    kinds = dict(
        session.execute(
            select(SkillConcept.kind, func.count())
            .where(SkillConcept.origin == Origin.ESCO)
            .group_by(SkillConcept.kind)
        ).all()
    )
    assert kinds[ConceptKind.SKILL] + kinds[ConceptKind.KNOWLEDGE] == 13_896
    assert kinds[ConceptKind.OCCUPATION] == 3_007
    french = select(func.count()).where(
        SkillConcept.origin == Origin.ESCO,
        SkillConcept.label_fr.is_not(None),
        SkillConcept.kind.in_([ConceptKind.SKILL, ConceptKind.KNOWLEDGE]),
    )
    assert session.scalar(french) == 11_095
    per_kind = select(SkillEdge.kind, func.count()).where(SkillEdge.origin == Origin.ESCO).group_by(SkillEdge.kind)
    edges = dict(session.execute(per_kind).all())
    assert edges[EdgeKind.RELATED] == 5_898  # one of 5,899 joins a skill to itself
    assert edges[EdgeKind.BROADER] + edges[EdgeKind.NEEDS] + done.skipped == 20_656 + 3_617 + 107_213
    rome = import_rome(session, [shared / "data/rome"])
    assert rome.concepts == 18_317 + 15_354 + 1_552
    stamps = session.scalars(select(SkillImport.stamp)).all()
    assert not import_esco(session, [shared / "data/esco"]).changed
    assert not import_rome(session, [shared / "data/rome"]).changed
    assert session.scalars(select(SkillImport.stamp)).all() == stamps
    assert find_concepts(session, "collecte de fonds")[0].code == "koz:fundraising"
    listed = phrases()
    found = [(codes, find_concepts(session, phrase, lang, top=1)) for lang, phrase, codes in listed]
    right = [f[0].code.removeprefix("koz:") in codes for codes, f in found if f]
    assert sum(right) >= 0.9 * len(listed)  # .94 reached
    assert find_concepts(session, "soudeuse")[0].label_fr == "soudeur/soudeuse"
