"""Writers by dialect. Imported when first asked for: a gateway that only passes calls through never needs them."""

from functools import cache

from app.dialects.writing import ClientWriter, UpstreamWriter


@cache
def client_writer(dialect: str) -> ClientWriter | None:
    """Return what answers a client of `dialect`, None for one that only upstreams speak."""
    if dialect == "openai_chat":
        from app.dialects.openai_chat_writer import OpenAiChatWriter

        return OpenAiChatWriter()
    if dialect == "openai_responses":
        from app.dialects.openai_responses_writer import OpenAiResponsesWriter

        return OpenAiResponsesWriter()
    if dialect == "anthropic":
        from app.dialects.anthropic_writer import AnthropicWriter

        return AnthropicWriter()
    if dialect == "gemini":
        from app.dialects.gemini_writer import GeminiWriter

        return GeminiWriter()
    return None


@cache
def upstream_writer(dialect: str) -> UpstreamWriter | None:
    """Return what asks an upstream of `dialect`, None for one that nobody here speaks."""
    if dialect == "bedrock":
        from app.dialects.bedrock_writer import BedrockWriter

        return BedrockWriter()
    if dialect == "cohere":
        from app.dialects.cohere_writer import CohereWriter

        return CohereWriter()
    if dialect == "mistral":
        from app.dialects.mistral_writer import MistralWriter

        return MistralWriter()
    if dialect == "ollama":
        from app.dialects.ollama_writer import OllamaWriter

        return OllamaWriter()
    return client_writer(dialect)  # type: ignore[return-value]
