"""Images and files as Anthropic's blocks.

https://platform.claude.com/docs/en/build-with-claude/vision, …/pdf-support, …/files
"""

import base64
import binascii
from typing import Any, Final

from app.dialects.losses import Losses
from app.dialects.notes import meaning
from app.errors import InputError
from app.models.message import Media

_PDF: Final = "application/pdf"
_IMAGES: Final = ("image/jpeg", "image/png", "image/gif", "image/webp")
_SIGNS: Final = (
    ("iVBORw0KGgo", "image/png"),
    ("/9j/", "image/jpeg"),
    ("R0lGOD", "image/gif"),
    ("UklGR", "image/webp"),
    ("JVBERi0", _PDF),
)
"""How the base64 of a file begins → what it is."""
_TEXTUAL: Final = ("application/json", "application/xml", "application/yaml", "application/x-yaml")


def own_media(media: Media) -> dict[str, Any]:
    """Return the block that Anthropic's own media were read from."""
    rest = dict(media.extras or {})
    more = rest.pop("source", None)
    kind = rest.pop("type", "image" if media.modality == "image" else "document")
    block: dict[str, Any] = {"type": kind, "source": {**_source(media), **(more if isinstance(more, dict) else {})}}
    if media.name is not None:
        block["title"] = media.name
    return {**block, **rest}


def media_block(media: Media, losses: Losses) -> dict[str, Any]:
    """Return the block for media of another dialect.

    Raises InputError for what Claude cannot take: sound, films, files kept by another provider or of other types.
    """
    if media.modality in ("audio", "video"):
        raise InputError(f"Claude takes no {media.modality}.", hint="Send text, images, PDFs, or choose another model.")
    if media.file_id is not None:
        raise InputError(
            f"The file {media.file_id} is kept by another provider, and Claude cannot read it.",
            hint="Send the file itself (its base64) or its address.",
        )
    if media.url is not None and not media.url.startswith(("https://", "http://")):
        raise InputError(f"Claude cannot fetch {media.url[:80]}.", hint="Send an https address or the file itself.")
    if media.detail not in (None, "auto"):
        losses.drop("messages.content.image_url.detail", "Claude has one way to look at an image")
    for name in meaning(media.extras):
        losses.drop(f"messages.content.{name}", "Anthropic has no such field")
    return _image(media) if media.modality == "image" else _document(media)


def _image(media: Media) -> dict[str, Any]:
    if media.data is None:
        return {"type": "image", "source": _source(media)}
    media_type = _sniffed(media.data) or (media.media_type or "").lower().replace("image/jpg", "image/jpeg")
    if media_type not in _IMAGES:
        raise InputError(f"Claude takes no images of type {media_type or '?'}.", hint=f"It takes {', '.join(_IMAGES)}.")
    return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": media.data}}


def _document(media: Media) -> dict[str, Any]:
    if media.data is None:
        source = _source(media)
    elif _PDF in (_sniffed(media.data), media.media_type):
        source = {"type": "base64", "media_type": _PDF, "data": media.data}
    elif (text := _text(media)) is not None:
        source = {"type": "text", "media_type": "text/plain", "data": text}
    else:
        shown = media.media_type or media.name or "an unknown type"
        raise InputError(f"Claude takes no files of {shown}.", hint="It takes PDFs, plain text and images.")
    return {"type": "document", "source": source, **({"title": media.name} if media.name else {})}


def _source(media: Media) -> dict[str, Any]:
    if media.data is not None:
        return {"type": "base64", "media_type": media.media_type, "data": media.data}
    if media.url is not None:
        return {"type": "url", "url": media.url}
    return {"type": "file", "file_id": media.file_id}


def _sniffed(data: str) -> str | None:
    return next((media_type for sign, media_type in _SIGNS if data.startswith(sign)), None)


def _text(media: Media) -> str | None:
    media_type = (media.media_type or "").partition(";")[0]
    if not media_type.startswith("text/") and media_type not in _TEXTUAL:
        return None
    try:
        return base64.b64decode(media.data or "", validate=True).decode()
    except (binascii.Error, ValueError):
        return None
