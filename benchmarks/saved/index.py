"""Which numbers do all saved runs hold?  An index of them: one SQLite file with a row for each case of each process.

The files stay what counts.  A file that is new, changed or gone is noticed by its name, size and time; an index that is damaged, or of another
version of this module, is made anew from the files.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.saved import indexed
from benchmarks.saved.indexed import Entry, Row
from benchmarks.saved.storage import MANIFEST, STORAGE
from lenet5.errors import InputError, complain

INDEX = STORAGE / "index.sqlite"

OURS = 0x4C4E3548
"""SQLite's application_id of such a file: no other program's database is ever replaced."""

FORMAT = 2

HEADER = b"SQLite format 3\0"

WAIT_SECONDS = 60
"""For another process that writes the index."""

TOGETHER = 100
"""Files that are added in one transaction: what an interruption loses."""

NO_HISTORY = ("coverage-",)
"""How the folders begin whose cases are copies under other names, made to count errors of intervals."""

TABLES = """
CREATE TABLE circumstances (id INTEGER PRIMARY KEY, facts TEXT NOT NULL UNIQUE);
CREATE TABLE files (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, size INTEGER NOT NULL, modified_ns INTEGER NOT NULL, fault TEXT NOT NULL,
    commit_id TEXT NOT NULL, changed INTEGER NOT NULL, committed TEXT NOT NULL, authored TEXT NOT NULL, measured TEXT NOT NULL, code TEXT NOT NULL,
    circumstances INTEGER NOT NULL
);
CREATE TABLE cases (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, spelled TEXT NOT NULL, kind TEXT NOT NULL, framework TEXT NOT NULL, mode TEXT NOT NULL,
    UNIQUE (name, spelled, kind, framework, mode)
);
CREATE TABLE points (
    case_id INTEGER NOT NULL, file_id INTEGER NOT NULL, median REAL NOT NULL, low REAL NOT NULL, high REAL NOT NULL,
    rounds INTEGER NOT NULL, PRIMARY KEY (case_id, file_id)
) WITHOUT ROWID;
CREATE INDEX points_of_a_file ON points (file_id);
"""


@dataclass(frozen=True)
class Process:
    """One saved process."""

    id: int
    path: Path
    commit: str
    changed: bool
    committed: str
    authored: str
    measured: str
    code: str
    circumstances: int


@dataclass(frozen=True)
class IndexedCase:
    """One case as some processes spell it."""

    id: int
    name: str
    spelled: str
    group: str
    framework: str
    mode: str


@dataclass(frozen=True)
class Update:
    """What became of the files that were looked at."""

    read: int
    """Files that were new or changed."""
    gone: int
    faults: Sequence[str]
    """A line for each file that is no run."""


class Index:
    """An index that is open."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def update(self, roots: Sequence[Path]) -> Update:
        """Bring the index up to date with the files below some folders, or with these files themselves.

        A folder's files that are no runs are left out, each with a line; a file that was named itself is not: that raises InputError.
        """
        read, gone, faults = 0, 0, []
        for root in roots:
            found = files_below(root)
            known = self._known(root.resolve())
            lost = known.keys() - {str(path) for path in found}
            self._in_steps(sorted(lost), self._forget)
            gone += len(lost)
            stamps = {path: _stamp(path) for path in found}
            new = [path for path in found if known.get(str(path), ())[:2] != stamps[path]]
            self._in_steps([(path, stamps[path]) for path in new], lambda new: self._add_file(*new))
            read += len(new)
            said = [(path, one[2]) for path, one in self._known(root.resolve()).items() if one[2]]
            if said and not root.is_dir():
                raise InputError(said[0][1])
            faults += [fault for _, fault in said]
        return Update(read, gone, faults)

    def add(self, path: Path, entry: Entry, stamp: tuple[int, int] = (0, 0)) -> None:
        """Add what a process says, in the transaction that is open.  A process of the same path is replaced."""
        self._forget(str(path))
        facts = self._id("circumstances", facts=entry.circumstances)
        saying = (entry.commit, entry.changed, entry.committed, entry.authored, entry.measured, entry.code, facts)
        file = self._insert_file(path, stamp, "", saying)
        rows = [(self._case(row), file, row.median, row.low, row.high, row.rounds) for row in entry.rows]
        self._database.executemany("INSERT OR REPLACE INTO points VALUES (?, ?, ?, ?, ?, ?)", rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block, or nothing of it."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.rollback()
            raise
        self._database.commit()

    def processes(self, roots: Sequence[Path] = ()) -> list[Process]:
        """All processes, or those below some folders and in some files, in the order in which they were measured."""
        query = "SELECT id, path, commit_id, changed, committed, authored, measured, code, circumstances FROM files WHERE fault = '' ORDER BY measured, path"
        found = [Process(row[0], Path(row[1]), row[2], bool(row[3]), *row[4:]) for row in self._database.execute(query)]
        places = [root.resolve() for root in roots]
        return [one for one in found if not places or any(place == one.path or place in one.path.parents for place in places)]

    def cases(self) -> list[IndexedCase]:
        """All cases that some process has a number for, by name."""
        query = "SELECT id, name, spelled, kind, framework, mode FROM cases ORDER BY name, id"
        return [IndexedCase(*row) for row in self._database.execute(query)]

    def points(self, case: int) -> list[tuple[int, float, float, float]]:
        """Process, median and quartiles of a case, in no order."""
        return list(self._database.execute("SELECT file_id, median, low, high FROM points WHERE case_id = ?", (case,)))

    def circumstances(self) -> dict[int, str]:
        """The circumstances of the processes, as `indexed.circumstances_of` has them, in JSON."""
        return dict(self._database.execute("SELECT id, facts FROM circumstances"))

    # How it is kept

    def _known(self, root: Path) -> dict[str, tuple[int, int, str]]:
        """Path -> size, time and fault of the files that are indexed below a folder, or of one file."""
        rows = self._database.execute("SELECT path, size, modified_ns, fault FROM files")
        begin = f"{root}{os.sep}"
        return {path: (size, when, fault) for path, size, when, fault in rows if path == str(root) or path.startswith(begin)}

    def _in_steps(self, things: Sequence[Any], step: Callable[[Any], object]) -> None:
        for begin in range(0, len(things), TOGETHER):
            with self.transaction():
                for thing in things[begin : begin + TOGETHER]:
                    step(thing)

    def _add_file(self, path: Path, stamp: tuple[int, int]) -> None:
        try:
            self.add(path, indexed.read(path), stamp)
        except InputError as error:
            self._forget(str(path))
            self._insert_file(path, stamp, str(error), ("", False, "", "", "", "", 0))

    def _insert_file(self, path: Path, stamp: tuple[int, int], fault: str, saying: tuple[Any, ...]) -> int:
        values = (str(path), *stamp, fault, *saying)
        columns = "path, size, modified_ns, fault, commit_id, changed, committed, authored, measured, code, circumstances"
        done = self._database.execute(f"INSERT INTO files ({columns}) VALUES ({', '.join('?' * len(values))})", values)
        return int(done.lastrowid or 0)

    def _forget(self, path: str) -> None:
        self._database.execute("DELETE FROM points WHERE file_id = (SELECT id FROM files WHERE path = ?)", (path,))
        self._database.execute("DELETE FROM files WHERE path = ?", (path,))

    def _case(self, row: Row) -> int:
        return self._id("cases", name=row.name, spelled=row.id, kind=row.group, framework=row.framework, mode=row.mode)

    def _id(self, table: str, **values: str) -> int:
        """The number of a row of a table, which is added if it is not there."""
        same = " AND ".join(f"{name} = ?" for name in values)
        found = self._database.execute(f"SELECT id FROM {table} WHERE {same}", (*values.values(),)).fetchone()
        if found:
            return int(found[0])
        marks = ", ".join("?" * len(values))
        done = self._database.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", (*values.values(),))
        return int(done.lastrowid or 0)


def files_below(root: Path) -> list[Path]:
    """The files below a folder that can be saved processes; of a file that file.  Raises InputError if there is no such thing."""
    if root.is_file():
        return [root.resolve()]
    if not root.is_dir():
        raise InputError(f"{root}: no such file or folder; expected a saved run, or a folder of runs or of a gate")
    found = []
    for folder, below, names in os.walk(root.resolve()):
        below[:] = sorted(name for name in below if not name.startswith((".", *NO_HISTORY)))
        found += [
            Path(folder, name) for name in sorted(names) if name.endswith(".json") and not name.startswith(".") and name != MANIFEST
        ]
    return found


@contextmanager
def opened(path: Path, anew: bool = False) -> Iterator[Index]:
    """The index in a file, which is made if there is none, and made anew if asked or if it is damaged, with a line on standard error.

    Damage that shows only within the block ends it with a line that says how to make the index anew.  Raises InputError, one line, for a file
    that is no such index, and for one that cannot be read or written.
    """
    try:
        with closing(_whole(path, anew)) as database:
            yield Index(database)
    except sqlite3.OperationalError as error:
        raise InputError(f"{path}: cannot be used ({error}); name another --index") from None
    except sqlite3.DatabaseError as error:
        raise InputError(f"{path}: is damaged ({error}); --reindex makes it anew from the saved files") from None


def _whole(path: Path, anew: bool) -> sqlite3.Connection:
    """A connection to the index in a file, made anew where that is needed.  Raises InputError, one line, if it is none or cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _refuse_foreign(path)
        if path.exists() and not anew and (fault := _fault(path)):
            complain(f"{path}: {fault}; it is made anew from the saved files")
            anew = True
        if anew:
            for name in (path, path.with_name(f"{path.name}-journal")):  # of a process that was killed: it belongs to the old file
                name.unlink(missing_ok=True)
        return _connected(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); name another --index") from None


def _refuse_foreign(path: Path) -> None:
    """Raise InputError for a file that neither is an index nor lies where the index does unless it is said."""
    if not path.exists() or path == INDEX:
        return
    if not path.is_file():
        raise InputError(f"--index {path}: is no file; name a file")
    with path.open("rb") as file:
        begin = file.read(72)
    if begin and not (begin.startswith(HEADER) and int.from_bytes(begin[68:72], "big") == OURS):
        raise InputError(f"--index {path}: is no index of this project; expected one, or a name for a new file")


def _connected(path: Path) -> sqlite3.Connection:
    """A connection to an index of this format, whose tables are made if there are none."""
    database = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)
    if not database.execute("PRAGMA user_version").fetchone()[0]:
        statements: Iterable[str] = (*TABLES.split(";"), f"PRAGMA application_id = {OURS}", f"PRAGMA user_version = {FORMAT}")
        database.execute("BEGIN EXCLUSIVE")
        if not database.execute("PRAGMA user_version").fetchone()[0]:  # no other process has made it in the meantime
            for statement in statements:
                database.execute(statement)
        database.commit()
    return database


def _fault(path: Path) -> str:
    """What is wrong with a file as an index; empty if it is whole, or empty itself."""
    if not path.stat().st_size:
        return ""
    try:
        with closing(sqlite3.connect(path, timeout=WAIT_SECONDS)) as database:
            version = database.execute("PRAGMA user_version").fetchone()[0]
            if version != FORMAT:
                return f"has format {version} of the index, this version has {FORMAT}"
            said = database.execute("PRAGMA quick_check(1)").fetchone()[0]
            return "" if said == "ok" else f"is damaged ({said})"
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        return f"is damaged ({error})"


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns
