"""The guards of tests/conftest.py hold: each is tried in a run of pytest of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parent / "conftest.py"
INI = "[pytest]\nmarkers =\n    real: needs a real server\nasyncio_mode = auto\n"


def pytest_run(folder: Path, test: str, *wrapped: str, **environ: str) -> tuple[int, str]:
    """Run one test file under our conftest; return pytest's exit code and what it printed.

    `wrapped`: what starts it.
    """
    shutil.copy(CONFTEST, folder / "conftest.py")
    (folder / "pytest.ini").write_text(INI, "utf-8")
    (folder / "test_it.py").write_text(test, "utf-8")
    done = subprocess.run(
        [*wrapped, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout


LEAVING = (
    "socket.create_connection(('192.0.2.1', 25), timeout=1)",
    "socket.create_connection(('2001:db8::1', 25), timeout=1)",
    "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'?', ('192.0.2.53', 53))",
    "socket.getaddrinfo('mail.elsewhere.org', 25)",
    "asyncio.run(asyncio.open_connection('192.0.2.1', 25))",
)


def test_a_test_that_leaves_this_computer_fails_even_if_it_hides_the_error(tmp_path: Path) -> None:
    tests = (
        f"def test_{number}():\n    with contextlib.suppress(Exception):\n        {act}\n"
        for number, act in enumerate(LEAVING)
    )
    code, said = pytest_run(tmp_path, "import asyncio, contextlib, socket\n" + "".join(tests))
    assert code == 1
    told = [line for line in said.splitlines() if line.startswith("ERROR")]
    assert [f"test_it.py::test_{number} " in line for number, line in enumerate(told)] == [True] * len(LEAVING)
    assert all("spoke to the world" in line for line in told)


def test_this_computer_can_be_spoken_to(tmp_path: Path) -> None:
    code, said = pytest_run(
        tmp_path,
        "import socket\n"
        "def test_it():\n"
        "    with socket.create_server(('127.0.0.1', 0)) as server:\n"
        "        socket.create_connection(('localhost', server.getsockname()[1]), timeout=5).close()\n",
    )
    assert (code, "1 passed" in said) == (0, True)


def test_nothing_of_the_person_is_seen(tmp_path: Path) -> None:
    code, said = pytest_run(
        tmp_path,
        "import os\n"
        "from pathlib import Path\n"
        "def test_it():\n"
        "    assert not {'NO_COLOR', 'SSH_CONNECTION', 'CI', 'DBUS_SESSION_BUS_ADDRESS'} & os.environ.keys()\n"
        f"    assert os.environ['HOME'] != {str(tmp_path)!r}\n"
        "    assert Path(os.environ['SMTP_WIZARD_CONFIG']).is_relative_to(os.environ['HOME'])\n",
        NO_COLOR="1",
        SSH_CONNECTION="192.0.2.1 1 192.0.2.2 22",
        CI="true",
        DBUS_SESSION_BUS_ADDRESS="unix:path=/nowhere",
    )
    assert code == 0, said


@pytest.mark.parametrize("name", ["INT", "HUP"])
def test_a_signal_reaches_what_a_test_starts_even_behind_an_ampersand_or_nohup(name: str, tmp_path: Path) -> None:
    """A shell has what it starts with '&' ignore interrupts, and every process that this starts in turn; so nohup."""
    code, said = pytest_run(
        tmp_path,
        "import subprocess, sys\n"
        "def test_it():\n"
        f"    code = 'import signal, sys; sys.exit(signal.getsignal(signal.SIG{name}) is signal.SIG_IGN)'\n"
        "    assert subprocess.run([sys.executable, '-c', code]).returncode == 0\n",
        *("/bin/sh", "-c", f'trap "" {name}; exec "$@"', "sh"),
    )
    assert code == 0, said


@pytest.mark.parametrize("environ", [{}, {"CI": "true"}], ids=str)
def test_no_made_up_example_is_too_slow(environ: dict[str, str], tmp_path: Path) -> None:
    code, said = pytest_run(
        tmp_path,
        "from hypothesis import given, settings, strategies as st\n"
        "@given(st.none())\n"
        "def test_it(nothing): assert settings().deadline is None\n"
        "@settings(max_examples=3)\n"
        "@given(st.none())\n"
        "def test_other(nothing): assert settings().deadline is None\n"
        "def test_its_own(): assert settings(max_examples=3).deadline is None\n",
        **environ,
    )
    assert code == 0, said


REAL_TEST = "import pytest\n@pytest.mark.real\ndef test_server(): pass\ndef test_plain(): pass\n"


def test_what_was_left_out_is_named_at_the_end_with_how_to_run_it(tmp_path: Path) -> None:
    code, said = pytest_run(tmp_path, REAL_TEST)
    assert code == 0
    assert "test_it.py: 1 test\n" in said
    assert "REAL=1 make test" in said
    assert said.splitlines()[-1].startswith("1 passed, 1 deselected")


@pytest.mark.parametrize("environ", [{"CI": "true"}, {"REAL": "1"}], ids=str)
def test_everything_runs_where_somebody_said_so(environ: dict[str, str], tmp_path: Path) -> None:
    code, said = pytest_run(tmp_path, REAL_TEST, **environ)
    assert code == 0
    assert said.splitlines()[-1].startswith("2 passed")


def test_with_ci_a_test_that_is_skipped_is_a_failure(tmp_path: Path) -> None:
    skipping = "import pytest\ndef test_it(): pytest.skip('no server here')\n"
    assert pytest_run(tmp_path, skipping)[0] == 0
    assert pytest_run(tmp_path, skipping, CI="true")[0] == 1
