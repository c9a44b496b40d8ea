"""The list of the accounts without a face: how each stands, what is on top, and what mends it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from smtp_wizard.engine.accounts.saved_accounts import AccountFileError
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.data_files import DataError
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.base.shown import Shown, shown
from smtp_wizard.engine.base.stages import Stage, Verdict
from smtp_wizard.engine.services.services import Services
from smtp_wizard.flows.accounts.account_list import AccountListAction, AccountListDestination, AccountsFlow
from smtp_wizard.flows.accounts.action import Action
from smtp_wizard.flows.accounts.health import AccountHealth
from smtp_wizard.text.accounts import AccountAction
from tests.flows.accounts.doubles import NOW, came_out, flow_of, saved
from tests.support.walk import make_services

DAY = timedelta(days=1)


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path, now=lambda: NOW)


async def read(services: Services) -> AccountsFlow:
    flow = flow_of(services)
    await flow.reload()
    return flow


async def test_without_an_account_it_says_what_can_be_done_first(services: Services) -> None:
    flow = await read(services)
    assert flow.state.empty
    assert flow.state.detail is None
    assert [await flow.act(each) for each in (AccountListAction.NEW, AccountListAction.PRACTISE)] == [
        AccountListDestination.NEW,
        AccountListDestination.PRACTISE,
    ]
    assert await flow.act(AccountListAction.TEST_ALL) is None


async def test_problems_are_on_top_and_counted(services: Services) -> None:
    for name in ("A works", "B untested", "C warns", "D refused"):
        await saved(services, name, proof=None)
    came_out(services, "A works", ms={Stage.AUTH: 400, Stage.CONNECT: 100})
    came_out(services, "C warns", not_after=NOW + 5 * DAY)
    came_out(services, "D refused", Verdict.FAIL, stage=Stage.AUTH, code="bad_credentials")
    state = (await read(services)).state
    assert [row.name for row in state.rows] == ["D refused", "C warns", "B untested", "A works"]
    assert [row.mark for row in state.rows] == [
        AccountHealth.PROBLEM,
        AccountHealth.WARNING,
        AccountHealth.UNTESTED,
        AccountHealth.WORKS,
    ]
    words = [row.words(NOW) for row in state.rows]
    assert words[:3] == ["password refused", "certificate ends in 5 days", "not tested yet"]
    assert words[3].startswith("today ")
    assert state.counted == "1 needs you  ·  1 warns  ·  1 not tested  ·  1 works"


@pytest.mark.parametrize(
    ("verdict", "stage", "code", "words", "cure"),
    [
        (Verdict.FAIL, Stage.AUTH, "bad_credentials", "password refused", AccountAction.PASSWORD),
        (Verdict.FAIL, Stage.AUTH, "oauth_token_invalid", "sign-in refused", AccountAction.PASSWORD),
        (Verdict.FAIL, Stage.AUTH, "temporary_try_later", "sign-in failed", AccountAction.TEST),
        (Verdict.FAIL, Stage.DNS, "dns_host_not_found", "server not found", AccountAction.TEST),
        (Verdict.FAIL, Stage.CONNECT, "server_silent", "server does not answer", AccountAction.TEST),
        (Verdict.FAIL, Stage.TLS, "cert_expired", "certificate not accepted", AccountAction.TEST),
        (Verdict.FAIL, Stage.STARTTLS, "tls_failed", "no secure connection", AccountAction.TEST),
        (Verdict.FAIL, None, "", "failed", AccountAction.TEST),
        (Verdict.UNKNOWN, Stage.DATA, "outcome_unknown", "not known whether it was sent", AccountAction.TEST),
        (Verdict.WARN, None, "", "works, with a remark", AccountAction.TEST),
        (Verdict.WARN, None, "not-proved", "not proved", AccountAction.TEST),
    ],
)
async def test_what_failed_is_said_in_words_with_its_cure_first(
    services: Services, verdict: Verdict, stage: Stage | None, code: str, words: str, cure: AccountAction
) -> None:
    await saved(services, "Office")
    came_out(services, "Office", verdict, stage=stage, code=code)
    state = (await read(services)).state
    assert state.rows[0].words(NOW) == words
    assert state.offers[0].id is cure


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (DAY, "yesterday"),
        (3 * DAY, "3 days ago"),
        (20 * DAY, "4 Nov"),
        (400 * DAY, "20 Oct 2025"),
        (-2 * DAY, "26 Nov"),
    ],
)
async def test_the_day_of_a_test_that_went_well_is_said_as_one_speaks(
    services: Services, ago: timedelta, words: str
) -> None:
    await saved(services, "Office")
    came_out(services, "Office", ago=ago)
    assert (await read(services)).state.rows[0].words(NOW) == words


async def test_a_certificate_that_was_far_from_its_end_when_seen_is_no_warning(services: Services) -> None:
    """Servers renew theirs some weeks before; what was seen months ago says nothing of today's."""
    await saved(services, "Seen long ago")
    came_out(services, "Seen long ago", ago=60 * DAY, not_after=NOW + 5 * DAY)
    await saved(services, "Ended")
    came_out(services, "Ended", ago=6 * DAY, not_after=NOW - DAY)
    rows = {row.name: row for row in (await read(services)).state.rows}
    assert rows["Seen long ago"].mark is AccountHealth.WORKS
    assert (rows["Ended"].mark, rows["Ended"].words(NOW)) == (AccountHealth.PROBLEM, "certificate ended on 23 Nov")


async def test_the_detail_says_since_when_and_until_when_it_worked(services: Services) -> None:
    await saved(services, "Office")
    for ago, verdict in ((4, Verdict.PASS), (3, Verdict.FAIL), (1, Verdict.FAIL)):
        code = "bad_credentials" if verdict is Verdict.FAIL else ""
        stage = Stage.AUTH if verdict is Verdict.FAIL else None
        came_out(services, "Office", verdict, ago=ago * DAY, stage=stage, code=code, ms={Stage.AUTH: 300 * ago})
    detail = (await read(services)).state.detail
    assert detail is not None
    assert detail.address == "ana@gmail.com"
    assert detail.server == "smtp.gmail.com, port 465"
    assert "for 3 days. It worked until 20 Nov. Somebody changed the password" in detail.lines[0]
    assert detail.seconds == (1.2,), "of those alone that signed in"


async def test_an_account_that_cannot_be_read_is_a_row_with_what_to_do(services: Services) -> None:
    await saved(services, "Office")
    await saved(services, "Broken")
    file = services.folder / "accounts.json"
    document = json.loads(file.read_text("utf-8"))
    next(each for each in document["accounts"] if each["name"] == "Broken")["port"] = "none"
    file.write_text(json.dumps(document), "utf-8")
    flow = await read(services)
    row = flow.state.rows[0]
    assert (row.name, row.account, row.mark, row.words(NOW)) == (
        "Broken",
        None,
        AccountHealth.PROBLEM,
        "cannot be read",
    )
    assert flow.state.detail is not None
    assert "mend it there" in flow.state.detail.lines[0]
    assert flow.state.offers == ()
    assert await flow.act(AccountAction.DELETE) is None
    assert "mend it there" in flow.state.trouble
    leads = await flow.act(AccountListAction.TEST_ALL)
    assert isinstance(leads, Action), "the others are tested all the same"


async def test_a_file_that_cannot_be_read_is_said(services: Services) -> None:
    (services.folder / "accounts.json").write_text("{", "utf-8")
    state = (await read(services)).state
    assert "damaged" in state.problem
    assert not state.empty
    assert state.rows == ()


async def test_it_filters_by_name_address_and_server(services: Services) -> None:
    for name in ("Office north", "Office south", "Shop"):
        await saved(services, name)
    flow = await read(services)
    flow.choose(2)
    flow.find("SHOP ana@")
    assert [row.name for row in flow.state.rows] == ["Shop"]
    assert flow.state.detail is not None
    assert flow.state.detail.name == "Shop"
    flow.find("nobody")
    nothing = flow.state
    assert not nothing.rows
    assert not nothing.offers
    assert nothing.detail is None
    assert await flow.act(AccountAction.TEST) is None
    flow.find("gmail.com")
    assert len(flow.state.rows) == 3
    flow.find("")
    assert len(flow.state.rows) == 3


async def test_the_chosen_row_is_chosen_again_after_reading(services: Services) -> None:
    for name in ("A", "B", "C"):
        await saved(services, name)
    flow = await read(services)
    flow.choose(1)
    came_out(services, "C", Verdict.FAIL, stage=Stage.CONNECT, code="server_silent")
    await flow.reload()
    assert [row.name for row in flow.state.rows] == ["C", "A", "B"]
    assert flow.state.chosen is not None
    assert flow.state.chosen.name == "B"


async def test_what_no_offer_is_for_is_refused_in_a_sentence(services: Services) -> None:
    draft = await saved(services, "Relay")
    without = replace(draft, connection=replace(draft.connection, auth=Auth.NONE), store=None)
    services.saved_accounts.change("Relay", without)
    flow = await read(services)
    assert AccountAction.PASSWORD not in {each.id for each in flow.state.offers}
    assert await flow.act(AccountAction.PASSWORD) is None
    assert "no password" in flow.state.trouble


async def test_what_an_account_is_for_stands_in_its_row(services: Services) -> None:
    await saved(services, "All", scope=Scope.ALL)
    await saved(services, "General")
    assert [row.sends for row in (await read(services)).state.rows] == ["everything", "invoices"]


async def test_without_the_rules_the_row_has_words_of_its_own(services: Services) -> None:
    class Unreadable:
        def title(self, cause: str) -> Shown:
            raise DataError(shown("The rules are damaged."))

    await saved(services, "Office")
    came_out(services, "Office", Verdict.FAIL, stage=Stage.AUTH, code="bad_credentials")
    flow = flow_of(services, causes=Unreadable())
    await flow.reload()
    assert flow.state.detail is not None
    assert flow.state.detail.lines[0].startswith("Password refused, since today")


async def test_only_what_is_chosen_is_worked_out(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many accounts are saved, one history is read for each row that is chosen."""
    for number in range(30):
        await saved(services, f"Account {number:02}")
    asked: list[str] = []
    real = services.saved_accounts.state.results.history

    def history(account: str, most: int = 100) -> object:
        asked.append(account)
        return real(account, most)

    monkeypatch.setattr(services.saved_accounts.state.results, "history", history)
    flow = await read(services)
    assert len(asked) == 1
    flow.choose(17)
    assert len(asked) == 2


async def test_saved_accounts_failing_later_is_said_too(services: Services) -> None:
    await saved(services, "Office")
    flow = await read(services)
    flow._saved_accounts = _Failing()  # type: ignore[assignment]
    await flow.reload()
    assert flow.state.problem == "Gone."
    assert flow.state.rows == ()


class _Failing:
    def list(self) -> object:
        raise AccountFileError(shown("Gone."))
