"""What an amendment changes, word by word."""

import re

from hypothesis import given
from hypothesis import strategies as st

from koz.consultations.wording import DEL, INS, SAME, condensed, difference, is_changed

WORDS = st.lists(st.sampled_from(["la", "ville", "ouvre", "une", "cantine", ",", ".", "\n", "été"]), max_size=60)


def folded(text):
    return re.findall(r"\w+|[^\w\s]", text)


@given(WORDS, WORDS)
def test_the_pieces_give_both_texts_back(old, new):
    old, new = " ".join(old), " ".join(new)
    pieces = difference(old, new)
    assert folded("".join(t for k, t in pieces if k != DEL)) == folded(new)
    assert folded("".join(t for k, t in pieces if k != INS)) == folded(old)
    assert is_changed(pieces) == (folded(old) != folded(new))


def test_only_the_words_that_changed_are_marked():
    pieces = difference(
        "La ville ouvre une cantine.\nElle est gratuite.", "La ville ouvre deux cantines.\nElle est gratuite."
    )
    assert [t.strip() for k, t in pieces if k == DEL] == ["une cantine"]
    assert [t.strip() for k, t in pieces if k == INS] == ["deux cantines"]


def test_words_added_at_the_end_leave_the_last_word_alone():
    assert difference("Un texte", "Un texte et la suite") == [[SAME, "Un texte "], [INS, "et la suite"]]


def test_a_summary_keeps_every_change_and_leaves_out_what_is_far():
    old = "mot " * 200 + "ancien " + "mot " * 200
    short = condensed(difference(old, old.replace("ancien", "nouveau")))
    assert "ancien" in "".join(t for k, t in short if k == DEL)
    assert "nouveau" in "".join(t for k, t in short if k == INS)
    assert sum(len(t) for _k, t in short) < 250


def test_a_summary_of_a_whole_new_text_is_cut():
    assert sum(len(t) for _k, t in condensed(difference("a " * 3000, "b " * 3000))) < 700


def test_two_long_unlike_texts_are_compared_quickly_enough_to_be_shown_whole():
    old, new = " ".join(f"a{n}" for n in range(1800)), " ".join(f"b{n}" for n in range(1800))
    assert [k for k, _t in difference(old, new)] == [DEL, INS]
