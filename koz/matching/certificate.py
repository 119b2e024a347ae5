"""The certificate of an engagement: its facts in canonical form, their fingerprint, and the PDF made of them.

Pure. The facts are those of one row of `certificates`; the same facts always give the same fingerprint and the same
file, byte by byte. Texts of people reach Typst as data of a JSON document, never as source, so that nothing in them can
be a command. Fonts are those that the package brings; nothing is read from the network and no file is left.
"""

import hashlib
import io
import json
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import segno
import typst

TEMPLATE: Final = Path(__file__).with_suffix(".typ")
#: Characters of a fingerprint by which a certificate can be looked up: 64 bits, too many to try.
SHORT: Final = 16

Facts = Mapping[str, Any]


def canonical(facts: Facts) -> bytes:
    """Facts as bytes: JSON in UTF-8, names in order, no blanks. What is equal reads equal."""
    return json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def fingerprint_of(facts: Facts) -> str:
    """SHA-256 of the canonical facts, in hex."""
    return hashlib.sha256(canonical(facts)).hexdigest()


def read_code(typed: str) -> str | None:
    """A fingerprint, or its beginning of SHORT characters or more, as people copy it; None when it cannot be one."""
    code = re.sub(r"[\s\-–:·]+", "", typed).lower()
    return code if re.fullmatch(rf"[0-9a-f]{{{SHORT},64}}", code, re.ASCII) else None


def grouped(fingerprint: str) -> str:
    """The fingerprint in groups of four, to be read by people."""
    return " ".join(fingerprint[i : i + 4] for i in range(0, len(fingerprint), 4))


def same_name(one: str, other: str) -> bool:
    """Whether two ways to write a name are the same but for case, accents, hyphens and blanks."""
    first, second = _folded(one), _folded(other)
    return bool(first) and first == second


def _folded(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in plain if c.isalnum())


def make_pdf(words: Mapping[str, Any], url: str, lang: str, issued_at_s: int) -> bytes:
    """The PDF. `words` are the texts that the template names, already in `lang`; `url` is where it is checked."""
    code = io.BytesIO()
    segno.make(url, error="m", micro=False).save(
        code, kind="svg", border=0, scale=4, dark="#1c2233", xmldecl=False, svgns=True
    )
    data = json.dumps({**words, "url": url, "lang": lang, "qr": code.getvalue().decode()}, ensure_ascii=False)
    # the fonts of the package first; for scripts that they lack those of the machine; at last, signs without a shape
    for machine in (False, True):
        try:
            return _compile(data, issued_at_s, machine_fonts=machine, readable=True)
        except typst.TypstError as error:
            if "could not be displayed" not in str(error):
                raise
    return _compile(data, issued_at_s, machine_fonts=True, readable=False)


def _compile(data: str, issued_at_s: int, *, machine_fonts: bool, readable: bool) -> bytes:
    """`readable`: to PDF/UA-1, so that it can be read aloud whole; refused where a sign has no shape."""
    made: bytes = typst.compile(
        TEMPLATE.read_bytes(),
        sys_inputs={"data": data},
        ignore_system_fonts=not machine_fonts,
        pdf_standards="ua-1" if readable else None,
        timestamp=issued_at_s,
    )
    return made
