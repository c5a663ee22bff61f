from app.same import Same

BODY = b"x" * 10_000


def test_the_very_same_bytes_are_found_again() -> None:
    same: Same[int] = Same()
    same.put(BODY, 7)
    assert same.get(bytes(bytearray(BODY))) == 7


def test_a_body_that_differs_in_the_middle_is_another() -> None:
    same: Same[int] = Same()
    same.put(BODY, 7)
    assert same.get(BODY[:5_000] + b"y" + BODY[5_001:]) is None


def test_small_bodies_are_not_kept() -> None:
    same: Same[int] = Same()
    same.put(b"small", 7)
    assert same.get(b"small") is None


def test_the_oldest_are_dropped_beyond_two_megabytes() -> None:
    same: Same[int] = Same()
    bodies = [b"%d" % n * 400_000 for n in range(8)]
    for n, body in enumerate(bodies):
        same.put(body, n)
    assert same.get(bodies[0]) is None
    assert same.get(bodies[-1]) == 7


def test_the_same_body_again_is_kept_once() -> None:
    same: Same[int] = Same()
    for n in range(1_000):
        same.put(BODY, n)
    same.put(b"z" * 10_000, -1)
    assert same.get(BODY) == 999
