"""Bedrock's formats of media and their media types.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html
"""

from typing import Final

from app.dialects.media import Modality

KINDS: Final[dict[str, Modality]] = {"image": "image", "document": "file", "video": "video", "audio": "audio"}
"""Names of blocks that hold media."""

_WORD: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_SHEET: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_TYPES: Final[dict[Modality, dict[str, str]]] = {
    "image": {"png": "image/png", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"},
    "file": {
        "pdf": "application/pdf",
        "csv": "text/csv",
        "doc": "application/msword",
        "docx": _WORD,
        "xls": "application/vnd.ms-excel",
        "xlsx": _SHEET,
        "html": "text/html",
        "txt": "text/plain",
        "md": "text/markdown",
    },
    "video": {
        "mkv": "video/x-matroska",
        "mov": "video/quicktime",
        "mp4": "video/mp4",
        "webm": "video/webm",
        "flv": "video/x-flv",
        "mpeg": "video/mpeg",
        "mpg": "video/mpg",
        "wmv": "video/x-ms-wmv",
        "three_gp": "video/3gpp",
    },
    "audio": {
        "mp3": "audio/mpeg",
        "opus": "audio/opus",
        "wav": "audio/wav",
        "aac": "audio/aac",
        "flac": "audio/flac",
        "mp4": "audio/mp4",
        "ogg": "audio/ogg",
        "mka": "audio/x-matroska",
        "m4a": "audio/m4a",
        "pcm": "audio/pcm",
        "webm": "audio/webm",
    },
}
_ALIASES: Final = {
    "image/jpg": "jpeg",
    "audio/mp3": "mp3",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/x-m4a": "m4a",
    "audio/l16": "pcm",
    "text/x-markdown": "md",
    "application/csv": "csv",
    "application/xhtml+xml": "html",
}
_FORMATS: Final = {
    modality: {media_type: name for name, media_type in types.items()} for modality, types in _TYPES.items()
}


def type_of(modality: Modality, name: str | None) -> str | None:
    """Return the media type of a format, None for one we do not know."""
    return _TYPES[modality].get(name) if name else None


def format_of(modality: Modality, media_type: str | None, file_name: str | None = None) -> str | None:
    """Return Bedrock's name for a format, None where it has none.

    What the media type does not tell a file's name may; any other text is `txt`.
    """
    plain = (media_type or "").partition(";")[0].strip().lower()
    formats = _FORMATS[modality]
    alias = _ALIASES.get(plain)
    found = formats.get(plain) or (alias if alias in _TYPES[modality] else None)
    if found is None and file_name:
        ending = file_name.rpartition(".")[2].lower()
        found = ending if "." in file_name and ending in _TYPES[modality] else None
    if found is None and modality == "file" and (plain.startswith("text/") or plain == "application/json"):
        return "txt"
    return found
