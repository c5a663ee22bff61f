"""Dresses the application in the theme: Fusion, our palette, our fonts, one small stylesheet."""

import re
from functools import cache
from typing import Final

from PySide6.QtWidgets import QApplication, QWidget

from ui.theme import RESOURCES, Theme, Tokens

_TOKEN: Final = re.compile(r"@(\w+)")


def dress(application: QApplication, theme: Theme) -> None:
    """Put the theme on now and again whenever it changes."""
    application.setStyle("Fusion")
    _put_on(application, theme)
    theme.changed.connect(lambda: _put_on(application, theme))


def sheet(tokens: Tokens) -> str:
    """Return the stylesheet in these colours. Raises KeyError where it names a token that is not there."""
    return _TOKEN.sub(lambda match: tokens[match[1]].name(), _template())


def set_role(widget: QWidget, **properties: str) -> None:
    """Set what the stylesheet selects by (`role`, `tone`) and have the widget follow at once."""
    for name, value in properties.items():
        widget.setProperty(name, value)
    style = widget.style()
    style.unpolish(widget)
    style.polish(widget)


def _put_on(application: QApplication, theme: Theme) -> None:
    application.setPalette(theme.palette())
    application.setFont(theme.ui_font())
    application.setStyleSheet(sheet(theme.tokens))


@cache
def _template() -> str:
    return (RESOURCES / "themes" / "style.qss").read_text(encoding="utf-8")
