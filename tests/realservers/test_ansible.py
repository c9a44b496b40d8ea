"""The playbook in examples/, run by ansible against a real sshd on this computer."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from tests.realservers.test_ssh import Login
from tests.realservers.test_ssh import login as login
from tests.support.fakessh import BASE
from tests.support.many import PASSWORD, many_servers, save_fleet

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[2]
PLAYBOOK = ROOT / "examples" / "ansible" / "playbook.yml"


def wheel(folder: Path) -> Path:
    """Build the wheel from a copy, so that nothing changes here."""
    made = shutil.ignore_patterns(".venv", ".git", ".make", ".*_cache", ".hypothesis", "__pycache__", "build", "dist")
    shutil.copytree(ROOT, folder / "copy", symlinks=True, ignore=made)
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder / "built")]
    subprocess.run(command, cwd=folder / "copy", check=True, capture_output=True, timeout=90)
    (built,) = (folder / "built").iterdir()
    return built


def play(login: Login, folder: Path, given: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    known = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o IdentitiesOnly=yes"
    return played(
        f"web1 ansible_host=127.0.0.1 ansible_port={login.port} ansible_user=root "
        f"ansible_ssh_private_key_file={login.key} ansible_ssh_common_args='{known}' "
        "ansible_python_interpreter=/usr/bin/python3\n",
        folder,
        given,
    )


def played(host: str, folder: Path, given: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """Run the playbook on one host, as a line of an inventory has it."""
    hosts = folder / "hosts.ini"
    hosts.write_text(host, "utf-8")
    command = ["ansible-playbook", "-i", str(hosts), str(PLAYBOOK), "-e", json.dumps(given)]
    environ = {**os.environ, "ANSIBLE_LOCAL_TEMP": str(folder / "local"), "ANSIBLE_NOCOLOR": "1"}
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=250, check=False)


async def test_it_installs_tests_and_gathers_and_the_second_run_is_silent(
    login: Login, own_home: Path, tmp_path: Path
) -> None:
    results = tmp_path / "results"
    results.mkdir()
    borrowed = f"{sysconfig.get_path('purelib')}:{sysconfig.get_path('platlib')}"
    given = {
        "python": str(BASE),
        "package": str(wheel(tmp_path)),
        "pip_options": "--no-index --no-deps",
        "environment_folder": str(tmp_path / "program"),
        "config_folder": str(tmp_path / "there"),
        "accounts": str(own_home / "config" / "accounts.json"),
        "results": str(results),
        "variables": {"PYTHONPATH": borrowed},
    }
    async with many_servers(tmp_path / "ca") as many:
        save_fleet(own_home / "config", many.places, str(many.ca_file), 2)
        first = await asyncio.to_thread(play, login, tmp_path, given)
        assert first.returncode == 0, first.stdout + first.stderr
        assert json.loads((results / "web1.json").read_text("utf-8"))["results"] == []
        assert many.totals.signed_in == 2
        (own_home / "config" / "secret").write_text("another password", "utf-8")
        second = await asyncio.to_thread(play, login, tmp_path, given)
        assert second.returncode == 0, second.stdout + second.stderr
    told = json.loads((results / "web1.json").read_text("utf-8"))["results"]
    assert [(each["account"], each["change"]) for each in told] == [("Account 00000", "new"), ("Account 00001", "new")]
    assert "new: Account 00000: " in second.stdout
    brought = (tmp_path / "there" / "accounts.json").read_text("utf-8")
    assert PASSWORD not in brought + first.stdout + second.stdout


ERROR = '{"schema": "smtp-wizard/error/1", "error": {"code": "accounts", "message": "Too new.", "hint": ""}}'
NOTHING = '{"schema": "smtp-wizard/test/1", "results": [], "notices": [], "endings": [], "unread": []}'


@pytest.mark.parametrize("stdout", [ERROR, NOTHING], ids=["no accounts", "not one of them"])
def test_a_host_that_could_not_be_tested_is_not_called_well(tmp_path: Path, stdout: str) -> None:
    """Its accounts cannot be read, say: there is no result, and yet nothing is well."""
    program = tmp_path / "program" / "bin"
    program.mkdir(parents=True)
    (program / "python").touch()
    told = f"#!/bin/sh\necho '{stdout}'\necho 'This is why.' >&2\nexit 3\n"
    (program / "smtp-wizard").write_text(told, "utf-8")
    (program / "smtp-wizard").chmod(0o700)
    (tmp_path / "accounts.json").write_text("{}", "utf-8")
    given = {
        "environment_folder": str(tmp_path / "program"),
        "config_folder": str(tmp_path / "there"),
        "accounts": str(tmp_path / "accounts.json"),
        "results": str(tmp_path),
    }
    ran = played("web1 ansible_connection=local ansible_python_interpreter=/usr/bin/python3\n", tmp_path, given)
    assert ran.returncode != 0
    assert "This is why." in ran.stdout
    assert json.loads((tmp_path / "web1.json").read_text("utf-8")) == json.loads(stdout)
