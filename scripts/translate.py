r"""Translations: `check` that every message has its French text, `add FEATURE FILE.json` French texts, `compile`.

French texts lie in `translations/fr/<feature>.po`, one catalogue a feature, so that work on one never touches another;
`compile` joins them into the one catalogue the service reads. A message used by two features needs one text only.
A file to add is {"English message": "French", "singular\u0000plural": ["forme", "formes"]}.
"""

import fcntl
import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT: Final = Path(__file__).resolve().parent.parent
FRENCH: Final = ROOT / "translations/fr"
COMPILED: Final = FRENCH / "LC_MESSAGES/messages.mo"
DATED: Final = ('"POT-Creation-Date', '"PO-Revision-Date', '"Generated-By', '"Last-Translator', '"Language-Team')

Key = str | tuple[str, ...]


def key_of(message: Message) -> Key:
    """The message's id: a text, or singular and plural."""
    return tuple(message.id) if isinstance(message.id, (list, tuple)) else message.id


def is_told(message: Message) -> bool:
    """Whether the message has its text, in all its forms."""
    return all(message.string) if isinstance(message.string, (list, tuple)) else bool(message.string)


def extracted() -> dict[Key, Message]:
    """Messages that stand in the code and templates now."""
    with tempfile.TemporaryDirectory() as folder:
        pot = Path(folder) / "messages.pot"
        command = [sys.executable, "-m", "babel.messages.frontend", "extract", "-F", "babel.cfg", "-k", "_l"]
        subprocess.run([*command, "--no-location", "-o", str(pot), "."], cwd=ROOT, capture_output=True, check=True)
        return {key_of(m): m for m in read_po(io.BytesIO(pot.read_bytes())) if m.id}


def stored(path: Path) -> dict[Key, Message]:
    """Messages of one catalogue."""
    if not path.exists():
        return {}
    with path.open("rb") as file:
        return {key_of(m): m for m in read_po(file, locale="fr") if m.id}


def catalogues() -> dict[str, dict[Key, Message]]:
    """All catalogues by the name of their feature."""
    return {path.stem: stored(path) for path in sorted(FRENCH.glob("*.po"))}


def save(name: str, messages: dict[Key, Message]) -> None:
    """Write a catalogue, sorted, without dates, so that merges stay small."""
    catalog = Catalog(locale="fr", project="Koz", charset="utf-8", fuzzy=False)
    for message in messages.values():
        catalog.add(message.id, message.string, flags=message.flags)
    path = FRENCH / f"{name}.po"
    with path.open("wb") as file:
        write_po(file, catalog, sort_output=True, no_location=True, width=110)
    lines = path.read_text().split("\n")
    path.write_text("\n".join(line for line in lines if not line.startswith((*DATED, "#")) or line.startswith("#,")))


def compile_all() -> None:
    """Write the .mo file that the service reads."""
    joined = Catalog(locale="fr", charset="utf-8", fuzzy=False)
    for messages in catalogues().values():
        for message in messages.values():
            joined.add(message.id, message.string, flags=message.flags)
    COMPILED.parent.mkdir(parents=True, exist_ok=True)
    with COMPILED.open("wb") as target:
        write_mo(target, joined)


def problems() -> list[str]:
    """What is not right: messages without French, French without a message, two texts for one message."""
    wanted, found, told = extracted(), [], dict[Key, Any]()
    for name, messages in catalogues().items():
        for key, message in messages.items():
            if key not in wanted:
                found.append(f"{name}.po: no longer used: {key}")
            if key in told and told[key] != message.string:
                found.append(f"{name}.po: another catalogue says it otherwise: {key}")
            if is_told(message):
                told[key] = message.string
    return found + [f"no French text: {key}" for key in wanted if key not in told]


def add(name: str, texts: dict[str, Any]) -> None:
    """Put texts into a feature's catalogue; drop what no longer stands in the code, there and elsewhere."""
    wanted = extracted()
    new = {tuple(k.split("\0")) if "\0" in k else k: v for k, v in texts.items()}
    for other, messages in (catalogues() | {name: stored(FRENCH / f"{name}.po")}).items():
        kept = {key: m for key, m in messages.items() if key in wanted}
        if other == name:
            for key, text in new.items():
                if key in wanted:
                    message = wanted[key]
                    message.string = tuple(text) if isinstance(key, tuple) else text
                    kept[key] = message
                else:
                    sys.stdout.write(f"not in the code: {key!r}\n")
        else:
            for key in new.keys() & kept.keys():
                kept[key].string = tuple(new[key]) if isinstance(key, tuple) else new[key]
        save(other, kept)
    compile_all()


def main(arguments: list[str]) -> int:
    """Run one command under a lock."""
    with (ROOT / "babel.cfg").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        command = arguments[0] if arguments else "check"
        if command == "compile":
            compile_all()
            return 0
        if command == "add":
            add(arguments[1], json.loads(Path(arguments[2]).read_text()))
        found = problems()
        sys.stdout.writelines(f"{line}\n" for line in found)
        return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
