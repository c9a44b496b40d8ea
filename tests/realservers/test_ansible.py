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
    hosts = folder / "hosts.ini"
    known = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o IdentitiesOnly=yes"
    hosts.write_text(
        f"web1 ansible_host=127.0.0.1 ansible_port={login.port} ansible_user=root "
        f"ansible_ssh_private_key_file={login.key} ansible_ssh_common_args='{known}' "
        "ansible_python_interpreter=/usr/bin/python3\n",
        "utf-8",
    )
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
