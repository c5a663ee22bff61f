"""`docs/providers.md` tells what `resources/providers.toml` says."""

import os
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[2] / "docs" / "providers.md"
HEAD = """# Providers

Known without a config; a model is asked for as `provider/model`, or by a bare name of the last column. A provider of your own takes the same fields in `gatescope.yaml`, and your fields are laid over these. Every client speaks to every provider: what a provider does not speak itself is [translated](translation.md).

| name | provider | speaks | key | bare names |
|---|---|---|---|---|
"""  # noqa: E501


def page() -> str:
    rows = tomllib.loads(files("resources").joinpath("providers.toml").read_text(encoding="utf-8"))
    return HEAD + "".join(_row(name, row) for name, row in sorted(rows.items()))


def _row(name: str, row: dict[str, Any]) -> str:
    speaks = ", ".join([row["dialect"], *row.get("also", [])])
    key = ", ".join(f"`{env}`" for env in row.get("env", [])) or (
        "none" if row.get("auth") == "none" else "its own sign-in"
    )
    models = ", ".join(f"`{model}`" for model in row.get("models", []))
    return f"| `{name}` | {row.get('title', name)} | {speaks} | {key} | {models} |\n"


def test_the_page_tells_every_provider() -> None:
    made = page()
    if os.environ.get("WRITE_PAGES"):
        PAGE.write_text(made, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == made, "make pages writes it anew"


def test_there_are_many() -> None:
    assert page().count("\n| `") >= 35
