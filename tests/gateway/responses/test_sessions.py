"""Conversations that a client only names, through OpenAI's SDK, a live gateway and a real store; Claude answers."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import openai
import pytest
from fake_upstream import Answer, FakeUpstream
from live_gateway import KEY, FixedConfig, LiveGateway, config_for, run

from app.store.writer import Writer
from gateway.meaning import Meaning
from gateway.server import Gateway

EVENTS = [("content-type", "text/event-stream")]
CLAUDE = "anthropic/claude-x"


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_ANTHROPIC_KEY", "secret")
    monkeypatch.setenv("TEST_OPENAI_KEY", "secret")


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    made = Writer(tmp_path, make_prepare=Meaning([]).make_prepare, on_commit=lambda commit: None)
    made.start()
    yield made
    made.stop()


class House:
    """A gateway over a store, and a client that may come back after a restart."""

    def __init__(self, upstream: FakeUpstream, writer: Writer) -> None:
        self.upstream = upstream
        self._writer = writer
        self._gateway: Gateway | None = None
        self.client: openai.AsyncOpenAI
        self.other: openai.AsyncOpenAI

    async def start(self) -> None:
        if self._gateway is not None:
            await self.stop()
        made = LiveGateway(FixedConfig(config_for(self.upstream.url)))
        self._gateway = Gateway(made.source, self._writer, made.keys, "token", run=self._writer.run)
        port = await self._gateway.start("127.0.0.1", 0)
        self.client = openai.AsyncOpenAI(api_key=KEY, base_url=f"http://127.0.0.1:{port}/v1", max_retries=0)
        self.other = self.client.with_options(api_key="token")

    async def stop(self) -> None:
        assert self._gateway is not None
        await self.client.close()
        await self._gateway.drain(1)

    def say(self, *blocks: dict[str, Any]) -> None:
        reason = "tool_use" if blocks[-1]["type"] == "tool_use" else "end_turn"
        usage = {"input_tokens": 3, "output_tokens": 2}
        message: dict[str, Any] = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-x",
            "content": blocks,
        }
        message |= {"stop_reason": reason, "stop_sequence": None, "usage": usage}
        self.upstream.answers.append(Answer(body=json.dumps(message).encode()))

    @property
    def told(self) -> list[dict[str, Any]]:
        """The messages that Claude was last asked with."""
        found: list[dict[str, Any]] = self.upstream.seen[-1].json()["messages"]
        return found


@asynccontextmanager
async def house(writer: Writer) -> AsyncIterator[House]:
    async with FakeUpstream() as upstream:
        made = House(upstream, writer)
        await made.start()
        try:
            yield made
        finally:
            await made.stop()


def text(value: str) -> dict[str, Any]:
    return {"type": "text", "text": value}


def words(messages: list[dict[str, Any]]) -> list[str]:
    def plain(content: Any) -> str:
        return content if isinstance(content, str) else " ".join(part.get("text", part["type"]) for part in content)

    return [f"{message['role']}: {plain(message['content'])}" for message in messages]


@pytest.mark.parametrize("restarts", [False, True])
def test_a_response_goes_on_from_the_one_it_names(writer: Writer, restarts: bool) -> None:
    async def go() -> None:
        async with house(writer) as at:
            at.say(text("Paris."))
            first = await at.client.responses.create(model=CLAUDE, input="Capital of France?", instructions="Be short.")
            if restarts:
                await at.start()
            at.say(text("Rome."))
            second = await at.client.responses.create(
                model=CLAUDE, input="And of Italy?", previous_response_id=first.id
            )
            assert words(at.told) == ["user: Capital of France?", "assistant: Paris.", "user: And of Italy?"]
            assert "system" not in at.upstream.seen[-1].json()  # instructions are not inherited
            assert second.previous_response_id == first.id and second.output_text == "Rome."
            if restarts:
                await at.start()
            at.say(text("Oslo."))
            await at.client.responses.create(model=CLAUDE, input="Norway?", previous_response_id=second.id)
            assert len(at.told) == 5

    run(go())


def test_tools_and_thoughts_come_back_with_only_their_results_sent(writer: Writer) -> None:
    async def go() -> None:
        async with house(writer) as at:
            thought = {"type": "thinking", "thinking": "Ask.", "signature": "c2ln"}
            at.say(thought, {"type": "tool_use", "id": "toolu_1", "name": "get", "input": {"city": "Oslo"}})
            tool: Any = {"type": "function", "name": "get", "parameters": {"type": "object", "properties": {}}}
            first = await at.client.responses.create(model=CLAUDE, input="Weather?", tools=[tool])
            call = first.output[-1]
            assert call.type == "function_call"
            at.say(text("Rain."))
            result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "rain"}
            await at.client.responses.create(model=CLAUDE, input=[result], tools=[tool], previous_response_id=first.id)
            blocks = at.told[1]["content"]
            assert [block["type"] for block in blocks] == ["thinking", "tool_use"]
            assert blocks[0]["signature"] == "c2ln"
            assert at.told[2]["content"][0]["tool_use_id"] == blocks[1]["id"]

    run(go())


def test_a_stream_can_be_named_the_moment_it_ends_and_has_one_id(writer: Writer) -> None:
    async def go() -> None:
        async with house(writer) as at:
            stream = await at.client.responses.create(model=CLAUDE, input="Hi", stream=True)
            ids = {event.response.id async for event in stream if hasattr(event, "response")}
            [name] = ids
            at.say(text("Yes."))
            await at.client.responses.create(model=CLAUDE, input="Really?", previous_response_id=name)
            assert [message["role"] for message in at.told] == ["user", "assistant", "user"]
            again = await at.client.responses.retrieve(name, stream=True)
            assert [event.type async for event in again][-1] == "response.completed"
            tail = await at.client.responses.retrieve(name, stream=True, starting_after=2)
            numbers = [event.sequence_number async for event in tail]
            assert numbers[0] == 3 and len(numbers) > 1

    run(go())


def test_items_are_named_without_the_response(writer: Writer) -> None:
    async def go() -> None:
        async with house(writer) as at:
            at.say(text("Paris."))
            first = await at.client.responses.create(model=CLAUDE, input="Capital?")
            at.say(text("Yes."))
            named: Any = [{"type": "item_reference", "id": first.output[0].id}, {"role": "user", "content": "Sure?"}]
            await at.client.responses.create(model=CLAUDE, input=named)
            assert words(at.told) == ["assistant: Paris.", "user: Sure?"] or words(at.told)[-2:] == [
                "assistant: Paris.",
                "user: Sure?",
            ]
            named[0]["id"] = "msg_unknown"
            with pytest.raises(openai.BadRequestError, match="msg_unknown"):
                await at.client.responses.create(model=CLAUDE, input=named)

    run(go())


def test_what_is_not_kept_is_said(writer: Writer) -> None:
    async def go() -> None:
        async with house(writer) as at:
            at.say(text("Paris."))
            unkept = await at.client.responses.create(model=CLAUDE, input="Capital?", store=False)
            at.say(text("Paris."))
            kept = await at.client.responses.create(model=CLAUDE, input="Capital?")
            for client, name in ((at.client, unkept.id), (at.other, kept.id), (at.client, "resp_" + "0" * 16)):
                with pytest.raises(openai.BadRequestError, match=name):
                    await client.responses.create(model=CLAUDE, input="And?", previous_response_id=name)
                with pytest.raises(openai.NotFoundError, match=name):
                    await client.responses.retrieve(name)
            with pytest.raises(openai.BadRequestError, match="not both"):
                await at.client.responses.create(
                    model=CLAUDE, input="And?", previous_response_id=kept.id, conversation="conv_gs1"
                )

    run(go())


def test_a_kept_response_is_read_listed_and_deleted(writer: Writer) -> None:
    async def go() -> None:
        async with house(writer) as at:
            at.say(text("Paris."))
            first = await at.client.responses.create(model=CLAUDE, input="France?")
            at.say(text("Rome."))
            second = await at.client.responses.create(model=CLAUDE, input="Italy?", previous_response_id=first.id)
            assert (await at.client.responses.retrieve(second.id)).to_dict() == second.to_dict()
            listed = await at.client.responses.input_items.list(second.id, order="asc")
            assert [item.type for item in listed.data] == ["message"] * 3
            newest = await at.client.responses.input_items.list(second.id, limit=1)
            assert newest.has_more and newest.data[0].id == listed.data[-1].id
            rest = await at.client.responses.input_items.list(second.id, after=newest.data[0].id)
            assert [item.id for item in rest.data] == [item.id for item in listed.data[-2::-1]]
            with pytest.raises(openai.BadRequestError, match="ended"):
                await at.client.responses.cancel(second.id)
            await at.client.responses.delete(second.id)
            with pytest.raises(openai.NotFoundError):
                await at.client.responses.retrieve(second.id)

    run(go())


def test_a_running_response_is_cancelled(writer: Writer) -> None:
    async def go() -> None:
        async with house(writer) as at:
            start: dict[str, Any] = {"id": "m", "type": "message", "role": "assistant", "model": "c", "content": []}
            start |= {"stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1}}
            begin: list[tuple[str, dict[str, Any]]] = [
                ("message_start", {"message": start}),
                ("content_block_start", {"index": 0, "content_block": text("")}),
                ("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": "One"}}),
            ]
            piece = "".join(f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n" for kind, data in begin)
            hold = asyncio.Event()
            at.upstream.answers.append(Answer(pieces=[piece.encode(), b"x"], headers=EVENTS, hold=hold))
            stream = await at.client.responses.create(model=CLAUDE, input="Hi", stream=True)
            events = aiter(stream)
            name = (await anext(events)).response.id  # type: ignore[union-attr]
            assert (await at.client.responses.retrieve(name)).status == "in_progress"
            with pytest.raises(openai.NotFoundError):
                await at.other.responses.cancel(name)
            assert (await at.client.responses.cancel(name)).status == "cancelled"
            with pytest.raises(Exception, match=r"(?i)peer|closed|chunked|incomplete|connection"):
                async for event in events:
                    assert event.type != "response.completed"
            await asyncio.wait_for(at.upstream.seen[-1].gone.wait(), 5)
            hold.set()

    run(go())


def test_a_conversation_grows_with_what_any_model_says_in_it(writer: Writer) -> None:
    async def go() -> None:
        async with house(writer) as at:
            conversations = at.client.conversations
            made = await conversations.create(
                items=[{"role": "user", "content": "I am Ann."}], metadata={"topic": "names"}
            )
            at.say(text("Hello Ann."))
            first = await at.client.responses.create(model=CLAUDE, input="Hi", conversation=made.id)
            assert first.conversation is not None and first.conversation.id == made.id
            await at.start()
            at.say(text("Ann."))
            await at.client.responses.create(model=CLAUDE, input="My name?", conversation={"id": made.id})
            assert words(at.told)[-3:] == ["user: I am Ann. Hi", "assistant: Hello Ann.", "user: My name?"]
            # OpenAI's own models get it written out as well
            await at.client.responses.create(model="openai/gpt-4o", input="Again?", conversation=made.id)
            asked = at.upstream.seen[-1].json()
            assert "conversation" not in asked and len(asked["input"]) == 6
            conversations = at.client.conversations
            items = [item async for item in conversations.items.list(made.id, order="asc")]
            assert len(items) == 7
            await conversations.items.delete(items[0].id, conversation_id=made.id)  # type: ignore[arg-type]
            await conversations.items.create(made.id, items=[{"role": "user", "content": "More."}])
            left = [item.id async for item in conversations.items.list(made.id, order="asc")]
            assert left[:-1] == [item.id for item in items[1:]]
            assert (await conversations.items.retrieve(left[-1], conversation_id=made.id)).id == left[-1]  # type: ignore[arg-type]
            assert (await conversations.update(made.id, metadata={"topic": "x"})).metadata == {"topic": "x"}
            assert (await conversations.retrieve(made.id)).metadata == {"topic": "x"}
            with pytest.raises(openai.NotFoundError):
                await at.other.conversations.retrieve(made.id)
            assert (await conversations.delete(made.id)).deleted
            with pytest.raises(openai.BadRequestError, match=made.id):
                await at.client.responses.create(model=CLAUDE, input="?", conversation=made.id)

    run(go())


def test_a_chat_client_that_drops_thoughts_has_their_proofs_sent_for_it(writer: Writer) -> None:
    async def go() -> None:
        async with house(writer) as at:
            thought = {"type": "thinking", "thinking": "Ask.", "signature": "c2ln"}
            at.say(thought, {"type": "tool_use", "id": "toolu_1", "name": "get", "input": {}})
            tool: Any = {"type": "function", "function": {"name": "get", "parameters": {"type": "object"}}}
            messages: list[Any] = [{"role": "user", "content": "Weather?"}]
            chat = at.client.chat.completions
            said = (await chat.create(model=CLAUDE, messages=messages, tools=[tool])).choices[0].message
            assert said.tool_calls is not None
            calls = [call.model_dump() for call in said.tool_calls]
            messages.append({"role": "assistant", "content": None, "tool_calls": calls})
            messages.append({"role": "tool", "tool_call_id": calls[0]["id"], "content": "rain"})
            at.say(text("Rain."))
            await chat.create(model=CLAUDE, messages=messages, tools=[tool])
            assert [block["type"] for block in at.told[1]["content"]] == ["thinking", "tool_use"]
            assert at.told[1]["content"][0]["signature"] == "c2ln"
            at.say(text("Rain."))
            await at.other.chat.completions.create(model=CLAUDE, messages=messages, tools=[tool])
            assert [block["type"] for block in at.told[1]["content"]] == ["tool_use"]

    run(go())
