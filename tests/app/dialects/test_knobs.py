from app.dialects.knobs import Knobs


def test_what_is_of_its_kind_is_taken_and_the_rest_stays():
    knobs = Knobs({"a": 1, "b": "x", "c": True, "d": ["x", 1], "e": None, "f": 5.0, "g": "y", "h": 0.5})
    assert (knobs.number("a"), knobs.number("c"), knobs.flag("c"), knobs.flag("a")) == (1, None, True, None)
    assert (knobs.whole("f"), knobs.whole("h"), knobs.number("h")) == (5, None, 0.5)
    assert (knobs.texts("g"), knobs.texts("d"), knobs.text("b"), knobs.text("d")) == (("y",), (), "x", None)
    assert knobs.left() == {"d": ["x", 1]}


def test_an_empty_list_stays():
    knobs = Knobs({"a": [], "b": [1]})
    assert (knobs.take_list("a"), knobs.take_list("b")) == ([], [1])
    assert knobs.left() == {"a": []}


def test_what_was_given_back_is_there_again():
    knobs = Knobs({"a": 1})
    assert knobs.take("a") == 1
    knobs.put("a", 2)
    assert (knobs.left(), knobs.take("b")) == ({"a": 2}, None)
