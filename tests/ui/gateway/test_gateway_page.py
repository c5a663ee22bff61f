import subprocess
import sys
from pathlib import Path
from typing import Any

import gateway_stub
import msgspec
import pytest
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot
from waiting import until

from ui.client import GatewayStatus, InFlight, KeyRow
from ui.commands import Command
from ui.desk import Desk
from ui.engine import GatewayState
from ui.gateway.page import GatewayPage
from ui.gateway.rows import in_flight_model, keys_model


@pytest.fixture
def page(qtbot: QtBot, desk: Desk) -> GatewayPage:
    window = QWidget()
    qtbot.addWidget(window)
    for name in ("copy_url", "start", "stop", "restart"):
        desk.commands.add(Command(f"gateway.{name}", name, list), window)
    page = GatewayPage(desk)
    page.kept = window
    qtbot.addWidget(page)
    page.show()
    return page


def test_a_new_key_is_shown_once_and_a_revoked_one_says_so(
    run: Any, page: GatewayPage, desk: Desk, tmp_path: Path
) -> None:
    keys = page._keys
    words = [sys.executable, gateway_stub.__file__, "good", "serve", "--data", str(tmp_path), "--port", "0"]

    async def trip(port: int) -> None:
        desk.client.follow(f"http://127.0.0.1:{port}", gateway_stub.TOKEN)
        desk.engine._set_state(GatewayState.RUNNING)
        keys._name.setText("ci")
        keys._create.click()
        await until(lambda: keys._model.rowCount() == 1)
        assert keys._secret._key.text() == "gs-abcdefxyz"
        keys._table.selectRow(0)
        keys._revoke.click()
        await until(lambda: keys._model.index(0, 2).data() == "✕ revoked")
        keys._secret._forget()

    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as stub:
        assert stub.stdout is not None
        run(trip(msgspec.json.decode(stub.stdout.readline())["port"]))
        stub.kill()
    assert keys._secret._key.text() == ""
    assert "is revoked" in desk.feedback.past[-1].text


def test_the_state_of_the_gateway_decides_the_buttons(page: GatewayPage, desk: Desk) -> None:
    desk.engine._set_state(GatewayState.FAILED, "The data folder cannot be written.")
    assert (page._start.isVisible(), page._stop.isVisible()) == (True, False)
    assert page._notice.isVisible()


def test_calls_in_flight_are_listed_with_their_clocks(page: GatewayPage, desk: Desk) -> None:
    call = InFlight("req_1", 1, method="POST", path="/v1/messages", model="m", n_bytes=4200)
    desk.client._set_status(GatewayStatus(in_flight=(call,)))
    shown = [page._in_flight.index(0, column).data() for column in range(3)]
    assert shown == ["POST /v1/messages", "m", "4.2 KB"]
    assert page._calls.isVisible()
    desk.client._set_status(GatewayStatus())
    assert not page._calls.isVisible()


def test_a_broken_config_is_told(page: GatewayPage, desk: Desk) -> None:
    desk.client._set_status(GatewayStatus(config_problem="line 3: unknown key modles"))
    assert "line 3: unknown key modles" in page._notice._words.text()


def test_the_log_unfolds_where_it_is_asked_for(page: GatewayPage, desk: Desk) -> None:
    desk.engine._keep_line("listening on 4141")
    page.restore({"log": True})
    assert page._log.isVisible()
    assert "listening on 4141" in page._log.toPlainText()
    assert page.state() == {"log": True}


def test_models_keep_qts_rules(qtbot: QtBot, page: GatewayPage) -> None:
    keys, calls = keys_model(page), in_flight_model(page)
    fatal = QAbstractItemModelTester.FailureReportingMode.Fatal
    testers = [QAbstractItemModelTester(model, fatal) for model in (keys, calls)]
    keys.show([KeyRow(1, "ci"), KeyRow(2, "dev", revoked_ns=5)], lambda key: key.id)
    keys.show([KeyRow(1, "ci"), KeyRow(2, "dev")], lambda key: key.id)
    calls.show([InFlight("req_1", 1)], lambda call: call.request_id)
    assert len(testers) == 2
    assert keys.rowCount() == 2
