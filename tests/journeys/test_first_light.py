"""First light: an empty window says where to send and with which key; the first call, pasted from it, is shown."""

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from shutil import which

import anthropic
import openai
import pytest
from journeys.desktop_trip import PROVIDER_KEY, Trip, travel
from journeys.upstream_thread import UpstreamThread, fake_upstream
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
from waiting import until

from app.models.query import Query
from app.store.reader import Reader
from ui.home.page import HomePage
from ui.home.snippets import snippets
from ui.traces.columns import Column
from ui.traces.page import TracesPage

OWN_KEY = "sk-of-the-person-0123456789abcdef"


def run_snippet(text: str, language: str) -> str:
    """Run what was copied, in an empty folder, as a person would; return what it printed."""
    if language == "shell" and which("curl") is None:
        pytest.skip("no curl here")
    command = [sys.executable, "-c", text] if language == "python" else ["/bin/sh", "-ec", text]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=40, check=False, stdin=subprocess.DEVNULL
        )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["openai-python", "anthropic-python", "curl"])
def test_the_first_window_waits_and_says_what_came(qapp: QApplication, tmp_path: Path, name: str) -> None:
    async def journey(trip: Trip) -> None:
        home = trip.desktop.window.page
        assert isinstance(home, HomePage)
        run = home.first_run
        await until(lambda: home._has_traces is False and run._key.value().startswith("gs-"))
        assert run.isVisible() and run._url.value() == trip.url
        assert run._what.text() == "Waiting for the first request…"
        ids = [snippet.id for snippet in snippets(trip.url, run._key.value())]
        run.box._tabs.setCurrentIndex(ids.index(name))
        run.box._copy.click()
        text = QGuiApplication.clipboard().text()
        assert trip.url in text and run._key.value() in text
        printed = await asyncio.to_thread(run_snippet, text, "python" if name.endswith("python") else "shell")
        assert "hello" in printed.lower()
        await until(lambda: isinstance(trip.desktop.window.page, TracesPage))
        who = {"openai-python": "OpenAI SDK (Python)", "anthropic-python": "Anthropic SDK (Python)", "curl": "curl"}
        path = "/v1/messages" if name == "anthropic-python" else "/v1/chat/completions"
        assert run._what.text() == f"{who[name]} sent POST {path} for demo/chat"
        [row] = await trip.rows(1)
        await trip.open(row.id)
        assert trip.cells(row)[Column.STATUS] == "ok" and trip.cells(row)[Column.INPUT] == "Say hello."
        assert trip.answer()[-1].text.strip() in printed

    travel(qapp, tmp_path, journey)


def test_the_demo_button_shows_an_agent_at_work(qapp: QApplication, tmp_path: Path) -> None:
    async def journey(trip: Trip) -> None:
        home, run = trip.home, trip.home.first_run
        await until(lambda: home._has_traces is False and run._demo.isEnabled())
        run._demo.click()
        await until(lambda: isinstance(trip.desktop.window.page, TracesPage), 20)
        await until(lambda: run._demo.text() == "Send a demo run", 30)
        page = trip.traces
        page.close_trace()
        page.list.let_in()
        model = page.list.model
        await until(lambda: model.rowCount() > 0 and all(model.known(row_id) is not None for row_id in model.ids()))
        sizes = {row_id: model.known(row_id).n_spans for row_id in model.ids()}  # type: ignore[union-attr]
        await trip.open(max(sizes, key=lambda row_id: sizes[row_id]))
        kinds = trip.kinds()
        assert kinds[0] == "agent" and "  llm" in kinds and "  tool" in kinds

    travel(qapp, tmp_path, journey)


def keys_config(upstream: UpstreamThread) -> str:
    return f"""\
providers:
  openai: {{base_url: "{upstream.url}/v1", api_key: env:TRIP_KEY}}
  anthropic: {{base_url: "{upstream.url}", api_key: env:TRIP_KEY}}
"""


def call_both(url: str, key: str) -> None:
    """One call with each SDK, only their base URL changed."""
    with openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0) as client:
        client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Hello"}])
    with anthropic.Anthropic(base_url=url, api_key=key, max_retries=0) as other:
        other.messages.create(model="claude-sonnet-5", max_tokens=9, messages=[{"role": "user", "content": "Hi"}])


def credentials(upstream: UpstreamThread) -> list[str]:
    """What the upstream was given to open its doors, a line a call."""
    names = ("authorization", "x-api-key", "api-key", "x-goog-api-key")
    return [" ".join(value for name, value in seen.headers if name.lower() in names) for seen in upstream.seen]


def test_a_persons_own_key_passes_through_and_is_kept_nowhere(qapp: QApplication, tmp_path: Path) -> None:
    async def journey(trip: Trip) -> None:
        await asyncio.to_thread(call_both, trip.url, OWN_KEY)
        rows = await trip.rows(2)
        assert {row.provider for row in rows} == {"openai", "anthropic"}
        assert [trip.cells(row)[Column.KEY] for row in rows] == ["–", "–"]
        for row in rows:
            await trip.open(row.id)
            await trip.choose(len(trip.kinds()) - 1)
            facts = await trip.attributes()
            assert OWN_KEY not in str(facts)

    with fake_upstream() as upstream:
        travel(qapp, tmp_path, journey, config=keys_config(upstream))
        assert credentials(upstream) == [f"Bearer {OWN_KEY}"] * 2
    assert list(secrets_kept(tmp_path / "data", OWN_KEY.encode())) == []


def test_a_virtual_key_adds_the_providers_own(qapp: QApplication, tmp_path: Path) -> None:
    made: list[str] = []

    async def journey(trip: Trip) -> None:
        made.append(await trip.new_key("laptop"))
        await asyncio.to_thread(call_both, trip.url, made[0])
        rows = await trip.rows(2)
        assert [trip.cells(row)[Column.KEY] for row in rows] == ["laptop", "laptop"]

    with fake_upstream() as upstream:
        travel(qapp, tmp_path, journey, config=keys_config(upstream))
        assert credentials(upstream) == [f"Bearer {PROVIDER_KEY}"] * 2
    for secret in (made[0], PROVIDER_KEY):
        assert list(secrets_kept(tmp_path / "data", secret.encode())) == []


def secrets_kept(data: Path, secret: bytes) -> Iterator[str]:
    """Yield where a secret is found: in any file's bytes, or in what the store gives back of any span."""
    for path in data.rglob("*"):
        if path.is_file() and secret in path.read_bytes():
            yield str(path)
    reader = Reader(data)
    rows = reader.traces(Query(), None, 100)
    assert rows
    for row in rows:
        for span_id in reader.tree(row.id).id.tolist():
            span = reader.span(span_id)
            if secret.decode() in repr(span):
                yield f"span {span_id}"
            for side in ("request", "response", "upstream_request", "upstream_response"):
                if span.method and secret in reader.body(span_id, side):
                    yield f"span {span_id}: {side}"
