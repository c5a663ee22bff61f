from pathlib import Path

import pytest

from app.config_file import ConfigFile, built_in_providers, load, parse, write
from app.errors import InputError
from app.secrets import SecretRef

SMALLEST = """\
providers:
  fake:                       # any name
    dialect: openai_chat      # openai_chat | openai_responses | anthropic | gemini | bedrock | cohere | ollama
    base_url: http://127.0.0.1:9000/v1
    api_key: env:FAKE_KEY
models:
  fast:                       # what clients ask for
    targets: [{provider: fake, model: gpt-4o-mini}]
prices:                       # optional, over the built-in book; US dollars per million tokens
  - {model: gpt-4o-mini, input_per_mtok: 0.15, output_per_mtok: 0.60}
"""


def mistake(text: str) -> str:
    with pytest.raises(InputError) as caught:
        parse(text, "g.yaml")
    return str(caught.value)


def test_the_smallest_useful_config_is_read() -> None:
    config = parse(SMALLEST)
    assert config.providers["fake"].api_key == SecretRef("env", "FAKE_KEY")
    assert config.models["fast"].targets[0].model == "gpt-4o-mini"
    assert config.prices[0].output_per_mtok == 0.6


def test_every_built_in_provider_is_valid_and_there_without_a_config() -> None:
    config = parse("")
    assert set(config.providers) == set(built_in_providers())
    assert {"openai", "anthropic", "google", "openrouter", "ollama"} <= set(config.providers)
    assert all(one.env or one.auth == "none" or one.kind for one in config.providers.values())


def test_a_users_provider_lies_over_the_built_in_one_field_by_field() -> None:
    openai = parse("providers: {openai: {base_url: 'http://127.0.0.1:1/v1'}}").providers["openai"]
    assert openai.base_url == "http://127.0.0.1:1/v1"
    assert openai.env == ["OPENAI_API_KEY"]


def test_an_empty_section_is_no_section() -> None:
    assert parse("server:\nproviders:\n  openai:\n").providers["openai"].title == "OpenAI"


def test_an_unknown_key_is_refused_with_its_line_and_the_nearest_name() -> None:
    text = SMALLEST.replace("base_url:", "base_uri:")
    assert "g.yaml:4: unknown key `providers.fake.base_uri`; did you mean `base_url`?" in mistake(text)
    assert mistake("retension: {}") == "g.yaml:1: unknown key `retension`; did you mean `retention`?"


def test_a_literal_secret_is_refused_and_never_repeated() -> None:
    text = mistake(SMALLEST.replace("env:FAKE_KEY", "sk-proj-verysecret"))
    assert text.startswith("g.yaml:5: `providers.fake.api_key`: a secret is never written into the config")
    assert "verysecret" not in text


def test_a_secret_header_is_refused_and_never_repeated() -> None:
    text = mistake("providers: {openai: {headers: {Authorization: Bearer verysecret}}}")
    assert "api_key" in text
    assert "verysecret" not in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("providers:\n  fake:\n    dialect: openai_chat\n", "g.yaml:2: `providers.fake.base_url` is missing"),
        ("server:\n  port: '80'\n", "g.yaml:2: `server.port` must be a whole number"),
        ("server: {port: 70000}", "`server.port` must be less than or equal to 65535"),
        ("passthrough: maybe", "`passthrough` must be true or false"),
        ("models:\n  x:\n    targets: []", "g.yaml:3: `models.x.targets` must not be empty"),
        ("providers: {v1: {dialect: anthropic, base_url: http://x}}", "this name begins paths of our own"),
        ("providers: {x: {dialect: anthropic, base_url: ftp://x}}", "a base URL looks like"),
        ("providers:\n  x: {dialect: antropic, base_url: 'http://x'}", "did you mean `anthropic`?"),
        ("a: 1\na: 2\n", "g.yaml:2: this key stands here twice"),
        ("\n- x\n", "the config must be a mapping"),
        ("providers: [", "not valid YAML"),
        ("a: b: c", "g.yaml:1: not valid YAML"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, said: str) -> None:
    assert said in mistake(text)


def test_an_alias_must_name_a_provider_that_is_there() -> None:
    text = "models:\n  fast:\n    targets:\n      - {provider: opnai, model: gpt-5}\n"
    assert mistake(text) == "g.yaml:4: there is no provider 'opnai'; did you mean `openai`?"


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no config file"):
        load(tmp_path / "none.yaml")


def test_a_broken_edit_keeps_the_old_config_and_says_why(tmp_path: Path) -> None:
    path = tmp_path / "gatescope.yaml"
    path.write_text(SMALLEST)
    file = ConfigFile(path)
    assert not file.reload_if_changed()
    path.write_text(SMALLEST + "serverr: {}\n")
    assert file.has_changed()
    assert file.reload_if_changed()
    assert "serverr" in (file.problem or "")
    assert "fake" in file.current.providers
    path.write_text(SMALLEST.replace("fast:", "quick:"))
    assert file.reload_if_changed()
    assert file.problem is None
    assert list(file.current.models) == ["quick"]


def test_a_config_that_appears_is_read_and_one_that_vanishes_stays_in_force(tmp_path: Path) -> None:
    path = tmp_path / "gatescope.yaml"
    file = ConfigFile(path)
    path.write_text(SMALLEST)
    assert file.reload_if_changed()
    path.unlink()
    assert file.reload_if_changed()
    assert "There is no config file" in (file.problem or "")
    assert "fast" in file.current.models


def test_writing_keeps_comments_and_quotes(tmp_path: Path) -> None:
    path = tmp_path / "gatescope.yaml"
    path.write_text("# mine\n" + SMALLEST)
    config = write(path, ("providers", "fake", "auth"), "api-key")
    assert config.providers["fake"].sends_key_as == "api-key"
    write(path, ("server", "port"), 5000)
    write(path, ("providers", "fake", "auth"), None)
    text = path.read_text()
    assert text == "# mine\n" + SMALLEST + "server:\n  port: 5000\n"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_written_that_could_not_be_read_again(tmp_path: Path) -> None:
    path = tmp_path / "gatescope.yaml"
    path.write_text(SMALLEST)
    with pytest.raises(InputError):
        write(path, ("providers", "fake", "api_key"), "sk-literal")
    assert path.read_text() == SMALLEST
