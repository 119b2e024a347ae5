r"""Translations: `extract` messages, `add FILE.json` French texts, `check` that all are there, `compile`.

A file is {"English message": "French", "singular\u0000plural": ["forme", "formes"]}.
"""

import fcntl
import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
PO = ROOT / "translations/fr/LC_MESSAGES/messages.po"


def extracted() -> Catalog:
    """Messages that stand in the code and templates now."""
    with tempfile.TemporaryDirectory() as folder:
        pot = Path(folder) / "messages.pot"
        command = [sys.executable, "-m", "babel.messages.frontend", "extract", "-F", "babel.cfg", "-k", "_l"]
        subprocess.run([*command, "--no-location", "-o", str(pot), "."], cwd=ROOT, capture_output=True, check=True)
        return read_po(io.BytesIO(pot.read_bytes()))


def current() -> Catalog:
    """The French catalogue as stored."""
    if not PO.exists():
        return Catalog(locale="fr")
    with PO.open("rb") as file:
        return read_po(file, locale="fr")


def merged(texts: dict[str, Any]) -> Catalog:
    """The catalogue with exactly the extracted messages; texts of `texts` win over those stored."""
    old, result = current(), Catalog(locale="fr", project="Koz", charset="utf-8")
    wanted = {tuple(k.split("\0")) if "\0" in k else k: v for k, v in texts.items()}
    for message in extracted():
        if not message.id:
            continue
        key = tuple(message.id) if isinstance(message.id, (list, tuple)) else message.id
        stored = old.get(message.id if isinstance(message.id, str) else message.id[0])
        text = wanted.get(key, stored.string if stored else None)
        result.add(message.id, text, flags=message.flags)
    return result


def save(catalog: Catalog) -> None:
    """Write the catalogue, sorted, without dates, so that merges stay small."""
    PO.parent.mkdir(parents=True, exist_ok=True)
    with PO.open("wb") as file:
        write_po(file, catalog, sort_output=True, omit_header=False, no_location=True, width=110)
    lines = PO.read_text().split("\n")
    PO.write_text(
        "\n".join(
            line for line in lines if not line.startswith(('"POT-Creation-Date', '"PO-Revision-Date', '"Generated-By'))
        )
    )


def compile_all() -> None:
    """Write the .mo file that the service reads."""
    with PO.open("rb") as source, PO.with_suffix(".mo").open("wb") as target:
        write_mo(target, read_po(source, locale="fr"))


def missing(catalog: Catalog) -> list[str]:
    """Messages with no French text."""
    return [str(m.id) for m in catalog if m.id and not (all(m.string) if isinstance(m.string, tuple) else m.string)]


def main(arguments: list[str]) -> int:
    """Run one command under a lock."""
    with (ROOT / "babel.cfg").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        command = arguments[0] if arguments else "check"
        if command == "compile":
            compile_all()
            return 0
        if command == "check":
            lost = missing(merged({}))
            sys.stdout.writelines(f"no French text: {m}\n" for m in lost)
            return 1 if lost else 0
        texts: dict[str, Any] = {}
        for name in arguments[1:]:
            texts |= json.loads(Path(name).read_text())
        catalog = merged(texts)
        save(catalog)
        compile_all()
        sys.stdout.write(f"{len(missing(catalog))} messages without French text\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
