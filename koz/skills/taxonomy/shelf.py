"""The folder on this machine that holds the indexes: one folder a database and state of its taxonomy.

Nothing in it is needed: whatever is missing is made again from the database, and the whole may be deleted at any time.
Names carry the database, the code that made an index and the stamp of its taxonomy, so that neither databases nor
versions of Koz mix. Who makes one holds the lock of its database; the two newest of a database are kept, and what a
process has mapped stays readable to it after the folder is gone.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

import structlog

from koz.skills.taxonomy import store as stores
from koz.skills.taxonomy.index import Contents, Index

log = structlog.get_logger(__name__)

#: How many indexes of a database are kept: the present one, and the one that processes may still be opening.
KEPT: Final = 2


class Key(NamedTuple):
    """Which taxonomy: its database, and the stamp that changes whenever the taxonomy does."""

    database: str
    stamp: str


class Shelf:
    """The indexes in one folder, which is made when first needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, key: Key) -> Path:
        """Where the index of this key is, or would be."""
        return self.folder / f"{_prefix(key)}{code_digest()}-{_digest(key.stamp)}"

    def find(self, key: Key) -> Index | None:
        """The index of this key, mapped; None when it is not there or damaged, which is told loudly."""
        return _opened(self.place(key))

    def find_older(self, key: Key) -> Index | None:
        """The newest index of the same database and code, whatever its stamp."""
        listed = self._listed(f"{_prefix(key)}{code_digest()}-*")
        return next((index for index in map(_opened, listed) if index is not None), None)

    @contextmanager
    def alone(self, key: Key, *, wait: bool = True) -> Iterator[bool]:
        """Hold the right to make indexes of this database; gives whether it is held, always so when waiting."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.folder.stat().st_uid != os.getuid():
            raise PermissionError(f"{self.folder} belongs to another user")
        with (self.folder / f"{_prefix(key)}lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
                return
            yield True

    def put(self, key: Key, contents: Contents) -> Index:
        """Write an index in the place of whatever is there, drop old ones, and open it. To be called `alone`."""
        place = self.place(key)
        shutil.rmtree(place, ignore_errors=True)
        opened = Index.from_store(stores.write(place, *contents))
        half_written = self._listed(f".{_prefix(key)}*")
        for old in self._listed(f"{_prefix(key)}*")[KEPT:] + half_written:
            shutil.rmtree(old, ignore_errors=True)
        return opened

    def get(self, key: Key, make: Callable[[], Index], *, wait: bool) -> Index | None:
        """The index of this key: found, or made and put. When another process makes it and `wait` is False: None.

        Where the folder cannot be written the index is made in memory.
        """
        found = self.find(key)
        if found is not None:
            return found
        made: Index | None = None
        try:
            with self.alone(key, wait=wait) as held:
                if not held:
                    return None
                found = self.find(key)  # another made it meanwhile
                if found is not None:
                    return found
                made = make()
                return self.put(key, made.contents())
        except OSError as error:
            log.error("skills_index_not_kept", folder=str(self.folder), error=str(error))
            return make() if made is None else made

    def _listed(self, pattern: str) -> list[Path]:
        """The folders so named, newest first."""
        found = [p for p in self.folder.glob(pattern) if p.is_dir()]
        return sorted(found, key=lambda p: p.stat().st_mtime_ns, reverse=True)


def _prefix(key: Key) -> str:
    return f"skills-{_digest(key.database)}-"


def _opened(place: Path) -> Index | None:
    if not place.is_dir():
        return None
    try:
        store = stores.open_checked(place)
        return Index.from_store(store)
    except (OSError, ValueError, KeyError) as error:
        log.error("skills_index_damaged", folder=str(place), error=str(error))
        return None


@cache
def code_digest() -> str:
    """A mark of the code that makes and reads indexes: other code never opens them."""
    digest = sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:12]
