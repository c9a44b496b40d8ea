"""Where the password is kept, as a script sees it: saved in one process, used in the next, found nowhere in clear."""

from __future__ import annotations

import base64
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from smtp_wizard.commands.options import vault as vaults
from smtp_wizard.engine.accounts.account_file import FILE_SCHEMAS
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.secrets import vault, vault_format
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from tests.support.cli import PROGRAM, Ran, on_terminal, run, run_process
from tests.support.leaks import assert_no_trace

pytestmark = pytest.mark.usefixtures("any_password")

PASSWORD = "abcd efgh ijkl mnop"
PASSPHRASE = "four words of no sense"
PRACTICE = ("setup", "ana@sandbox.test", "--path", "accept", "--json")


@pytest.fixture(autouse=True)
def a_cheap_vault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guessing at the passphrases of these tests need not be dear."""
    monkeypatch.setattr(vault, "USUAL", vault_format.Cost(n=2**4))


@pytest.fixture
def folder(own_home: Path) -> Path:
    return own_home / "config"


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text(f"{PASSWORD}\n")
    path.chmod(0o600)
    return path


def reading(path: Path) -> str:
    return shlex.join([sys.executable, "-c", "import sys; print(open(sys.argv[1]).read())", str(path)])


def ways(kind: str, secret_file: Path) -> tuple[list[str], dict[str, str], str]:
    """Return the options of a store, the variables that every process needs for it, and what stands on stdin."""
    match kind:
        case "vault":
            return ["--store", "vault", "--password-stdin"], {"VAULT": PASSPHRASE}, PASSWORD
        case "command":
            return ["--store", "command", "--secret-command", reading(secret_file)], {}, ""
        case "file":
            return ["--store", "file", "--secret-file", str(secret_file)], {}, ""
        case "credential":
            name = "$CREDENTIALS_DIRECTORY/secret"
            return ["--store", "file", "--secret-file", name], {"CREDENTIALS_DIRECTORY": str(secret_file.parent)}, ""
    return ["--store", "env", "--env-name", "MAIL"], {"MAIL": PASSWORD}, ""


KINDS = pytest.mark.parametrize("kind", ["vault", "command", "file", "credential", "env"])


@KINDS
def test_saved_in_one_process_and_used_in_the_next(kind: str, folder: Path, secret_file: Path) -> None:
    """No desktop, no display, no terminal: as over SSH, or in a timed job."""
    options, environ, stdin = ways(kind, secret_file)
    unlock = ["--passphrase-env", "VAULT"] if kind == "vault" else []
    log = folder.parent / "log"
    ran = run_process(
        *(*PRACTICE, "--save", "Office", *options, *unlock, "-v", "--transcript", str(log)),
        stdin=stdin,
        environ=environ,
    )
    assert (ran.code, ran.result["account"]) == (0, "Office"), ran
    again = run_process("test", "Office", "--json", *unlock, environ=environ)
    assert (again.code, again.result["verdict"]) == (0, "pass"), again
    shown = run_process("accounts", "show", "Office")
    assert_no_trace(PASSWORD, folder, ran.out + ran.err, again.out + again.err, shown.out + shown.err, log)
    assert_no_trace(PASSPHRASE, folder, ran.out + ran.err, again.out + again.err, log)
    assert {"vault": "in the vault", "command": "printed by the command", "env": "variable MAIL"}.get(
        kind, "in the file"
    ) in shown.out


def vaulted(*more: str, name: str = "Office") -> Ran:
    os.environ["VAULT"] = PASSPHRASE
    return run(
        *PRACTICE,
        "--save",
        name,
        "--store",
        "vault",
        "--password-stdin",
        "--passphrase-env",
        "VAULT",
        *more,
        stdin=PASSWORD,
    )


def test_of_two_that_save_one_name_at_once_the_winners_password_is_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are let go at the same moment: one comes too late, and takes nothing with it."""
    assert vaulted(name="Before").code == 0
    for attempt in range(2):
        monkeypatch.setenv("VAULT", PASSPHRASE)
        # The practice server takes its password with any blanks; two that differ are told apart in the vault.
        passwords = [f"abcd{' ' * blanks}efghijklmnop" for blanks in (1 + attempt, 4)]
        saving = [Saving(password) for password in passwords]
        for each in saving:
            each.let_go()
        codes = [each.ended() for each in saving]
        assert sorted(codes) == [0, 2]
        kept = [secret for name, secret in _entries(folder).items() if name.startswith("Office/")]
        assert kept == [passwords[codes.index(0)]]
        assert not list(folder.glob("unfinished-*"))
        assert run("accounts", "remove", "Office", "--yes", "--passphrase-env", "VAULT").code == 0


class Saving:
    """A process that saves an account once its password is complete."""

    def __init__(self, password: str) -> None:
        command = [*PROGRAM, *PRACTICE, "--save", "Office", "--store", "vault", "--passphrase-env", "VAULT"]
        self._process = subprocess.Popen(
            [*command, "--password-stdin"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert self._process.stdin is not None
        self._process.stdin.write(password.encode())
        self._process.stdin.flush()

    def let_go(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.stdin = None

    def ended(self) -> int:
        self._process.communicate(timeout=60)
        return self._process.returncode


def test_a_closed_vault_exits_3_and_says_what_opens_it(folder: Path) -> None:
    assert vaulted().code == 0
    ran = run("test", "Office", "--json")
    assert (ran.code, ran.error["code"]) == (3, "secret-closed")
    assert "its passphrase is needed" in ran.error["message"]
    ran = run("accounts", "rename", "Office", "Shop", "--json")
    assert (ran.code, ran.error["code"]) == (3, "secret-closed")
    assert "--passphrase-env" in ran.error["hint"]
    assert [each.name for each in SavedAccounts(folder).list()] == ["Office"]


def test_a_wrong_passphrase_and_a_damaged_vault_are_two_sentences(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert vaulted().code == 0
    monkeypatch.setenv("VAULT", "another passphrase")
    wrong = run("send", "Office", "--to", "bob@sandbox.test", "--passphrase-env", "VAULT", "--json")
    assert (wrong.code, wrong.error["code"]) == (3, "secret-wrong")
    (folder / "vault.json").write_text("{}")
    monkeypatch.setenv("VAULT", PASSPHRASE)
    damaged = run("send", "Office", "--to", "bob@sandbox.test", "--passphrase-env", "VAULT", "--json")
    assert (damaged.code, damaged.error["code"]) == (3, "secret-damaged")
    assert PASSPHRASE not in wrong.out + damaged.out


def test_the_passphrase_may_come_from_a_command_and_leaves_the_environment() -> None:
    assert vaulted().code == 0
    assert "VAULT" not in os.environ
    command = shlex.join([sys.executable, "-c", f"print({PASSPHRASE!r})"])
    assert run("test", "--passphrase-command", command).code == 0
    os.environ["SECOND"] = PASSPHRASE
    both = run("test", "--passphrase-command", command, "--passphrase-env", "SECOND", "--json")
    assert (both.code, "Only one of" in both.error["message"]) == (2, True)
    unset = run("test", "--passphrase-env", "UNSET_VARIABLE", "--json")
    assert (unset.code, unset.error["code"]) == (3, "passphrase-unreadable")
    assert run("test", "--passphrase-command", "'", "--json").code == 2


def test_the_life_of_an_account_in_the_vault(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert vaulted().code == 0
    unlock = ("--passphrase-command", shlex.join([sys.executable, "-c", f"print({PASSPHRASE!r})"]))
    assert run("accounts", "duplicate", "Office", "--as", "Copy", *unlock).code == 0
    assert run("accounts", "rename", "Office", "Shop", *unlock).code == 0
    assert run("test", "--all", *unlock).code == 0
    assert run("accounts", "password", "Shop", "--password-stdin", *unlock, stdin="another one").code == 0
    document = run("vault", "--json").document
    assert (document["exists"], document["accounts"]) == (True, ["Copy", "Shop"])
    monkeypatch.setenv("VAULT", "not the passphrase")
    refused = run("accounts", "remove", "Copy", "--yes", "--passphrase-env", "VAULT", "--json")
    assert (refused.code, refused.error["code"]) == (3, "secret-wrong"), "what was given was meant"
    assert run("accounts", "remove", "Copy", "--yes", *unlock).code == 0
    assert run("accounts", "remove", "Shop", "--yes").code == 3
    assert run("vault", "--json").document["accounts"] == []
    assert_no_trace("another one", folder)


def test_the_vault_gets_another_passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("vault", "passphrase", "--json").code == 4
    assert "no vault yet" in run("vault").err
    assert vaulted().code == 0
    assert run("vault", "passphrase", "--json").code == 2
    monkeypatch.setenv("NEW", "another passphrase")
    monkeypatch.setenv("VAULT", PASSPHRASE)
    ran = run("vault", "passphrase", "--passphrase-env", "VAULT", "--new-passphrase-env", "NEW", "--json")
    assert ran.document["changed"] is True
    assert "Used by  Office" in run("vault").out
    new = shlex.join([sys.executable, "-c", "print('another passphrase')"])
    assert run("test", "--passphrase-command", new).code == 0
    short = shlex.join([sys.executable, "-c", "print('short')"])
    refused = run("vault", "passphrase", "--passphrase-command", new, "--new-passphrase-command", short, "--json")
    assert (refused.code, "at least 8" in refused.error["message"]) == (2, True)
    both = ("--new-passphrase-command", short, "--new-passphrase-env", "NEW")
    assert run("vault", "passphrase", *both, "--json").code == 2


def test_on_a_terminal_the_passphrase_is_asked_twice_and_then_once(folder: Path) -> None:
    said = on_terminal(
        [
            *("setup", "ana@sandbox.test", "--path", "accept", "--save", "Office", "--store", "vault"),
            *("--password-command", shlex.join([sys.executable, "-c", f"print({PASSWORD!r})"])),
        ],
        typed=[
            ("New passphrase of the vault: ", "short\n"),
            ("are good.\r\nNew passphrase of the vault: ", f"{PASSPHRASE}\n"),
            ("once more: ", "another one\n"),
            ("not the same.\r\nNew passphrase of the vault: ", f"{PASSPHRASE}\n"),
            ("once more: ", f"{PASSPHRASE}\n"),
        ],
    )
    assert said.code == 0, said
    assert "without it the passwords in the vault are lost" in " ".join(said.out.split())
    again = "anew.\r\nPassphrase of the vault: "
    asked = on_terminal(
        ["test", "Office"], typed=[("Passphrase of the vault: ", "a wrong one\n"), (again, f"{PASSPHRASE}\n")]
    )
    assert asked.code == 0, asked
    assert_no_trace(PASSPHRASE, said.out, asked.out, folder)
    tired = on_terminal(
        ["test", "Office"],
        typed=[("Passphrase of the vault: ", "wrong 1\n"), (again, "wrong 2\n"), (again, "wrong 3\n")],
    )
    assert tired.code == 3
    assert vaults.ATTEMPTS == 3


def test_on_a_terminal_a_change_in_the_wizard_opens_the_vault_first() -> None:
    """As on the screens: the password is at hand there then."""
    assert vaulted().code == 0
    changing = on_terminal(
        ["accounts", "edit", "Office"],
        typed=[
            ("Passphrase of the vault: ", f"{PASSPHRASE}\n"),
            ("Outgoing server", "quit\n"),
            ("Leave now?", "yes\n"),
        ],
        term="dumb",
    )
    assert changing.code == 0, changing


# -- references --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        ["--store", "command"],
        ["--store", "file"],
        ["--store", "file", "--secret-command", "pass show mail"],
        ["--store", "vault", "--secret-file", "/x"],
        ["--store", "keyring", "--env-name", "X"],
        ["--secret-command", "cat x | head"],
        ["--secret-file", ""],
        ["--env-name", "X", "--secret-file", "/x"],
    ],
    ids=" ".join,
)
def test_options_that_contradict_each_other_exit_2(options: list[str]) -> None:
    ran = run(*PRACTICE, "--save", "Office", *options, "--password-stdin", stdin=PASSWORD)
    assert ran.code == 2


def test_a_file_that_others_can_read_exits_3(secret_file: Path) -> None:
    secret_file.chmod(0o644)
    ran = run(*PRACTICE, "--save", "Office", "--secret-file", str(secret_file))
    assert (ran.code, ran.error["code"]) == (3, "secret-exposed")
    assert_no_trace(PASSWORD, ran.out, ran.err)


def test_a_command_that_fails_exits_3_without_its_words() -> None:
    program = f"import sys; print({PASSWORD!r}, file=sys.stderr); sys.exit(1)"
    ran = run(*PRACTICE, "--save", "Office", "--secret-command", shlex.join([sys.executable, "-c", program]))
    assert (ran.code, ran.error["code"]) == (3, "secret-unreadable")
    assert_no_trace(PASSWORD, ran.out, ran.err)


def test_the_password_in_the_command_itself_is_not_saved(folder: Path) -> None:
    ran = run(*PRACTICE, "--save", "Office", "--secret-command", shlex.join(["echo", PASSWORD]))
    assert (ran.code, ran.error["code"]) == (3, "secret-refused")
    assert_no_trace(PASSWORD, folder, ran.out, ran.err)


def test_the_passwords_own_command_is_the_reference_where_that_is_the_store(secret_file: Path) -> None:
    ran = run(*PRACTICE, "--save", "Office", "--store", "command", "--password-command", reading(secret_file))
    assert ran.code == 0
    shown = run("accounts", "show", "Office", "--json").document
    assert shown["store"] == {"kind": "command", "where": reading(secret_file)}


@pytest.mark.parametrize("start", ["vault", "command", "file"])
def test_an_account_moves_from_each_store_to_each_other(
    start: str, folder: Path, secret_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlock = ("--passphrase-command", shlex.join([sys.executable, "-c", f"print({PASSPHRASE!r})"]))
    options, _, stdin = ways(start, secret_file)
    assert run(*PRACTICE, "--save", "Office", *options, *unlock, stdin=stdin).code == 0
    for kind in ("file", "vault", "env", "command", "vault", "file"):
        options, environ, _ = ways(kind, secret_file)
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        wanted = [each for each in options if each != "--password-stdin"]
        ran = run("accounts", "edit", "Office", *wanted, *unlock, "--json")
        assert (ran.code, ran.document["account"]["store"]["kind"]) == (0, kind), ran
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        assert run("test", *unlock, "--json").result["verdict"] == "pass"
        assert_no_trace(PASSWORD, folder, ran.out, ran.err)
    held = _entries(folder)
    assert held == {}


def _entries(folder: Path) -> dict[str, str]:
    """What the vault holds."""
    from smtp_wizard.engine.base.secret import Secret

    found = vault_format.read((folder / "vault.json").read_bytes())
    return vault_format.unseal(found, vault_format.make_key(Secret(PASSPHRASE), found.header.salt, found.header.cost))


def test_another_way_to_another_password_is_tried_before_it_is_saved(secret_file: Path, tmp_path: Path) -> None:
    """The practice server takes any password, so only the reference changes."""
    assert run(*PRACTICE, "--save", "Office", "--secret-file", str(secret_file)).code == 0
    other = tmp_path / "other"
    other.write_text("another one\n")
    ran = run("accounts", "edit", "Office", "--secret-file", str(other), "--json")
    assert (ran.code, ran.error["code"]) == (3, "secret-exposed")
    other.chmod(0o600)
    ran = run("accounts", "edit", "Office", "--secret-file", str(other), "--json")
    assert ran.document["account"]["store"]["where"] == str(other)
    assert run("accounts", "edit", "Office", "--store", "command", "--json").code == 2


def test_a_changed_password_is_tried_where_the_reference_leads(secret_file: Path) -> None:
    assert run(*PRACTICE, "--save", "Office", "--secret-file", str(secret_file)).code == 0
    secret_file.write_text("another one\n")
    assert run("accounts", "password", "Office", "--json").document["changed"] is True
    differs = run("accounts", "password", "Office", "--password-stdin", "--json", stdin="a third one")
    assert (differs.code, differs.error["code"]) == (3, "secret-differs")


def test_accounts_of_older_versions_are_read(folder: Path) -> None:
    assert run(*PRACTICE, "--save", "Office", "--store", "session", "--password-stdin", stdin=PASSWORD).code == 0
    document = json.loads((folder / "accounts.json").read_text())
    (account,) = document["accounts"]
    del account["id"]
    account |= {"last": None, "store": {"kind": "session", "where": "Office/password"}}
    (folder / "accounts.json").write_text(json.dumps(document | {"schema": FILE_SCHEMAS[1], "version": 1}))
    assert run("accounts", "show", "Office", "--json").document["store"] == account["store"]


def test_what_a_search_for_the_secret_finds_is_found() -> None:
    """The search itself is proved: base64 at every alignment is seen."""
    for ahead in range(5):
        for after in range(5):
            text = base64.b64encode(b"x" * ahead + PASSWORD.encode() + b"y" * after).decode()
            with pytest.raises(AssertionError):
                assert_no_trace(PASSWORD, text)


# -- doctor ------------------------------------------------------------------------------------------------------------


def test_doctor_shows_each_store_and_what_is_missing_behind_a_reference(folder: Path, secret_file: Path) -> None:
    assert vaulted(name="A").code == 0
    assert run(*PRACTICE, "--save", "B", "--secret-file", str(secret_file)).code == 0
    assert run(*PRACTICE, "--save", "C", "--secret-command", reading(secret_file)).code == 0
    checks = run("doctor", "--json").document["checks"]
    codes = [each["code"] for each in checks if each["area"] == "stores"]
    assert codes == [f"store-{kind.value}" for kind in StoreKind]
    vault_words = next(each["sentence"] for each in checks if each["code"] == "store-vault")
    assert vault_words.endswith("There is one, and it is whole.")
    secret_file.chmod(0o640)
    (folder / "vault.json").unlink()
    text = (folder / "accounts.json").read_text().replace(sys.executable, "/no/such/program")
    (folder / "accounts.json").write_text(text)
    ran = run("doctor", "--json")
    troubles = {each["code"]: each["sentence"] for each in ran.document["checks"] if each["state"] == "fail"}
    assert ran.code == 1
    assert "'A' cannot be read: there is no vault any more" in troubles["store-vault-used"]
    assert "'B' cannot be read: Others on this computer" in troubles["store-file-used"]
    assert "is not installed here" in troubles["store-command-used"]
    assert_no_trace(PASSWORD, ran.out, ran.err)
