"""What a person pastes to send a first request: one text a client library, with the real address and key in it.

Pure functions. Every text runs unchanged; the ones for Python and curl are run by a test.
"""

from dataclasses import dataclass
from typing import Final

DEMO_MODEL: Final = "demo/chat"
"""Answers without any provider's key, in both dialects."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """One tab of the snippet box."""

    id: str
    """Kept in settings: the last tab used."""
    title: str
    language: str
    """shell, python, javascript or dotenv."""
    text: str


def snippets(base_url: str, key: str) -> list[Snippet]:
    """Return all snippets for a gateway at `base_url` (no `/v1`) and a virtual key."""
    return [
        Snippet("env", "Environment", "shell", environment(base_url, key)),
        Snippet("openai-python", "OpenAI Python", "python", openai_python(base_url, key)),
        Snippet("openai-js", "OpenAI JS", "javascript", openai_js(base_url, key)),
        Snippet("anthropic-python", "Anthropic Python", "python", anthropic_python(base_url, key)),
        Snippet("langchain", "LangChain", "python", langchain(base_url, key)),
        Snippet("curl", "curl", "shell", curl(base_url, key)),
        Snippet("dotenv", ".env", "dotenv", dotenv(base_url, key)),
    ]


def environment(base_url: str, key: str) -> str:
    """Return shell lines that send programs that read these variables through the gateway."""
    return "\n".join(f'export {name}="{value}"' for name, value in _variables(base_url, key)) + "\n"


def dotenv(base_url: str, key: str) -> str:
    """Return the same variables as a `.env` file."""
    return "\n".join(f"{name}={value}" for name, value in _variables(base_url, key)) + "\n"


def openai_python(base_url: str, key: str) -> str:
    """Return a chat with the openai package."""
    return f"""from openai import OpenAI

client = OpenAI(
    base_url="{base_url}/v1",
    api_key="{key}",
)
reply = client.chat.completions.create(
    model="{DEMO_MODEL}",  # or gpt-4o-mini, with your own OpenAI key
    messages=[{{"role": "user", "content": "Say hello."}}],
)
print(reply.choices[0].message.content)
"""


def openai_js(base_url: str, key: str) -> str:
    """Return a chat with the openai package of npm."""
    return f"""import OpenAI from "openai";

const client = new OpenAI({{
  baseURL: "{base_url}/v1",
  apiKey: "{key}",
}});
const reply = await client.chat.completions.create({{
  model: "{DEMO_MODEL}", // or gpt-4o-mini, with your own OpenAI key
  messages: [{{ role: "user", content: "Say hello." }}],
}});
console.log(reply.choices[0].message.content);
"""


def anthropic_python(base_url: str, key: str) -> str:
    """Return a message with the anthropic package."""
    return f"""from anthropic import Anthropic

client = Anthropic(
    base_url="{base_url}",
    api_key="{key}",
)
reply = client.messages.create(
    model="{DEMO_MODEL}",  # or a Claude model, with your own Anthropic key
    max_tokens=256,
    messages=[{{"role": "user", "content": "Say hello."}}],
)
print(reply.content[0].text)
"""


def langchain(base_url: str, key: str) -> str:
    """Return a chat with langchain-openai."""
    return f"""from langchain_openai import ChatOpenAI

model = ChatOpenAI(
    base_url="{base_url}/v1",
    api_key="{key}",
    model="{DEMO_MODEL}",  # or gpt-4o-mini, with your own OpenAI key
)
print(model.invoke("Say hello.").content)
"""


def curl(base_url: str, key: str) -> str:
    """Return a chat with curl."""
    return f"""curl {base_url}/v1/chat/completions \\
  -H "Authorization: Bearer {key}" \\
  -H "Content-Type: application/json" \\
  -d '{{"model": "{DEMO_MODEL}", "messages": [{{"role": "user", "content": "Say hello."}}]}}'
"""


def _variables(base_url: str, key: str) -> list[tuple[str, str]]:
    return [
        ("OPENAI_BASE_URL", f"{base_url}/v1"),
        ("OPENAI_API_KEY", key),
        ("ANTHROPIC_BASE_URL", base_url),
        ("ANTHROPIC_API_KEY", key),
    ]
