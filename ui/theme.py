"""Colours, sizes, fonts and icons: the only place that knows them.

Colours are tokens, read from `resources/themes`; a painter asks for a token by name and never writes a colour down.
The system is asked only which scheme it prefers; the palette is always our own. No QtWidgets here, so that models may
use it; `ui.style` dresses the widgets.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from PySide6.QtCore import QByteArray, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer

from app.models.span import Kind

RESOURCES: Final = Path(__file__).resolve().parent.parent / "resources"
SCHEMES: Final = ("system", "dark", "light", "contrast")
"""What a person may choose."""
DENSITIES: Final[Mapping[str, int]] = {"compact": 22, "normal": 26, "relaxed": 32}
"""Row heights in pixels."""
SMALLEST_PT: Final = 9
LARGEST_PT: Final = 20
UI_FAMILY: Final = "Inter"
CODE_FAMILY: Final = "JetBrains Mono"
KIND_TOKENS: Final[Mapping[Kind, str]] = {
    Kind.AGENT: "agent",
    Kind.CHAIN: "chain",
    Kind.LLM: "llm",
    Kind.TOOL: "tool",
    Kind.RETRIEVER: "retriever",
    Kind.EMBEDDING: "embedding",
    Kind.RERANKER: "retriever",
    Kind.GUARDRAIL: "guardrail",
    Kind.EVALUATOR: "eval",
    Kind.HTTP: "http",
    Kind.ATTEMPT: "http",
}
ROLE_TOKENS: Final[Mapping[str, str]] = {
    "system": "http",
    "developer": "http",
    "user": "llm",
    "assistant": "agent",
    "tool": "tool",
}


@dataclass(frozen=True, slots=True)
class Tokens:
    """One scheme's colours by name: surfaces, lines, text, fills and kinds of span."""

    name: str
    is_dark: bool
    colors: Mapping[str, QColor]

    def __getitem__(self, token: str) -> QColor:
        return self.colors[token]


@cache
def load_tokens(name: str) -> Tokens:
    """Return the tokens of `resources/themes/<name>.toml`."""
    text = (RESOURCES / "themes" / f"{name}.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    is_dark = bool(table.pop("is_dark"))
    colors = {token: QColor(value) for group in table.values() for token, value in group.items()}
    return Tokens(name, is_dark, colors)


def load_fonts() -> None:
    """Make the bundled fonts known to Qt; needs a QGuiApplication."""
    for path in sorted((RESOURCES / "fonts").glob("*.[ot]tf")):
        QFontDatabase.addApplicationFont(str(path))


def contrast(one: QColor, other: QColor) -> float:
    """Return the WCAG contrast of two opaque colours, 1 to 21."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def ink_on(surface: QColor) -> QColor:
    """Return black or white, whichever reads better on `surface`."""
    black, white = QColor("#000000"), QColor("#ffffff")
    return black if contrast(black, surface) >= contrast(white, surface) else white


def _luminance(color: QColor) -> float:
    def linear(channel: float) -> float:
        return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4

    red, green, blue = linear(color.redF()), linear(color.greenF()), linear(color.blueF())
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


class Theme(QObject):
    """The look in force. `changed` fires when anything of it does; whoever paints then paints again."""

    changed = Signal()

    def __init__(self, scheme: str = "system", density: str = "normal", size_pt: float = 10.0) -> None:
        super().__init__()
        self._scheme = scheme if scheme in SCHEMES else "system"
        self._density = density if density in DENSITIES else "normal"
        self._size_pt = min(max(size_pt, SMALLEST_PT), LARGEST_PT)
        self._icons: dict[tuple[str, str, int], QIcon] = {}
        self._tokens = load_tokens(self._wanted())
        hints = QGuiApplication.styleHints()
        hints.colorSchemeChanged.connect(self._on_system_changed)
        hints.accessibility().contrastPreferenceChanged.connect(self._on_system_changed)

    @property
    def tokens(self) -> Tokens:
        """The colours in force."""
        return self._tokens

    @property
    def scheme(self) -> str:
        """The choice, one of SCHEMES."""
        return self._scheme

    @property
    def density(self) -> str:
        """The choice, one of DENSITIES."""
        return self._density

    @property
    def size_pt(self) -> float:
        """Size of ordinary text."""
        return self._size_pt

    @property
    def row_height_px(self) -> int:
        """Height of a row of any list; grows with text that would not fit."""
        return max(DENSITIES[self._density], round(self._size_pt * 2.1))

    @property
    def is_motion_reduced(self) -> bool:
        """Whether the system asks for no animation."""
        preference = QGuiApplication.styleHints().accessibility()
        return getattr(preference, "motionPreference", lambda: None)() == _reduced_motion()

    def color(self, token: str) -> QColor:
        """Return a token's colour: bg panel raised hover selection input line line_strong text dim accent error …"""
        return self._tokens[token]

    def kind_color(self, kind: Kind) -> QColor:
        """Return the mark colour of a kind of span."""
        return self._tokens[KIND_TOKENS.get(kind, "other")]

    def role_color(self, role: str) -> QColor:
        """Return the mark colour of a message's role."""
        return self._tokens[ROLE_TOKENS.get(role, "other")]

    def ui_font(self, step_pt: float = 0.0, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
        """Return the text font, `step_pt` points larger (or smaller) than ordinary text."""
        return _font(UI_FAMILY, self._size_pt + step_pt, weight, QFont.StyleHint.SansSerif)

    def code_font(self, step_pt: float = -0.5, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
        """Return the fixed-width font; a little smaller by default, as it looks larger."""
        return _font(CODE_FAMILY, self._size_pt + step_pt, weight, QFont.StyleHint.Monospace)

    def icon(self, name: str, token: str = "dim", size_px: int = 16) -> QIcon:
        """Return `resources/icons/<name>.svg` drawn in a token's colour, sharp at any device ratio."""
        key = (name, token, size_px)
        if key not in self._icons:
            self._icons[key] = _draw_icon(name, self._tokens[token], size_px)
        return self._icons[key]

    def pixmap(self, name: str, token: str = "dim", size_px: int = 16, ratio: float = 1.0) -> QPixmap:
        """Return one icon as a pixmap for painters."""
        return _draw_pixmap(name, self._tokens[token], size_px, ratio)

    def palette(self) -> QPalette:
        """Return Qt's palette made of our tokens."""
        return _palette(self._tokens)

    def set_scheme(self, scheme: str) -> None:
        """Choose system, dark, light or contrast; takes effect at once."""
        if scheme in SCHEMES and scheme != self._scheme:
            self._scheme = scheme
            self._refresh(is_forced=True)

    def set_density(self, density: str) -> None:
        """Choose compact, normal or relaxed rows."""
        if density in DENSITIES and density != self._density:
            self._density = density
            self.changed.emit()

    def set_size_pt(self, size_pt: float) -> None:
        """Choose the size of ordinary text, kept within 9 to 20 points."""
        size_pt = min(max(size_pt, SMALLEST_PT), LARGEST_PT)
        if size_pt != self._size_pt:
            self._size_pt = size_pt
            self.changed.emit()

    def _on_system_changed(self) -> None:
        self._refresh(is_forced=False)

    def _refresh(self, *, is_forced: bool) -> None:
        tokens = load_tokens(self._wanted())
        if is_forced or tokens.name != self._tokens.name:
            self._tokens = tokens
            self._icons.clear()
            self.changed.emit()

    def _wanted(self) -> str:
        hints = QGuiApplication.styleHints()
        is_light_system = hints.colorScheme() == Qt.ColorScheme.Light
        is_contrast_system = hints.accessibility().contrastPreference() == Qt.ContrastPreference.HighContrast
        if self._scheme == "contrast" or (self._scheme == "system" and is_contrast_system):
            return "contrast_light" if is_light_system else "contrast_dark"
        if self._scheme == "system":
            return "light" if is_light_system else "dark"
        return self._scheme


def _reduced_motion() -> object:
    preference = getattr(Qt, "MotionPreference", None)
    return getattr(preference, "ReducedMotion", object())


def _font(family: str, size_pt: float, weight: QFont.Weight, hint: QFont.StyleHint) -> QFont:
    font = QFont(family)
    font.setStyleHint(hint)
    font.setPointSizeF(size_pt)
    font.setWeight(weight)
    return font


@cache
def _svg(name: str) -> str:
    return (RESOURCES / "icons" / f"{name}.svg").read_text(encoding="utf-8")


def _draw_pixmap(name: str, color: QColor, size_px: int, ratio: float) -> QPixmap:
    renderer = QSvgRenderer(QByteArray(_svg(name).replace("currentColor", color.name()).encode()))
    side_px = round(size_px * ratio)
    pixmap = QPixmap(side_px, side_px)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setOpacity(color.alphaF())
    renderer.render(painter, QRectF(0, 0, side_px, side_px))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def _draw_icon(name: str, color: QColor, size_px: int) -> QIcon:
    icon = QIcon()
    faded = QColor(color)
    faded.setAlphaF(0.4)
    for ratio in (1.0, 2.0, 3.0):
        icon.addPixmap(_draw_pixmap(name, color, size_px, ratio))
        icon.addPixmap(_draw_pixmap(name, faded, size_px, ratio), QIcon.Mode.Disabled)
    return icon


def _palette(tokens: Tokens) -> QPalette:
    role = QPalette.ColorRole
    chosen = {
        role.Window: "bg",
        role.WindowText: "text",
        role.Base: "bg",
        role.AlternateBase: "panel",
        role.Text: "text",
        role.Button: "raised",
        role.ButtonText: "text",
        role.BrightText: "error",
        role.ToolTipBase: "tooltip",
        role.ToolTipText: "text",
        role.PlaceholderText: "dim",
        role.Highlight: "selection",
        role.HighlightedText: "text",
        role.Accent: "primary",
        role.Link: "accent",
        role.LinkVisited: "accent",
        role.Light: "raised",
        role.Midlight: "hover",
        role.Mid: "line",
        role.Dark: "line_strong",
        role.Shadow: "line_strong",
    }
    palette = QPalette()
    for where, token in chosen.items():
        palette.setColor(where, tokens[token])
    for where in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, where, tokens["dim"])
    return palette
