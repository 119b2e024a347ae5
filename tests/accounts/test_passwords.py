"""Which passwords are refused: by rule, because a list would be endless."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koz.accounts import services
from koz.accounts.services.passwords import COMMON_WORDS
from koz.core.errors import Invalid


def refused(password: str) -> bool:
    try:
        services.check_password_rules(password)
    except Invalid:
        return True
    return False


@pytest.mark.parametrize("password", [
    "motdepasse1", "Motdepasse2026!", "M0td3p4sse2026", "azertyuiop12", "1234567890", "0987654321", "abcdefghij",
    "qwertyuiop99", "chocolat2024", "!!marseille13", "abcabcabcabc", "aaaaaaaaaaaa", "password1234", "123456789012345",
    "19121984072", "P@ssw0rd1234",
])  # fmt: skip
def test_what_is_tried_first_is_refused(app, password):
    assert refused(password)


@pytest.mark.parametrize("password", [
    "koz-demo-2026", "quatre mots bien choisis", "un nouveau mot de passe", "correct horse battery", "Xk3!vb9#Lq2z",
])  # fmt: skip
def test_what_nobody_tries_is_taken(app, password):
    assert not refused(password)


def test_all_lengths_are_bounded(app):
    assert refused("k7!xQ2#zp")
    assert refused("mots bien choisis " * 12)


@given(word=st.sampled_from(sorted(COMMON_WORDS)), tail=st.text("0123456789!?.", min_size=0, max_size=12))
def test_a_common_word_with_digits_after_it_is_common(word, tail):
    from koz.accounts.services import passwords

    assert passwords._is_common(word + tail)


def test_an_unknown_person_costs_as_much_and_opens_nothing():
    assert not services.verify_password(None, "a password that nobody has")
    assert services.verify_password(services.hash_password("quatre mots bien choisis"), "quatre mots bien choisis")
