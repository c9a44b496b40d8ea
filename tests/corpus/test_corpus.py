"""What the program prints, keeps and ends with, to the letter, whatever its insides look like.

The recordings are texts in tests/corpus/expected. After a change that is meant, make them again with
`UPDATE_CORPUS=1 .venv/bin/pytest tests/corpus`, read the difference, and commit it alone.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from smtp_wizard import __version__
from tests.corpus.sessions import PASSWORD, Session, sessions
from tests.support.cli import run

HERE = Path(__file__).parent
EXPECTED = HERE / "expected"
UPDATE = os.environ.get("UPDATE_CORPUS") == "1"
SESSIONS = {session.name: session for session in sessions()}

ENVIRON = {
    "OFFICE_PASSWORD": PASSWORD,
    "BAD_PASSWORD": PASSWORD,
    "SAFE_PASSPHRASE": "a vault for the tests",
    "WRONG_PASSPHRASE": "another vault",
}

VARIES = (
    (re.compile(re.escape(__version__)), "VERSION"),
    (
        re.compile(r"(?<=127\.0\.0\.1:)\d+|(?<=[Pp]ort )\d{4,5}\b|(?<=\"port\": )\d{4,5}\b|(?<=port=\")\d{4,5}\b"),
        "PORT",
    ),
    (re.compile(r"\b\d+(\.\d+)? m?s\b"), "TIME"),
    (re.compile(r"(?<=\"ms\": )\d+(\.\d+)?|(?<=seconds\{)[^}]*\} [\d.e-]+|(?<=time=\")[\d.]+"), "TIME"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(Z|[+-]\d\d:?\d\d)?"), "MOMENT"),
    (re.compile(r"\b\d\d:\d\d\b"), "CLOCK"),
    (re.compile(r"(?<=certificate days'=)\d+|(?<=certificate_days\{)[^}]*\} \d+"), "N"),
    (re.compile(r"(?<=valid )\d+(?= more days)|(?<= )\d+(?= days? left)"), "N"),
    (re.compile(r"\b[0-9a-z]{8,}(?=@sandbox\.invalid|@smtp-wizard)|(?<=mailbox as )\s*\S+"), "KEY"),
    (re.compile(r"(?<==)\d+\.\d{3}s|(?m:^ +\d+\.\d{3}(?= ))"), "TIME"),
    (re.compile(r"\d{10}\.M\d+P\d+Q\d+\.\S+?(?=[\s\",]|$)"), "KEY"),
    (re.compile(r"(?<=\"test_code\": \")\w+|(?<=smtp-wizard test )[0-9a-z]{8}\b"), "CODE"),
    (re.compile(r"(?m:^(Key|KEY) +)"), r"\1  "),
    (re.compile(r"(?<=\"id\": \")[0-9a-f]{16,}|(?<=/password/)[0-9a-f]{8,}"), "ID"),
)
"""What is another at each run: versions, ports, times, keys."""


def steady(text: str, folder: Path) -> str:
    """Return what was printed without what varies from run to run."""
    text = text.replace(str(folder), "CONFIG").replace(str(folder.parent), "HOME")
    for pattern, word in VARIES:
        text = pattern.sub(word, text)
    return "\n".join(line.rstrip() for line in text.splitlines())


def recorded(session: Session, folder: Path) -> str:
    """Play a session; return what it printed and left behind, as it is written down."""
    folder.mkdir(mode=0o700, parents=True)
    for name, source in session.files.items():
        shutil.copyfile(HERE / "files" / source, folder / name)
        (folder / name).chmod(0o600)
    parts = []
    for call in session.calls:
        os.environ.update(ENVIRON)  # each call is a process of its own, and takes out what it reads
        ran = run(*call.arguments, stdin=call.stdin)
        shown = f"$ smtp-wizard {' '.join(call.arguments)}".rstrip()
        parts.append(f"{shown}\n[exit {ran.code}]\n--- stdout\n{ran.out}\n--- stderr\n{ran.err}")
    for name in session.keeps:
        parts.append(f"--- {name}\n{(folder / name).read_text('utf-8')}")
    return steady("\n\n".join(parts), folder) + "\n"


@pytest.mark.parametrize("name", SESSIONS)
def test_the_program_does_what_it_did(name: str, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ENVIRON:
        monkeypatch.setenv(variable, "")  # so that it is put back afterwards
    found = recorded(SESSIONS[name], own_home / "config")
    file = EXPECTED / f"{name}.txt"
    if UPDATE:
        file.write_text(found, "utf-8")
    assert found == file.read_text("utf-8")


def test_no_recording_is_left_over_and_none_tells_a_password() -> None:
    files = {file.stem: file.read_text("utf-8") for file in EXPECTED.glob("*.txt")}
    assert files.keys() == SESSIONS.keys() | {"plain"}
    assert [name for name, text in files.items() if PASSWORD in text or "a vault for the tests" in text] == []
