"""A throw-away PostgreSQL server for tests, on 127.0.0.1 only."""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import OperationalError

START_SECONDS = 30
ATTEMPTS = 3
"""Another process may take the free port before the server does."""

INSTALL = "PostgreSQL is not installed; run: sudo apt-get install --yes postgresql (make test does)"


@contextmanager
def postgres_server() -> Iterator[str]:
    """The SQLAlchemy URL of a new, empty server; it ends with the block, or with this process."""
    programs = _programs()
    password = secrets.token_urlsafe(24)
    with tempfile.TemporaryDirectory(prefix="anon-postgres-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        _initialize(programs, folder, password)
        server, url = _started(programs, folder, password)
        try:
            yield url
        finally:
            _stop(server)


def fresh_database(server_url: str) -> str:
    """The URL of a new, empty database on the server."""
    name = f"anon_{secrets.token_hex(8)}"
    engine = create_engine(server_url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
    finally:
        engine.dispose()
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


def _programs() -> Path:
    """The newest folder that holds `initdb` and `postgres`."""
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: int("".join(filter(str.isdecimal, path.parts[-3])) or 0),
    )
    on_path = shutil.which("initdb")
    found = installed[-1] if installed else on_path and Path(on_path).resolve()
    if not found or not (found.parent / "postgres").exists():
        raise FileNotFoundError(INSTALL)
    return found.parent


def _initialize(programs: Path, folder: Path, password: str) -> None:
    password_file = folder / "password"
    password_file.write_text(password)
    for path in (folder, password_file):
        _hand_over(path)
    command = [
        str(programs / "initdb"),
        f"--pgdata={folder / 'data'}",
        "--username=anon",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
    ]
    done = subprocess.run(
        [*_as_owner(), *command], cwd="/", env=_environment(), capture_output=True, text=True, check=False
    )
    password_file.unlink()
    if done.returncode:
        raise RuntimeError(f"initdb failed: {done.stderr}")


def _started(programs: Path, folder: Path, password: str) -> tuple[subprocess.Popen[bytes], str]:
    log = folder / "log"
    for _ in range(ATTEMPTS):
        port = _free_port()
        settings = {
            "port": port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": 100,
            "fsync": "off",  # thrown away in any case
            "full_page_writes": "off",
        }
        command = [str(programs / "postgres"), "-D", str(folder / "data")]
        command += [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with log.open("wb") as out:
            server = subprocess.Popen(
                [*_as_owner(), *command], cwd="/", env=_environment(), stdout=out, stderr=out
            )
        url = URL.create(
            "postgresql+psycopg2", "anon", password, host="127.0.0.1", port=port, database="postgres"
        ).render_as_string(hide_password=False)
        if _answers(server, url):
            return server, url
        _stop(server)
    raise RuntimeError(f"PostgreSQL did not start: {log.read_text(errors='replace')}")


def _answers(server: subprocess.Popen[bytes], url: str) -> bool:
    engine = create_engine(url)
    deadline = time.monotonic() + START_SECONDS
    try:
        while server.poll() is None and time.monotonic() < deadline:
            try:
                engine.connect().close()
            except OperationalError:
                time.sleep(0.05)
            else:
                return server.poll() is None
    finally:
        engine.dispose()
    return False


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Ends the server by its own process id: open connections are cut, then it is killed if it must be."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if server.poll() is None:
            server.send_signal(number)
            try:
                server.wait(timeout=10)
            except subprocess.TimeoutExpired:
                continue
    server.wait()


def _owner() -> pwd.struct_passwd | None:
    """The account of the server when root runs the tests, as PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _hand_over(path: Path) -> None:
    if owner := _owner():
        os.chown(path, owner.pw_uid, owner.pw_gid)


def _as_owner() -> list[str]:
    """The words before a command that run it as the owner, and end it when this process is killed."""
    if not shutil.which("setpriv"):
        if _owner():
            raise FileNotFoundError(
                "root needs setpriv to run PostgreSQL; run: apt-get install --yes util-linux"
            )
        return []
    words = ["setpriv", "--pdeathsig=INT"]
    if owner := _owner():
        words += [f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
    return [*words, "--"]


def _environment() -> dict[str, str]:
    """The environment without settings of another PostgreSQL and without secrets."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PG", "ANON_"))} | {
        "LC_ALL": "C"
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
