from ui.history import DEPTH, History, Stop


def stop(name: str, **state: object) -> Stop:
    return Stop(name, dict(state))


def test_back_and_forward_return_to_the_exact_state() -> None:
    history = History()
    history.push(stop("home"))
    history.push(stop("traces", query="a"))
    history.keep({"query": "a", "scroll": 7})
    assert history.back() == stop("home")
    assert history.forward() == stop("traces", query="a", scroll=7)
    assert history.forward() is None


def test_a_new_place_forgets_what_was_ahead() -> None:
    history = History()
    for name in ("a", "b", "c"):
        history.push(stop(name))
    history.back()
    history.push(stop("d"))
    assert not history.can_go_forward
    assert history.back() == stop("b")


def test_the_same_place_twice_is_one_stop() -> None:
    history = History()
    history.push(stop("a"))
    history.push(stop("a"))
    assert not history.can_go_back
    assert history.back() is None


def test_the_list_is_bounded() -> None:
    history = History()
    for number in range(DEPTH + 50):
        history.push(stop("a", n=number))
    steps = 0
    while history.back() is not None:
        steps += 1
    assert steps == DEPTH - 1
