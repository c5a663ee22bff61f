"""Reading connections beside another process that writes."""

import subprocess
import sys
import threading

from filled_store import FilledStore, call_write

from app.models.query import parse

ANOTHER_PROCESS = """
import sqlite3, sys
conn = sqlite3.connect(sys.argv[1])
conn.execute("SELECT count(*) FROM sqlite_schema").fetchall()
conn.close()
"""


def test_a_second_thread_that_begins_to_read_leaves_the_first_ones_lock_in_place(store: FilledStore) -> None:
    """Whoever closes the database last removes its log; a reader whose lock was lost does not count as one."""
    store.add(call_write())
    rows = store.reader.traces(parse("", 0), None, 10)
    second = threading.Thread(target=store.reader.traces, args=(parse("", 0), None, 10))
    second.start()
    second.join()
    database = store.folder / "traces.db"
    log = database.with_name("traces.db-wal")
    assert log.stat().st_size
    subprocess.run([sys.executable, "-c", ANOTHER_PROCESS, str(database)], check=True, timeout=30)
    assert log.exists()
    assert store.reader.traces(parse("", 0), None, 10) == rows
