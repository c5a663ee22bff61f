"""Media out of the addresses that dialects carry them in."""

from typing import Literal

from app.models.message import Media

Modality = Literal["image", "audio", "video", "file"]


def from_data_uri(modality: Modality, address: str, *, name: str | None = None) -> Media:
    """Return the media of a `data:` address, of any other address, or of bare base64 (files only)."""
    if address.startswith("data:"):
        head, comma, data = address.partition(",")
        if comma and data:
            return Media(modality, head[5:].split(";", 1)[0] or None, data=data, name=name)
    if modality == "file" and "://" not in address[:16]:
        return Media(modality, data=address, name=name)
    return Media(modality, url=address, name=name)


def modality_of(media_type: str | None) -> Modality:
    """Return what a media type is to a person."""
    kind = (media_type or "").partition("/")[0].lower()
    if kind == "image":
        return "image"
    if kind == "audio":
        return "audio"
    return "video" if kind == "video" else "file"
