"""Which concepts and titles are held out: by a hash of their official number, the same on every machine, for ever."""

from hashlib import sha256
from typing import Final

#: Share that is asked and never trained on, and share of the rest on which choices may be tuned.
HELD_OUT: Final = 0.2
VALIDATION: Final = 0.2
RULE: Final = (
    'held out: the first 8 bytes of SHA-256("koz:<seed>:<URI or number>"), as a big-endian fraction of 2^64, below'
    f" {HELD_OUT}"
)


def share(key: str, seed: int) -> float:
    """A number in [0, 1) that depends on key and seed alone."""
    return int.from_bytes(sha256(f"koz:{seed}:{key}".encode()).digest()[:8]) / 2**64


def is_held_out(key: str, seed: int) -> bool:
    """Whether it belongs to the test part."""
    return share(key, seed) < HELD_OUT


def is_for_tuning(key: str, seed: int) -> bool:
    """Whether it belongs to the part of the training data on which settings were chosen; never of the test part."""
    return HELD_OUT <= share(key, seed) < HELD_OUT + VALIDATION * (1 - HELD_OUT)
