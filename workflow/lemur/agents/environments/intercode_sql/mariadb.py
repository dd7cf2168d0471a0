"""The databases in MariaDB: one server without network and rights, a connection an episode.

Debian's ``mariadb-server`` is enough. Models' queries run as a user that may only read, in a server
that sees its own folder and the system's libraries.
"""

import atexit
import os
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from lemur.agents.environment import WorldFailed
from lemur.agents.intercode.shell import system_folders
from lemur.core.errors import UserError
from lemur.sandbox.probe import probe
from lemur.sandbox.types import Absent
from lemur.sandbox.user import draw_user

QUERY_SECONDS, MOST_ROWS, TMP_MB = 10, 100_000, 512
START_SECONDS = 60.0
# MySQL's defaults where MariaDB's differ and the original's dump or queries depend on them.
OPTIONS = ["--skip-networking", "--lower-case-table-names=1", "--skip-log-bin", "--tmpdir=/tmp"]
OPTIONS += ["--character-set-server=utf8mb4", "--collation-server=utf8mb4_general_ci"]
OPTIONS += ["--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync"]  # fmt: skip
OPTIONS += ["--secure-file-priv=/nothing", "--max-allowed-packet=16M", "--performance-schema=OFF"]
_PATH = "/usr/sbin:/usr/bin:/usr/local/bin"


def missing() -> str | None:
    """What this machine lacks, in a few words; None where MariaDB can be played."""
    for program in ("mariadbd", "mariadb-install-db", "mariadb"):
        if shutil.which(program, path=_PATH) is None:
            return f"no {program} (Debian: apt-get install mariadb-server)"
    try:
        import pymysql  # noqa: F401
    except ImportError:
        return "no PyMySQL"
    sandbox = probe()
    if isinstance(sandbox, Absent):
        return sandbox.reason
    return None if sandbox.tool == "bubblewrap" else "the server needs bubblewrap"


class Server:
    """A server with all databases of ``dump``. ``close`` ends it and removes its folder."""

    def __init__(self, dump: Path):
        if (why := missing()) is not None:
            raise UserError(f"intercode_sql: world 'mariadb': {why}; world 'sqlite' needs nothing")
        self.folder = Path(tempfile.mkdtemp(prefix="lemur-mariadb-"))
        self.socket = self.folder / "socket"
        self.user = draw_user() if os.geteuid() == 0 else None
        if self.user is not None:
            os.chown(self.folder, self.user, self.user)
        atexit.register(self.close)
        self.ended, self.started = threading.Event(), threading.Event()
        self.process: subprocess.Popen[bytes] | None = None
        # bubblewrap ends with the thread that has started it.
        self.keeper = threading.Thread(target=self._keep, daemon=True)
        self.keeper.start()
        self.started.wait()
        try:
            self._fill(dump)
        except BaseException:
            self.close()
            raise

    def _confined(self, *command: str) -> list[str]:
        sandbox = probe()
        assert not isinstance(sandbox, Absent)
        line = []
        if self.user is not None:
            line = [shutil.which("setpriv", path=_PATH) or "setpriv", "--clear-groups"]
            line += ["--reuid", str(self.user), "--regid", str(self.user)]
        line += [sandbox.bwrap, "--die-with-parent", "--unshare-all", "--new-session", "--clearenv"]
        line += ["--ro-bind", "/usr", "/usr", *system_folders(), "--dev", "/dev", "--proc", "/proc"]
        line += ["--size", str(TMP_MB << 20), "--tmpfs", "/tmp", "--dir", "/nothing"]  # noqa: S108
        line += ["--bind", str(self.folder), "/data", "--setenv", "PATH", _PATH + ":/bin"]
        return [*line, "--", *command]

    def _keep(self) -> None:
        log = subprocess.DEVNULL
        try:
            install = ["mariadb-install-db", "--no-defaults", "--datadir=/data/db", "--force"]
            install += [
                "--skip-test-db",
                "--auth-root-authentication-method=normal",
                "--lower-case-table-names=1",
            ]
            subprocess.run(self._confined(*install), stdout=log, stderr=log, cwd="/")
            options = ["--no-defaults", "--datadir=/data/db", "--socket=/data/socket", *OPTIONS]
            server = ["mariadbd", *options, "--log-error=/data/log"]
            self.process = subprocess.Popen(
                self._confined(*server), stdout=log, stderr=log, cwd="/"
            )
        finally:
            self.started.set()
        self.ended.wait()

    def _fill(self, dump: Path) -> None:
        until = time.monotonic() + START_SECONDS
        while not self.socket.exists():
            if self.process is None or self.process.poll() is not None or time.monotonic() > until:
                raise WorldFailed(f"MariaDB does not start: {self._complaint()}")
            time.sleep(0.05)
        users = ("CREATE USER", "GRANT ", "FLUSH ")
        lines = dump.read_text("utf-8").splitlines(keepends=True)
        text = "".join(line for line in lines if not line.startswith(users))
        text += "\nCREATE USER reader@localhost; GRANT SELECT ON *.* TO reader@localhost;"
        text += "\nREVOKE SELECT ON *.* FROM reader@localhost;\n"
        names = sorted({line.split("`")[1] for line in lines if line.startswith("USE `")})
        text += "".join(f"GRANT SELECT ON `{name}`.* TO reader@localhost;\n" for name in names)
        client = [shutil.which("mariadb", path=_PATH) or "mariadb", "--no-defaults"]
        client += ["--default-character-set=utf8mb4", f"--socket={self.socket}", "--user=root"]
        loaded = subprocess.run(client, input=text.encode(), capture_output=True)
        if loaded.returncode:
            said = loaded.stderr.decode("utf-8", "replace")
            raise UserError(f"{dump}: MariaDB does not take it: {' '.join(said.split())[-200:]}")

    def _complaint(self) -> str:
        try:
            lines = (self.folder / "log").read_text("utf-8", "replace").splitlines()
        except OSError:
            return "no log"
        return next((line for line in reversed(lines) if "ERROR" in line), "no error in its log")

    def connect(self, database: str) -> "Session":
        """A connection for one episode."""
        return Session(self, database)

    def close(self) -> None:
        """End the server and remove its folder."""
        atexit.unregister(self.close)
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()  # bubblewrap: all inside ends with it
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.ended.set()
        shutil.rmtree(self.folder, ignore_errors=True)


class Session:
    """One connection. Answers are rows, a text for an error, or None where there are no rows."""

    def __init__(self, server: Server, database: str):
        self.server, self.database = server, database
        self._open()

    def _open(self) -> None:
        import pymysql

        try:
            self.connection: Any = pymysql.connect(
                unix_socket=str(self.server.socket),
                user="reader",
                database=self.database,
                charset="utf8mb4",
                read_timeout=QUERY_SECONDS + 20,
                init_command=f"SET max_statement_time={QUERY_SECONDS}, sql_select_limit={MOST_ROWS}",
            )
        except pymysql.MySQLError as error:
            raise WorldFailed(f"MariaDB: {error}") from None
        shown = self.query("SELECT version()")
        assert isinstance(shown, list)
        self.version = f"MariaDB {shown[0][0].partition('-')[0]}"

    def query(self, text: str) -> list[tuple] | str | None:
        """Execute one query."""
        import pymysql

        try:
            with self.connection.cursor() as cursor:
                cursor.execute(text)
                return None if cursor.description is None else list(cursor.fetchall())
        except pymysql.MySQLError as error:
            code, said = (*error.args, "", "")[:2]
            if not self.connection.open or code in (0, 2006, 2013):
                self.close()
                self._open()
                return "Lost connection to MySQL server during query"
            return str(said)
        except (UnicodeError, ValueError, OverflowError) as error:
            return str(error).encode("utf-8", "replace").decode()

    def close(self) -> None:
        """End the connection."""
        if self.connection.open:
            self.connection.close()
