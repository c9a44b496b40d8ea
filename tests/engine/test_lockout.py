"""The lockout guard where every front door meets it: what spends an attempt, what is said instead of one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smtp_wizard.engine import lockout
from smtp_wizard.engine.accounts import Account
from smtp_wizard.engine.attempts import FILE_NAME, Pause
from smtp_wizard.engine.check import CheckResult, Event, Line, Report, RunFinished, fold
from smtp_wizard.engine.desk import Desk, Options
from smtp_wizard.engine.lockout import COUNTED, PAUSED, pause_finding
from smtp_wizard.engine.model import Address, Auth, Depth, Endpoint, Secret, Security, Stage, Verdict
from smtp_wizard.engine.provider import Lockout
from smtp_wizard.engine.wizard import Draft, Origin
from tests.support.checking import AUTH, EHLO, GREETING, PLAIN_UP_TO_AUTH, QUICK, SIGNED_IN, SLOW_OFFER, diagnosis
from tests.support.misbehaving import Close, Hold, MisbehavingServer, Script, Send, Step, refused_port
from tests.support.walk import catalog, make_desk

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ANA, BOB = Address("ana", "example.test"), Address("bob", "example.test")
REFUSED: Script = [*PLAIN_UP_TO_AUTH, Send(b"535 5.7.8 Authentication credentials invalid\r\n"), Hold()]
TAKEN: Script = [*PLAIN_UP_TO_AUTH, SIGNED_IN, Hold()]


class Clock:
    """A clock that is moved by hand."""

    time = NOON

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def desk(tmp_path: Path, clock: Clock) -> Desk:
    return make_desk(tmp_path, limits=QUICK, now=clock)


def draft(server: MisbehavingServer, **changes: object) -> Draft:
    found = Draft(
        address=ANA,
        endpoint=server.endpoint(Security.NONE),
        allow_cleartext=True,
        username=str(ANA),
        secret=Secret("guess one"),
        test_to=BOB,
        name="Office",
    )
    return replace(found, **changes)  # type: ignore[arg-type]  # fields by name


async def tried(desk: Desk, wanted: Draft, depth: Depth = Depth.LOGIN, *, anyway: bool = False) -> Report:
    """Check, and hold the events to the law of reports."""
    events: list[Event] = []
    report = await desk.check_draft(wanted, depth, events.append, options=Options(ignore_lockout=anyway))
    assert wanted.endpoint is not None
    assert fold(wanted.endpoint, events) == report
    assert events[-1] == RunFinished(report)
    return report


def codes(report: Report) -> list[str]:
    return [finding.code for finding in report.findings]


async def test_after_three_refusals_no_connection_is_opened_for_a_while(desk: Desk, clock: Clock) -> None:
    """A changed password counts towards the same limit; after the pause it goes on."""
    async with MisbehavingServer(REFUSED) as server:
        for guess in ("guess one", "guess two", "guess three"):
            assert codes(await tried(desk, draft(server, secret=Secret(guess)))) == ["bad_credentials"]
            clock.time += timedelta(minutes=1)
        report = await tried(desk, draft(server, secret=Secret("guess four")))
        assert (server.connections, report.verdict, codes(report)) == (3, Verdict.FAIL, [PAUSED])
        auth = report.result(Stage.AUTH)
        assert auth is not None
        assert (auth.verdict, auth.took) == (Verdict.FAIL, 0.0)
        assert {each.verdict for each in report.results if each is not auth} == {Verdict.SKIPPED}
        clock.time = NOON + timedelta(minutes=15)
        assert codes(await tried(desk, draft(server))) == ["bad_credentials"]
        assert server.connections == 4


async def test_the_finding_says_why_until_when_what_to_do_and_the_way_on(clock: Clock) -> None:
    pause = Pause(3, Lockout(attempts=3, minutes=15), NOON + timedelta(minutes=11, seconds=20))
    finding = pause_finding(pause, clock(), "Example Mail")
    when = f"{(NOON + timedelta(minutes=12)).astimezone():%H:%M}"
    assert finding.title == f"Stopped before the account gets locked: wait until {when}"
    assert "refused 3 times" in finding.explanation
    steps = " ".join(finding.steps)
    for words in (f"Try again at {when}, in 12 minutes", "website of Example Mail", "app password", "--ignore-lockout"):
        assert words in steps
    tomorrow = replace(pause, refused=1, until=NOON + timedelta(days=2))
    later = pause_finding(tomorrow, clock(), "")
    assert f"{tomorrow.until.astimezone():%Y-%m-%d %H:%M}" in later.title
    assert "refused once" in later.explanation
    assert "your e-mail provider" in later.steps[0]
    assert "in one minute" in " ".join(pause_finding(replace(pause, until=NOON), clock(), "").steps)


async def test_who_knows_better_signs_in_and_success_ends_the_pause(desk: Desk) -> None:
    async with MisbehavingServer(REFUSED, REFUSED, REFUSED, TAKEN) as server:
        for _ in range(3):
            await tried(desk, draft(server))
        assert codes(await tried(desk, draft(server))) == [PAUSED]
        assert (await tried(desk, draft(server), anyway=True)).verdict is Verdict.PASS
        assert (await tried(desk, draft(server))).verdict is Verdict.PASS
    assert not (desk.folder / FILE_NAME).exists()


OTHERS: dict[str, Script] = {
    "put off": [*PLAIN_UP_TO_AUTH, Send(b"454 4.7.0 Temporary authentication failure\r\n"), Hold()],
    "no mechanism": [GREETING, EHLO, Send(b"250-mail.example.test\r\n250 AUTH GSSAPI\r\n"), Hold()],
    "switched off": [*PLAIN_UP_TO_AUTH, Send(b"535 5.7.139 SmtpClientAuthentication is disabled\r\n"), Hold()],
    "hung up": [*PLAIN_UP_TO_AUTH, Close()],
    "refused at the door": [Send(b"554 5.7.1 no\r\n"), Hold()],
}


@pytest.mark.parametrize("script", OTHERS.values(), ids=OTHERS)
async def test_what_says_nothing_about_the_password_counts_for_nothing(desk: Desk, script: Script) -> None:
    async with MisbehavingServer(script) as server:
        for _ in range(5):
            assert PAUSED not in codes(await tried(desk, draft(server)))
        assert server.connections >= 5
    assert not (desk.folder / FILE_NAME).exists()


async def test_a_network_that_leads_nowhere_counts_for_nothing(desk: Desk) -> None:
    with refused_port() as port:
        lost = Draft(address=ANA, endpoint=Endpoint("127.0.0.1", port, Security.TLS), username="ana")
        for _ in range(5):
            report = await tried(desk, replace(lost, secret=Secret("guess one")))
            assert PAUSED not in codes(report)


async def test_looking_at_the_server_spends_nothing_and_goes_on_in_a_pause(desk: Desk) -> None:
    looked: Script = [GREETING, EHLO, SLOW_OFFER, Hold()]
    async with MisbehavingServer(REFUSED, REFUSED, REFUSED, looked) as server:
        for _ in range(3):
            await tried(desk, draft(server))
        for _ in range(4):
            assert (await tried(desk, draft(server), Depth.SERVER)).verdict is Verdict.PASS
        assert (await tried(desk, draft(server, auth=Auth.NONE))).verdict is Verdict.PASS


async def test_a_message_is_held_back_too(desk: Desk) -> None:
    async with MisbehavingServer(REFUSED) as server:
        for _ in range(3):
            await tried(desk, draft(server), Depth.SEND)
        report = await tried(desk, draft(server), Depth.SEND)
        assert (server.connections, codes(report)) == (3, [PAUSED])
        assert report.results[-1] == CheckResult(Stage.DATA, Verdict.SKIPPED, 0.0, "not reached")


async def test_practice_is_not_counted(desk: Desk) -> None:
    provider = desk.provider("sandbox")
    assert provider is not None
    path = provider.path("wrong-password")
    assert path is not None
    practice = Draft(address=Address("ana", "sandbox.test")).with_provider(provider, Origin.ADDRESS).with_path(path)
    for _ in range(4):
        report = await tried(desk, replace(practice, secret=Secret("guess one")))
        assert codes(report) == ["bad_credentials"]
    assert not (desk.folder / FILE_NAME).exists()


async def saved(desk: Desk, server: MisbehavingServer, *names: str) -> list[Account]:
    return [await desk.save(draft(server, name=name)) for name in names]


async def test_two_names_of_one_mailbox_stay_below_the_limit_together(desk: Desk) -> None:
    """As `test --all` does it: all at once."""
    async with MisbehavingServer(REFUSED) as server:
        accounts = await saved(desk, server, "One", "Two", "Three", "Four", "Five")
        events: list[Event] = []
        checks = [desk.check_account(each, Secret("guess one"), Depth.LOGIN, events.append) for each in accounts]
        reports = await asyncio.gather(*checks)
        assert server.connections == 3
        assert sorted(code for report in reports for code in codes(report)) == ["bad_credentials"] * 3 + [PAUSED] * 2
        assert desk.attempts.refused(accounts[0].username, accounts[0].endpoint.host) == 3


async def test_many_names_of_a_mailbox_that_works_are_all_tested(desk: Desk) -> None:
    async with MisbehavingServer(TAKEN) as server:
        accounts = await saved(desk, server, "One", "Two", "Three", "Four", "Five")
        checks = [desk.check_account(each, Secret("right"), Depth.LOGIN, lambda _: None) for each in accounts]
        assert {report.verdict for report in await asyncio.gather(*checks)} == {Verdict.PASS}


async def test_what_was_not_tried_is_no_result_of_the_account(desk: Desk) -> None:
    async with MisbehavingServer(REFUSED) as server:
        (account,) = await saved(desk, server, "Office")
        for _ in range(4):
            await desk.check_account(account, Secret("guess one"), Depth.LOGIN, lambda _: None)
        last = desk.book.get("Office").last
        assert last is not None
        assert last.code == "bad_credentials"


async def test_a_new_password_is_held_back_and_the_old_one_kept(desk: Desk) -> None:
    async with MisbehavingServer(REFUSED, REFUSED, REFUSED, TAKEN) as server:
        (account,) = await saved(desk, server, "Office")
        for _ in range(3):
            await desk.replace_secret(account, Secret("guess one"), lambda _: None)
        assert codes(await desk.replace_secret(account, Secret("right"), lambda _: None)) == [PAUSED]
        assert await desk.secret_of(account) == Secret("guess one")
        options = Options(ignore_lockout=True)
        report = await desk.replace_secret(account, Secret("right"), lambda _: None, options=options)
        assert report.verdict is Verdict.PASS


async def test_a_check_that_is_given_up_leaves_its_place_to_the_next(desk: Desk) -> None:
    reached = asyncio.Event()
    hung: Sequence[Step] = [GREETING, EHLO, SLOW_OFFER, AUTH, Hold()]

    def tell(event: Event) -> None:
        if isinstance(event, Line) and event.text.startswith("AUTH"):
            reached.set()

    async with MisbehavingServer(hung, hung, hung, hung, TAKEN) as server:
        for _ in range(4):
            reached.clear()
            task = asyncio.create_task(desk.check_draft(draft(server), Depth.LOGIN, tell))
            await reached.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert (await tried(desk, draft(server))).verdict is Verdict.PASS


async def test_the_providers_figure_decides(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    gmail = catalog().get("gmail")
    assert gmail is not None
    strict = replace(gmail, lockout=Lockout(attempts=1, minutes=60, source="own", as_of="2026"))
    monkeypatch.setattr(desk, "provider", lambda _: strict)
    async with MisbehavingServer(REFUSED) as server:
        await tried(desk, draft(server, provider="gmail"))
        report = await tried(desk, draft(server, provider="gmail"))
        assert (server.connections, codes(report)) == (1, [PAUSED])
        assert "in 60 minutes" in " ".join(report.findings[0].steps)
        assert "Gmail" in report.findings[0].steps[0]


def test_the_causes_that_count_are_causes() -> None:
    """And the guard's own code is none: it says nothing about a server."""
    assert set(diagnosis().causes) >= COUNTED
    assert PAUSED not in diagnosis().causes
    assert lockout.COUNTED.isdisjoint({"auth_method_unavailable", "temporary_try_later", "unusable_password"})
