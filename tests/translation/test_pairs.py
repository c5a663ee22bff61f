"""Every pair of dialects, every feature; and the page that tells of it."""

import os
from functools import cache
from pathlib import Path

import pytest
from live_gateway import run
from translation.pairs import CLIENTS, UPSTREAMS, Outcome, all_outcomes
from translation.table import table

pytestmark = [
    pytest.mark.xdist_group("pairs"),  # all of them read what was tried once
    pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession"),  # Google's SDK does
]
PAGE = Path(__file__).resolve().parents[2] / "docs" / "translation.md"


@cache
def outcomes() -> tuple[Outcome, ...]:
    return tuple(run(all_outcomes(), 240))


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_nothing_is_lost_without_a_word(client: str, upstream: str) -> None:
    faults = [
        f"{one.feature}{' (stream)' if one.is_stream else ''}: {one.fault}"
        for one in outcomes()
        if (one.client, one.upstream) == (client, upstream) and one.fault
    ]
    assert not faults, "\n".join(faults)


def test_a_client_of_a_models_own_dialect_loses_nothing() -> None:
    own = [one for one in outcomes() if one.client == one.upstream]
    assert own and not any(one.losses for one in own)


def test_streams_carry_what_whole_answers_carry() -> None:
    whole = {(one.client, one.upstream, one.feature): one for one in outcomes() if not one.is_stream}
    for one in outcomes():
        other = whole[one.client, one.upstream, one.feature]
        assert bool(one.refusal) == bool(other.refusal), one
        assert set(one.losses) == set(other.losses), one


def test_the_page_tells_what_was_tried() -> None:
    made = table(outcomes())
    if os.environ.get("WRITE_PAGES"):
        PAGE.write_text(made, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == made, "make pages writes it anew"
