"""Media as Gemini takes them: every one has a media type, told or found.

https://ai.google.dev/gemini-api/docs/file-input-methods
"""

import base64
import binascii
from typing import Final

from app.dialects.gemini_parts import is_kept_by_google
from app.dialects.losses import Losses
from app.errors import InputError
from app.models.message import Media
from app.models.target import Traits

_STARTS: Final = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF", "application/pdf"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
)
_HEAD_CHARS: Final = 32
_ENDINGS: Final = {
    "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif",
    "heic": "image/heic", "heif": "image/heif", "pdf": "application/pdf", "txt": "text/plain", "md": "text/markdown",
    "csv": "text/csv", "html": "text/html", "xml": "text/xml", "json": "application/json", "wav": "audio/wav",
    "mp3": "audio/mpeg", "m4a": "audio/mp4", "ogg": "audio/ogg", "flac": "audio/flac", "aac": "audio/aac",
    "mp4": "video/mp4", "mov": "video/quicktime", "webm": "video/webm", "mpeg": "video/mpeg",
}  # fmt: skip
_USUAL: Final = {"image": "image/jpeg", "audio": "audio/wav", "video": "video/mp4", "file": "application/pdf"}
_FILM_HOSTS: Final = ("https://www.youtube.com/", "https://youtube.com/", "https://youtu.be/", "https://m.youtube.com/")


def media_part(media: Media, traits: Traits, losses: Losses) -> dict[str, object]:
    """Return the part of media that another dialect's client sent.

    Raises InputError for a file that another provider keeps, and for what the model does not take.
    """
    if traits.takes and media.modality not in traits.takes:
        raise InputError(f"The model takes no {media.modality}.", hint="Leave it out, or ask a model that takes it.")
    if media.detail not in (None, "auto"):
        losses.drop("messages.content.detail", "Gemini looks at all images alike")
    if media.name is not None:
        losses.drop("messages.content.filename", "Gemini has no names of files")
    if media.data is not None:
        return {"inlineData": {"mimeType": type_of(media), "data": media.data}}
    address = media.url or media.file_id or ""
    if media.url is None and not is_kept_by_google(address):
        raise InputError(
            f"Gemini has no file {media.file_id}: another provider keeps it.", hint="Send the file itself, or its URL."
        )
    return {"fileData": {"mimeType": type_of(media), "fileUri": address}}


def type_of(media: Media) -> str:
    """Return a media type: what the bytes are, else what was said, else what a name's ending or the kind suggests."""
    stated = (media.media_type or "").partition(";")[0].strip().lower()
    sniffed = _sniffed(media.data) if media.data else None
    if sniffed is not None and (not stated or sniffed.partition("/")[0] != "audio"):
        return sniffed
    if "/" in stated and stated != "application/octet-stream":
        return stated
    address = media.url or ""
    if address.startswith(_FILM_HOSTS):
        return "video/mp4"
    for name in (media.name, address.partition("?")[0]):
        ending = (name or "").rpartition(".")[2].lower()
        if ending in _ENDINGS:
            return _ENDINGS[ending]
    return _USUAL[media.modality]


def _sniffed(data: str) -> str | None:
    try:
        head = base64.b64decode(data[:_HEAD_CHARS].translate({0x2D: "+", 0x5F: "/"}))
    except (binascii.Error, ValueError):
        return None
    if head[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(head[8:12])
    return next((kind for start, kind in _STARTS if head.startswith(start)), None)
