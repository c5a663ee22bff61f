"""The config as values: what `gatescope.yaml` may say, and what holds where it says nothing.

`app.config_file` reads and writes the file. These models are strict: an unknown key or a wrong type is refused.
"""

import fnmatch
import re
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from app.redact import is_secret_header
from app.secrets import SecretRef, parse_ref

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 4141

DialectName = Literal[
    "openai_chat", "openai_responses", "anthropic", "gemini", "bedrock", "cohere", "mistral", "ollama"
]
Auth = Literal["bearer", "x-api-key", "x-goog-api-key", "api-key", "none"]

_WITH_CHAT: Final = frozenset({"openai_completions", "openai_embeddings"})
_DIALECT_AUTH: Final[dict[str, Auth]] = {"anthropic": "x-api-key", "gemini": "x-goog-api-key", "ollama": "none"}


class ConfigModel(BaseModel):
    """Frozen, strict, no unknown keys, and no value of the file in an error's text."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True, defer_build=True)


def _secret_ref(value: object) -> object:
    if not isinstance(value, str):
        return value
    ref = parse_ref(value)
    if ref is None:
        raise ValueError("a secret is never written into the config: name it as env:NAME or keyring:NAME")
    return ref


def _base_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("a base URL looks like https://api.example.com/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("a base URL has no user, password, query or fragment")
    return value.rstrip("/")


def _open_headers(headers: dict[str, str]) -> dict[str, str]:
    for name in headers:
        if is_secret_header(name):
            raise ValueError(f"the header {name} carries a secret: name it in api_key, and say in auth how it is sent")
    return headers


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return text


class QuirksConfig(ConfigModel):
    """Where a provider differs from the dialect it speaks, as `app.models.target.Quirks` tells it field by field."""

    drop: list[str] = []
    rename: dict[str, str] = {}
    cap: dict[str, float] = {}
    floor: dict[str, float] = {}
    roles: dict[str, str] = {}
    takes_parts: bool = True
    takes_schema: bool = True
    takes_json_mode: bool = True
    takes_tool_choice: bool = True
    takes_stream_usage: bool = True
    has_think_tags: bool = False
    reasoning_field: str = ""
    tool_id_pattern: Annotated[str, AfterValidator(_pattern)] = ""


class ProviderConfig(ConfigModel):
    """Where a provider lives, what it speaks and how it knows us."""

    dialect: DialectName
    base_url: Annotated[str, BeforeValidator(lambda value: _base_url(value) if isinstance(value, str) else value)]
    api_key: Annotated[SecretRef | None, BeforeValidator(_secret_ref)] = None
    """None: the first of `env` that is set, else what the keyring keeps under the provider's name."""
    auth: Auth | None = None
    """How the key is sent. None: as the dialect does."""
    models: list[str] = []
    """Bare model names it serves; `*` matches."""
    offers: list[str] = []
    """Models it is known to have, listed for clients as provider/model."""
    headers: Annotated[dict[str, str], AfterValidator(_open_headers)] = {}
    """Sent with every request. No secrets: those come from `api_key`."""
    also: list[DialectName] = []
    """Other dialects it answers under the same base URL."""
    env: list[str] = []
    """Environment variables that people keep this provider's key in."""
    prefix: str | None = None
    """What clients' paths begin with that `base_url` has already. None: `/v1` for OpenAI's dialects, else the last
    part of `base_url` where it looks like a version."""
    title: str = ""
    """Its name for a person."""
    kind: Literal["azure", "vertex", "bedrock"] | None = None
    """Whose addresses and sign-in need code (`gateway.providers`). None: these fields say all."""
    region: str | None = None
    """Fills `{region}` in `base_url`. None: as the provider's own environment variables say."""
    project: str | None = None
    """Google's project. None: as its environment variables or credentials say."""
    api_version: str | None = None
    """Azure's, with paths of deployments. None: the paths of its v1, which have no version."""
    profile: str | None = None
    """Where credentials are: a profile of AWS's files, a file of a Google service account. None: the usual places."""
    models_path: str | None = None
    """Where it lists its models, under `base_url`. None: as its dialect does."""
    quirks: QuirksConfig = QuirksConfig()

    @property
    def sends_key_as(self) -> Auth:
        """How the key is sent."""
        return self.auth or _DIALECT_AUTH.get(self.dialect, "bearer")

    def serves(self, model: str) -> bool:
        """Whether a bare model name is one of its own."""
        return any(fnmatch.fnmatchcase(model, pattern) for pattern in self.models)

    def speaks(self, dialect: str) -> bool:
        """Whether it answers calls of a dialect of `app.dialects.registry`.

        Who speaks OpenAI's chat is taken to have its completions and embeddings; the Responses must be named.
        """
        wanted = "openai_chat" if dialect in _WITH_CHAT else dialect
        return wanted == self.dialect or wanted in self.also

    def address(self, path: str) -> str:
        """Return the URL for a client's path (with its query): `/v1/models` and `…/v1` give `…/v1/models`."""
        parts = urlsplit(self.base_url)
        prefix = self._path_prefix(parts.path)
        if parts.path and path.startswith(parts.path + "/"):
            return f"{parts.scheme}://{parts.netloc}{path}"
        if prefix and path.startswith(prefix + "/"):
            return self.base_url + path[len(prefix) :]
        return self.base_url + path

    def _path_prefix(self, base_path: str) -> str:
        if self.prefix is not None:
            return self.prefix
        if self.dialect.startswith("openai") or self.dialect == "mistral":
            return "/v1"
        last = base_path.rpartition("/")[2]
        return "/" + last if last[:1] == "v" and last[1:2].isdigit() else ""


class Target(ConfigModel):
    """One provider's model."""

    provider: str
    model: str


class Alias(ConfigModel):
    """A name of the user's own for one or more targets, tried in order."""

    targets: Annotated[list[Target], Field(min_length=1)]


Rate = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class PriceRow(ConfigModel):
    """A price over the built-in book, in US dollars per million tokens. A rate of None falls back as in the book."""

    model: str
    """The provider's name of it; `*` matches."""
    provider: str | None = None
    """None: whoever serves it."""
    input_per_mtok: Rate
    output_per_mtok: Rate = 0.0
    cache_read_per_mtok: Rate | None = None
    cache_write_per_mtok: Rate | None = None
    cache_write_1h_per_mtok: Rate | None = None
    reasoning_per_mtok: Rate | None = None
    input_audio_per_mtok: Rate | None = None
    output_audio_per_mtok: Rate | None = None
    cache_read_audio_per_mtok: Rate | None = None
    input_image_per_mtok: Rate | None = None
    output_image_per_mtok: Rate | None = None
    web_search_per_thousand: Rate | None = None
    request_per_thousand: Rate | None = None
    service_tier: str | None = None
    """Only for calls that this tier served: flex, priority, batch … None: for all."""
    above_input_tokens: Annotated[int, Field(ge=0)] | None = None
    """Only for calls with more input tokens than this: a long-context tier. It holds for the whole call."""


class ServerConfig(ConfigModel):
    """How we are reached."""

    host: str = DEFAULT_HOST
    port: Annotated[int, Field(ge=0, le=65535)] = DEFAULT_PORT
    """0: any free one."""
    max_body_mb: Annotated[float, Field(gt=0, le=2048)] = 100
    allowed_origins: list[str] = []
    """Web pages that may call us, as `https://app.example.com`; `*` is every page."""
    allowed_hosts: list[str] = []
    """Names we answer to besides localhost and our own addresses."""


Seconds = Annotated[float, Field(gt=0, le=86_400)]


class UpstreamConfig(ConfigModel):
    """How long we wait for a provider."""

    connect_timeout_s: Seconds = 10
    first_byte_timeout_s: Seconds = 600
    idle_timeout_s: Seconds = 300
    """Between two pieces of an answer."""


class RetentionConfig(ConfigModel):
    """What is forgotten, oldest first."""

    max_age_days: Annotated[float, Field(gt=0)] | None = None
    """None: kept however old."""
    max_size_gb: Annotated[float, Field(gt=0)] | None = 20
    """Of the data folder. None: no limit."""


_RESERVED: Final = frozenset({"gatescope", "health", "v1", "v1beta", "v1alpha", "v2"})


def _provider_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", name):
        raise ValueError("a provider's name has letters, digits, dots, dashes and underscores")
    if name.lower() in _RESERVED:
        raise ValueError("this name begins paths of our own: take another")
    return name


class TranslationConfig(ConfigModel):
    """How calls cross from one dialect to another."""

    strict: bool = False
    """Refuse what cannot be carried in full, instead of naming what was left out in a header."""


class Config(ConfigModel):
    """All of it. `providers` holds the built-in ones too, the user's fields over theirs."""

    providers: dict[Annotated[str, AfterValidator(_provider_name)], ProviderConfig] = {}
    models: dict[str, Alias] = {}
    prices: list[PriceRow] = []
    server: ServerConfig = ServerConfig()
    upstream: UpstreamConfig = UpstreamConfig()
    retention: RetentionConfig = RetentionConfig()
    translation: TranslationConfig = TranslationConfig()
    passthrough: bool = True
    """Whether a client's own provider key is passed through to its provider."""

    @field_validator("models")
    @classmethod
    def _targets_exist(cls, models: dict[str, Alias], info: ValidationInfo) -> dict[str, Alias]:
        providers = info.data.get("providers")
        if providers is None:  # they have mistakes of their own, told first
            return models
        for name, alias in models.items():
            for index, target in enumerate(alias.targets):
                if target.provider not in providers:
                    raise UnknownProvider(name, index, target.provider, sorted(providers))
        return models

    @classmethod
    def of(cls, data: dict[str, Any]) -> Self:
        """Return the config that plain data says. Raises UnknownProvider, or the validation error of the library."""
        return cls.model_validate(data)


class UnknownProvider(Exception):
    """An alias names a provider that is not there."""

    def __init__(self, alias: str, index: int, provider: str, known: list[str]) -> None:
        super().__init__(f"there is no provider {provider!r}")
        self.place = ("models", alias, "targets", index, "provider")
        self.provider = provider
        self.known = known
