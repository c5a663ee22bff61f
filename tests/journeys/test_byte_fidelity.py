"""For every recording: what the upstream got is what the client sent, what the client got is what the upstream sent,
and what the store gives back is both, byte for byte.
"""

import asyncio
import json
from pathlib import Path

import aiohttp
from aiohttp import web
from gateway_process import GatewayProcess, running_gateway
from journeys.tape import Recording, Tape, recordings
from shared_folder import find

from app.models.query import parse
from app.models.trace import SpanDetail
from app.store.reader import Reader

APIS = {
    "openai.chat": ("oc", "/v1/chat/completions"),
    "openai.responses": ("oc", "/v1/responses"),
    "openai.completions": ("oc", "/v1/completions"),
    "openai.embeddings": ("oc", "/v1/embeddings"),
    "anthropic.messages": ("an", "/v1/messages"),
    "anthropic.count_tokens": ("an", "/v1/messages/count_tokens"),
    "google.generate": ("gm", ""),
    "google.embed": ("gm", ""),
    "mistral.chat": ("oc", ""),
    "cohere.chat": ("oc", ""),
    "ollama.chat": ("oc", ""),
    "bedrock.converse": ("oc", ""),
    "openai.other": ("oc", ""),
}
"""API to (provider, the path of ours it goes through; none: pass-through under the provider's prefix)."""

CONFIG = """\
providers:
  oc: {{dialect: openai_chat, also: [openai_responses], base_url: "http://127.0.0.1:{port}/v1", api_key: env:TAPE_KEY}}
  an: {{dialect: anthropic, base_url: "http://127.0.0.1:{port}", api_key: env:TAPE_KEY}}
  gm: {{dialect: gemini, base_url: "http://127.0.0.1:{port}", api_key: env:TAPE_KEY}}
"""


class Sent:
    """One call as the client made it."""

    def __init__(self, recording: Recording) -> None:
        provider, path = APIS[recording.api]
        self.recording = recording
        self.body = self.expected = recording.request
        own = recording.model
        if path and recording.method == "POST" and recording.is_json and own:
            self.path = path
            named = json.dumps(own, ensure_ascii=False).encode()
            at = self._model_at(named)
            self.body = (
                self.body[:at]
                + json.dumps(f"{provider}/{own}", ensure_ascii=False).encode()
                + self.body[at + len(named) :]
            )
        else:
            self.path = f"/{provider}{recording.path}"
        self.request_id = ""

    def _model_at(self, named: bytes) -> int:
        """Return where the top-level model's value stands in our own rendering of the body."""
        for key in (b'"model":' + named, b'"model": ' + named):
            at = self.body.find(key)
            while at >= 0:
                start = at + len(key) - len(named)
                tried = self.body[:start] + b'"\\u0000"' + self.body[start + len(named) :]
                if json.loads(tried)["model"] == "\0":
                    return start
                at = self.body.find(key, at + 1)
        raise AssertionError("the recording's model was not found in its body")


async def play(gateway: GatewayProcess, key: str, sent: list[Sent], tape: Tape, split: int | None) -> None:
    """Send every call through the gateway, eight at once, and compare both ends."""
    at_once = asyncio.Semaphore(8)

    async def one(session: aiohttp.ClientSession, call: Sent) -> None:
        recording = call.recording
        headers = {"authorization": f"Bearer {key}", "x-wire-id": recording.id, "content-type": recording.request_type}
        if split is not None:
            headers["x-wire-split"] = str(split)
        async with (
            at_once,
            session.request(
                recording.method, gateway.url + call.path, data=call.body or None, headers=headers
            ) as answer,
        ):
            got = await answer.read()
            assert answer.status == recording.status, (recording.id, answer.status, got[:300])
            assert got == recording.response, recording.id
            call.request_id = answer.headers["x-gatescope-request-id"]
        assert tape.received[recording.id][-1] == call.expected, recording.id

    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(auto_decompress=False, timeout=timeout) as session, asyncio.TaskGroup() as tasks:
        for call in sent:
            tasks.create_task(one(session, call))


async def serve(tape: Tape) -> tuple[web.ServerRunner, int]:
    """Serve the tape on a free port."""
    runner = web.ServerRunner(web.Server(tape))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    return runner, site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]


def stored(data: Path) -> dict[str, tuple[Reader, SpanDetail]]:
    """Return every stored call by its request id."""
    reader = Reader(data)
    found: dict[str, tuple[Reader, SpanDetail]] = {}
    before = None
    while rows := reader.traces(parse("", 0), before, 500):
        for row in rows:
            for span in reader.tree(row.id).id:
                detail = reader.span(int(span))
                if detail.request_id:
                    found[detail.request_id] = (reader, detail)
        before = (rows[-1].start_ns, rows[-1].id)
    return found


def test_every_recording_passes_and_is_kept_byte_for_byte(tmp_path: Path) -> None:
    folder = find("wire")
    played = [r for r in recordings(folder, *APIS) if r.status < 600]
    sent = [Sent(recording) for recording in played]
    again = [Sent(recording) for recording in played if recording.is_stream]
    tape = Tape(played)

    async def journey() -> None:
        runner, port = await serve(tape)
        try:
            with running_gateway(
                tmp_path / "data", CONFIG.format(port=port), {"TAPE_KEY": "upstream-secret"}
            ) as gateway:
                key = await asyncio.to_thread(gateway.new_key)
                await play(gateway, key, sent, tape, None)
                await play(gateway, key, again, tape, 7)
                await asyncio.to_thread(gateway.stop)
        finally:
            await runner.cleanup()

    asyncio.run(journey())
    assert tape.keys == {"upstream-secret"}
    calls = stored(tmp_path / "data")
    for call in [*sent, *again]:
        reader, detail = calls[call.request_id]
        assert reader.body(detail.id, "request") == call.body, call.recording.id
        assert reader.body(detail.id, "upstream_request") == call.expected, call.recording.id
        assert reader.body(detail.id, "response") == call.recording.response, call.recording.id
    whole = {call.recording.id: calls[call.request_id][1] for call in sent}
    for call in again:
        cut, once = calls[call.request_id][1], whole[call.recording.id]
        assert (cut.usage, cut.cost_nusd, cut.finish_reason, cut.status, cut.failure) == (
            once.usage,
            once.cost_nusd,
            once.finish_reason,
            once.status,
            once.failure,
        ), call.recording.id
