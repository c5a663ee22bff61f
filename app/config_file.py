"""`gatescope.yaml`: read with the line of every mistake, read again when it changes, written with its comments kept.

The built-in providers stand below the user's: a provider of the file is laid over the one of its name, field by field.
No message ever repeats a value of the file, because the value in the wrong place may be a key.
"""

import difflib
import os
import tempfile
import tomllib
import typing
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from io import StringIO
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from app.config import Config, UnknownProvider
from app.errors import InputError

Place = tuple[str | int, ...]
"""The keys and list indexes from the top of the file to a value."""

_MAX_MISTAKES: Final = 5
_TYPE_WORDS: Final = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be a mapping of names to values",
    "model_type": "must be a mapping of names to values",
    "too_short": "must not be empty",
}


@cache
def built_in_providers() -> dict[str, dict[str, Any]]:
    """Return the providers that are known without a config, as plain fields."""
    return tomllib.loads(files("resources").joinpath("providers.toml").read_text(encoding="utf-8"))


def load(path: Path, built_in: Mapping[str, dict[str, Any]] | None = None) -> Config:
    """Return the config of a file.

    Raises InputError with file, line and what is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(f"There is no config file {path}.", hint="Give another with --config.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The config file {path} cannot be read: {error}") from error
    return parse(text, str(path), built_in)


def parse(text: str, name: str = "gatescope.yaml", built_in: Mapping[str, dict[str, Any]] | None = None) -> Config:
    """Return the config that YAML text says; `name` is what mistakes call it.

    Raises InputError.
    """
    known = built_in_providers() if built_in is None else built_in
    if not text.strip():
        return Config.of({"providers": dict(known)})
    tree = _yaml_tree(text, name)
    data = {key: value for key, value in _plain(tree).items() if value is not None}
    stated = data.get("providers", {})
    if isinstance(stated, dict):
        data["providers"] = dict(known) | {key: _over(known.get(key), fields) for key, fields in stated.items()}
    try:
        return Config.of(data)
    except UnknownProvider as error:
        raise InputError(
            f"{name}:{_line(tree, error.place)}: {error}{_nearest(error.provider, error.known)}"
        ) from error
    except ValidationError as error:
        raise _mistakes(error, tree, name) from None


class ConfigFile:
    """The config in force. A broken edit leaves the last good one and says why in `problem`.

    `reload_if_changed` may run in a thread; `current` and `problem` are replaced whole and may be read anywhere.
    """

    def __init__(self, path: Path, built_in: Mapping[str, dict[str, Any]] | None = None) -> None:
        """Read the file; without one, the defaults hold until it appears. Raises InputError."""
        self.path = path
        self.problem: str | None = None
        self._built_in = built_in
        self._stamp = _stamp(path)
        self.current = parse("", str(path), built_in) if self._stamp is None else load(path, built_in)

    def has_changed(self) -> bool:
        """Whether the file is another than the one last read: one stat, no more."""
        return _stamp(self.path) != self._stamp

    def reload_if_changed(self) -> bool:
        """Read the file again if it changed; return whether `current` or `problem` did."""
        stamp = _stamp(self.path)
        if stamp == self._stamp:
            return False
        before = (self.current, self.problem)
        self._stamp = stamp
        try:
            self.current = load(self.path, self._built_in)
            self.problem = None
        except InputError as error:
            self.problem = str(error)
        return (self.current, self.problem) != before


def write(path: Path, place: Sequence[str], value: object) -> Config:
    """Set the value at `place` (None takes it away), keep every comment, and replace the file in one step.

    Returns the config as it is now. Raises InputError, and writes nothing, where the result would not be valid.
    """
    text = path.read_text(encoding="utf-8-sig") if path.exists() else ""
    yaml = _yaml()
    tree = yaml.load(text) if text.strip() else None
    if tree is None:
        tree = yaml.map()
    node = tree
    for key in place[:-1]:
        if not isinstance(node.get(key), dict):
            node[key] = yaml.map()
        node = node[key]
    if value is None:
        node.pop(place[-1], None)
    else:
        node[place[-1]] = value
    out = StringIO()
    yaml.dump(tree, out)
    config = parse(out.getvalue(), str(path))
    _replace(path, out.getvalue())
    return config


def _yaml() -> Any:
    from ruamel.yaml import YAML  # 50 ms, and many have no config file

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _yaml_tree(text: str, name: str) -> Any:
    from ruamel.yaml.constructor import DuplicateKeyError
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        tree = _yaml().load(text)
    except DuplicateKeyError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"{name}:{line}: this key stands here twice") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise InputError(f"{name}:{mark.line + 1 if mark else 1}: not valid YAML: {error.problem}") from None
    except YAMLError as error:
        raise InputError(f"{name}: not valid YAML: {type(error).__name__}") from None
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise InputError(f"{name}:1: the config must be a mapping of names to values, such as `providers:`")
    return tree


def _plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


def _over(known: dict[str, Any] | None, fields: Any) -> Any:
    if fields is None:
        fields = {}
    return {**known, **fields} if known and isinstance(fields, dict) else fields


def _mistakes(error: ValidationError, tree: Any, name: str) -> InputError:
    found = sorted(
        (_line(tree, tuple(one["loc"])), _wording(typing.cast(dict[str, Any], one)))
        for one in error.errors(include_url=False)
    )
    lines = [f"{name}:{line}: {what}" for line, what in found[:_MAX_MISTAKES]]
    if len(found) > _MAX_MISTAKES:
        lines.append(f"and {len(found) - _MAX_MISTAKES} more")
    return InputError("\n".join(lines))


def _wording(one: dict[str, Any]) -> str:
    """Say one of pydantic's errors in our words, without the value."""
    place: Place = tuple(key for key in one["loc"] if key != "[key]")
    where = ".".join(str(key) for key in place)
    kind = one["type"]
    if kind == "extra_forbidden":
        return f"unknown key `{where}`{_nearest(str(place[-1]), _known_keys(place[:-1]))}"
    if kind == "missing":
        return f"`{where}` is missing"
    if kind == "literal_error":
        expected = [word.strip("'") for word in one["ctx"]["expected"].replace(" or ", ", ").split(", ")]
        given = one["input"] if isinstance(one["input"], str) else ""
        return f"`{where}` must be one of {', '.join(expected)}{_nearest(given, expected)}"
    if kind == "value_error":
        return f"`{where}`: {one['ctx']['error']}"
    return f"`{where}` {_TYPE_WORDS.get(kind) or one['msg'].replace('Input should be', 'must be')}"


def _nearest(given: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(given, list(known), n=1, cutoff=0.5)
    return f"; did you mean `{near[0]}`?" if near else ""


def _known_keys(place: Place) -> list[str]:
    """Return the fields of the model that stands at `place`."""
    kind: Any = Config
    for key in place:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = kind.model_fields[str(key)].annotation if key in kind.model_fields else None
        else:
            kind = typing.get_args(kind)[-1] if typing.get_args(kind) else None
    return list(kind.model_fields) if isinstance(kind, type) and issubclass(kind, BaseModel) else []


def _line(tree: Any, place: Place) -> int:
    """Return the line, from 1, of the deepest key of `place` that the file has."""
    line = 1
    node: Any = tree
    for key in place:
        try:
            value = node[key]
        except (KeyError, IndexError, TypeError):
            break
        line = (node.lc.item(key) if isinstance(key, int) else node.lc.key(key))[0] + 1
        node = value
    return line


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".new")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            Path(name).chmod(path.stat().st_mode & 0o777)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
