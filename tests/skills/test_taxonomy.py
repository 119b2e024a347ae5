"""Pure rules: folding, the graph's best paths, rings, and our own taxonomy as a document."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koz.skills.services.starter import load_lines, parse, problems
from koz.skills.taxonomy import ConceptKind, Edge, EdgeKind, Graph, Phrase, SearchIndex, find_cycle, fold, words


@given(st.text())
def test_folding_twice_is_folding_once(text):
    assert fold(fold(text)) == fold(text)


@given(st.text(alphabet="éÀçœŒñß·’-/(). aeErics", max_size=30))
def test_folding_twice_is_folding_once_for_french_punctuation(text):
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Rédacteur·rice", "rédacteur"),
        ("infirmier·ère", "infirmière"),
        ("infirmier.ère.s", "infirmiers"),
        ("chargé(e) de plaidoyer", "chargées de plaidoyer"),
        ("chargé-e-s", "chargé"),
        ("traducteur/trice", "traductrices"),
        ("avocat·e·s", "AVOCATES"),
        ("comptables", "comptable"),
        ("travailleuse sociale", "travailleurs sociaux"),
        ("L’œuvre", "l'oeuvre"),
        ("vidéos", "video"),
    ],
)
def test_gender_number_accents_and_inclusive_writing_do_not_matter(one, other):
    assert words(one, "fr") == words(other, "fr")


def test_words_that_differ_stay_apart():
    for one, other in itertools.combinations(["droit", "traduction", "communication", "commune", "c++", "c#", "c"], 2):
        assert fold(one) != fold(other)
        assert words(one, "en") != words(other, "en")


def edges(draw_max=6):
    ids = st.integers(1, draw_max)
    return st.lists(
        st.builds(Edge, ids, ids, st.sampled_from(EdgeKind), st.sampled_from([0.3, 0.5, 0.8, 0.9, 1.0])).filter(
            lambda e: e.source != e.target
        ),
        max_size=14,
    )


@given(edges(), st.sets(st.integers(1, 6)), st.randoms(use_true_random=False))
def test_reach_does_not_depend_on_the_order_of_edges(listed, groups, random):
    shuffled = list(listed)
    random.shuffle(shuffled)
    for concept in range(1, 7):
        assert Graph(listed, groups).reach(concept) == Graph(shuffled, groups).reach(concept)


@given(edges(), st.sets(st.integers(1, 6)))
def test_a_reached_path_is_as_heavy_as_its_steps_and_passes_no_group(listed, groups):
    graph = Graph(listed, groups)
    for start in range(1, 7):
        for end, (weight, via) in graph.reach(start).items():
            product = 1.0
            for here, there in itertools.pairwise((start, *via, end)):
                product *= graph.neighbours(here)[there] if here != there else 1.0
            assert weight == pytest.approx(product)
            assert len(via) <= 2
            assert not groups & set(via)


@given(edges(), st.sets(st.integers(1, 6)))
def test_reached_by_is_reach_seen_from_the_other_end(listed, groups):
    graph = Graph(listed, groups)
    there = {(a, b): r.weight for a in range(1, 7) for b, r in graph.reach(a).items()}
    back = {(a, b): r.weight for b in range(1, 7) for a, r in graph.reached_by(b).items()}
    assert there.keys() == back.keys()
    assert all(back[pair] == pytest.approx(weight) for pair, weight in there.items())


def test_the_narrower_speaks_for_the_wider_more_than_the_other_way_round():
    graph = Graph([Edge(1, 2, EdgeKind.BROADER, 0.8)])
    assert graph.reach(1)[2].weight == pytest.approx(0.8)
    assert graph.reach(2)[1].weight == pytest.approx(0.48)
    assert graph.reach(1)[1] == (1.0, ())


def test_a_drawer_joins_nothing_that_lies_in_it():
    listed = [Edge(1, 9, EdgeKind.BROADER, 1.0), Edge(2, 9, EdgeKind.BROADER, 1.0)]
    assert set(Graph(listed, {9}).reach(1)) == {1, 9}
    assert set(Graph(listed).reach(1)) == {1, 2, 9}


def test_the_way_is_told():
    graph = Graph(
        [Edge(1, 2, EdgeKind.RELATED, 0.9), Edge(2, 3, EdgeKind.BROADER, 0.9), Edge(1, 3, EdgeKind.RELATED, 0.5)]
    )
    assert graph.reach(1)[3] == (pytest.approx(0.81), (2,))
    assert graph.reached_by(3)[1] == (pytest.approx(0.81), (2,))


def test_an_unknown_concept_reaches_itself():
    assert Graph([]).reach(5) == {5: (1.0, ())}


def test_rings_are_found():
    assert find_cycle({"a": ["b"], "b": ["c"], "c": []}) == []
    ring = find_cycle({"x": ["a"], "a": ["b"], "b": ["c"], "c": ["a"]})
    assert ring[0] == ring[-1]
    assert set(ring) == {"a", "b", "c"}


PHRASES = [
    Phrase(1, "fr", "Comptabilité"),
    Phrase(1, "en", "Accounting"),
    Phrase(2, "fr", "Droit de l'environnement"),
    Phrase(3, "fr", "Montage vidéo"),
    Phrase(4, "fr", "Comptabilité"),
]


def test_exact_then_words_then_likeness():
    index = SearchIndex(PHRASES)
    exact, turned, mistyped = (index.search(t)[0] for t in ("montage vidéo", "vidéos, montages", "montaje vidéo"))
    assert [h.concept_id for h in (exact, turned, mistyped)] == [3, 3, 3]
    assert exact.score == 1 > turned.score > mistyped.score > 0.5


def test_equal_concepts_come_in_the_order_given():
    assert [h.concept_id for h in SearchIndex(PHRASES).search("comptabilité")] == [1, 4]
    assert [h.concept_id for h in SearchIndex(PHRASES[::-1]).search("comptabilité")] == [4, 1]


def test_the_other_language_is_found_too_and_counts_a_little_less():
    index = SearchIndex(PHRASES)
    assert index.search("accounting", "en")[0].score > index.search("accounting", "fr")[0].score > 0.9


@pytest.mark.parametrize("text", ["", "   ", "·", "de la des", "zzzz qqqq", "!!!", "\0"])
def test_nothing_is_found_for_nothing(text):
    assert SearchIndex(PHRASES).search(text) == []
    assert SearchIndex([]).search(text or "droit") == []


@given(st.text(max_size=60))
def test_search_takes_any_text_and_answers_the_same_twice(text):
    one, other = SearchIndex(PHRASES), SearchIndex(PHRASES)
    found = one.search(text)
    assert found == one.search(text) == other.search(text)
    assert all(0 < h.score <= 1 for h in found)
    assert [h.score for h in found] == sorted((h.score for h in found), reverse=True)


def test_a_very_long_text_is_read_in_part():
    assert SearchIndex(PHRASES).search("montage vidéo " * 100_000)[0].concept_id == 3


def test_our_taxonomy_is_sound():
    lines = load_lines()
    assert problems(lines) == []
    assert len(lines) >= 300
    assert sum(line.kind is ConceptKind.GROUP for line in lines) >= 20
    assert sum(bool(line.aliases["fr"]) and bool(line.aliases["en"]) for line in lines) > 0.85 * len(lines)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a\tskill\tUn\tOne\tb\t\t\t\nb\tskill\tDeux\tTwo\ta\t\t\t", "ring"),
        ("a\tskill\tUn\tOne\t\t\t\t", "orphan"),
        ("a\tgroup\tUn\tOne\t\tb\t\t", "unknown"),
        ("a\tgroup\tUn\tOne\t\t\t\t\na\tgroup\tDeux\tTwo\t\t\t\t", "twice"),
        ("a\tgroup\tUn\tOne\t\t\t\t\nb\tgroup\tUN\tTwo\t\t\t\t", "label of"),
        ("a\tgroup\tUn\t\t\t\t\t", "lacks a label"),
        ("a\tgroup\tUn\tOne\t\t\tx\t\nb\tgroup\tDeux\tTwo\t\t\tx\t", "not marked rightly"),
        ("a\tgroup\tUn\tOne\t\t\t~x\t", "not marked rightly"),
        ("a\tgroup\tUn\tOne\t\tb=1.5\t\t\nb\tgroup\tDeux\tTwo\t\t\t\t", "weight"),
    ],
)
def test_faults_of_a_taxonomy_are_named(text, complaint):
    assert any(complaint in problem for problem in problems(parse(text)))
