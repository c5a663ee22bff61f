import json
import random
from typing import Any

import pytest
from agents import KINDS, Agent, Anthropic, Clock, Gemini, OpenAiChat, ten_turns
from factories import call_record, chat_reply, chat_request
from trees import Desk

from app.models.call import CallRecord
from app.models.span import LinkMethod, Status

TURN = """\
agent Question {turn} about {about}?
  call
  tool search
  tool weather
  call
  tool read
  call"""


def expected_tree(turn: int, about: str) -> str:
    return TURN.format(turn=turn, about=about)


def assert_ten_exact_turns(desk: Desk, records: list[CallRecord], about: str) -> None:
    placements = [desk.placements[record.span_id] for record in records]
    traces = list(dict.fromkeys(placement.trace_id for placement in placements))
    assert [desk.tree(trace) for trace in traces] == [expected_tree(turn, about) for turn in range(10)]
    assert len({placement.session for placement in placements}) == 1
    assert {placement.thread_span_id for placement in placements} == {records[0].span_id}


@pytest.mark.parametrize("kind", KINDS)
def test_a_ten_turn_agent_becomes_one_session_of_exact_trees(kind: str) -> None:
    desk = Desk()
    records = list(ten_turns(KINDS[kind](Clock()), "Oslo"))

    desk.place_all(records)

    assert_ten_exact_turns(desk, records, "Oslo")


@pytest.mark.parametrize("kind", KINDS)
def test_twenty_interleaved_agents_with_one_system_prompt_do_not_mix(kind: str) -> None:
    desk, clock, dice = Desk(), Clock(), random.Random(7)
    runs = {f"city {n}": ten_turns(KINDS[kind](clock), f"city {n}") for n in range(20)}
    records: dict[str, list[CallRecord]] = {about: [] for about in runs}
    while runs:
        about = dice.choice(list(runs))
        record = next(runs[about], None)
        if record is None:
            del runs[about]
        else:
            records[about].append(record)
            desk.place(record)

    for about, made in records.items():
        assert_ten_exact_turns(desk, made, about)
    assert len({desk.placements[made[0].span_id].session for made in records.values()}) == 20


@pytest.mark.parametrize("kind", ["openai_chat", "anthropic", "responses_resent", "responses_stateful"])
def test_the_same_prompts_at_the_same_time_are_told_apart_by_their_tool_ids(kind: str) -> None:
    desk, clock, dice = Desk(), Clock(), random.Random(3)
    runs = [list(ten_turns(KINDS[kind](clock), "Oslo")) for _ in range(5)]
    places = [0] * 5
    while any(place < 30 for place in places):
        which = dice.choice([i for i in range(5) if places[i] < 30])
        desk.place(runs[which][places[which]])
        places[which] += 1

    for records in runs:
        first = [desk.placements[record.span_id].trace_id for record in records[:3]]
        assert len(set(first)) == 1
    assert len({desk.placements[records[0].span_id].trace_id for records in runs}) == 5


@pytest.mark.parametrize("kind", ["openai_chat", "gemini", "anthropic"])
def test_conversations_that_cannot_be_told_apart_are_not_merged(kind: str) -> None:
    desk, clock = Desk(), Clock()
    pair = [KINDS[kind](clock), KINDS[kind](clock)]
    for agent in pair:
        agent.ask("Hello")
        desk.place(agent.call("Hi!"))

    for agent in pair:
        agent.ask("And now?")
        placement = desk.place(agent.call("Now."))
        assert placement.links[0].method is LinkMethod.ALONE
        assert placement.thread_span_id == list(desk.placements)[-1]


def test_the_same_script_run_again_is_a_conversation_of_its_own() -> None:
    desk, clock = Desk(), Clock()
    runs = []
    for _ in range(3):
        records = list(ten_turns(OpenAiChat(clock, ids="call_"), "Oslo"))
        desk.place_all(records)
        runs.append(records)

    for records in runs:
        assert_ten_exact_turns(desk, records, "Oslo")


def test_a_single_call_is_the_root_of_its_trace() -> None:
    desk = Desk()
    agent = OpenAiChat(Clock())
    agent.ask("Hello, what is the\n  capital of Norway?")

    placement = desk.place(agent.call("", ("search", {"q": "Norway"})))

    assert desk.tree(placement.trace_id) == "call"
    assert placement.trace_name == "Hello, what is the capital of Norway?"
    assert placement.parent_span_id is None and placement.spans == () and placement.moves == ()
    assert placement.session is not None and placement.session.startswith("s-") and len(placement.session) == 14


def test_tools_run_from_the_answer_to_the_next_request() -> None:
    desk, clock = Desk(), Clock()
    agent = Anthropic(clock)
    agent.ask("Look it up")
    first = agent.call("", ("search", {"q": "a"}), ("search", {"q": "b"}))
    agent.results("found a", "found b")
    second = agent.call("Done.")
    desk.place_all([first, second])

    tools = [span for span in desk.drawn.values() if span.name == "search"]

    assert [(tool.start_ns, tool.end_ns) for tool in tools] == [(first.end_ns, second.start_ns)] * 2
    assert sorted((tool.input, tool.output) for tool in tools) == [
        (b'{"q":"a"}', b"found a"),
        (b'{"q":"b"}', b"found b"),
    ]
    assert {tool.status for tool in tools} == {Status.OK}


def test_a_tool_waits_as_running_until_its_result_comes() -> None:
    desk, clock = Desk(), Clock()
    agent = OpenAiChat(clock)
    agent.ask("Look it up")
    desk.place(agent.call("", ("search", {"q": "a"})))
    agent.results("nothing")
    second = desk.place(agent.call("", ("read", {"page": 2})))

    assert [(span.name, span.status, span.end_ns) for span in second.spans if span.name == "read"] == [
        ("read", Status.RUNNING, None)
    ]
    assert [span.status for span in second.spans if span.name == "Look it up"] == [Status.RUNNING]

    agent.results("page 2")
    third = desk.place(agent.call("Done."))
    assert {span.name: span.status for span in third.spans} == {"read": Status.OK, "Look it up": Status.OK}


def test_an_agent_that_never_came_back_is_closed_after_a_while() -> None:
    desk, clock = Desk(), Clock()
    agent = OpenAiChat(clock)
    agent.ask("Look it up")
    desk.place(agent.call("", ("search", {"q": "a"})))
    agent.results("nothing")
    last = agent.call("", ("read", {"page": 2}))
    desk.place(last)

    clock.tick(11 * 60 * 1_000_000_000)
    other = OpenAiChat(clock, client="another")
    other.ask("Hello")
    spans = desk.place(other.call("Hi!")).spans

    assert {span.name: (span.status, span.end_ns) for span in spans} == {
        "read": (Status.ABORTED, last.end_ns),
        "Look it up": (Status.OK, last.end_ns),
    }


def test_a_failed_tool_is_an_error() -> None:
    desk, clock = Desk(), Clock()
    agent = Anthropic(clock)
    agent.ask("Look it up")
    desk.place(agent.call("", ("search", {"q": "a"})))
    agent.results("no such page")
    agent.history[-1]["content"][0]["is_error"] = True
    desk.place(agent.call("Sorry."))

    assert [span.status for span in desk.drawn.values() if span.name == "search"] == [Status.ERROR]


def test_forks_of_a_conversation_each_continue_it() -> None:
    desk, clock = Desk(), Clock()
    agent = OpenAiChat(clock)
    agent.ask("Tell me a long story about a bear")
    first = agent.call("Once upon a time.")
    desk.place(first)
    before = list(agent.history)
    forks = []
    for wish in ("Make it shorter", "Make it longer"):
        agent.history = list(before)
        agent.ask(wish)
        forks.append(desk.place(agent.call("Fine.")))

    assert len({fork.trace_id for fork in forks}) == 2
    assert {fork.session for fork in forks} == {desk.placements[first.span_id].session}
    assert {fork.thread_span_id for fork in forks} == {first.span_id}
    assert [fork.entered_from for fork in forks] == [3, 3]


def test_the_same_request_sent_again_is_not_a_continuation_of_itself() -> None:
    desk, clock = Desk(), Clock()
    record = call_record(request=chat_request(("user", "Hello")), start_ns=clock.tick())
    again = call_record(request=chat_request(("user", "Hello")), start_ns=clock.tick())

    first, second = desk.place_all([record, again])

    assert first.trace_id != second.trace_id
    assert second.links[0].method is LinkMethod.ALONE


def test_a_retried_tool_step_stays_in_its_turn_and_draws_its_tools_once() -> None:
    desk, clock = Desk(), Clock()
    agent = OpenAiChat(clock)
    agent.ask("Look it up")
    first = desk.place(agent.call("", ("search", {"q": "a"})))
    agent.results("found")
    history = list(agent.history)
    failed = agent.call("x", status=500, response=b'{"error": {"message": "down"}}')
    desk.place(failed)
    agent.history = history
    desk.place(agent.call("Done."))

    assert desk.tree(first.trace_id) == "agent Look it up\n  call\n  tool search\n  call\n  call"


def test_a_running_call_keeps_its_place_when_it_ends() -> None:
    desk, clock = Desk(), Clock()
    agent = OpenAiChat(clock)
    agent.ask("Look it up")
    record = agent.call("", ("search", {"q": "a"}))
    running = call_record(**{name: getattr(record, name) for name in record.__struct_fields__} | {"end_ns": None})

    begun, ended = desk.place(running), desk.place(record)

    assert (begun.trace_id, begun.session, begun.parent_span_id) == (
        ended.trace_id,
        ended.session,
        ended.parent_span_id,
    )
    assert begun.chain_hash == 0 and ended.chain_hash != 0
    agent.results("found")
    assert desk.place(agent.call("Done.")).trace_id == begun.trace_id


def test_a_first_call_moved_under_its_agent_stays_there() -> None:
    desk, clock = Desk(), Clock()
    agent = OpenAiChat(clock)
    agent.ask("Look it up")
    first = agent.call("", ("search", {"q": "a"}))
    desk.place(first)
    agent.results("found")
    second = desk.place(agent.call("Done."))

    assert second.moves == ((first.span_id, second.parent_span_id),)
    assert desk.parents[first.span_id] == second.parent_span_id


def test_a_stated_session_wins_over_an_inferred_one() -> None:
    desk, clock = Desk(), Clock()
    headers = (("X-Session-Id", "chat-42"),)
    agent = OpenAiChat(clock, request_headers=headers)

    placements = desk.place_all(ten_turns(agent, "Oslo"))

    assert {placement.session for placement in placements} == {"chat-42"}
    assert any(link.method is LinkMethod.STATED for link in placements[0].links)


def test_equal_conversations_of_two_stated_sessions_are_told_apart() -> None:
    desk, clock = Desk(), Clock()
    pair = [OpenAiChat(clock, request_headers=(("x-session-id", name),)) for name in ("one", "two")]
    firsts, seconds = [], []
    for agent in pair:
        agent.ask("Hello")
        firsts.append(agent.call("Hi!"))
        desk.place(firsts[-1])
    for agent in pair:
        agent.ask("And now?")
        seconds.append(desk.place(agent.call("Now.")))

    assert [second.thread_span_id for second in seconds] == [first.span_id for first in firsts]
    assert [second.session for second in seconds] == ["one", "two"]


def test_traceparent_names_the_trace_and_the_parent() -> None:
    desk = Desk()
    header = (("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),)
    agent = OpenAiChat(Clock(), request_headers=header)
    agent.ask("Look it up")
    first = desk.place(agent.call("", ("search", {"q": "a"})))
    agent.results("found")
    desk.place(agent.call("Done."))

    assert first.trace_id.hex() == "0af7651916cd43dd8448eb211c80319c"
    assert desk.tree(first.trace_id) == "(elsewhere)\n  call\n  tool search\n  call"


def test_two_clients_never_share_a_conversation() -> None:
    desk, clock = Desk(), Clock()
    agent = OpenAiChat(clock)
    agent.ask("Hello")
    first = desk.place(agent.call("Hi!"))
    agent.client = "someone else"
    agent.ask("And now?")

    assert desk.place(agent.call("Now.")).session != first.session


def test_a_history_whose_beginning_was_dropped_is_found_by_its_last_exchange() -> None:
    desk, clock = Desk(), Clock()
    agent = OpenAiChat(clock)
    for number in range(4):
        agent.ask(f"Question {number}: what is the area of field {number}?")
        last = agent.call(f"Field {number} is {number * 17} acres of good land.")
        desk.place(last)
    agent.history = agent.history[-2:]
    agent.ask("And what does it cost?")

    placement = desk.place(agent.call("Much."))

    assert placement.links[0].method is LinkMethod.EDITED
    assert placement.links[0].confidence < 1
    assert placement.session == desk.placements[last.span_id].session
    assert placement.thread_span_id == desk.placements[last.span_id].thread_span_id


def test_a_rewritten_history_is_found_by_the_tools_it_answers() -> None:
    desk, clock = Desk(), Clock()
    agent = OpenAiChat(clock)
    agent.ask("Read the whole book")
    desk.place(agent.call("", ("read", {"page": 1})))
    agent.results("page one, a very long text")
    second = agent.call("", ("read", {"page": 2}))
    desk.place(second)
    agent.results("page two")
    agent.history = [{"role": "user", "content": "Summary so far: page one was long."}, *agent.history[-2:]]

    placement = desk.place(agent.call("Done."))

    assert placement.trace_id == desk.placements[second.span_id].trace_id
    assert placement.links[0].method is LinkMethod.TOOL_CALL_ID


def sub_agent(clock: Clock, prompt: str) -> Agent:
    agent = OpenAiChat(clock, system="You research one topic.")
    agent.ask(prompt)
    return agent


def test_an_agent_called_by_a_tool_hangs_under_that_tool() -> None:
    desk, clock = Desk(), Clock()
    outer = OpenAiChat(clock, system="You plan.")
    outer.ask("Write a report")
    first = desk.place(outer.call("", ("research", {"topic": "the history of the paper clip"})))
    inner = sub_agent(clock, "Research the history of the paper clip")
    nested = desk.place(inner.call("", ("search", {"q": "paper clip"})))
    inner.results("found much")
    desk.place(inner.call("It was invented in Norway."))
    outer.results("It was invented in Norway.")
    desk.place(outer.call("Here is the report."))

    assert nested.links[0].method is LinkMethod.OPEN_TOOL and nested.links[0].confidence < 1
    assert nested.session == first.session
    assert (
        desk.tree(first.trace_id)
        == """\
agent Write a report
  call
  tool research
    agent Research the history of the paper clip
      call
      tool search
      call
  call"""
    )


def test_parallel_sub_agents_hang_under_the_tool_that_says_what_they_say() -> None:
    desk, clock = Desk(), Clock()
    topics = ["the history of the paper clip", "the future of the typewriter"]
    outer = OpenAiChat(clock, system="You plan.")
    outer.ask("Write a report")
    first = desk.place(outer.call("", *(("research", {"topic": topic}) for topic in topics)))
    nested = [desk.place(sub_agent(clock, f"Research {topic}").call("Fine.")) for topic in reversed(topics)]

    parents = {desk.drawn[it.parent_span_id].input: it for it in nested if it.parent_span_id in desk.drawn}
    assert {json.loads(key)["topic"] for key in parents if key} == set(topics)
    assert {it.trace_id for it in nested} == {first.trace_id}


def planner(clock: Clock) -> Agent:
    """An agent with two tools, so that neither is a form."""
    agent = OpenAiChat(clock, system="You plan.")
    agent.tools = [{"type": "function", "function": {"name": name, "parameters": {}}} for name in ("research", "ask")]
    agent.ask("Write a report")
    return agent


def test_a_sub_agent_that_says_nothing_hangs_under_the_only_open_tool() -> None:
    desk, clock = Desk(), Clock()
    outer = planner(clock)
    first = desk.place(outer.call("", ("research", {"n": 1})))

    nested = desk.place(sub_agent(clock, "Go.").call("Fine."))

    assert nested.trace_id == first.trace_id
    assert desk.names[nested.parent_span_id or 0] == "tool research"
    assert nested.links[0].confidence == 0.5


def test_a_sub_agent_that_fits_several_tools_hangs_under_the_agent() -> None:
    desk, clock = Desk(), Clock()
    outer = planner(clock)
    first = desk.place(outer.call("", ("research", {"n": 1}), ("research", {"n": 2})))

    nested = desk.place(sub_agent(clock, "Go.").call("Fine."))

    assert nested.trace_id == first.trace_id
    assert desk.names[nested.parent_span_id or 0] == "agent Write a report"


def test_a_sub_agent_that_says_nothing_stays_alone_while_two_agents_wait() -> None:
    desk, clock = Desk(), Clock()
    for _ in range(2):
        desk.place(planner(clock).call("", ("research", {"n": 1})))

    assert desk.place(sub_agent(clock, "Go.").call("Fine.")).links[0].method is LinkMethod.ALONE


def test_an_agent_handed_over_to_goes_on_in_the_same_turn() -> None:
    desk, clock = Desk(), Clock()
    agent = OpenAiChat(clock, system="You triage.", ids="call_AbCdEfGhIjKlMnOpQr")
    agent.ask("Speak Norwegian")
    first = desk.place(agent.call("", ("transfer_to_norwegian", {})))
    agent.results("Transferred.")
    agent.system = "Du snakker norsk."

    handed = desk.place(agent.call("Ja."))

    assert handed.trace_id == first.trace_id
    assert handed.links[0].method is LinkMethod.TOOL_CALL_ID


@pytest.mark.parametrize(
    "choice", [{"type": "function", "function": {"name": "answer"}}, "required"], ids=["named", "required"]
)
def test_a_form_the_model_had_to_fill_in_is_no_open_tool(choice: Any) -> None:
    desk, clock = Desk(), Clock()
    reply = json.loads(chat_reply(""))
    call = {"id": "call_1", "type": "function", "function": {"name": "answer", "arguments": "{}"}}
    reply["choices"][0]["message"]["tool_calls"] = [call]
    form = call_record(
        request=chat_request(("system", "Extract."), ("user", "A name"), tool_choice=choice),
        response=json.dumps(reply).encode(),
        client="c",
        start_ns=clock.tick(),
    )
    desk.place(form)

    assert desk.place(sub_agent(clock, "Go.").call("Fine.")).links[0].method is LinkMethod.ALONE


def test_an_agent_of_the_same_kind_is_never_taken_for_a_tool() -> None:
    desk, clock = Desk(), Clock()
    first = OpenAiChat(clock)
    first.ask("What is the history of the paper clip in Norway?")
    desk.place(first.call("", ("search", {"q": "the history of the paper clip in Norway"})))
    second = OpenAiChat(clock)
    second.ask("Tell me the history of the paper clip in Norway")

    assert desk.place(second.call("Fine.")).links[0].method is LinkMethod.ALONE


def test_a_picture_after_a_result_is_still_the_tools() -> None:
    desk, clock = Desk(), Clock()
    agent = OpenAiChat(clock)
    agent.ask("What does the page look like?")
    first = desk.place(agent.call("", ("screenshot", {})))
    agent.results("taken")
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    agent.history.append({"role": "user", "content": [{"type": "text", "text": "The screenshot:"}, picture]})

    assert desk.place(agent.call("Blue.")).trace_id == first.trace_id


def test_words_after_a_result_begin_a_new_turn() -> None:
    desk, clock = Desk(), Clock()
    agent = OpenAiChat(clock)
    agent.ask("Who was it?")
    first = desk.place(agent.call("", ("final_result", {"name": "Vaaler"})))
    agent.results("Final result processed.")
    agent.ask("And when?")
    second = desk.place(agent.call("1899."))

    assert second.trace_id != first.trace_id
    assert second.session == first.session


def test_gemini_results_are_matched_by_name_and_order() -> None:
    desk, clock = Desk(), Clock()
    agent = Gemini(clock)
    agent.ask("Compare")
    desk.place(agent.call("", ("read", {"page": 1}), ("read", {"page": 2})))
    agent.results("one", "two")
    desk.place(agent.call("Done."))

    pairs = {(span.input, span.output) for span in desk.drawn.values() if span.name == "read"}
    assert len(pairs) == 2 and all((b"1" in (i or b"")) == (b"one" in (o or b"")) for i, o in pairs)
