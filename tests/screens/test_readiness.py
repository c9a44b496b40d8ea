"""Ready for a mailing, on the screen: from the plan, with what was typed there, and on to the next account."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.base.data_files import DataError
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.services.domains import Domains
from smtp_wizard.screens.areas.limits import LimitsScreen, MailingScreen
from smtp_wizard.screens.areas.readiness import ReadinessScreen
from tests.flows.test_readiness import account
from tests.support.walk import make_services, walking


async def test_a_plan_leads_there_with_its_number_and_the_next_account_to_the_field_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: Any, **__: Any) -> Any:
        raise DataError(phrase("It fails on purpose."))

    monkeypatch.setattr(Domains, "examine", fails)
    services = make_services(tmp_path)
    for name, id in (("Shop", "a"), ("Office", "b")):
        services.saved_accounts.put(replace(account(name), id=id * 16))
    async with walking(services, start="home") as walk:
        await walk.press("f10", "l")
        await walk.at_screen(LimitsScreen)
        await walk.write("gmail")
        await walk.press("enter")
        await walk.at_screen(MailingScreen)
        await walk.write("20000")
        await walk.press("f5")
        screen = await walk.at_screen(ReadinessScreen)
        assert screen.frame.text == "20000"
        await walk.press("enter")
        await walk.until_reads("It fails on purpose.")
        before = screen.flow.state.account
        await walk.until_reads("F9 Change account")
        await walk.press("f9")
        await walk.until(lambda: screen.flow.state.account != before, "the next account")
        await walk.until_reads(f"With the account '{screen.flow.state.account}'")
        assert screen.frame.field.has_focus
        await walk.press("escape")
        await walk.at_screen(MailingScreen)
