"""Money as whole minor units (cents) of one currency. No floats anywhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import total_ordering


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies met in one operation: a bug, never shown to a user."""


@total_ordering
@dataclass(frozen=True, slots=True)
class Money:
    """`minor` units of `currency` (ISO 4217, upper case). May be negative."""

    minor: int
    currency: str = "EUR"

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(f"minor units are an int, not {type(self.minor).__name__}")
        if len(self.currency) != 3 or not self.currency.isupper():
            raise ValueError(f"not a currency code: {self.currency!r}")

    @classmethod
    def zero(cls, currency: str = "EUR") -> "Money":
        """Nothing, in a currency."""
        return cls(0, currency)

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __bool__(self) -> bool:
        return self.minor != 0

    def __lt__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor < other.minor

    def split(self, weights: Sequence[int]) -> list["Money"]:
        """Parts in proportion to `weights` (whole, not negative, not all zero), by largest remainder (Hamilton).

        The parts add up to the whole, also for negative amounts; ties go to the earlier part.
        """
        total = sum(weights)
        if total <= 0 or min(weights) < 0:
            raise ValueError("weights must be whole, not negative, and not all zero")
        parts = [self.minor * w // total for w in weights]
        by_rest = sorted(range(len(weights)), key=lambda i: (-(self.minor * weights[i] % total), i))
        for i in by_rest[: self.minor - sum(parts)]:
            parts[i] += 1
        return [Money(p, self.currency) for p in parts]
