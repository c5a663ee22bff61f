"""Mistral's chat as we speak it: OpenAI's, spelled its own way (https://docs.mistral.ai/api/#tag/chat)."""

from typing import Any, Final

from app.dialects.losses import Losses
from app.dialects.openai_chat_messages import fitted_ids
from app.dialects.openai_chat_writer import OpenAiChatWriter

_ID: Final = "[a-zA-Z0-9]{9}"
_RENAMED: Final = {"seed": "random_seed", "max_completion_tokens": "max_tokens"}
_UNKNOWN: Final = {
    "logit_bias": "Mistral has no biases",
    "logprobs": "Mistral tells no likelihoods",
    "top_logprobs": "Mistral tells no likelihoods",
    "user": "Mistral knows no users",
    "service_tier": "Mistral has no service tiers",
    "store": "Mistral keeps no answers",
    "verbosity": "Mistral has no verbosity",
    "modalities": "Mistral answers in text only",
    "audio": "Mistral answers in text only",
    "top_k": "Mistral has no top_k",
    "prompt_cache_key": "Mistral has no such field",
}
_EFFORTS: Final = ("none", "high")


class MistralWriter(OpenAiChatWriter):
    """Writes chats for Mistral. Stateless; any thread."""

    dialect = "mistral"

    def bend(self, body: dict[str, Any], losses: Losses) -> None:
        """Change a body into what Mistral wants."""
        body.pop("stream_options", None)
        for name, own in _RENAMED.items():
            if name in body:
                body[own] = body.pop(name)
        for name, reason in _UNKNOWN.items():
            if body.pop(name, None):
                losses.drop(name, reason)
        if body.get("tool_choice") == "required":
            body["tool_choice"] = "any"
        elif isinstance(body.get("tool_choice"), dict) and "allowed_tools" in body["tool_choice"]:
            allowed = body["tool_choice"]["allowed_tools"]
            losses.change("tool_choice", "Mistral cannot be given some of its tools")
            body["tool_choice"] = "any" if allowed["mode"] == "required" else "auto"
        effort = body.get("reasoning_effort")
        if effort is not None and effort not in _EFFORTS:
            losses.change("thinking.effort", "Mistral knows high and none")
            body["reasoning_effort"] = "high"
        body["messages"] = fitted_ids([_message(message) for message in body["messages"]], _ID)


def _message(message: dict[str, Any]) -> dict[str, Any]:
    bent = {name: value for name, value in message.items() if name != "name" or message["role"] == "tool"}
    if bent["role"] == "developer":
        bent["role"] = "system"
    if refusal := bent.pop("refusal", None):
        bent["content"] = "\n".join(filter(None, [bent.get("content"), refusal]))
    if isinstance(bent.get("content"), list):
        bent["content"] = [_part(part) for part in bent["content"]]
    return bent


def _part(part: dict[str, Any]) -> dict[str, Any]:
    if part["type"] == "image_url":
        return {"type": "image_url", "image_url": part["image_url"]["url"]}
    if part["type"] == "input_audio":
        return {"type": "input_audio", "input_audio": part["input_audio"]["data"]}
    if part["type"] == "file" and "file_data" in part["file"]:
        file = part["file"]
        return {"type": "document_url", "document_url": file["file_data"], "document_name": file["filename"]}
    return part
