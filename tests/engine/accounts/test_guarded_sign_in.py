"""The lockout guard where every front door meets it: what spends an attempt, what is said instead of one."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.guarded_sign_in import PAUSED, counted_words, pause_finding
from smtp_wizard.engine.accounts.guarded_sign_in import REFUSED as CREDENTIALS
from smtp_wizard.engine.accounts.lockout_guard import USUAL, Pause
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth, Connection
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.checks.events import Event, Line, RunFinished, fold
from smtp_wizard.engine.checks.report import CheckResult, Report, Speaker
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.providers.provider import Lockout
from smtp_wizard.engine.services.check_options import CheckOptions
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.state.timestamps import FILE_NAME
from smtp_wizard.engine.wizard.draft import Draft, Origin
from tests.support.checking import (
    AUTH,
    EHLO,
    GREETING,
    MAIL_FROM,
    PLAIN_UP_TO_AUTH,
    QUICK,
    SIGNED_IN,
    SLOW_OFFER,
    diagnosis,
    hurried,
)
from tests.support.misbehaving import Close, Hold, MisbehavingServer, Script, Send, refused_port
from tests.support.nouns import with_fields
from tests.support.state import rows_of
from tests.support.walk import catalog, make_services

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
def services(tmp_path: Path, clock: Clock) -> Services:
    return make_services(tmp_path, limits=QUICK, now=clock)


def draft(server: MisbehavingServer, **changes: object) -> Draft:
    found = Draft(
        address=ANA,
        connection=Connection(endpoint=server.endpoint(Security.NONE), allow_cleartext=True, username=str(ANA)),
        confirmed_host=server.host,
        secret=Secret("guess one"),
        test_to=BOB,
        name="Office",
    )
    return with_fields(found, **changes)


def kept(services: Services) -> list[dict[str, object]]:
    """What is on record of sign-ins."""
    services.saved_accounts.state.flush()
    return rows_of(services.folder, "attempts") if (services.folder / FILE_NAME).exists() else []


async def tried(services: Services, wanted: Draft, depth: Depth = Depth.LOGIN, *, anyway: bool = False) -> Report:
    """Check, and hold the events to the law of reports."""
    events: list[Event] = []
    report = await services.checks.check_draft(
        wanted, depth, events.append, options=CheckOptions(ignore_lockout=anyway)
    )
    # The practice server takes another port where somebody has its own already.
    asked = report.endpoint if wanted.connection.sandbox else wanted.connection.endpoint
    assert asked is not None
    assert fold(asked, events) == report
    assert events[-1] == RunFinished(report)
    return report


def codes(report: Report) -> list[str]:
    return [finding.code for finding in report.findings]


async def test_after_three_refusals_no_connection_is_opened_for_a_while(services: Services, clock: Clock) -> None:
    """A changed password counts towards the same limit; after the pause it goes on."""
    async with MisbehavingServer(REFUSED) as server:
        for guess in ("guess one", "guess two", "guess three"):
            assert codes(await tried(services, draft(server, secret=Secret(guess)))) == ["bad_credentials"]
            clock.time += timedelta(minutes=1)
        report = await tried(services, draft(server, secret=Secret("guess four")))
        assert (server.connections, report.verdict, codes(report)) == (3, Verdict.FAIL, [PAUSED])
        auth = report.result(Stage.AUTH)
        assert auth is not None
        assert (auth.verdict, auth.took) == (Verdict.FAIL, 0.0)
        assert {each.verdict for each in report.results if each is not auth} == {Verdict.SKIPPED}
        clock.time = NOON + timedelta(minutes=15)
        assert codes(await tried(services, draft(server))) == ["bad_credentials"]
        assert server.connections == 4


async def test_the_finding_says_why_until_when_what_to_do_and_the_way_on(clock: Clock) -> None:
    causes = ("bad_credentials", "app_password_required", "bad_credentials")
    pause = Pause(causes, Lockout(attempts=3, minutes=15), NOON + timedelta(minutes=11, seconds=20))
    finding = pause_finding(pause, clock(), "Example Mail", diagnosis().title)
    when = f"{(NOON + timedelta(minutes=12)).astimezone():%H:%M}"
    assert finding.title == f"Stopped before the account gets locked: wait until {when}"
    assert "refused 3 times" in finding.explanation
    steps = " ".join(finding.steps)
    for words in (f"Try again at {when}, in 12 minutes", "website of Example Mail", "app password", "--ignore-lockout"):
        assert words in steps
    tomorrow = replace(pause, causes=causes[:1], until=NOON + timedelta(days=2))
    later = pause_finding(tomorrow, clock(), "", diagnosis().title)
    assert f"{tomorrow.until.astimezone():%Y-%m-%d %H:%M}" in later.title
    assert "refused once" in later.explanation
    assert "your e-mail provider" in later.steps[0]
    over = pause_finding(replace(pause, until=NOON), clock(), "", diagnosis().title)
    assert "in one minute" in " ".join(over.steps)


@pytest.mark.parametrize(
    ("causes", "words"),
    [
        (["bad_credentials"] * 2, "user name and password were refused 2 times"),
        (["bad_credentials", "", "app_password_required"],
         "user name and password were refused 2 times, 1 was not answered in time"),
        ([""] * 3, "3 sign-ins were not answered in time"),
        ([""], "1 sign-in was not answered in time"),
        (["temporary_try_later"] * 2 + [""],
         "1 sign-in was not answered in time, 2 were refused for another reason ('{0}')"),
        (["temporary_try_later", "smtp_auth_disabled", "temporary_try_later"],
         "2 sign-ins were refused for another reason ('{0}'), 1 was refused for another reason ('{1}')"),
        (["of_another_version"], "1 sign-in was refused for another reason ('{unknown}')"),
    ],
)  # fmt: skip
def test_what_is_held_back_keeps_the_causes(causes: list[str], words: str) -> None:
    known = diagnosis()
    titles = [known.title(cause) for cause in ("temporary_try_later", "smtp_auth_disabled")]
    assert counted_words(causes, known.title) == words.format(*titles, unknown=known.title("unknown"))


def test_advice_about_a_password_is_given_only_where_one_was_refused(clock: Clock) -> None:
    silent = pause_finding(Pause(("",) * 3, USUAL, NOON), clock(), "", diagnosis().title)
    assert "In a short time 3 sign-ins were not answered in time, so this time nothing was sent." in silent.explanation
    steps = " ".join(silent.steps)
    assert ("--timeout" in steps, "app password" in steps) == (True, False)
    refused = " ".join(pause_finding(Pause(("bad_credentials",), USUAL, NOON), clock(), "", diagnosis().title).steps)
    assert ("--timeout" in refused, "app password" in refused) == (False, True)


async def test_who_knows_better_signs_in_and_success_ends_the_pause(services: Services) -> None:
    async with MisbehavingServer(REFUSED, REFUSED, REFUSED, TAKEN) as server:
        for _ in range(3):
            await tried(services, draft(server))
        assert codes(await tried(services, draft(server))) == [PAUSED]
        assert (await tried(services, draft(server), anyway=True)).verdict is Verdict.PASS
        assert (await tried(services, draft(server))).verdict is Verdict.PASS
    assert kept(services) == []


SEEN: dict[str, tuple[Script, str]] = {
    "put off": ([Send(b"454 4.7.0 Temporary authentication failure\r\n"), Hold()], "server_fault"),
    "switched off": ([Send(b"535 5.7.139 SmtpClientAuthentication is disabled\r\n"), Hold()], "smtp_auth_disabled"),
    "hung up": ([Close()], ""),
    "nonsense": ([Send(b"what?\r\n"), Hold()], ""),
    "the first half of an answer": ([Send(b"235-wait"), Close()], ""),
}


@pytest.mark.parametrize(("script", "cause"), SEEN.values(), ids=SEEN)
async def test_whatever_the_server_saw_counts_unless_it_was_taken(
    services: Services, script: Script, cause: str
) -> None:
    async with MisbehavingServer([*PLAIN_UP_TO_AUTH, *script]) as server:
        for _ in range(3):
            assert PAUSED not in codes(await tried(services, draft(server)))
        report = await tried(services, draft(server))
        assert (server.connections, codes(report)) == (3, [PAUSED])
        assert services.lockout_guard.counted(str(ANA), "127.0.0.1") == (cause,) * 3
        assert counted_words([cause] * 3, diagnosis().title) in report.findings[0].explanation


UNSEEN: dict[str, Script] = {
    "no mechanism": [GREETING, EHLO, Send(b"250-mail.example.test\r\n250 AUTH GSSAPI\r\n"), Hold()],
    "refused at the door": [Send(b"554 5.7.1 no\r\n"), Hold()],
    "it talks before it is asked": [GREETING, EHLO, Send(b"250-mail.example.test\r\n250 AUTH PLAIN\r\n235 yes\r\n")],
}


@pytest.mark.parametrize("script", UNSEEN.values(), ids=UNSEEN)
async def test_what_never_went_out_counts_for_nothing(services: Services, script: Script) -> None:
    async with MisbehavingServer(script) as server:
        for _ in range(5):
            assert PAUSED not in codes(await tried(services, draft(server)))
        assert server.connections >= 5
    assert kept(services) == []


async def test_a_network_that_leads_nowhere_counts_for_nothing(services: Services) -> None:
    with refused_port() as port:
        lost = Draft(
            address=ANA, connection=Connection(endpoint=Endpoint("127.0.0.1", port, Security.TLS), username="ana")
        ).confirmed()
        for _ in range(5):
            report = await tried(services, replace(lost, secret=Secret("guess one")))
            assert PAUSED not in codes(report)


async def test_looking_at_the_server_spends_nothing_and_goes_on_in_a_pause(services: Services) -> None:
    looked: Script = [GREETING, EHLO, SLOW_OFFER, Hold()]
    async with MisbehavingServer(REFUSED, REFUSED, REFUSED, looked) as server:
        for _ in range(3):
            await tried(services, draft(server))
        for _ in range(4):
            assert (await tried(services, draft(server), Depth.SERVER)).verdict is Verdict.PASS
        assert (await tried(services, draft(server, auth=Auth.NONE))).verdict is Verdict.PASS


async def test_a_message_is_held_back_too(services: Services) -> None:
    async with MisbehavingServer(REFUSED) as server:
        for _ in range(3):
            await tried(services, draft(server), Depth.SEND)
        report = await tried(services, draft(server), Depth.SEND)
        assert (server.connections, codes(report)) == (3, [PAUSED])
        assert report.results[-1] == CheckResult(Stage.DATA, Verdict.SKIPPED, 0.0, shown("not reached"))


async def test_practice_is_not_counted(services: Services) -> None:
    provider = services.catalog.get("sandbox")
    assert provider is not None
    path = provider.path("wrong-password")
    assert path is not None
    practice = Draft(address=Address("ana", "sandbox.test")).with_provider(provider, Origin.ADDRESS).with_path(path)
    for _ in range(4):
        report = await tried(services, replace(practice, secret=Secret("guess one")))
        assert codes(report) == ["bad_credentials"]
    assert kept(services) == []


async def saved(services: Services, server: MisbehavingServer, *names: str) -> list[Account]:
    return [await services.accounts.save(draft(server, name=name)) for name in names]


async def test_two_names_of_one_mailbox_stay_below_the_limit_together(services: Services) -> None:
    """As `test --all` does it: all at once."""
    async with MisbehavingServer(REFUSED) as server:
        accounts = await saved(services, server, "One", "Two", "Three", "Four", "Five")
        events: list[Event] = []
        checks = [
            services.checks.check_account(each, Secret("guess one"), Depth.LOGIN, events.append) for each in accounts
        ]
        reports = await asyncio.gather(*checks)
        assert server.connections == 3
        assert sorted(code for report in reports for code in codes(report)) == ["bad_credentials"] * 3 + [PAUSED] * 2
        assert (
            len(services.lockout_guard.counted(accounts[0].connection.username, accounts[0].connection.endpoint.host))
            == 3
        )


@pytest.mark.parametrize(
    ("first", "second"),
    [("ana", "ana@example.test"), ("ana@example.test", "ana"), ("FIRM\\ana", "ana"), ("FIRM\\ana", "ana@example.test")],
)
async def test_a_user_name_counts_with_the_domain_that_the_server_may_add(
    services: Services, first: str, second: str
) -> None:
    async with MisbehavingServer(REFUSED) as server:
        await tried(services, draft(server, username=first))
        await tried(services, draft(server, username=second))
        await tried(services, draft(server, username=first))
        for username in (first, second):
            assert codes(await tried(services, draft(server, username=username))) == [PAUSED]
        assert server.connections == 3
        other = draft(server, username="ana@other.test", address=Address("ana", "other.test"))
        assert codes(await tried(services, other)) == ["bad_credentials"], "on a server of many domains she is another"


async def test_one_name_for_two_addresses_is_one_account(services: Services) -> None:
    async with MisbehavingServer(REFUSED) as server:
        for domain in ("example.test", "other.test", "example.test"):
            await tried(services, draft(server, username="ana", address=Address("ana", domain)))
        assert codes(await tried(services, draft(server, username="ana", address=Address("ana", "third.test")))) == [
            PAUSED
        ]


async def test_success_under_either_name_makes_both_forgotten(services: Services) -> None:
    async with MisbehavingServer(REFUSED) as refusing, MisbehavingServer(TAKEN) as taking:
        assert refusing.host == taking.host
        for good, other in (("ana", "ana@example.test"), ("ana@example.test", "ana")):
            for username in (good, other):
                await tried(services, draft(refusing, username=username))
            await tried(services, draft(taking, username=good))
            assert kept(services) == []


async def test_many_names_of_a_mailbox_that_works_are_all_tested(services: Services) -> None:
    async with MisbehavingServer(TAKEN) as server:
        accounts = await saved(services, server, "One", "Two", "Three", "Four", "Five")
        checks = [
            services.checks.check_account(each, Secret("right"), Depth.LOGIN, lambda _: None) for each in accounts
        ]
        assert {report.verdict for report in await asyncio.gather(*checks)} == {Verdict.PASS}


def under_one_word(services: Services, server: MisbehavingServer) -> Services:
    """Return services whose catalogue says that this server wants the same user name of everybody."""
    known = services.catalog.get("sendgrid")
    assert known is not None
    (first, *_) = known.endpoints
    here = replace(first, endpoint=server.endpoint(Security.NONE))
    return make_services(
        services.folder, now=services.now, providers=Catalog([replace(known, endpoints=(here,))], (), ())
    )


async def test_the_wrong_keys_of_some_accounts_hold_no_others_back_under_a_word_for_everybody(
    services: Services,
) -> None:
    """Every customer of some relays signs in as 'apikey': the key alone says who it is."""
    async with MisbehavingServer(*[REFUSED] * 3, TAKEN, REFUSED) as server:
        services = under_one_word(services, server)
        names = ("one", "two", "three", "four")
        accounts = [
            await services.accounts.save(
                draft(server, name=name, address=Address(name, "example.test"), username="apikey")
            )
            for name in names
        ]
        reports = [
            await services.checks.check_account(each, Secret("a key"), Depth.LOGIN, lambda _: None) for each in accounts
        ]
        assert [report.verdict for report in reports] == [*[Verdict.FAIL] * 3, Verdict.PASS]
        assert PAUSED not in [code for report in reports for code in codes(report)]


async def test_the_good_key_of_another_account_makes_nothing_forgotten(services: Services) -> None:
    async with MisbehavingServer(REFUSED, REFUSED, TAKEN, REFUSED) as server:
        services = under_one_word(services, server)
        wrong = draft(server, username=" APIKEY")
        for each in (wrong, wrong, draft(server, address=BOB, username="apikey"), wrong):
            await tried(services, each)
        assert codes(await tried(services, wrong)) == [PAUSED]
        assert server.connections == 4


async def test_without_an_address_everybodys_word_is_counted_by_itself(services: Services) -> None:
    async with MisbehavingServer(REFUSED) as server:
        services = under_one_word(services, server)
        for _ in range(4):
            report = await tried(services, draft(server, address=None, username="apikey"))
        assert (server.connections, codes(report)) == (3, [PAUSED])


async def test_what_was_not_tried_is_no_result_of_the_account(services: Services) -> None:
    async with MisbehavingServer(REFUSED) as server:
        (account,) = await saved(services, server, "Office")
        for _ in range(4):
            await services.checks.check_account(account, Secret("guess one"), Depth.LOGIN, lambda _: None)
        last = services.saved_accounts.get("Office").last
        assert last is not None
        assert last.code == "bad_credentials"


async def test_a_new_password_is_held_back_and_the_old_one_kept(services: Services) -> None:
    async with MisbehavingServer(REFUSED, REFUSED, REFUSED, TAKEN) as server:
        (account,) = await saved(services, server, "Office")
        for _ in range(3):
            await services.accounts.replace_secret(account, Secret("guess one"), lambda _: None)
        assert codes(await services.accounts.replace_secret(account, Secret("right"), lambda _: None)) == [PAUSED]
        assert await services.entries.secret_of(account) == Secret("guess one")
        options = CheckOptions(ignore_lockout=True)
        report = await services.accounts.replace_secret(account, Secret("right"), lambda _: None, options=options)
        assert report.verdict is Verdict.PASS


SILENT: Script = [GREETING, EHLO, SLOW_OFFER, AUTH, Hold()]


async def given_up(services: Services, wanted: Draft, seen: str) -> None:
    """Cancel a check as soon as a line of the conversation begins with `seen`."""
    reached = asyncio.Event()

    def tell(event: Event) -> None:
        if isinstance(event, Line) and event.text.startswith(seen):
            reached.set()

    task = asyncio.create_task(services.checks.check_draft(wanted, Depth.LOGIN, tell))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_sign_in_that_was_given_up_counts(services: Services) -> None:
    """Whoever is impatient with a slow server must not lock the account."""
    async with MisbehavingServer(SILENT) as server:
        for _ in range(3):
            await given_up(services, draft(server), "AUTH")
        report = await tried(services, draft(server))
        assert (server.connections, codes(report)) == (3, [PAUSED])
        assert "3 sign-ins were not answered in time" in report.findings[0].explanation


async def test_a_check_that_was_given_up_before_its_sign_in_counts_for_nothing(services: Services) -> None:
    mute: Script = [GREETING, EHLO, Hold()]
    async with MisbehavingServer(mute, mute, mute, mute, TAKEN) as server:
        for _ in range(4):
            await given_up(services, draft(server), "EHLO")
        assert (await tried(services, draft(server))).verdict is Verdict.PASS


async def test_time_that_runs_out_counts_and_is_told_apart_from_a_refusal(tmp_path: Path, clock: Clock) -> None:
    services = make_services(tmp_path, limits=hurried(auth=0.05), now=clock)
    async with MisbehavingServer(REFUSED, REFUSED, SILENT) as server:
        for _ in range(3):
            await tried(services, draft(server))
        (finding,) = (await tried(services, draft(server))).findings
        assert finding.code == PAUSED
        assert "user name and password were refused 2 times, 1 was not answered in time" in finding.explanation
        assert server.connections == 3


async def test_it_is_on_record_before_it_goes_out_and_settled_when_it_is_taken(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not at the end of the check: a message that is sent after it may take minutes, and the process may be killed."""
    noted: list[str] = []

    def note(name: str) -> None:
        was = getattr(services.lockout_guard, name)

        def noting(*args: object, **kwargs: object) -> object:
            noted.append(name)
            return was(*args, **kwargs)

        monkeypatch.setattr(services.lockout_guard, name, noting)

    for name in ("sending", "record", "release"):
        note(name)

    def tell(event: Event) -> None:
        if isinstance(event, Line) and event.way is not Speaker.NOTE:
            noted.append(event.text.split()[0])

    async with MisbehavingServer([*PLAIN_UP_TO_AUTH, SIGNED_IN, MAIL_FROM, Close()]) as server:
        await services.checks.check_draft(draft(server), Depth.SEND, tell)
    at = noted.index("sending")
    assert noted[at:][:5] == ["sending", "AUTH", "235", "record", "MAIL"]
    assert not {"record", "release"} & set(noted[at + 4 :])


async def test_the_providers_figure_decides(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    gmail = catalog().get("gmail")
    assert gmail is not None
    strict = replace(gmail, lockout=Lockout(attempts=1, minutes=60, source="own", as_of="2026"))
    monkeypatch.setattr(services.catalog, "get", lambda _: strict)
    async with MisbehavingServer(REFUSED) as server:
        await tried(services, draft(server, provider="gmail"))
        report = await tried(services, draft(server, provider="gmail"))
        assert (server.connections, codes(report)) == (1, [PAUSED])
        assert "in 60 minutes" in " ".join(report.findings[0].steps)
        assert "Gmail" in report.findings[0].steps[0]


def test_the_causes_that_are_about_the_password_are_causes() -> None:
    """And the guard's own code is none: it says nothing about a server."""
    assert set(diagnosis().causes) >= CREDENTIALS
    assert PAUSED not in diagnosis().causes
    assert CREDENTIALS.isdisjoint({"auth_method_unavailable", "temporary_try_later", "unusable_password"})
