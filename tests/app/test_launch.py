import pytest

from app.launch import COMMANDS, is_desktop


@pytest.mark.parametrize("words", [[], ["--data", "/tmp/x"], ["--port=4242"], ["--safe"]])
def test_without_a_command_the_desktop_opens(words: list[str]) -> None:
    assert is_desktop(words)


@pytest.mark.parametrize("words", [*([command] for command in COMMANDS), ["--version"], ["-h"], ["sreve"]])
def test_a_command_or_a_question_goes_to_the_command_line(words: list[str]) -> None:
    assert not is_desktop(words)
