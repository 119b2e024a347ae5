"""The index in a folder: who makes it, who waits, what happens when it is damaged, deleted, old or cannot be kept."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import pytest
from structlog.testing import capture_logs

from koz.cli import main
from koz.core.db import db, reading, unit_of_work
from koz.skills import queries
from koz.skills.models.concepts import SkillConcept
from koz.skills.queries import find_concepts, index_key, load_graph, load_rows
from koz.skills.services.taxonomy_import import load_starter
from koz.skills.taxonomy import Concept, ConceptKind, Edge, EdgeKind, Origin, Rows
from koz.skills.taxonomy.index import Index
from koz.skills.taxonomy.shelf import Key, Shelf

ROWS = Rows.of(
    [
        Concept(1, "koz:a", Origin.KOZ, ConceptKind.SKILL, "Comptabilité", "Accounting"),
        Concept(2, "koz:b", Origin.KOZ, ConceptKind.SKILL, "Droit", None),
        Concept(7, "rome:1", Origin.ROME, ConceptKind.SKILL, "Compta", None, retired=True),
    ],
    [],
    [Edge(1, 2, EdgeKind.RELATED, 0.5), Edge(1, 7, EdgeKind.SAME_AS, 1.0)],
)
NEVER = pytest.fail
KEY = Key("here", "1")


def made():
    return Index.made(ROWS)


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path / "cache")


def as_told(index):
    """What an index says of `ROWS`."""
    found = [hit.concept_id for hit in index.search.search("comptabilité")]
    return found, index.cards.card(1), index.cards.same(1), dict(index.graph.reach(1)), index.graph.ids.tolist()


def test_an_index_comes_back_as_it_was_made(shelf):
    put = shelf.get(KEY, made, wait=True)
    assert as_told(put) == as_told(made()) == as_told(shelf.get(KEY, NEVER, wait=True))
    with pytest.raises(KeyError):
        put.cards.card(7)  # retired: never found


def test_databases_and_stamps_do_not_mix(shelf):
    shelf.get(KEY, made, wait=True)
    assert shelf.find(Key("there", "1")) is None
    assert shelf.find(Key("here", "2")) is None
    assert shelf.find_older(Key("there", "2")) is None
    assert as_told(shelf.find_older(Key("here", "2"))) == as_told(made())


def test_the_two_newest_of_a_database_are_kept(shelf):
    other = Key("there", "1")
    shelf.get(other, made, wait=True)
    first = shelf.get(KEY, made, wait=True)
    for stamp in "234":
        shelf.get(Key("here", stamp), made, wait=True)
    assert [shelf.find(Key("here", s)) is not None for s in "1234"] == [False, False, True, True]
    assert shelf.find(other) is not None
    assert as_told(first) == as_told(made())  # what is mapped stays readable


def test_the_folder_may_be_deleted_at_any_time(shelf):
    held = shelf.get(KEY, made, wait=True)
    subprocess.run(["rm", "-r", shelf.folder], check=True)
    assert as_told(held) == as_told(made())
    assert as_told(shelf.get(KEY, made, wait=True)) == as_told(made())
    assert shelf.find(KEY) is not None


def cut(place):
    path = place / "graph.forward.weight.npy"
    path.write_bytes(path.read_bytes()[:-8])


def flip(place):
    path = place / "cards.ids.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\x7f")


@pytest.mark.parametrize(
    "spoil",
    [
        cut,
        flip,
        lambda place: (place / "search.ids.npy").unlink(),
        lambda place: (place / "files.json").unlink(),
        lambda place: (place / "files.json").write_text("[1, 2"),
        lambda place: (place / "files.json").write_text("{}"),
        lambda place: [path.unlink() for path in place.iterdir()],
    ],
)
def test_a_damaged_or_half_folder_is_made_again_and_told_loudly(shelf, spoil):
    shelf.get(KEY, made, wait=True)
    spoil(shelf.place(KEY))
    with capture_logs() as logs:
        assert as_told(shelf.get(KEY, made, wait=True)) == as_told(made())
    assert {(entry["event"], entry["log_level"]) for entry in logs} == {("skills_index_damaged", "error")}
    assert as_told(shelf.get(KEY, NEVER, wait=True)) == as_told(made())


def test_what_a_killed_writer_left_is_cleared_away(shelf):
    shelf.get(KEY, made, wait=True)
    left = shelf.folder / f".{shelf.place(KEY).name}-x"
    left.mkdir()
    shelf.get(Key("here", "2"), made, wait=True)
    assert not left.exists()


def test_where_nothing_can_be_written_the_index_is_made_in_memory(tmp_path):
    (tmp_path / "file").write_text("")
    with capture_logs() as logs:
        assert as_told(Shelf(tmp_path / "file").get(KEY, made, wait=True)) == as_told(made())
    assert [entry["event"] for entry in logs] == ["skills_index_not_kept"]


def test_while_one_makes_it_those_with_an_old_one_go_on_and_the_others_wait(shelf):
    begun, go = Event(), Event()

    def slowly():
        begun.set()
        assert go.wait(20)
        return made()

    with ThreadPoolExecutor(2) as pool:
        maker = pool.submit(shelf.get, KEY, slowly, wait=True)
        assert begun.wait(20)
        assert shelf.get(KEY, NEVER, wait=False) is None
        waiter = pool.submit(shelf.get, KEY, NEVER, wait=True)
        go.set()
        assert as_told(maker.result(20)) == as_told(waiter.result(20)) == as_told(made())


def test_a_folder_of_somebody_else_is_not_used(shelf, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with capture_logs() as logs:
        assert as_told(shelf.get(KEY, made, wait=True)) == as_told(made())
    assert "belongs to another user" in logs[0]["error"]


# --- in the service


@pytest.fixture
def cache(app, tmp_path):
    """A cache folder of the test alone."""
    before = app.config["KOZ"]
    app.config["KOZ"] = replace(before, cache_dir=tmp_path / "cache")
    yield tmp_path / "cache"
    app.config["KOZ"] = before


def test_a_process_makes_the_index_it_does_not_find_and_another_maps_it(session, cache, monkeypatch):
    load_starter(session)
    assert find_concepts(session, "plaidoyer")[0].code == "koz:advocacy"
    assert [p.name.startswith("skills-") for p in cache.iterdir() if p.is_dir()] == [True]
    monkeypatch.setattr(queries, "_index", queries._Held())  # as a process that has just started
    monkeypatch.setattr(queries, "load_rows", NEVER)
    assert find_concepts(session, "plaidoyer")[0].code == "koz:advocacy"
    assert load_graph(session).ids.size > 400


def test_an_import_under_way_lets_the_others_go_on_with_what_they_have(session, cache, monkeypatch):
    load_starter(session)
    find_concepts(session, "plaidoyer")
    with queries.index_lock(index_key(session)):
        session.add(SkillConcept(code="koz:x", origin=Origin.KOZ, kind=ConceptKind.SKILL, label_fr="Chaudronnerie"))
        session.flush()
        assert find_concepts(session, "chaudronnerie") == []
        assert find_concepts(session, "plaidoyer")[0].code == "koz:advocacy"
        monkeypatch.setattr(queries, "_index", queries._Held())  # a process that starts now has the older folder
        assert find_concepts(session, "plaidoyer")[0].code == "koz:advocacy"
        assert find_concepts(session, "chaudronnerie") == []
    assert find_concepts(session, "chaudronnerie")[0].code == "koz:x"


def test_the_graph_keeps_retired_concepts_and_all_without_edges(session, cache):
    load_starter(session)
    assert set(load_graph(session).ids.tolist()) == {c.id for c in load_rows(session).concepts}


def run(monkeypatch, capsys, *args):
    monkeypatch.setattr(sys, "argv", ["koz", "skills", *map(str, args)])
    with pytest.raises(SystemExit) as stopped:
        main()
    told = capsys.readouterr()
    return stopped.value.code, told.out, told.err


def test_index_on_the_command_line(app, cache, monkeypatch, capsys):
    with unit_of_work() as session:
        load_starter(session)
    code, out, err = run(monkeypatch, capsys, "index", "--json")
    first = json.loads(out)
    assert (code, first["made"], first["bytes"] > 100_000, "Index: graph" in err) == (0, True, True, True)
    code, out, err = run(monkeypatch, capsys, "index")
    assert (code, "there already" in out, err) == (0, True, "")
    code, out, _err = run(monkeypatch, capsys, "index", "--anew", "--json")
    assert (code, json.loads(out)["made"]) == (0, True)


def test_an_import_makes_the_index_and_goes_on_where_it_cannot_be_kept(session, cache, monkeypatch, capsys):
    code, _out, err = run(monkeypatch, capsys, "import", "--from", "koz")
    assert (code, "Index" in err) == (0, True)
    assert Shelf(cache).find(index_key(session)) is not None
    subprocess.run(["rm", "-r", cache], check=True)
    cache.write_text("")
    code, out, err = run(monkeypatch, capsys, "import", "--from", "koz")
    assert (code, "nothing has changed" in out) == (0, True)
    assert err.startswith("The index of skills cannot be kept in ")
    code, out, err = run(monkeypatch, capsys, "index")
    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 1


def test_threads_that_start_together_make_it_once(committed_app, tmp_path, monkeypatch):
    committed_app.config["KOZ"] = replace(committed_app.config["KOZ"], cache_dir=tmp_path / "cache")
    with committed_app.app_context(), unit_of_work() as session:
        load_starter(session)
    calls = []
    whole = queries.load_rows
    monkeypatch.setattr(queries, "load_rows", lambda session: calls.append(1) or whole(session))

    def find(n):
        held = queries._Held()  # as processes of their own: nothing but the folder is shared
        with committed_app.app_context():
            try:
                with reading() as session:
                    return held.get(session).search.search("plaidoyer")[0].concept_id
            finally:
                db.session.remove()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(find, range(4)))) == 1
    assert calls == [1]
