from pathlib import Path

from gateway_process import running_gateway

from app.models.query import Query
from app.models.span import Status
from app.store.reader import Reader
from gateway.demo import run_demo


def outline(reader: Reader, trace: int) -> list[str]:
    """The tree of a trace as text, a line each, indented."""
    tree = reader.tree(trace)
    return ["  " * int(depth) + tree.names[name] for depth, name in zip(tree.depth, tree.name, strict=True)]


def test_the_demo_run_shows_as_trees_with_costs(tmp_path: Path) -> None:
    with running_gateway(tmp_path / "data", "") as gateway:
        done = run_demo(gateway.url, gateway.new_key(), delay_ms=0)
    assert (done["calls"], done["failures"]) == (11, 1)
    reader = Reader(tmp_path / "data")
    rows = reader.traces(Query(), None, 50)
    agent = rows[-1]
    question, nested = "What should I pack for Lisbon", "What does the tram museum in Lisbon cost for one adult?"
    lines = [line if question not in line else line[: line.index("W")] + question for line in outline(reader, agent.id)]
    assert sorted(lines[2:4]) == ["  ask_researcher", "  get_weather"]
    assert [line for line in lines if "get_weather" not in line] == [
        question,
        "  chat agent",
        "  ask_researcher",
        f"    {nested}",
        "      chat agent",
        "      read_page",
        "      chat agent",
        "  chat agent",
        "  multiply",
        "  chat agent",
    ]
    assert all(row.n_unpriced == 0 and row.cost_nusd for row in rows if row.status is Status.OK)
    assert [row.n_errors for row in rows if row.status is Status.ERROR] == [1]
    second_turn = next(row for row in rows if row.model == "demo-reasoning")
    assert second_turn.session == agent.session
    review = next(row for row in rows if row.name.startswith("Please review"))
    assert review.n_errors == 1
