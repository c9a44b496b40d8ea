"""`test --on` over a real ssh: to this computer, and into a network from which the server is out of reach."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.realservers.servers import wait_until
from tests.realservers.test_ssh import Login
from tests.realservers.test_ssh import login as login
from tests.support.cli import Ran, run
from tests.support.many import PASSWORD, many_servers, save_fleet

pytestmark = pytest.mark.real


@dataclass(frozen=True)
class Apart:
    """A network of its own, with an sshd in it that is reached through a program in place of a connection."""

    options: tuple[str, ...]
    log: Path


def options_of(key: Path, **more: str) -> tuple[str, ...]:
    known = {
        "StrictHostKeyChecking": "no",
        "UserKnownHostsFile": "/dev/null",
        "IdentitiesOnly": "yes",
        "LogLevel": "ERROR",
    }
    return tuple(f"{name}={value}" for name, value in {**known, "IdentityFile": str(key), **more}.items())


@pytest.fixture
def apart(login: Login, tmp_path: Path) -> Iterator[Apart]:
    name = f"sw{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        server = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
        log = tmp_path / "sshd.log"
        inside = [str(server), "-i", "-f", str(tmp_path / "sshd_config"), "-o", "LogLevel=DEBUG3", "-E", str(log)]
        proxy = shlex.join(["ip", "netns", "exec", name, *inside])
        yield Apart(options_of(login.key, ProxyCommand=proxy), log)
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=True)


async def run_on(home: Path, folder: Path, options: tuple[str, ...], *words: str) -> Ran:
    async with many_servers(folder / "ca") as many:
        save_fleet(home / "config", many.places, str(many.ca_file), 1)
        given = [word for option in options for word in ("-o", option)]
        return await asyncio.to_thread(run, "test", "--on", "root@127.0.0.1", *given, *words)


async def test_on_this_computer_both_columns_agree(login: Login, own_home: Path, tmp_path: Path) -> None:
    ran = await run_on(own_home, tmp_path, options_of(login.key, Port=str(login.port)))
    assert ran.code == 0, ran.out + ran.err
    assert ran.out.splitlines()[-1] == "It works here and on root@127.0.0.1."


async def test_where_the_network_there_blocks_the_port_that_is_said(
    apart: Apart, own_home: Path, tmp_path: Path
) -> None:
    ran = await run_on(own_home, tmp_path, apart.options)
    words = " ".join(ran.out.split())
    assert ran.code == 1
    assert "It works here; from root@127.0.0.1 port" in words
    assert "cannot be reached: ask whoever runs that computer" in words
    results = (await run_on_again(own_home, tmp_path, apart)).document["results"]
    assert [(each["from"], each["verdict"], each["differs"]) for each in results] == [
        ("here", "pass", ["connect"]),
        ("root@127.0.0.1", "fail", ["connect"]),
    ]


async def run_on_again(home: Path, folder: Path, apart: Apart) -> Ran:
    shutil.rmtree(home / "config")
    return await run_on(home, folder / "again", apart.options, "--json")


async def test_the_secret_is_in_no_log_and_no_file_there(apart: Apart, own_home: Path, tmp_path: Path) -> None:
    before = set(Path("/tmp").glob("tmp*"))
    await run_on(own_home, tmp_path, apart.options)
    log = apart.log.read_text("utf-8", "replace")
    assert "Starting session: command" in log
    assert PASSWORD not in log
    left = set(Path("/tmp").glob("tmp*")) - before
    # Those of tests that run beside this one are removed when they end; what was left behind would stay.
    wait_until(lambda: not any((each / "check.zip").exists() for each in left), "the other side to be tidy")
