"""What an amendment changes, word by word, and the plain text of what is shown. Pure.

A difference is a list of [kind, text]: "same", "del" (only in the old text), "ins" (only in the new one). The texts of
"same" and "del" joined give the old text, those of "same" and "ins" the new one, blanks aside.
"""

import html
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from typing import Final

SAME: Final = "same"
DEL: Final = "del"
INS: Final = "ins"
#: A word or a sign with the blanks after it.
_TOKEN: Final = re.compile(r"[\w’'-]+\s*|[^\w\s]\s*|\s+")
#: Beyond this many pairs of equal words the most frequent words no longer anchor the comparison, which would grow with
#: the square of them; beyond as many pairs of words a changed passage is shown as replaced whole.
MOST_EQUAL: Final = 200_000
MOST_PAIRS: Final = 3_000_000

Piece = tuple[str, str]


def difference(old: str, new: str) -> list[list[str]]:
    """The pieces that lead from `old` to `new`: by lines first, then by words inside the lines that changed."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    pieces: list[Piece] = []
    for tag, i1, i2, j1, j2 in _steps([line.strip() for line in before], [line.strip() for line in after]):
        left, right = "".join(before[i1:i2]), "".join(after[j1:j2])
        pieces += [(SAME, _wider(left, right))] if tag == "equal" else _words(left, right)
    return [list(piece) for piece in _joined(pieces)]


def _words(old: str, new: str) -> list[Piece]:
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    if len(before) * len(after) > MOST_PAIRS:
        return [(DEL, old), (INS, new)]
    pieces: list[Piece] = []
    for tag, i1, i2, j1, j2 in _steps([t.strip() for t in before], [t.strip() for t in after]):
        if tag == "equal":
            pieces.append((SAME, "".join(map(_wider, before[i1:i2], after[j1:j2]))))
        else:
            pieces += [(DEL, "".join(before[i1:i2])), (INS, "".join(after[j1:j2]))]
    return pieces


def _steps(before: Sequence[str], after: Sequence[str]) -> Sequence[tuple[str, int, int, int, int]]:
    counts = Counter(before)
    equal = sum(counts[word] for word in after)
    return SequenceMatcher(None, before, after, autojunk=equal > MOST_EQUAL).get_opcodes()


def _wider(one: str, other: str) -> str:
    """Of two texts that differ in blanks only, the one with more: nothing then runs into what follows it."""
    return max(one, other, key=len)


def _joined(pieces: Iterable[Piece]) -> list[Piece]:
    joined: list[Piece] = []
    for kind, text in pieces:
        if not text:
            continue
        if joined and joined[-1][0] == kind:
            joined[-1] = (kind, joined[-1][1] + text)
        else:
            joined.append((kind, text))
    return joined


def condensed(pieces: Sequence[Sequence[str]], around: int = 60, most: int = 600) -> list[Piece]:
    """The changed passages with at most `around` characters of the same text on each side and `most` in all."""
    short: list[Piece] = []
    left = most
    for n, (kind, text) in enumerate(pieces):
        if left <= 0:
            short.append((SAME, "…"))
            break
        shown = text
        if kind == SAME:
            shown = _middle_out(text, around, first=n == 0, last=n == len(pieces) - 1)
        if len(shown) > left:
            shown = shown[:left] + "…"
        left -= len(shown)
        short.append((kind, shown))
    return short


def _middle_out(text: str, around: int, *, first: bool, last: bool) -> str:
    """Unchanged text with its far parts left out: the start of the first piece, the end of the last one."""
    if len(text) <= 2 * around:
        return text
    head = "" if first else text[:around].rsplit(" ", 1)[0] + " "
    tail = "" if last else " " + text[-around:].split(" ", 1)[-1]
    return f"{head}…{tail}"


def is_changed(pieces: Sequence[Sequence[str]]) -> bool:
    """Whether anything but blanks differs."""
    return any(kind != SAME and text.strip() for kind, text in pieces)


def plain(clean: str) -> str:
    """The text of cleaned HTML, a line a block."""
    lines = html.unescape(re.sub(r"<[^>]*>", "", re.sub(r"<(?:br|/p|/li|/h\d|/blockquote)[^>]*>", "\n", clean)))
    return re.sub(r"\s*\n\s*", "\n", lines).strip()
