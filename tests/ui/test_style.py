import pytest
from PySide6.QtWidgets import QApplication, QPushButton

from ui.style import dress, set_role, sheet
from ui.theme import Theme, load_tokens


@pytest.mark.parametrize("name", ["dark", "light", "contrast_dark", "contrast_light"])
def test_the_sheet_names_only_tokens_that_are_there(name: str) -> None:
    assert "@" not in sheet(load_tokens(name))


def test_the_application_follows_the_theme(qapp: QApplication) -> None:
    theme = Theme("dark")
    before = qapp.styleSheet(), qapp.palette(), qapp.font()
    try:
        dress(qapp, theme)
        theme.set_scheme("light")
        assert qapp.palette().window().color() == theme.color("bg")
        assert theme.color("primary").name() in qapp.styleSheet()
        theme.set_size_pt(14)
        assert qapp.font().pointSizeF() == 14
    finally:
        qapp.setStyleSheet(before[0])
        qapp.setPalette(before[1])
        qapp.setFont(before[2])


def test_a_role_is_a_property_the_sheet_selects_by(qapp: QApplication) -> None:
    button = QPushButton()
    set_role(button, role="primary")
    assert button.property("role") == "primary"
