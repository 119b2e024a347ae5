"""Labels made comparable: case, accents, inclusive endings and gender folded away, words stemmed.

Both sides of a comparison go through the same functions, so a fold may be rough as long as it is the same.
"""

import re
import unicodedata
from functools import lru_cache
from threading import Lock
from typing import Final

import snowballstemmer

_LIGATURES: Final = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ı": "i"})
#: Endings of inclusive writing: « chargé·e·s », « rédacteur·rice », « infirmier(ère) », « traducteur/trice ».
_ENDINGS: Final = (
    r"(?:trices?|rices?|euses?|eresses?|eres?|iennes?|ennes?|ives?|ves?|elles?|nes?|les?|ses?|sses?|tes?|es|e|s)"
)
_SAFE_ENDINGS: Final = r"(?:trices?|rices?|euses?|eres?|iennes?|ennes?|ives?|elles?|nes?|es|e)"
_DOT: Final = "[·•‧∙⋅・.]"
_INCLUSIVE: Final = re.compile(
    rf"(?<=\w\w)(?:{_DOT}{_ENDINGS}(?:{_DOT}s)?|\({_ENDINGS}\)|[-/]{_SAFE_ENDINGS}(?:-s)?)(?!\w)"
)
_WORD: Final = re.compile(r"[^\W_]+[+#]*")

#: Feminine and plural endings and the form all are brought to; the first that fits is used. On folded words.
_GENDER: Final = tuple(
    (re.compile(pattern), form)
    for pattern, form in (
        (r"(?<=^chef)fes?$", ""),
        (r"(?<=\w{3})trices?$", "teur"),
        (r"(?<=\w{2})euses?$", "eur"),
        (r"(?<=\w{3})iennes?$", "ien"),
        (r"(?<=\w{3})eres?$", "er"),
        (r"(?<=\w{3})ees?$", "e"),
        (r"(?<=\w{3})ates?$", "at"),
        (r"(?<=\w{3})antes?$", "ant"),
        (r"(?<=\w{3})entes?$", "ent"),
        (r"(?<=\w{3})oises?$", "ois"),
        (r"(?<=\w{2})ives?$", "if"),
        (r"(?<=\w{3})elles?$", "el"),
        (r"(?<=\w{2})eaux$", "eau"),
        (r"(?<=\w{2})aux$", "al"),
        (r"(?<=\w{2})ales?$", "al"),
    )
)

#: Words that carry no meaning of their own, folded. « aide » and « recherche » are not among them: they name skills.
_STOP_WORDS: Final = {
    "fr": """
        a ai aidez au aux avec avons besoin bonjour c ce ces cette cherche cherchons comment d dans de des du
        elle elles en est et etre eu faire fais fait faut gens il ils info infos j je jsuis l la le les leur
        leurs m ma me merci mes mon n nos notre nous on ont ou par peux pour qu que quelqu qui recherchons s sa
        sais savoir se ses son sont sous stp suis sur svp t tres un une vos votre vous y
    """,
    "en": """
        a am an and are as at be by can do for from have i in is me my of on or our s so some that the their
        this to us we who with you your need needs needed want looking help know please somebody someone
    """,
}
_STOP: Final = {lang: frozenset(listed.split()) for lang, listed in _STOP_WORDS.items()}
_STEMMERS: Final = {"fr": snowballstemmer.stemmer("french"), "en": snowballstemmer.stemmer("english")}
_stemming = Lock()


def _plain(text: str) -> str:
    """Case folded, accents and other marks gone."""
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold()).translate(_LIGATURES)
    return "".join(c for c in text if not unicodedata.combining(c))


def fold(text: str) -> str:
    """The words of `text`, in order, without case, accents, punctuation and inclusive endings, one blank between.

    Folding twice is folding once. « Rédacteur·rice d’actes » → `redacteur d actes`; "C++ / C#" → `c++ c#`.
    """
    return " ".join(_WORD.findall(_INCLUSIVE.sub("", _plain(text))))


def words(text: str, lang: str) -> list[str]:
    """The folded words of `text` that carry meaning in `lang`, in the singular, French ones in the masculine."""
    return words_of(fold(text), lang)


def words_of(folded: str, lang: str) -> list[str]:
    """`words` of a text that is folded already."""
    plain = _masculine if lang == "fr" else _singular
    return [plain(w) for w in folded.split() if w not in _STOP[lang]]


def plain(folded: str, lang: str) -> str:
    """A folded text in the singular, French in the masculine, each word once: « redacteur redactrice d actes »."""
    one = _masculine if lang == "fr" else _singular
    return " ".join(dict.fromkeys(one(word) for word in folded.split()))


def stems(text: str, lang: str) -> list[str]:
    """The stems of `words`, in order; a word that comes twice (« rédacteur / rédactrice ») counts once."""
    return list(dict.fromkeys(stem(w, lang) for w in words(text, lang)))


@lru_cache(maxsize=200_000)
def stem(word: str, lang: str) -> str:
    """Snowball stem of one word that `words` gave."""
    with _stemming:
        stemmed: str = _STEMMERS[lang].stemWord(word)
    return stemmed or word


@lru_cache(maxsize=100_000)
def _masculine(word: str) -> str:
    for pattern, form in _GENDER:
        changed = pattern.sub(form, word)
        if changed != word:
            return changed
    return _singular(word)


@lru_cache(maxsize=100_000)
def _singular(word: str) -> str:
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word
