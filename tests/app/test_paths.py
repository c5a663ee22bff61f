from pathlib import Path

from app.paths import Paths, default_data_dir


def test_everything_stands_in_the_data_folder(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    found = [paths.database, paths.search, paths.spool, paths.config, paths.lock, paths.runtime, paths.logs]
    assert all(path.parent == tmp_path for path in found)
    assert paths.database.name == "traces.db"


def test_the_environment_names_the_data_folder(tmp_path: Path) -> None:
    assert default_data_dir({"GATESCOPE_DATA": str(tmp_path)}) == tmp_path
    assert default_data_dir({}).name == "gatescope"
