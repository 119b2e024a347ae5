"""A folder of arrays and texts that processes share: written once, then memory-mapped read-only by whoever opens it.

One file an array (NumPy's own format), so that opening costs no reading and pages of the file are shared between the
processes of a machine. Texts are kept as one UTF-8 block with the offsets of its pieces. A folder is written beside
its place and renamed into it: a reader sees the whole of it or nothing. A list of all files with size and checksum
lies beside them, so that a folder which lost something since is known by it (`open_checked`).
"""

import json
import shutil
import tempfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, overload

import numpy as np
from numpy.typing import NDArray

#: The list of the files: name → size in bytes and CRC-32.
MANIFEST: Final = "files.json"
PIECE: Final = 1 << 20


class DamagedError(ValueError):
    """A folder that is not as it was written; the text says what is wrong."""


class Texts(Sequence[str]):
    """Texts by number, decoded when asked for."""

    def __init__(self, block: NDArray[np.uint8], bounds: NDArray[np.int64]) -> None:
        self._block, self._bounds = block, bounds

    def __len__(self) -> int:
        return len(self._bounds) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        number = range(len(self))[index]
        return self._block[self._bounds[number] : self._bounds[number + 1]].tobytes().decode()


class Store:
    """An opened folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def array(self, name: str) -> NDArray[Any]:
        """The array of that name, mapped, read-only. Raises FileNotFoundError."""
        mapped: NDArray[Any] = np.load(self.folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        return mapped

    def texts(self, name: str) -> Texts:
        """The texts of that name. Raises FileNotFoundError."""
        return Texts(self.array(f"{name}.block"), self.array(f"{name}.bounds"))


def write(folder: Path, arrays: Mapping[str, NDArray[Any]], texts: Mapping[str, Iterable[str]]) -> Store:
    """Write a folder in one stroke; where it exists already, what is there stays. Returns the opened folder."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, array in arrays.items():
            np.save(beside / f"{name}.npy", np.ascontiguousarray(array), allow_pickle=False)
        for name, listed in texts.items():
            pieces = [text.encode() for text in listed]
            np.save(beside / f"{name}.block.npy", np.frombuffer(b"".join(pieces), dtype=np.uint8))
            np.save(beside / f"{name}.bounds.npy", np.cumsum([0, *map(len, pieces)], dtype=np.int64))
        sums = {path.name: [path.stat().st_size, _checksum(path)] for path in sorted(beside.iterdir())}
        (beside / MANIFEST).write_text(json.dumps(sums), encoding="utf-8")
        try:
            beside.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return Store(folder)


def open_checked(folder: Path) -> Store:
    """Open a folder after reading all of it once. Raises DamagedError when a file is not as it was written."""
    try:
        sums = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        missing = {path.name for path in folder.iterdir()} ^ {*sums, MANIFEST}
        if missing:
            raise DamagedError(f"{min(missing)} is missing, or too much")
        for name, (size, checksum) in sums.items():
            path = folder / name
            if path.stat().st_size != size or _checksum(path) != checksum:
                raise DamagedError(f"{name} has changed")
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise DamagedError(f"{folder.name}: {error}") from error
    return Store(folder)


def _checksum(path: Path) -> int:
    found = 0
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            found = zlib.crc32(piece, found)
    return found
