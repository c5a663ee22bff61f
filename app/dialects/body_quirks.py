"""A request's body bent to what one provider wants beyond its dialect (`models.target.Quirks`)."""

from app.dialects.losses import Losses
from app.models.target import Quirks


def apply_quirks(body: dict[str, object], quirks: Quirks, losses: Losses) -> None:
    """Drop, rename, cap and lift fields of `body`, telling what was lost; names are wire names."""
    for name in quirks.drop:
        if body.pop(name, None) is not None:
            losses.drop(name, "the provider refuses it")
    for name, most in quirks.cap.items():
        value = body.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > most:
            body[name] = type(value)(most)
            losses.change(name, f"the provider takes at most {most:g}")
    for name, least in quirks.floor.items():
        value = body.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and value < least:
            body[name] = type(value)(least)
            losses.change(name, f"the provider takes at least {least:g}")
    for name, other in quirks.rename.items():
        if name in body:
            body[other] = body.pop(name)
