import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.logs import start_logs

SECRET = "sk-proj-abcdefghijklmnop0123456789"


@pytest.fixture(autouse=True)
def _own_handlers() -> Iterator[None]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield
    for handler in set(root.handlers) - set(before):
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)


def test_the_log_file_has_everything_and_no_secret(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start_logs(tmp_path / "logs")
    logging.getLogger("gateway.main").info("Leaving")
    try:
        raise ValueError(f"Incorrect API key: {SECRET}")
    except ValueError:
        logging.getLogger("gateway.main").exception("A call failed")
    text = (tmp_path / "logs" / "gateway.log").read_text()
    assert "INFO gateway.main: Leaving" in text
    assert "Incorrect API key: [removed]" in text
    shown = capsys.readouterr().err
    assert "Leaving" not in shown
    assert "A call failed" in shown
    assert SECRET not in text + shown


def test_a_folder_that_cannot_be_made_leaves_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    start_logs(tmp_path / "file" / "logs")
    logging.getLogger("gateway.main").warning("Still heard")
    assert "Still heard" in capsys.readouterr().err
