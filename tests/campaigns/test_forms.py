"""What holds for whatever people and strangers type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from koz.campaigns import services
from koz.campaigns.forms import ROWS_MAX, BudgetForm, SourceForm, is_web_address, renumbered, row_errors
from koz.campaigns.states import LineKind
from tests.conftest import make_app

APP = make_app("postgresql:///unused", WTF_CSRF_ENABLED=False)
names = st.one_of(
    st.text(max_size=20),
    st.builds("rows-{}-{}".format, st.integers(-5, 20_000), st.sampled_from(["label", "kind", "minimum", "x", "É"])),
    st.builds("rows-{}-label".format, st.sampled_from(["²", "٣", "0x1", "9" * 5000, "01"])),
)
cells = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["", "0", "12,50", "1 234,56", "1e400", "-3", "NaN", "money", "skill", "either", "7", "99999999999", "\x00"]
    ),
)


@given(st.dictionaries(names, cells, max_size=30), st.none() | st.integers(0, 50))
def test_rows_come_out_numbered_from_zero_without_holes(typed, without):
    found = renumbered(typed, without=without)
    numbers = sorted({int(name.split("-")[1]) for name in found if name.startswith("rows")})
    assert numbers == list(range(len(numbers)))
    assert len(numbers) <= ROWS_MAX
    assert renumbered(found) == found


@given(
    st.dictionaries(
        st.builds(
            "rows-{}-{}".format,
            st.integers(0, 5),
            st.sampled_from(["label", "kind", "minimum", "optimum", "hours", "id"]),
        ),
        cells,
        max_size=25,
    )
)
def test_a_budget_is_either_right_or_refused_with_a_sentence(typed):
    with APP.test_request_context("/", method="POST", data=typed):
        form = BudgetForm(formdata=renumbered(typed))
        if not form.validate():
            assert all(sentence for _id, sentence, _n in row_errors(form.rows))
            assert row_errors(form.rows)
            return
        for line in form.to_command():
            assert 0 <= line.minimum_minor <= line.optimum_minor <= 1_000_000_00
            assert line.label
            if line.kind is LineKind.SKILL:
                assert line.optimum_minor == 0
                assert 1 <= line.hours <= 10_000
            elif line.kind is LineKind.EITHER:
                assert 1 <= line.hours <= 10_000
                assert 0 < line.minimum_minor <= 300_00 * line.hours
            else:
                assert line.hours == 0


days = st.builds(
    "{:02d}{}{:02d}{}{}".format,
    st.integers(0, 40),
    st.sampled_from("/. -"),
    st.integers(0, 20),
    st.sampled_from("/-"),
    st.integers(0, 20_000),
)


@given(st.text(max_size=40) | days)
def test_days_are_read_or_refused_and_kept(typed):
    with APP.test_request_context("/"):
        form = SourceForm(formdata=MultiDict({"title": "T", "published_on": typed}))
        good = form.validate()
        assert form.published_on._value() == typed
        assert good is not bool(form.published_on.errors)
        assert good or form.published_on.errors[0]


@given(st.text(max_size=60))
def test_no_address_runs_a_script(text):
    if is_web_address(text):
        assert text.lower().startswith(("http://", "https://"))


@given(
    st.text(max_size=30),
    st.dictionaries(st.sampled_from(["title", "reason", "addressee", "text", "due_on"]), st.text(max_size=20)),
)
def test_any_kind_of_entry_is_told(kind, params):
    with APP.test_request_context("/"):
        assert isinstance(services.describe(kind, params), str)


@pytest.mark.parametrize("kind", ["funded", "failed", "refund", "lost"])
@given(st.integers(0, 10**12))
def test_amounts_on_the_timeline(kind, minor):
    with APP.test_request_context("/"):
        params = {"collected_minor": minor, "minimum_minor": minor, "amount_minor": minor}
        assert "€" in services.describe(kind, params)
