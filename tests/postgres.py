"""A PostgreSQL of our own for tests, and a PgBouncer before it: started when first asked for, gone at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.ports import free_port

USER = "frontline"


def programs() -> Path:
    """The folder of the newest PostgreSQL of the machine. Debian keeps it out of the search path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda it: int(it.parts[4]))
    if found:
        return found[-1].parent
    there = shutil.which("initdb")
    if there is None:
        raise RuntimeError("PostgreSQL is not installed: run `sh tests/services.sh`")
    return Path(there).parent


class Unprivileged:
    """Who runs the servers: they refuse to work for root."""

    def __init__(self) -> None:
        self._as: list[str] = []
        if os.getuid() == 0:
            self.user = next(name for name in ("postgres", "nobody") if _exists(name))
            self._as = [
                "setpriv",
                f"--reuid={self.user}",
                "--regid=" + str(pwd.getpwnam(self.user).pw_gid),
                "--clear-groups",
            ]

    def command(self, *words: str | Path) -> list[str]:
        return [*self._as, *map(str, words)]

    def own(self, folder: Path) -> None:
        """Let the servers write into a folder, and walk into it."""
        if self._as:
            entry = pwd.getpwnam(self.user)
            os.chown(folder, entry.pw_uid, entry.pw_gid)


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


class Cluster:
    """A PostgreSQL server in a folder of its own, on a free TCP port and a Unix socket in the folder.

    `fsync` costs time; without it the data survive everything but the end of the machine, which no test brings about.
    """

    def __init__(self, folder: Path | None = None, fsync: bool = False, **settings: str) -> None:
        self._who = Unprivileged()
        self.folder = folder or Path(tempfile.mkdtemp(prefix="frontline-pg-"))
        self.folder.chmod(0o755)
        self._who.own(self.folder)
        self.data = self.folder / "data"
        self.port = free_port()
        self._settings = {"fsync": "on" if fsync else "off", **settings}
        self._made = 0
        self._watching: subprocess.Popen[bytes] | None = None
        self._programs = programs()

    def said(self, since: int = 0) -> str:
        """The server's log, from a place in it on."""
        return (self.folder / "log").read_text("utf-8", errors="replace")[since:]

    # --- life ---

    def init(self) -> None:
        """Make the cluster. The only user is `frontline`, without a password."""
        words = ("-D", self.data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self._run("initdb", *words)
        lines = {
            "port": str(self.port),
            "listen_addresses": "'127.0.0.1'",
            "unix_socket_directories": f"'{self.folder}'",
            "max_connections": "200",
            "shared_buffers": "64MB",
            **self._settings,
        }
        with (self.data / "postgresql.conf").open("a") as out:
            out.writelines(f"{name} = {value}\n" for name, value in lines.items())

    def start(self) -> None:
        """Returns when it takes connections."""
        self._guard()
        self._run("pg_ctl", "start", "-w", "-D", self.data, "-l", self.folder / "log", "-t", "60")

    def _guard(self) -> None:
        """A test run that is killed leaves no server behind."""
        if self._watching is None:
            pid, data = os.getpid(), self.data
            watch = f"while kill -0 {pid} 2>/dev/null; do sleep 1; done; kill -QUIT $(head -1 {data}/postmaster.pid)"
            command = ["sh", "-c", f"{watch}; rm -rf {self.folder}"]
            self._watching = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)

    def stop(self, mode: str = "immediate") -> None:
        """`immediate` is what a crash looks like; the next start recovers."""
        self._run("pg_ctl", "stop", "-w", "-D", self.data, "-m", mode, "-t", "60")

    def restart(self, mode: str = "immediate") -> None:
        self.stop(mode)
        self.start()

    def signal(self, number: int) -> None:
        """To the postmaster alone; SIGSTOP keeps new connections waiting."""
        os.kill(self.pid, number)

    def freeze(self) -> None:
        """Stop every process of the server where it stands: connections hang."""
        for pid in self._pids():
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        for pid in self._pids():
            with suppress(ProcessLookupError):  # those that served a connection end with it
                os.kill(pid, signal.SIGCONT)

    @property
    def pid(self) -> int:
        return int((self.data / "postmaster.pid").read_text().splitlines()[0])

    def _pids(self) -> list[int]:
        children = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.pid)], capture_output=True, text=True, check=False
        )
        return [self.pid, *map(int, children.stdout.split())]

    def remove(self) -> None:
        """Stop, whatever it takes, and leave nothing."""
        if self._watching is not None:
            self._watching.kill()
            self._watching.wait()
        if (self.data / "postmaster.pid").exists():
            self.thaw()
            subprocess.run(
                self._who.command(self._programs / "pg_ctl", "stop", "-D", self.data, "-m", "immediate"),
                capture_output=True,
                check=False,
                cwd=self.folder,
            )
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- databases ---

    def url(self, database: str, **parameters: object) -> str:
        """Its address over TCP."""
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}" + (f"?{query}" if query else "")

    def create(self, template: str = "template1", name: str = "") -> str:
        """A new database, a copy of `template`; its name."""
        self._made += 1
        name = name or f"test_{os.getpid()}_{self._made}"
        self.sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def drop(self, name: str) -> None:
        self.sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def sql(self, text: str, database: str = "postgres") -> str:
        """The answer of psql, bare: a line for each row."""
        return self._run("psql", "-h", self.folder, "-p", self.port, "-U", USER, "-d", database, "-XAtqc", text)

    def _run(self, program: str, *words: str | Path | int) -> str:
        command = self._who.command(self._programs / program, *map(str, words))
        # The output goes to a file: a pipe would stay open for as long as the server runs.
        with tempfile.TemporaryFile() as out:
            done = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, cwd=self.folder, check=False)
            out.seek(0)
            said = out.read().decode()
        if done.returncode:
            raise RuntimeError(f"{program}: {said}")
        return said.strip()


class Bouncer:
    """A PgBouncer in transaction mode before a cluster; any database of the cluster may be named."""

    def __init__(self, cluster: Cluster, size: int = 20) -> None:
        self._who = Unprivileged()
        self.folder = Path(tempfile.mkdtemp(prefix="frontline-pgb-"))
        self.folder.chmod(0o755)
        self._who.own(self.folder)
        self.port = free_port()
        config = self.folder / "pgbouncer.ini"
        config.write_text(
            f"[databases]\n* = host=127.0.0.1 port={cluster.port}\n[pgbouncer]\npool_mode = transaction\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\nauth_type = any\n"
            f"max_client_conn = 500\ndefault_pool_size = {size}\nserver_idle_timeout = 5\nserver_fast_close = 1\n"
            f"logfile = {self.folder}/log\n"
        )
        self._config = config
        self._process: subprocess.Popen[bytes] | None = None
        cluster_user = USER
        (self.folder / "users.txt").write_text(f'"{cluster_user}" ""\n')
        config.write_text(config.read_text().replace("* = host", f"* = user={cluster_user} host"))

    def start(self) -> None:
        """Returns when it takes connections."""
        found = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
        if found is None:
            raise RuntimeError("PgBouncer is not installed: run `sh tests/services.sh`")
        self._process = subprocess.Popen(
            self._who.command(found, "-q", self._config), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 20
        while True:
            with socket.socket() as sock:
                if sock.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if time.monotonic() > until or self._process.poll() is not None:
                raise RuntimeError(
                    (self.folder / "log").read_text() if (self.folder / "log").exists() else "no PgBouncer"
                )
            time.sleep(0.02)

    def url(self, database: str, **parameters: object) -> str:
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}" + (f"?{query}" if query else "")

    def remove(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def cluster(fsync: bool = False, **settings: str) -> Iterator[Cluster]:
    """A running PostgreSQL, gone at the end."""
    made = Cluster(None, fsync, **settings)
    try:
        made.init()
        made.start()
        yield made
    finally:
        made.remove()


@contextmanager
def bouncer(before: Cluster) -> Iterator[Bouncer]:
    """A running PgBouncer, gone at the end."""
    made = Bouncer(before)
    try:
        made.start()
        yield made
    finally:
        made.remove()
