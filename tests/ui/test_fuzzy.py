import time

from ui.fuzzy import rank

TITLES = ["Go to Traces", "Restart the gateway", "Copy base URL", "Theme: dark", "Theme: light", "Traces"]


def best(words: str) -> str | None:
    found = rank(words, TITLES)
    return TITLES[found[0]] if found else None


def test_letters_in_order_find() -> None:
    assert best("cbu") == "Copy base URL"
    assert best("rgw") == "Restart the gateway"
    assert best("theme l") == "Theme: light"
    assert best("zzz") is None


def test_a_start_beats_a_middle() -> None:
    assert best("tra") == "Traces"


def test_nothing_typed_keeps_the_order() -> None:
    assert rank("", TITLES) == list(range(len(TITLES)))


def test_special_characters_are_plain_letters() -> None:
    assert rank(".*(", ["a.*(b", "abc"]) == [0]


def test_ten_thousand_entries_are_filtered_within_a_frame() -> None:
    titles = [f"Trace {number} of support-agent run, model gpt-4o-mini" for number in range(10_000)]
    began_s = time.process_time()
    rank("sagpt", titles)
    assert time.process_time() - began_s < 0.016 * 3
