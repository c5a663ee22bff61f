"""Adapters by kind, imported when a provider of that kind is first called."""

from functools import cache

from gateway.providers.adapter import Adapter


@cache
def adapter_of(kind: str) -> Adapter:
    """Return the one adapter for a kind of `app.config.ProviderConfig.kind`."""
    if kind == "bedrock":
        from gateway.providers.bedrock import BedrockAdapter

        return BedrockAdapter()
    if kind == "vertex":
        from gateway.providers.vertex import VertexAdapter

        return VertexAdapter()
    if kind == "azure":
        from gateway.providers.azure import AzureAdapter

        return AzureAdapter()
    raise LookupError(f"no adapter for {kind}")
