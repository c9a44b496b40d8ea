"""Long texts on a terminal: through the pager, which learns no password."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import on_terminal, run


@pytest.fixture
def pager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pager that says what it was given; returns where it notes its environment."""
    notes, program = tmp_path / "environment", tmp_path / "my pager"
    program.write_text(f'#!/bin/sh\nenv > "{notes}"\nwc -l | sed "s/^ */PAGED /"\n', "utf-8")
    program.chmod(0o700)
    monkeypatch.setenv("PAGER", f"'{program}'")
    monkeypatch.setenv("MAIL_PASSWORD", "correct horse")
    monkeypatch.setenv("LINES", "24")
    return notes


LONG = ["manual"]


def test_a_text_that_is_longer_than_the_terminal_goes_through_the_pager(pager: Path) -> None:
    ran = on_terminal(LONG, rows=24)
    assert ran.code == 0
    assert "PAGED " in ran.out
    assert int(ran.out.partition("PAGED ")[2].split()[0]) > 500
    assert "correct horse" not in pager.read_text("utf-8")


def test_a_short_text_and_one_for_a_program_do_not(pager: Path) -> None:
    assert "PAGED" not in on_terminal(["completion", "fish"], rows=200).out
    assert "PAGED" not in run(*LONG).out
    assert not pager.exists()


@pytest.mark.parametrize("name", ["cat", "no-such-program-anywhere", "'unclosed"])
def test_without_a_pager_it_is_printed(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("PAGER", name)
    ran = on_terminal(LONG, rows=24)
    assert (ran.code, ran.out.startswith(".TH SMTP")) == (0, True)


@pytest.mark.parametrize(
    "words", ["guide", "providers show gmail", "limits plan --provider godaddy --recipients 50000"]
)
def test_long_lists_and_plans_go_through_it_too(pager: Path, words: str) -> None:
    assert "PAGED " in on_terminal(words.split(), rows=12).out
