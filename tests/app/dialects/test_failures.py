import pytest

from app.dialects.failures import error_of, without_answer
from app.models.chat import ReplyError


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"error": {"message": "m", "type": "t", "code": "c"}}, ReplyError("t", "m", "c")),
        ({"error": {"message": "m", "code": 400, "status": "INVALID"}}, ReplyError("INVALID", "m", "400")),
        ({"error": "no such model"}, ReplyError(None, "no such model")),
        ({"code": "x", "error": "text"}, ReplyError(None, "text", "x")),
        ({"detail": "Unauthorized"}, ReplyError(None, "Unauthorized")),
        ({"detail": [{"loc": ["body", "n"], "msg": "too big"}]}, ReplyError(None, "body.n: too big")),
        ({"detail": {"message": "inner"}}, ReplyError(None, "inner")),
        ({"message": "m", "type": "t"}, ReplyError("t", "m")),
        ({"errors": [{"message": "m"}]}, ReplyError(None, "m")),
        ([{"error": {"message": "m"}}], ReplyError(None, "m")),
        ({"error": {"odd": 1}}, ReplyError(None, '{"odd":1}')),
        ({"ok": True}, None),
        ([], None),
        ("text", None),
    ],
)
def test_every_shape_of_error_is_read(body, expected):
    assert error_of(body, 400) == expected


def test_a_message_under_status_200_is_no_error_unless_it_says_so():
    assert error_of({"message": "hi"}, 200) is None
    assert error_of({"object": "error", "message": "m"}, 200) == ReplyError(None, "m")


def test_html_is_told_by_its_title():
    reply = without_answer(b"<html><head><title>502 Bad\nGateway</title></head></html>", 502)
    assert reply.error == ReplyError("unreadable", "502 Bad Gateway")


def test_cut_json_is_incomplete_and_no_error():
    reply = without_answer(b'{"id": "x", "choi', 200)
    assert (reply.error, reply.is_complete) == (None, False)


def test_an_empty_body_tells_its_status():
    assert without_answer(b"", 502).error == ReplyError(None, "HTTP 502 with an empty body.")
    assert without_answer(b"", 204).error is None
