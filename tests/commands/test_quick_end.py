"""The end of the process: what is to be done at it is done, what is to be said is said, and no more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest

from smtp_wizard.__main__ import main
from smtp_wizard.commands import process
from tests.support.patience import PATIENCE

PROGRAM = """
import atexit, sys, threading, time
from pathlib import Path
from smtp_wizard.commands.process import QuickEnd

told = Path(sys.argv[1])

class Kept:
    def __del__(self):
        told.write_text("taken apart")

kept = Kept()
kept.me = kept  # what only taking the modules apart, or the search for garbage after it, would end
end = QuickEnd()
{body}
"""


def ended(tmp_path: Path, body: str, *, stdout: int = subprocess.PIPE) -> tuple[int, str, str, str]:
    """Run the program with this body; return its exit code, both streams, and what became of the kept object."""
    told = tmp_path / "told"
    command = [sys.executable, "-c", PROGRAM.format(body=body), str(told)]
    done = subprocess.run(
        command,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, done.stdout, done.stderr, told.read_text() if told.exists() else ""


@pytest.mark.parametrize("code", [0, 4, 141])
def test_it_ends_with_the_code_and_takes_nothing_apart(code: int, tmp_path: Path) -> None:
    assert ended(tmp_path, f"print('said')\nsys.exit(end.with_code({code}))") == (code, "said\n", "", "")


def test_what_was_to_be_done_at_the_end_is_done_and_threads_are_waited_for(tmp_path: Path) -> None:
    body = """
atexit.register(lambda: print("at exit"))
begun = threading.Event()
def work():
    begun.wait()
    print("thread")
threading.Thread(target=work).start()
sys.exit(end.with_code(0) or begun.set())
"""
    assert ended(tmp_path, body) == (0, "thread\nat exit\n", "", "")


def test_without_a_code_python_ends_it_in_its_own_way(tmp_path: Path) -> None:
    code, _, err, told = ended(tmp_path, "raise ValueError('nobody caught this')")
    assert (code, told) == (1, "taken apart")
    assert "nobody caught this" in err


def test_output_that_cannot_be_written_is_told_as_python_tells_it(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        code, _, err, _ = ended(tmp_path, "print('lost')\nsys.exit(end.with_code(0))", stdout=full.fileno())
    assert code == 120
    assert "No space left" in err


def test_the_program_ends_so(tmp_path: Path) -> None:
    body = "from smtp_wizard.__main__ import main\nsys.argv = ['smtp-wizard', 'guide']\nsys.exit(main())"
    code, out, err, told = ended(tmp_path, body)
    assert (code, err, told) == (0, "", "")
    assert "basic" in out


def test_ctrl_c_while_the_program_is_loaded_is_one_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything could be done there is nothing to say about it, and no traceback either."""
    monkeypatch.setattr(process, "forbid_core_dumps", Mock(side_effect=KeyboardInterrupt))
    assert main() == 130
    assert capsys.readouterr().err == "smtp-wizard: Interrupted.\n"
