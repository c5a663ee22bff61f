"""Who a call is going to: a provider's quirks and a model's traits, as its translation must know them."""

from app.config import ProviderConfig
from app.models.target import Target


def target_of(provider_name: str, provider: ProviderConfig, model: str, dialect: str) -> Target:
    """Return what is known of a provider's model, asked in a dialect."""
    return Target(model, provider_name, dialect)
