"""Covers of campaigns that have no photograph: a pattern of tiles drawn from the slug, in the palette. Pure.

The same slug gives the same picture for ever, so browsers may keep it for a year.
"""

import hashlib
from collections.abc import Iterator
from typing import Final

TILE: Final = 80
COLUMNS: Final = 8
ROWS: Final = 3
#: Each cover keeps to one colour (`m`) with its shade of paper, sand and a little ink; pairs of (ground, figure).
_COLOURS: Final = (("#b3341a", "#e2714f"), ("#0f5c5c", "#3f9a95"), ("#4b3f92", "#8577e0"), ("#8a5a00", "#c79a3c"))
_PAIRS: Final = (("p", "m"), ("m", "p"), ("s", "m"), ("m", "s"), ("p", "s"), ("s", "p"), ("p", "i"), ("i", "s"))
_STYLE: Final = (
    ".p{fill:#f3eee4}.s{fill:#e6dbc6}.i{fill:#1c2233}.m{fill:%s}"
    "@media(prefers-color-scheme:dark){.p{fill:#232945}.s{fill:#39406a}.i{fill:#dcd6c8}.m{fill:%s}}"
)


def cover(slug: str) -> str:
    """An SVG of 640 by 240 units: 24 tiles, each a quarter, a half or a whole disc, a stair or plain."""
    noise = hashlib.sha512(slug.encode()).digest()
    tiles = "".join(_tiles(noise))
    style = _STYLE % _COLOURS[noise[63] % len(_COLOURS)]
    size = f"{COLUMNS * TILE} {ROWS * TILE}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" width="640" height="240">'
        f"<style>{style}</style>{tiles}</svg>"
    )


def _tiles(noise: bytes) -> Iterator[str]:
    for n in range(COLUMNS * ROWS):
        x, y = n % COLUMNS * TILE, n // COLUMNS * TILE
        ground, figure = _PAIRS[noise[n] % len(_PAIRS)]
        shape = _SHAPES[noise[n + 24] % len(_SHAPES)]
        turn = noise[n] // 16 % 4 * 90
        yield (
            f'<g transform="translate({x} {y}) rotate({turn} 40 40)"><path class="{ground}" d="M-.5-.5h81v81h-81z"/>'
            f'<path class="{figure}" d="{shape}"/></g>'
        )


_SHAPES: Final = (
    "M0 0a80 80 0 0 1 80 80H0z",  # a quarter
    "M0 0a80 80 0 0 1 80 80H0z",
    "M0 40a40 40 0 0 1 80 0z",  # a half
    "M0 40a40 40 0 1 1 80 0 40 40 0 1 1-80 0",  # a whole disc
    "M0 80L80 0v80z",  # a slope
    "M0 80V53h27V27h26V0h27v80z",  # a stair
    "M20 40a20 20 0 1 1 40 0 20 20 0 1 1-40 0",  # a dot
)
