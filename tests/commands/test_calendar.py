"""`calendar`: what will end, read back by another program's parser."""

from __future__ import annotations

import errno
import os
import stat
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import icalendar
import pytest

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.deadlines import Deadline, DeadlineKind, deadlines_of_accounts, deadlines_of_catalogue
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.stages import Depth, Verdict
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.state.results import KEEP, LastResult, Result
from smtp_wizard.engine.state.sign_in_renewals import SignInRenewal
from smtp_wizard.output import icalendar as writer
from tests.commands.test_send import RELAY
from tests.commands.test_test import PRACTICE
from tests.support.cli import run
from tests.support.nouns import with_fields

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.fixture
def saved(own_home: Path) -> SavedAccounts:
    """One account whose certificate was seen, one that a provider closes, one with a sign-in in the browser."""
    saved = SavedAccounts(own_home / "config")
    saved.put(with_fields(RELAY, name='Shop; north, and "south"', id=""))
    office = saved.list()[0]
    last = LastResult(NOW, Depth.LOGIN, Verdict.PASS)
    saved.state.results.record(office.id, Result(last, {}, NOW + timedelta(days=60)))
    saved.put(with_fields(RELAY, name="Ends", provider="microsoft365", path="password", auth=Auth.PASSWORD, id=""))
    login = SignInRenewal("client", NOW, NOW, NOW + timedelta(days=7))
    saved.put(with_fields(RELAY, name="Browser", auth=Auth.XOAUTH2, login=login, id=""))
    saved.state.flush()
    return saved


def test_what_ends_comes_with_its_day_and_who_says_so_the_nearest_first(saved: SavedAccounts) -> None:
    ends = deadlines_of_accounts(saved, load_catalog(), NOW)
    assert [(each.on, each.kind) for each in ends] == [
        (date(2026, 12, 7), DeadlineKind.SIGN_IN),
        (date(2026, 12, 31), DeadlineKind.RETIREMENT),
        (date(2027, 1, 29), DeadlineKind.CERTIFICATE),
    ]
    assert [each.account for each in ends] == ["Browser", "Ends", 'Shop; north, and "south"']
    assert ends[1].source.endswith("2026-01-27")
    assert ends[2].source == "the server itself, 2026-11-30"
    assert all(each.what for each in ends)


def test_the_document_holds_to_its_schema(saved: SavedAccounts) -> None:
    events = run("calendar", "--json").document["events"]
    assert [each["kind"] for each in events] == ["sign-in", "retirement", "certificate"]
    assert events[1]["provider"] == "microsoft365"


def test_a_calendar_program_reads_the_same_events(saved: SavedAccounts, tmp_path: Path) -> None:
    file = tmp_path / "ends.ics"
    ran = run("calendar", "--ics", str(file), "--json")
    assert ran.code == 0
    calendar = icalendar.Calendar.from_ical(file.read_bytes())
    events = calendar.walk("VEVENT")
    assert [each.decoded("dtstart").isoformat() for each in events] == [each["on"] for each in ran.document["events"]]
    assert [str(each["summary"]) for each in events] == [
        "Sign-in in the browser ends: Browser",
        "Way in closes: Ends",
        'Certificate ends: Shop; north, and "south"',
    ]
    for event, told in zip(events, ran.document["events"], strict=True):
        assert str(event["description"]) == f"{told['what']} ({told['source']})"
        assert event.decoded("dtend") - event.decoded("dtstart") == timedelta(days=1)
        assert [alarm.decoded("trigger") for alarm in event.walk("VALARM")] == [-writer.REMIND]
    assert len({str(each["uid"]) for each in events}) == 3
    assert all(len(line) <= 75 for line in file.read_bytes().split(b"\r\n"))


def test_the_file_can_be_had_on_standard_output(saved: SavedAccounts) -> None:
    text = run("calendar", "--ics", "-").out
    assert text.startswith("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n")
    assert text.endswith("\r\nEND:VCALENDAR\r\n")
    assert len(icalendar.Calendar.from_ical(text).walk("VEVENT")) == 3
    assert run("calendar", "--ics", "-", "--json").code == 2


def test_a_calendar_that_is_given_the_file_again_has_each_event_once(saved: SavedAccounts) -> None:
    """Also when an account was tested meanwhile, and the days to the end are fewer."""
    ends = deadlines_of_accounts(saved, load_catalog(), NOW)
    for account in saved.list():
        last = LastResult(NOW + timedelta(days=1), Depth.LOGIN, Verdict.PASS)
        ends_of = {each.account: each.on for each in ends if each.kind is DeadlineKind.CERTIFICATE}
        if account.name in ends_of:
            saved.state.results.record(account.id, Result(last, {}, NOW + timedelta(days=60)))
    later = deadlines_of_accounts(saved, load_catalog(), NOW + timedelta(days=1))
    assert uids(ends) == uids(later)


def test_an_account_that_is_renamed_keeps_its_events(saved: SavedAccounts) -> None:
    """The old ones would stay beside the new ones in a calendar that is given the file again."""
    before = uids(deadlines_of_accounts(saved, load_catalog(), NOW))
    for name in ("Ends", "Browser"):
        assert run("accounts", "rename", name, f"{name} soon").code == 0
    assert set(uids(deadlines_of_accounts(saved, load_catalog(), NOW))) == set(before)


def uids(ends: tuple[Deadline, ...]) -> list[str]:
    calendar = icalendar.Calendar.from_ical(writer.icalendar(ends, NOW))
    return [str(each["uid"]) for each in calendar.walk("VEVENT")]


@pytest.mark.parametrize("words", ["a,b;c\\d", "\u00fc" * 200, "x" * 75, "\U0001f4e7" * 40, "line\nbreak", ""])
def test_no_words_break_a_calendar(words: str) -> None:
    end = Deadline(on=date(2027, 1, 1), kind=DeadlineKind.LIMIT, account=None, provider="p", what=words, source="s")
    text = writer.icalendar([end], NOW)
    assert all(len(line) <= 75 for line in text.encode().split(b"\r\n"))
    (event,) = icalendar.Calendar.from_ical(text).walk("VEVENT")
    assert str(event["description"]) == f"{words} (s)"


def test_the_whole_catalogue_is_told_on_request(own_home: Path) -> None:
    ends = deadlines_of_catalogue(load_catalog(), date(2020, 1, 1))
    assert {"microsoft365", "sendgrid"} <= {each.provider for each in ends}
    assert {each.kind for each in ends} == {DeadlineKind.RETIREMENT, DeadlineKind.LIMIT}
    assert all(each.source and each.account is None for each in ends)
    assert list(ends) == sorted(ends, key=lambda end: end.on)
    assert run("calendar", "--catalogue", "--json").code == 0


def test_a_person_reads_a_row_and_below_it_what_it_is_about(saved: SavedAccounts) -> None:
    ran = run("calendar")
    rows = [line for line in ran.out.splitlines() if not line.startswith(" ")]
    assert [row.split(": ")[1].split(",")[0] for row in rows[1:3]] == ["sign-in", "way in closes"]
    assert "2026-12-31  Ends: way in closes, " in ran.out
    assert rows[0].startswith("Date "), "the columns are named"
    assert max(map(len, ran.out.splitlines())) > 80, "a pipe gets each sentence whole"


def test_where_nothing_ends_that_is_said(own_home: Path) -> None:
    ran = run("calendar")
    assert (ran.code, ran.out) == (0, "")
    assert "Nothing is known to end" in ran.err
    assert run("calendar", "--json").document["events"] == []


@pytest.mark.parametrize("file", ["", "/nowhere/at/all.ics", "a\0b"])
def test_a_file_that_cannot_be_written_is_said(own_home: Path, file: str) -> None:
    ran = run("calendar", f"--ics={file}")
    assert ran.code == 1
    assert "cannot be written" in ran.err


def test_what_lasts_to_the_end_of_time_is_no_event(saved: SavedAccounts) -> None:
    """RFC 5280 section 4.1.2.5: a certificate without an end has the last day of the year 9999."""
    never = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    login = SignInRenewal("client", NOW, NOW, never)
    saved.put(with_fields(RELAY, name="For ever", auth=Auth.XOAUTH2, login=login, id=""))
    account = saved.get("For ever")
    saved.state.results.record(account.id, Result(LastResult(NOW, Depth.LOGIN, Verdict.PASS), {}, never))
    ends = deadlines_of_accounts(saved, load_catalog(), NOW)
    assert "For ever" not in {each.account for each in ends}
    assert writer.icalendar(ends, NOW)


def test_what_closed_before_an_account_was_saved_does_not_concern_it(saved: SavedAccounts) -> None:
    old: Account = with_fields(RELAY, name="Old", provider="gmail", path="app-password", id="")
    saved.put(old)
    assert "Old" not in {each.account for each in deadlines_of_accounts(saved, load_catalog(), NOW)}


def certificates(saved: SavedAccounts) -> list[tuple[date, str]]:
    ends = deadlines_of_accounts(saved, load_catalog(), NOW)
    return [(each.on, each.source) for each in ends if each.kind is DeadlineKind.CERTIFICATE]


@pytest.mark.parametrize("written", [True, False])
def test_a_server_that_was_down_since_leaves_its_certificate_where_it_was(saved: SavedAccounts, written: bool) -> None:
    before = certificates(saved)
    office = saved.get('Shop; north, and "south"')
    for number in range(KEEP + 1):
        down = LastResult(NOW + timedelta(minutes=number), Depth.LOGIN, Verdict.FAIL)
        saved.state.results.record(office.id, Result(down))
        if written:
            saved.state.flush()
    assert certificates(saved) == before == [(date(2027, 1, 29), "the server itself, 2026-11-30")]
    assert len(saved.state.results.history(office.id)) == KEEP


def test_a_certificate_that_has_run_out_stays_in_the_calendar(own_home: Path) -> None:
    saved = SavedAccounts(own_home / "config")
    scenario = "expired-certificate"
    saved.put(with_fields(PRACTICE, name="Office", id="", path=scenario, sandbox=scenario))
    assert run("test", "Office", "--depth", "server").code == 1
    (event,) = run("calendar", "--json").document["events"]
    assert (event["kind"], event["account"]) == ("certificate", "Office")
    assert event["on"] < datetime.now(UTC).date().isoformat()


def test_a_disk_without_room_leaves_the_old_calendar_as_it_was(
    saved: SavedAccounts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ends.ics"
    file.write_bytes(b"the old one")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        ran = run("calendar", "--ics", str(file))
    assert ran.code == 1
    assert "No space left on device" in ran.err
    assert file.read_bytes() == b"the old one"
    assert list(tmp_path.glob(".ends.ics*")) == [], "nothing is left beside it"


def test_a_calendar_that_is_written_anew_keeps_its_rights_and_its_link(saved: SavedAccounts, tmp_path: Path) -> None:
    """A web server reads it."""
    file, link = tmp_path / "ends.ics", tmp_path / "link.ics"
    file.write_bytes(b"the old one")
    file.chmod(0o644)
    link.symlink_to(file)
    assert run("calendar", "--ics", str(link)).code == 0
    assert file.read_bytes().startswith(b"BEGIN:VCALENDAR")
    assert (stat.S_IMODE(file.stat().st_mode), link.is_symlink()) == (0o644, True)
    file.chmod(0o444)
    assert run("calendar", "--ics", str(link)).code == 1


def test_a_pipe_without_a_name_is_written_to(saved: SavedAccounts) -> None:
    """As behind /dev/stdout, where something reads what is printed."""
    reader, writer = os.pipe()
    try:
        assert run("calendar", "--ics", f"/dev/fd/{writer}").code == 0
        assert os.read(reader, 15) == b"BEGIN:VCALENDAR"
    finally:
        os.close(reader)
        os.close(writer)


def test_what_is_no_file_is_written_to(saved: SavedAccounts, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert run("calendar", "--ics", str(pipe)).code == 0
        assert os.read(reader, 15) == b"BEGIN:VCALENDAR"
    finally:
        os.close(reader)
