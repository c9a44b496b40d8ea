"""The files of earlier versions, as they wrote them, are read as what they meant. One of each kind."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.stages import Depth, Verdict
from smtp_wizard.engine.oauth.grants import Grant
from smtp_wizard.engine.secrets import vault_format
from smtp_wizard.engine.secrets.journal import Journal
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.state.results import LastResult
from smtp_wizard.engine.state.sign_in_records import SignInRecord, SignInStage, entry_of
from smtp_wizard.engine.state.sign_in_renewals import SignInRenewal
from smtp_wizard.engine.state.storage import Storage
from smtp_wizard.engine.state.timestamps import OLD_NAME
from smtp_wizard.engine.wizard.draft_file import DraftFile

FILES = Path(__file__).parent / "files"
WHO = "6e5c13f930652182769d742b8a244564"


def at(day: int, hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, second, tzinfo=UTC)


def put(folder: Path, name: str, target: str) -> Path:
    """Lay a file where the program looks for it."""
    file = folder / target
    file.write_bytes((FILES / name).read_bytes())
    file.chmod(0o600)
    return file


def test_accounts_of_the_first_form_with_their_last_results(tmp_path: Path) -> None:
    put(tmp_path, "accounts.json", "accounts.json")
    saved_accounts = SavedAccounts(tmp_path)
    assert [each.name for each in saved_accounts.list()] == ["Bad", "Nowhere", "Office"]
    assert saved_accounts.unread() == ()
    office = saved_accounts.get("Office")
    assert office.connection.endpoint == Endpoint("127.0.0.1", office.connection.endpoint.port, Security.STARTTLS)
    assert (office.store, office.created) == (StoreRef(StoreKind.ENV, "OFFICE_PASSWORD"), at(24, 0, 0))
    put(tmp_path, "accounts-vault.json", "accounts.json")
    last = SavedAccounts(tmp_path).get("Safe").last
    assert last == LastResult(at(24, 6, 30), Depth.LOGIN, Verdict.PASS)


def test_accounts_of_the_second_form(tmp_path: Path) -> None:
    put(tmp_path, "accounts-2.json", "accounts.json")
    (account,) = SavedAccounts(tmp_path).list()
    assert (account.name, account.id, account.last) == ("Büro", "0123456789abcdef", None)
    renewed = at(29, 18, 5, 59) + timedelta(microseconds=250000)
    assert account.login == SignInRenewal("a-client-of-ana", at(24, 6, 30), renewed, None)


def test_a_draft_of_the_first_form(tmp_path: Path) -> None:
    """There a port was a text, and three fields were unknown."""
    put(tmp_path, "draft.json", "draft.json")
    kept = DraftFile(tmp_path).load()
    assert kept is not None
    assert kept.step.id == "server"
    assert kept.draft.connection.endpoint == Endpoint("mail.firm.example", 587, Security.STARTTLS)
    assert (kept.draft.name, kept.draft.typed, kept.draft.confirmed_host) == ("Büro", {"port": "abc"}, "")
    assert kept.draft.ticks == {"custom/1", "custom/2"}
    assert kept.draft.identity.sender == Address("office", "firm.example")


def test_a_vault() -> None:
    sealed = vault_format.read((FILES / "vault.json").read_bytes())
    key = vault_format.make_key(Secret("a vault for the tests"), sealed.header.salt, sealed.header.cost)
    assert vault_format.unseal(sealed, key).keys() == {"Safe/password"}


def test_a_sign_in_in_the_browser() -> None:
    assert Grant.opened(Secret((FILES / "sign-in.json").read_text())) == Grant(
        client_id="a-client-of-ana",
        client_secret=Secret("the secret of the client"),
        refresh_token=Secret("r3fr3sh-t0k3n"),
        token_url="https://sign-in.firm.example/token",
        granted=at(24, 6, 30),
        renewed=at(29, 18, 5, 59),
        ends=None,
    )


def test_the_note_of_a_change_that_was_stopped(tmp_path: Path) -> None:
    file = put(tmp_path, "unfinished.json", "unfinished-0123456789abcdef.json")
    (note,), odd = Journal(tmp_path).left()
    assert odd == []
    assert (note.file, note.since) == (file, at(30, 5, 12, 44))
    assert note.entries == (
        StoreRef(StoreKind.KEYRING, "Büro/password/0123456789abcdef"),
        StoreRef(StoreKind.VAULT, "Safe/password"),
    )


def taken_over(folder: Path, name: str) -> dict[str, SignInRecord]:
    put(folder, name, OLD_NAME)
    storage = Storage(folder, 5)
    found = asyncio.run(storage.ask(lambda file: entry_of(file, WHO)))
    storage.flush()
    assert not (folder / OLD_NAME).exists()
    return found


def test_the_refused_sign_ins_of_the_first_form(tmp_path: Path) -> None:
    assert taken_over(tmp_path, "attempts-1.json") == {
        "00000000000000a1": SignInRecord(at(24, 11, 50), at(24, 12, 5), SignInStage.FAILED, "bad_credentials"),
    }


def test_the_refused_sign_ins_of_the_second_form(tmp_path: Path) -> None:
    assert taken_over(tmp_path, "attempts-2.json") == {
        "00000000000000b1": SignInRecord(at(28, 11, 50), at(28, 12, 5), SignInStage.FAILED, "app_password_required"),
        "00000000000000b2": SignInRecord(at(28, 11, 55), at(28, 12, 10), SignInStage.SENT, "", 4711),
    }
