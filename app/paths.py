"""Where things are kept: one data folder, and what stands in it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Paths:
    """The places inside a data folder. Nothing is created here."""

    data: Path

    @property
    def database(self) -> Path:
        """The one database."""
        return self.data / "traces.db"

    @property
    def search(self) -> Path:
        """The full-text index, which can be rebuilt."""
        return self.data / "search.db"

    @property
    def spool(self) -> Path:
        """The folder of calls that are not in the database yet."""
        return self.data / "spool"

    @property
    def config(self) -> Path:
        """The config file, unless another is named."""
        return self.data / "gatescope.yaml"

    @property
    def lock(self) -> Path:
        """Held by the one process that may write."""
        return self.data / "gateway.lock"

    @property
    def runtime(self) -> Path:
        """Where and how to reach the gateway while it runs."""
        return self.data / "gateway.json"

    @property
    def logs(self) -> Path:
        """The folder of log files."""
        return self.data / "logs"


def default_data_dir(environ: Mapping[str, str] | None = None) -> Path:
    """Return the data folder: GATESCOPE_DATA where it is set, else the system's place for a user's data."""
    named = (os.environ if environ is None else environ).get("GATESCOPE_DATA")
    if named:
        return Path(named).expanduser().absolute()
    from platformdirs import user_data_path  # 30 ms, and not needed where a folder is named

    return user_data_path("gatescope", appauthor=False)
