"""`doctor`: what this installation can and cannot do, each part in a sentence; it changes nothing and asks nobody."""

from __future__ import annotations

import json
import re
import ssl
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Any

import dns.resolver
import pytest

from smtp_wizard import __version__
from smtp_wizard.commands.doctor import AREAS
from smtp_wizard.engine.accounts.saved_accounts import FILE_NAME, SavedAccounts
from smtp_wizard.engine.base.connection import Family
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Depth, Verdict
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.services import computer
from smtp_wizard.engine.services.part_health import Health, PartHealth
from smtp_wizard.engine.smtp import tls
from smtp_wizard.engine.smtp.symptom import Fault
from smtp_wizard.engine.smtp.transport import Peer, SocketWire
from smtp_wizard.engine.smtp.wire_error import WireError
from smtp_wizard.engine.state.results import LastResult, Result
from smtp_wizard.engine.state.timestamps import FILE_NAME as RESULTS
from tests.commands.test_send import RELAY
from tests.support.cli import Ran, on_terminal, run
from tests.support.stores import desktop

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
CATALOG = load_catalog()


def found(ran: Ran, code: str) -> tuple[str, str]:
    """Health and sentence of one part."""
    (check,) = [each for each in ran.document["checks"] if each["code"] == code]
    return check["state"], check["sentence"]


@pytest.fixture
def saved_accounts(own_home: Path) -> SavedAccounts:
    return SavedAccounts(own_home / "config")


@pytest.fixture(autouse=True)
def name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver as a computer has one; whether this one does must not matter."""

    class Resolver:
        nameservers = ("192.0.2.53", "2001:db8::53")

    monkeypatch.setattr("dns.resolver.Resolver", Resolver)


def test_every_part_is_told_and_nothing_is_written(own_home: Path) -> None:
    ran = run("doctor", "--json")
    assert ran.code == 0
    assert [*dict.fromkeys(each["area"] for each in ran.document["checks"])] == list(AREAS)
    assert {each["state"] for each in ran.document["checks"]} <= {"ok", "warn"}
    assert ran.document["versions"]["smtp-wizard"] == __version__
    assert not (own_home / "config").exists()


def test_a_person_reads_a_line_a_part(own_home: Path) -> None:
    """A folder's name is never broken: it is there to be copied, and stands alone where it is long."""
    folder = own_home / ("a-long-name-" * 6) / "config"
    ran = run("--config", str(folder), "doctor", "-v")
    assert (ran.code, ran.err) == (0, "")
    assert all(line[:4].strip() in ("ok", "warn", "") for line in ran.out.splitlines())
    assert [line.strip() for line in ran.out.splitlines() if len(line) > 80] == [str(folder)]
    for label in AREAS.values():
        assert f"  {label}" in ran.out


def test_without_more_words_each_check_is_one_line_and_where_the_reasons_are_is_said(own_home: Path) -> None:
    ran, checks = run("doctor"), run("doctor", "--json").document["checks"]
    lines = ran.out.splitlines()
    assert [line[:4].strip().lower() for line in lines] == [each["state"] for each in checks]
    assert all(each["sentence"].startswith(line[22:].rstrip(".")) for line, each in zip(lines, checks, strict=True))
    assert ran.err == "'smtp-wizard doctor -v' says why, and what can be done.\n"


def test_on_a_terminal_its_size_letters_and_colours_are_told() -> None:
    ran = on_terminal(["doctor"])
    assert "too small for the screens" in ran.out  # a terminal that nobody has given a size
    assert "It shows UTF-8." in ran.out
    assert "\x1b[32mok\x1b[0m" in ran.out
    bare = on_terminal(["doctor"], term="dumb")
    assert "lines of text" in bare.out
    assert "\x1b" not in bare.out


@pytest.mark.parametrize(
    ("size", "environ", "expected"),
    [
        ((80, 24), {}, {"terminal": "ok", "letters": "ok", "colours": "ok"}),
        ((60, 20), {"NO_COLOR": "1"}, {"terminal": "ok", "letters": "ok", "colours": "ok"}),
        ((59, 24), {}, {"terminal": "warn", "letters": "ok", "colours": "ok"}),
        ((80, 19), {"TERM": "linux"}, {"terminal": "warn", "letters": "ok", "colours": "ok"}),
    ],
)
def test_a_terminal_that_is_too_small_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], environ: dict[str, str], expected: dict[str, str]
) -> None:
    from smtp_wizard.commands import doctor as command

    monkeypatch.setattr(command, "can_ask", lambda: True)
    monkeypatch.setattr(command, "can_draw", lambda: True)
    monkeypatch.setattr("os.get_terminal_size", lambda _: size)
    assert {each.code: each.state.value for each in command.terminal(environ)} == expected


# --- stores ---


def test_a_keyring_that_works_is_ok_and_one_that_is_absent_only_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = run("doctor", "--json")
    assert (absent.code, found(absent, "store-keyring")[0]) == (0, "warn")
    assert found(absent, "store-env")[0] == found(absent, "store-session")[0] == "ok"
    monkeypatch.setattr("keyring.get_keyring", desktop)
    assert found(run("doctor", "--json"), "store-keyring")[0] == "ok"


# --- the config folder ---


def test_what_is_saved_is_counted(saved_accounts: SavedAccounts) -> None:
    saved_accounts.put(RELAY)
    ran = run("doctor", "--json")
    assert found(ran, "accounts") == ("ok", "One account is saved.")
    assert found(ran, "folder")[0] == "ok"


def test_what_others_can_read_is_warned_of(saved_accounts: SavedAccounts) -> None:
    saved_accounts.put(RELAY)
    saved_accounts._folder.chmod(0o755)
    (saved_accounts._folder / FILE_NAME).chmod(0o644)
    ran = run("doctor", "--json")
    assert ran.code == 0
    assert [found(ran, code)[0] for code in ("folder", "accounts")] == ["warn", "warn"]
    assert "chmod 600" in found(ran, "accounts")[1]


def test_a_damaged_file_of_accounts_fails(saved_accounts: SavedAccounts) -> None:
    saved_accounts.put(RELAY)
    (saved_accounts._folder / FILE_NAME).write_text("{", "utf-8")
    ran = run("doctor", "--json")
    assert (ran.code, found(ran, "accounts")[0]) == (1, "fail")
    assert "is damaged" in found(ran, "accounts")[1]


def test_an_authority_that_is_gone_fails(saved_accounts: SavedAccounts) -> None:
    saved_accounts.put(replace(RELAY, connection=replace(RELAY.connection, ca_file="/nowhere/firm.pem")))
    ran = run("doctor", "--json")
    assert (ran.code, found(ran, "ca-file")) == (
        1,
        ("fail", "'Office' trusts /nowhere/firm.pem, and that file is not there any more."),
    )


def test_what_tests_have_shown_is_looked_at(saved_accounts: SavedAccounts) -> None:
    saved_accounts.put(RELAY)
    assert "results" not in [each["code"] for each in run("doctor", "--json").document["checks"]]
    last = LastResult(datetime(2026, 11, 30, tzinfo=UTC), Depth.LOGIN, Verdict.PASS)
    saved_accounts.state.results.record(saved_accounts.get("Office").id, Result(last))
    assert saved_accounts.state.flush() == ()
    state, sentence = found(run("doctor", "--json"), "results")
    assert (state, sentence.startswith("What tests have shown is kept in ")) == ("ok", True)
    (saved_accounts._folder / RESULTS).write_text("no database", "utf-8")
    ran = run("doctor", "--json")
    assert (ran.code, ran.err, found(ran, "results")[0]) == (0, "", "warn")
    assert "it is damaged" in found(ran, "results")[1]
    assert (saved_accounts._folder / RESULTS).read_text("utf-8") == "no database", "a look changes nothing"


def test_a_setup_that_was_left_is_mentioned_and_stays(saved_accounts: SavedAccounts) -> None:
    saved_accounts._folder.mkdir()
    draft = saved_accounts._folder / "draft.json"
    draft.write_text("not to be touched", "utf-8")
    assert found(run("doctor", "--json"), "draft")[0] == "ok"
    assert draft.read_text("utf-8") == "not to be touched"


def test_a_file_in_the_folders_place_fails(own_home: Path) -> None:
    (own_home / "config").write_text("a file", "utf-8")
    assert found(run("doctor", "--json"), "folder")[0] == "fail"


def test_a_folder_that_cannot_be_made_or_written(
    own_home: Path, saved_accounts: SavedAccounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may write everywhere, so the system's answer is played."""
    monkeypatch.setattr("os.access", lambda *_: False)
    assert found(run("doctor", "--json"), "folder")[0] == "fail"
    saved_accounts._folder.mkdir(mode=0o700)
    state, sentence = found(run("doctor", "--json"), "folder")
    assert (state, "nothing can be saved" in sentence) == ("warn", True)


# --- names ---


def test_where_names_are_looked_up_is_told_and_nobody_asked() -> None:
    assert found(run("doctor", "--json"), "resolver") == ("ok", "Names are looked up at 192.0.2.53, 2001:db8::53.")


def test_a_computer_without_a_name_server_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    def unset() -> None:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr("dns.resolver.Resolver", unset)
    assert found(run("doctor", "--json"), "resolver")[0] == "warn"


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        ([Peer("192.0.2.7", 465, Family.IPV4)], 0, "was looked up and found (192.0.2.7)"),
        (WireError(Fault.NO_NETWORK, shown("Network is unreachable")), 1, "failed (Network is unreachable)"),
        (WireError(Fault.NO_SUCH_HOST), 1, "failed (no-such-host)"),
        (TimeoutError(), 1, "had no answer within"),
    ],
)
def test_the_network_is_asked_only_on_request(
    monkeypatch: pytest.MonkeyPatch, answer: Any, code: int, words: str
) -> None:
    asked: list[str] = []

    async def resolve(_: SocketWire, host: str, port: int, family: Family | None) -> Any:
        asked.append(host)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(SocketWire, "resolve", resolve)
    assert (run("doctor").code, asked) == (0, [])
    ran = run("doctor", "--network", "--json")
    assert ran.code == code
    assert words in found(ran, "lookup")[1]
    assert len(asked) == 1


# --- encryption ---


@pytest.fixture
def fresh_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the system's store again, as a new process does."""
    monkeypatch.setattr(computer, "verifying_context", tls.verifying_context.__wrapped__)


@pytest.mark.system_trust
@pytest.mark.usefixtures("fresh_trust")
def test_whose_certificates_are_believed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from tests.support.certs import Authority

    own = Authority(tmp_path / "ca").file
    monkeypatch.setenv("SSL_CERT_FILE", str(own))
    assert found(run("doctor", "--json"), "trust") == ("ok", f"1 authorities are believed from {own} (SSL_CERT_FILE).")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "gone.pem"))
    ran = run("doctor", "--json")
    assert (ran.code, found(ran, "trust")[0]) == (1, "fail")
    assert "which is not there" in found(ran, "trust")[1]


@pytest.mark.system_trust
@pytest.mark.usefixtures("fresh_trust")
def test_a_store_without_any_authority_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(empty))
    monkeypatch.setattr(computer, "verifying_context", lambda _: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    state, sentence = next((each.state, each.sentence) for each in computer.tls({}) if each.code == "trust")
    assert (state, "ca-certificates" in sentence) == (Health.FAIL, True)


# --- the clock and the data ---

NEWEST = datetime.fromisoformat(f"{max(each.checked for each in CATALOG.providers)}T12:00:00+00:00")


@pytest.mark.parametrize(
    ("examine", "after", "state"),
    [
        (computer.clock, timedelta(0), Health.OK),
        (computer.clock, timedelta(days=-1), Health.OK),
        (computer.clock, timedelta(days=-2), Health.FAIL),
        (computer.clock, timedelta(days=3000), Health.OK),
        (computer.clock, timedelta(days=4000), Health.WARN),
        (computer.data_age, timedelta(days=365), Health.OK),
        (computer.data_age, timedelta(days=367), Health.WARN),
    ],
)
def test_clock_and_data_are_held_against_each_other(
    examine: Callable[..., PartHealth], after: timedelta, state: Health
) -> None:
    assert examine(NEWEST + after, CATALOG).state is state


def test_a_slow_clock_says_what_it_does_to_certificates() -> None:
    words = computer.clock(datetime(2020, 1, 1, tzinfo=UTC), CATALOG).sentence
    assert "clock says 2020-01-01" in words
    assert "not valid yet" in words


def test_damaged_data_fails_and_hides_nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from smtp_wizard.engine.base.data_files import DataError

    def damaged(*_: object, **__: object) -> None:
        raise DataError(shown("providers.yaml, line 3: 'id' is missing."))

    monkeypatch.setattr("smtp_wizard.engine.providers.catalog.load_catalog", damaged)
    ran = run("doctor", "--json")
    assert (ran.code, found(ran, "data-age")[0]) == (1, "fail")
    assert "line 3" in found(ran, "data-age")[1]
    assert found(ran, "store-session")[0] == "ok"


# --- versions ---


def test_every_package_that_is_needed_is_named_with_its_version() -> None:
    versions = computer.versions()
    assert versions["textual"] == metadata.version("textual")
    assert all(versions.values())
    assert "truststore" not in versions or versions["truststore"]


def test_a_package_that_is_missing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        if name in ("segno", "truststore"):
            raise metadata.PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(metadata, "version", version)
    ran = run("doctor", "--json")
    assert (ran.code, found(ran, "packages")) == (1, ("fail", "Missing: segno. Install smtp-wizard again."))


def test_run_from_its_source_no_package_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def requires(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", requires)
    assert set(computer.versions()) == {"smtp-wizard", "python"}
    assert run("doctor").code == 0


def test_the_document_is_one_even_where_something_fails(saved_accounts: SavedAccounts) -> None:
    saved_accounts.put(RELAY)
    (saved_accounts._folder / FILE_NAME).write_text("[]", "utf-8")
    ran = run("doctor", "--json")
    assert json.loads(ran.out)["schema"] == "smtp-wizard/doctor/1"


@pytest.mark.parametrize(
    "words",
    [["doctor"], ["send", "nobody", "--to", "bob@example.org"], ["accounts", "edit", "nobody", "--port", "465"]],
)
def test_nothing_of_the_screens_is_loaded(words: list[str]) -> None:
    program = "import sys\nfrom smtp_wizard.cli import main\nmain(sys.argv[1:])\nprint(sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = done.stdout.splitlines()[-1]
    assert "'smtp_wizard.commands" in loaded
    assert "'textual'" not in loaded
    assert "'rich'" not in loaded


def test_a_line_that_is_too_long_ends_behind_a_word(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {line[:22]: line for line in run("doctor").out.splitlines()}
    for encoding, mark in (("utf-8", "\u2026"), ("ascii", "...")):
        monkeypatch.setenv("PYTHONIOENCODING", encoding)
        shown = re.sub(r"\x1b\[[0-9;]*m", "", on_terminal(["doctor"], rows=40).out).splitlines()
        cut = [line for line in shown if line.endswith(mark)]
        assert cut
        assert max(map(len, shown)) <= 80
        for line in cut:
            kept = line.removesuffix(mark)
            assert whole[line[:22]][len(kept)] in " ,:"
