"""`koz skills`: bring a taxonomy in, look a phrase up."""

import dataclasses
import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup
from tqdm import tqdm

from koz.core.db import reading, unit_of_work
from koz.core.errors import Invalid
from koz.core.i18n import in_locale
from koz.skills.queries import MAX_TOP, Prepared, find_concepts, index_key, index_lock, prepare_index
from koz.skills.services.taxonomy_import import Imported, import_esco, import_rome, load_starter, size_of
from koz.skills.taxonomy import LANGUAGES, Origin
from koz.skills.taxonomy.index import COMPONENTS

cli = AppGroup("skills", help="The taxonomy of skills.")


@cli.command("import")
@click.option("--from", "source", type=click.Choice([o.value for o in Origin]), required=True, help="Whose files.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
def import_taxonomy(*, source: str, as_json: bool, paths: tuple[Path, ...]) -> None:
    """Bring in a taxonomy: PATHS are the official files (.csv or .csv.gz) or the folder that holds them.

    Nothing is half-imported, and importing the same files again changes nothing. Koz's own taxonomy comes with the
    program: `--from koz` takes no path.
    """
    origin = Origin(source)
    if (origin is Origin.KOZ) == bool(paths):
        raise click.UsageError("Give the files or their folder, except with --from koz, which takes none.")
    with in_locale("en"), ExitStack() as stack:  # as all of the command line
        trouble = _lock_index(stack)
        done = _import(origin, paths)
        if trouble is None:
            _prepare_index()
    if trouble is not None:
        click.echo(str(trouble), err=True)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(done)))
        return
    click.echo(
        f"{done.origin}: {done.concepts} concepts, {done.aliases} aliases, {done.edges} edges"
        f" ({done.retired} retired, {done.skipped} relations to unknown concepts left out)"
        f"{'' if done.changed else '; nothing has changed'}"
    )


def _import(origin: Origin, paths: tuple[Path, ...]) -> Imported:
    if origin is Origin.KOZ:
        with unit_of_work() as session:
            return load_starter(session)
    use_case = import_esco if origin is Origin.ESCO else import_rome
    with tqdm(total=size_of(origin, paths), desc=f"Reading {origin.upper()}", unit="B", unit_scale=True) as bar:

        def progress(read: int) -> None:
            bar.update(read)
            if bar.total is not None and bar.n >= bar.total:
                bar.set_description("Writing")

        with unit_of_work() as session:
            return use_case(session, paths, progress)


def _lock_index(stack: ExitStack) -> Invalid | None:
    """Keep other processes at the index they have until the new one is there; what is in the way, if anything is."""
    with reading() as session:
        key = index_key(session)
    try:
        stack.enter_context(index_lock(key))
    except Invalid as refused:
        return refused
    return None


def _prepare_index(*, anew: bool = False) -> Prepared:
    with ExitStack() as stack, reading() as session:
        bars: list[Any] = []

        def told(name: str) -> None:
            """The bar comes with the first part: there is nothing to see where the index is there already."""
            if not bars:
                bars.append(stack.enter_context(tqdm(total=len(COMPONENTS) + 2, unit="part")))
            bars[0].set_description(f"Index: {name}")
            bars[0].update()

        return prepare_index(session, told, anew=anew)


@cli.command("index")
@click.option("--anew", is_flag=True, help="Make it also when it is there.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def index(*, anew: bool, as_json: bool) -> None:
    """Make the index that search and matching map into memory, on this machine, unless it is there.

    It lies in KOZ_CACHE_DIR. `koz skills import` makes it as well, and so does a process that finds none.
    """
    with in_locale("en"), ExitStack() as stack:
        trouble = _lock_index(stack)
        if trouble is not None:
            raise trouble
        prepared = _prepare_index(anew=anew)
    if as_json:
        click.echo(json.dumps({"folder": str(prepared.folder), "bytes": prepared.size, "made": prepared.made}))
        return
    click.echo(f"{prepared.folder}: {prepared.size / 1e6:.1f} MB{'' if prepared.made else ', there already'}")


@cli.command("find")
@click.argument("text")
@click.option("--lang", type=click.Choice(LANGUAGES), default=LANGUAGES[0], show_default=True)
@click.option("--top", type=click.IntRange(1, MAX_TOP), default=10, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def find(*, text: str, lang: str, top: int, as_json: bool) -> None:
    """The concepts that a phrase in one's own words means, best first."""
    with reading() as session:
        found = find_concepts(session, text, lang, top)
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(f) for f in found], ensure_ascii=False))
        return
    for f in found:
        label, other = (f.label_en, f.label_fr) if lang == "en" else (f.label_fr, f.label_en)
        click.echo(f"{f.score:.2f}  {label or other}  [{f.code}]")
