"""Pages of a list, by key: the address of the next page names the last row seen, so it stays quick and stable."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items and, where there are more, the key (text) after which the next page starts."""

    items: Sequence[T]
    next_after: str | None


def after_page(rows: Sequence[T], size: int, key: Callable[[T], object]) -> Page[T]:
    """A page out of `size + 1` rows read: the extra one only tells that there is more."""
    items = rows[:size]
    return Page(items, str(key(items[-1])) if len(rows) > size else None)


def parse_after(text: str | None) -> int | None:
    """The integer key of `?after=`, None when absent or not a number that a row could have."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 18:
        return None
    return int(text)
