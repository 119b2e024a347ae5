"""`koz skills`: bring a taxonomy in, look a phrase up."""

import dataclasses
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import click
from flask import Flask
from flask.cli import AppGroup
from tqdm import tqdm

from koz.core.db import reading, unit_of_work
from koz.core.errors import Invalid
from koz.core.i18n import in_locale, init_i18n
from koz.skills import evaluation
from koz.skills.queries import (
    MAX_TOP,
    Found,
    Prepared,
    find_concepts,
    find_skills_of_title,
    index_key,
    index_lock,
    prepare_index,
)
from koz.skills.services.taxonomy_import import Imported, import_esco, import_rome, load_starter, size_of
from koz.skills.taxonomy import LANGUAGES, Origin
from koz.skills.taxonomy.index import COMPONENTS

#: Where the public files lie beside a checkout, as for the tests.
PUBLIC: Final = Path("../shared/data")

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
    _list(found, lang)


def _list(found: Sequence[Found], lang: str) -> None:
    for f in found:
        label, other = (f.label_en, f.label_fr) if lang == "en" else (f.label_fr, f.label_en)
        click.echo(f"{f.score:.2f}  {label or other}  [{f.code}]")


@cli.command("title")
@click.argument("text")
@click.option("--lang", type=click.Choice(LANGUAGES), default=LANGUAGES[0], show_default=True)
@click.option("--top", type=click.IntRange(1, MAX_TOP), default=10, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def title(*, text: str, lang: str, top: int, as_json: bool) -> None:
    """What a job title likely means: skills, occupations of ESCO, and job sheets of ROME for a French title."""
    with reading() as session:
        read = find_skills_of_title(session, text, lang, top)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(read), ensure_ascii=False))
        return
    for heading, found in (("Skills", read.skills), ("Occupations", read.occupations), ("Job sheets", read.sheets)):
        if found:
            click.echo(f"{heading}:")
            _list(found, lang)


@cli.command("evaluate", with_appcontext=False)
@click.option(
    "--esco", type=click.Path(path_type=Path), default=PUBLIC / "esco", show_default=True, help="ESCO's files."
)
@click.option(
    "--rome", type=click.Path(path_type=Path), default=PUBLIC / "rome", show_default=True, help="ROME's files."
)
@click.option("--phrases", type=click.Path(path_type=Path), help="Phrases and the concept each means, tab-separated.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the split.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def evaluate(*, esco: Path, rome: Path, phrases: Path | None, seed: int, as_json: bool) -> None:
    """How well concepts are found for words that were held out of the training. No database is needed.

    Exit code 1 when a goal is missed or a file is missing or wrong.
    """
    with _words_only(), tqdm(desc="Reading", unit="step", total=len(evaluation.TASKS) + 1) as bar:
        corpus = evaluation.read_corpus(esco, rome)

        def progress(name: str) -> None:
            bar.update()
            bar.set_description(name)

        outcomes = evaluation.run(evaluation.TASKS, evaluation.Setting(corpus, seed, phrases), progress)
        bar.update()
    click.echo(evaluation.as_json(outcomes, seed) if as_json else evaluation.as_table(outcomes, seed))
    if not all(measure.reached for outcome in outcomes for measure in outcome.measures):
        raise SystemExit(1)


@contextmanager
def _words_only() -> Iterator[None]:
    """What messages need, for a command without settings and database."""
    app = Flask(__name__)
    init_i18n(app)
    with app.app_context(), in_locale("en"):
        yield
