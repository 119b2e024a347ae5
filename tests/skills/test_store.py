"""The folder of arrays: what goes in comes out, in one stroke."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from koz.skills.taxonomy import store


@given(st.lists(st.text()))
def test_texts_come_back_as_they_went_in(tmp_path_factory: pytest.TempPathFactory, listed: list[str]) -> None:
    opened = store.write(tmp_path_factory.mktemp("index") / "a", {}, {"words": listed})
    assert list(opened.texts("words")) == listed
    assert opened.texts("words")[::-1] == listed[::-1]


def test_arrays_are_mapped_and_cannot_be_changed(tmp_path: Path) -> None:
    opened = store.write(tmp_path / "a", {"x": np.arange(6, dtype=np.float32).reshape(2, 3)}, {})
    mapped = opened.array("x")
    assert isinstance(mapped, np.memmap)
    assert mapped.tolist() == [[0, 1, 2], [3, 4, 5]]
    with pytest.raises(ValueError, match="read-only"):
        mapped[0, 0] = 9


def test_a_second_writer_leaves_what_is_there(tmp_path: Path) -> None:
    store.write(tmp_path / "a", {"x": np.array([1])}, {})
    second = store.write(tmp_path / "a", {"x": np.array([2])}, {})
    assert second.array("x").tolist() == [1]
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_writer_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="allow_pickle"):
        store.write(tmp_path / "a", {"x": np.array([1]), "y": np.array([object()])}, {})
    assert list(tmp_path.iterdir()) == []
