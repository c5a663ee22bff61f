"""What is known of a span."""

from made_traces import span_detail

from app.models.loss import Loss
from app.models.span import Failure, Link, LinkMethod
from app.models.usage import Usage
from ui.traces.facts import Fact, facts_of


def values(group: str, **fields: object) -> dict[str, str]:
    return {fact.name: fact.value for fact in facts_of(span_detail(**fields)) if fact.group == group}


def test_usage_and_cost_are_broken_down() -> None:
    assert values("Tokens") == {"Input": "4,120", "· read from cache": "3,000", "Output": "510"}
    assert values("Cost")["Total"] == "$0.0241"
    assert values("Cost")["Cache read"] == "$0.00090"


def test_an_unknown_price_is_called_unknown() -> None:
    assert values("Cost", cost_nusd=None, cost_parts={}) == {"Total": "unknown price"}
    assert values("Cost", cost_nusd=None, cost_parts={}, usage=None) == {}


def test_every_attempt_and_link_says_why() -> None:
    assert "HTTP 429" in values("Attempts")["1. anthropic"] and "rate limited" in values("Attempts")["1. anthropic"]
    unsure = (Link(LinkMethod.OPEN_TOOL, 0.7, "began 20 ms into run_sql"),)
    assert values("Why it hangs here", links=unsure) == {
        "began inside an open tool call": "began 20 ms into run_sql · 70% sure"
    }


def test_unknown_keys_are_kept_and_shown() -> None:
    assert values("Attributes") == {"custom.team": "support", "retry.count": "1"}


def test_a_failure_comes_first() -> None:
    first = facts_of(span_detail(failure=Failure("provider", "overloaded", 529)))[0]
    assert first == Fact("Failure", "provider", "overloaded (HTTP 529)", "has:error")


def test_an_estimated_usage_says_so() -> None:
    assert values("Tokens", usage=Usage(output_tokens=3, is_estimated=True))["Counted by"].startswith("us")


def test_a_translation_tells_what_it_could_not_carry() -> None:
    losses = (Loss("seed", "Anthropic has no seed"), Loss("response_format", "asked for in words", "emulated"))
    assert values("Translation", upstream_dialect="anthropic", losses=losses) == {
        "Spoken to the provider": "anthropic",
        "Dropped: seed": "Anthropic has no seed",
        "Emulated: response_format": "asked for in words",
    }
    assert values("Translation", upstream_dialect="gemini")["Carried"] == "everything"
    assert values("Translation") == {}
