"""Text is broken for the window as it is, once: nothing stands in rows that were made for another width."""

from __future__ import annotations

import pytest
from textual.content import Content

from smtp_wizard.engine.accounts.deadlines import DeadlineKind
from smtp_wizard.engine.guides.guides import Guide, GuideStep
from smtp_wizard.flows.flow import Section
from smtp_wizard.flows.guide_ticks import GuideView
from smtp_wizard.text.calendar import KIND_WORDS
from smtp_wizard.widgets.chosen_detail import DETAIL, ChosenDetail
from smtp_wizard.widgets.frame import RadioFrame, RadioOption
from smtp_wizard.widgets.guide_steps import due_line
from smtp_wizard.widgets.lines import fitted
from smtp_wizard.widgets.plain_text import folded
from smtp_wizard.widgets.rows import Column, ListRow, RowList
from tests.support.walk import in_one_line
from tests.widgets.test_widgets import bench

URL = "https://knowledge.workspace.google.com/kb/how-to-generate-an-app-passwords-000009237"


def plain(row: str, width: int) -> list[str]:
    rows = [each.plain for each in fitted(Content.styled(row, "bold"), width)]
    assert rows == folded(row, width), "styled or not, a text is broken in the same places"
    return rows


@pytest.mark.parametrize(
    ("row", "hang"),
    [
        ("✓  Hello         offers AUTH LOGIN PLAIN, SIZE, PIPELINING, 8BITMIME, SMTPUTF8  48 ms", 17),
        ("   0.030 *  TLS 1.3, certificate valid 28 more days; issued by smtp-wizard practice server", 12),
        ("   0.132 S  534 5.7.9 Application-specific password required. For more, go elsewhere", 12),
        ("   0.132 S  250-mail.server.example offers you ten things and more than ten", 12),
        ("1. 2. 3. and so on: a line within a line is no line of its own, however it may begin", 3),
        ("Subject:    A subject that is far too long for a row of a panel as narrow as this one is", 12),
        ("534 5.7.9 Application-specific password required. For more information, go elsewhere", 4),
        ("· A point that is longer than one row of the rail is, and goes on below its words", 2),
        ("1. Open the page, sign in there as yourself if you are asked, and come back to here", 3),
        ("  indented, and going on for longer than a row of this width is, so that it is broken", 2),
        ("F6      guide: all the steps, with a QR code for your phone, and where each is from", 8),
        ("30 May 2022: signing in to other programs with the usual password of the account", 0),
        ("2 tries left, then a pause of 15 minutes, in which nothing is sent to the server at all", 0),
    ],
)
def test_what_follows_stands_below_the_words(row: str, hang: int) -> None:
    """Below the words of a point, a label or a check; a sentence that begins with a number is none of these."""
    first, *rest = plain(row, 44)
    assert rest
    assert {len(each) - len(each.lstrip()) for each in rest} == {hang}
    assert " ".join([first, *(each.strip() for each in rest)]) == row


@pytest.mark.parametrize(
    "row",
    [
        "✓  Sign-in   535 5.7.8 Username and Password not accepted, see the page of your provider for what to do now",
        "1. 2. a point in a point that is longer than one row",
        "   0.030 S  535 5.7.8   Error: authentication failed:   and three blanks in it",
    ],
)
def test_only_the_first_beginning_of_a_row_hangs(row: str) -> None:
    """What stands behind it may look like another one."""
    for width in range(12, 80):
        assert "".join("".join(plain(row, width)).split()) == "".join(row.split())


@pytest.mark.parametrize("width", [1, 3, 12, 20, 44])
@pytest.mark.parametrize(
    "text", ["1. 1. 1. one", "  · 2  two", "250-1.1.1 250-1.1.1 x", "a\n\n  b\nc d", "\u65e5" * 9, " ", ""]
)
def test_no_text_is_lost_at_any_width(text: str, width: int) -> None:
    rows = [each.plain for each in fitted(Content(text), width)]
    assert "".join("".join(rows).split()) == "".join(text.split())


def test_a_long_web_address_is_broken_behind_a_slash() -> None:
    assert plain(f"see {URL} there", 44) == [
        "see",
        "https://knowledge.workspace.google.com/kb/",
        "how-to-generate-an-app-passwords-000009237",
        "there",
    ]


def test_the_note_of_a_choice_goes_on_below_itself_or_below_the_words() -> None:
    notes = [
        RadioOption(1, "General Emails Only", "invoices, confirmations, answers"),
        RadioOption(2, "All", "mailings"),
    ]
    frame = RadioFrame("Scope", notes, 1, across=False)
    assert [row.plain for row in frame.rows_at(54)][:2] == [
        "● General Emails Only   invoices, confirmations,",
        f"{' ' * 24}answers",
    ]
    assert [row.plain for row in frame.rows_at(40)][:2] == [
        "● General Emails Only   invoices,",
        "  confirmations, answers",
    ]


@pytest.mark.parametrize("more", [1, 8, 9, 23, 24, 25, 60])
def test_the_detail_below_a_list_says_where_a_sentence_is_cut_short(more: int) -> None:
    detail = ChosenDetail()
    detail.show_sections([Section("Gmail", ("Five hundred a day.", "word " * more + "end.")), Section("", ("Too.",))])
    rows = [row.plain for row in detail.rows_at(40)]
    assert len(rows) == DETAIL
    assert rows[1:3] == ["Gmail  Five hundred a day.", "Too."]
    whole = in_one_line(" ".join(rows[3:])).endswith("end.")
    assert whole != rows[-1].endswith("…"), "one or the other"


async def narrow(rows: RowList, width: int) -> list[str]:
    async with bench(rows, size=(width, 9)):
        return [rows.row(y).plain for y in range(4)]


async def test_other_columns_give_way_before_the_one_that_is_read_is_cut_off() -> None:
    columns = (Column("Provider", 30, grows=True), Column("Server", 34, least=24))
    rows = RowList(columns, [ListRow("a", ("Cox (run by Yahoo)", "smtp.mail.yahoo.com:465"))])
    assert (await narrow(rows, 56))[1] == "▌ Cox (run by Yahoo)           smtp.mail.yahoo.com:465"


async def test_what_an_empty_list_says_is_whole_in_a_narrow_window() -> None:
    rows = RowList((Column("Day", 8, grows=True),), empty="Nothing has arrived yet. Send a test message.")
    assert (await narrow(rows, 30))[2:] == ["  Nothing has arrived yet.", "  Send a test message."]


def test_a_step_that_is_the_question_itself_is_not_said_again() -> None:
    view = GuideView(Guide("g", "Practise", (), "2026-11-01", (), (), (GuideStep(1, "Type the password: abcd."),), ()))
    for asked in ("Type the password: abcd", "Type the app password: abcd"):
        assert due_line(view, 74, asked).plain == "Step 1 of 1  F6 all the steps"


def test_the_words_of_what_ends_fit_their_column() -> None:
    assert max(map(len, (KIND_WORDS[kind] for kind in DeadlineKind))) <= 14
