from app.store.recent import Recent


def test_what_is_used_stays_and_the_rest_goes() -> None:
    recent: Recent[int, str] = Recent(limit=10)
    for number in range(100):
        recent.put(number, str(number))
        assert recent.get(0) == "0"
    assert recent.get(99) == "99"
    assert recent.get(50) is None


def test_a_replaced_value_counts_once() -> None:
    recent: Recent[str, int] = Recent(limit=100)
    recent.put("other", 1, weight=10)
    for number in range(50):
        recent.put("thread", number, weight=40)
    assert (recent.get("other"), recent.get("thread")) == (1, 49)


def test_a_heavy_value_is_kept_until_the_next() -> None:
    recent: Recent[str, int] = Recent(limit=10)
    recent.put("heavy", 1, weight=1000)
    assert recent.get("heavy") == 1
    recent.clear()
    assert recent.get("heavy") is None
