"""The screen of mail that came back: the mailbox is read, the password asked for over it, an address copied."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from smtp_wizard.app import HOME
from smtp_wizard.engine.base.confidence import Confidence
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.mailbox import mailbox_file
from smtp_wizard.engine.mailbox.mailbox_file import ListedImapServer, load_mailboxes
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.flows.areas.bounces import FailedRow
from smtp_wizard.flows.flow import Mood
from smtp_wizard.screens.accounts.home import HomeScreen
from smtp_wizard.screens.areas.bounces import BouncesScreen, _row
from smtp_wizard.screens.areas.explain import ExplainScreen
from smtp_wizard.screens.question import FlowPanel
from tests.commands.test_send import RELAY
from tests.support.certs import Authority
from tests.support.imapserver import PASSWORD, USER, ImapServer
from tests.support.returned import report
from tests.support.walk import make_services, walking


async def test_the_mailbox_is_read_after_the_password_and_what_was_meant_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F10 B leads there, Enter reads; the address that was meant is copied by Enter, P leads to pasting."""
    authority = Authority(tmp_path / "ca")
    services = make_services(tmp_path / "config")
    async with ImapServer(authority.issue("127.0.0.1").context()) as imap:
        imap.inbox.add(report("carla@gmial.com"), datetime.now(UTC))
        listed = ListedImapServer(
            provider="custom", endpoint=imap.endpoint, source="own", as_of="undated", confidence=Confidence.OWN
        )
        known = replace(load_mailboxes(), servers=(listed,))
        monkeypatch.setattr(mailbox_file, "load_mailboxes", lambda: known)
        connection = replace(RELAY.connection, username=USER, auth=Auth.PASSWORD, ca_file=str(authority.file))
        store = StoreRef(StoreKind.SESSION, "x")
        services.saved_accounts.put(replace(RELAY, connection=connection, store=store))
        async with walking(services, start=HOME) as walk:
            await walk.at_screen(HomeScreen)
            await walk.press("f10", "b")
            await walk.at_screen(BouncesScreen)
            await walk.until_reads("The mailbox of 'Office' was not read yet.")
            await walk.press("enter")
            await walk.at_screen(FlowPanel)
            await walk.write(PASSWORD)
            await walk.press("enter")
            await walk.at_screen(BouncesScreen)
            await walk.until_reads("1 address was not reached.")
            await walk.until_reads("Did you mean carla@gmail.com?")
            screen = walk.app.screen
            assert isinstance(screen, BouncesScreen)
            assert screen.chips()[1].key == "f4", "in a small window only the first few have room"
            await walk.press("enter")
            await walk.until_reads("Sent to your terminal")
            assert walk.app.clipboard == "carla@gmail.com"
            await walk.press("p")
            await walk.at_screen(ExplainScreen)
        assert imap.sign_ins == 1


def test_what_others_sent_is_no_failure_of_ones_own() -> None:
    row = FailedRow("bob@elsewhere.example", "Why", "today", True, (), "bob@elsewhere.example")
    assert (_row(row).mood, _row(replace(row, backscatter=True)).mood) == (Mood.FAILED, Mood.TOLD)
