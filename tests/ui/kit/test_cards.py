"""A conversation as cards."""

from made_traces import conversation

from app.models.chat import ChatRequest, Choice, Reply, ReplyError
from app.models.message import Media, Message, Raw, Reasoning, Refusal, Text, ToolCall, ToolResult
from app.models.trace import Conversation
from ui.kit.cards import Card, cards_of, first_new, pretty


def of(*messages: Message, reply: Reply | None = None, entered_from: int = 0) -> list[Card]:
    return cards_of(Conversation(ChatRequest("m", messages), reply, entered_from))


def test_an_agent_turn_reads_card_by_card() -> None:
    cards = cards_of(conversation())
    assert [card.title for card in cards] == [
        "System",
        "User",
        "Reasoning",
        "Tool call  run_sql",
        "Tool result  run_sql",
        "Assistant",
    ]
    assert [card.is_answer for card in cards] == [False] * 5 + [True]
    assert cards[-1].meta == "end_turn"


def test_call_and_result_point_at_each_other() -> None:
    call, result = cards_of(conversation())[3:5]
    assert (call.partner, result.partner) == (4, 3)


def test_results_without_a_call_stand_alone() -> None:
    (card,) = of(Message("tool", (ToolResult("call_9", None, (Text("42"),), is_error=True),)))
    assert (card.title, card.partner, card.tone) == ("Tool result", -1, "error")


def test_long_system_prompts_and_thoughts_are_folded_and_short_ones_are_not() -> None:
    long_text = "\n".join(["rule"] * 7)
    folded = of(Message("system", (Text(long_text),)), Message("assistant", (Reasoning("a\nb\nc"),)))
    assert [card.is_folded for card in folded] == [True, True]
    assert [
        card.is_folded for card in of(Message("system", (Text("short"),)), Message("user", (Text(long_text),)))
    ] == [
        False,
        False,
    ]


def test_new_messages_begin_where_the_earlier_call_ended() -> None:
    cards = cards_of(conversation())
    assert first_new(cards) == 2
    assert first_new(of(Message("user", (Text("a"),)))) == -1


def test_several_choices_are_numbered_and_errors_are_cards() -> None:
    choices = tuple(Choice(n, Message("assistant", (Text(str(n)),)), "stop") for n in range(2))
    cards = of(reply=Reply(choices=choices, error=ReplyError("overloaded", "Try later")))
    assert [card.meta for card in cards] == ["choice 1 of 2 · stop", "choice 2 of 2 · stop", "overloaded"]
    assert cards[-1].tone == "error"


def test_every_kind_of_part_has_a_card() -> None:
    image = Media("image", "image/png", data="aGVsbG8=")
    parts = (Text("see"), image, Refusal("no"), Raw("citation", {"page": 1}), ToolCall("1", "search", "{}", True))
    cards = of(Message("user", parts))
    assert [card.title for card in cards] == ["User", "Image", "Refusal", "citation", "Provider tool call  search"]
    assert cards[1].meta == "image/png · 5 B"
    assert '"aGVsbG8="' in cards[1].json_text()


def test_json_is_indented_only_where_it_is_long() -> None:
    assert pretty('{"a":1}') == '{"a":1}'
    assert pretty('{"a":"' + "x" * 80 + '"}').startswith('{\n  "a"')
    assert pretty("{broken" + "x" * 80) == "{broken" + "x" * 80
