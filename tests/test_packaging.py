"""The package as people install it: what the wheel holds, and that it runs where the repository is not."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from smtp_wizard import __version__

pytestmark = pytest.mark.xdist_group("packaging")
"""One process builds the wheel, for all of them."""

ROOT = Path(__file__).resolve().parent.parent


def build(kind: str, source: Path, into: Path) -> Path:
    """Build a wheel or an sdist with the build backend that is installed, without the network; return the file."""
    run([sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", str(into)], cwd=source)
    (built,) = into.iterdir()
    return built


def run(command: Sequence[str | Path], cwd: Path) -> str:
    """Run a command that must succeed, with an environment in which nothing points to the repository."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={name: os.environ[name] for name in ("PATH", "HOME", "LANG", "SMTP_WIZARD_CONFIG") if name in os.environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository: a build compiles the data anew, and others read that meanwhile."""
    copy = tmp_path_factory.mktemp("repository") / "copy"
    made = shutil.ignore_patterns(".venv", ".git", ".make", ".*_cache", ".hypothesis", "__pycache__", "build", "dist")
    shutil.copytree(ROOT, copy, symlinks=True, ignore=made)
    return copy


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the repository."""
    return build("wheel", repository, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands' folder of an environment that holds the wheel, and borrows its dependencies from ours."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
    run([*pip, "install", "--quiet", "--no-index", "--no-deps", wheel], cwd=folder)
    site_packages = Path(run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], folder).strip())
    # Python reads no .pth file in a folder that a .pth file names: our own editable installation does not come along.
    borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site_packages / "dependencies.pth").write_text("\n".join(borrowed) + "\n", "utf-8")
    return folder / "bin"


def contents(wheel: Path) -> dict[str, bytes]:
    """Return the files of a wheel by name."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def knowledge() -> dict[str, bytes]:
    """Return the files of data/ by the name that each has in the wheel."""
    files = [file for file in (ROOT / "data").rglob("*") if file.is_file()]
    return {f"smtp_wizard/{file.relative_to(ROOT).as_posix()}": file.read_bytes() for file in files}


def test_the_wheel_holds_the_knowledge_byte_for_byte(wheel: Path) -> None:
    held = contents(wheel)
    assert {name: held.get(name) == content for name, content in knowledge().items()} == dict.fromkeys(
        knowledge(), True
    )
    assert "smtp_wizard/data/providers.yaml" in held


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    held = set(contents(wheel))
    info = f"smtp_wizard-{__version__}.dist-info/"
    assert {name for name in held if not name.startswith(("smtp_wizard/", info))} == set()
    assert {"smtp_wizard/py.typed", f"{info}licenses/LICENSE"} <= held
    code = {file.relative_to(ROOT).as_posix() for file in (ROOT / "smtp_wizard").rglob("*.py")}
    assert {name for name in held if name.endswith(".py")} == code
    styles = {file.relative_to(ROOT).as_posix() for file in (ROOT / "smtp_wizard").rglob("*.tcss")}
    assert styles <= held


def test_a_source_package_makes_the_same_wheel(repository: Path, wheel: Path, tmp_path: Path) -> None:
    """Who installs from a source package gets the knowledge too, from the place where it then lies."""
    for name in ("sdist", "wheel", "source"):
        (tmp_path / name).mkdir()
    run(["tar", "-xf", build("sdist", repository, tmp_path / "sdist"), "-C", tmp_path / "source"], cwd=tmp_path)
    (source,) = (tmp_path / "source").iterdir()
    assert not (source / "tests").exists()
    assert contents(build("wheel", source, tmp_path / "wheel")).keys() == contents(wheel).keys()


def test_the_wheels_own_code_and_knowledge_are_used(installed: Path, tmp_path: Path) -> None:
    program = "import smtp_wizard.engine.base.data_files as d; print(d.__file__); print(d.data_path('providers.yaml'))"
    for line in run([installed / "python", "-c", program], cwd=tmp_path).split():
        assert Path(line).is_relative_to(installed.parent)
        assert Path(line).is_file()


def test_the_installed_command_runs_in_another_folder(installed: Path, tmp_path: Path) -> None:
    assert __version__ in run([installed / "smtp-wizard", "--version"], cwd=tmp_path)
    assert __version__ in run([installed / "python", "-m", "smtp_wizard", "--version"], cwd=tmp_path)


def test_the_installed_command_knows_the_providers_and_guides(installed: Path, tmp_path: Path) -> None:
    assert "gmail" in run([installed / "smtp-wizard", "providers"], cwd=tmp_path)
    assert "gmail-app-password" in run([installed / "smtp-wizard", "guide"], cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


# --- what it needs ---


def needed() -> dict[str, Requirement]:
    """What users get with the package, by name."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    found = [Requirement(line) for line in table["project"]["dependencies"]]
    return {each.name.lower().replace(".", "-"): each for each in found}


def pinned() -> dict[str, str]:
    """The versions that the tests run on, by name."""
    lines = (ROOT / "requirements-dev.txt").read_text("utf-8").splitlines()
    return {found[1]: found[2] for line in lines if (found := re.match(r"([a-z0-9-]+)==(\S+)", line))}


def test_every_range_has_two_ends() -> None:
    ends = {name: {each.operator for each in wanted.specifier} for name, wanted in needed().items()}
    assert {name: found for name, found in ends.items() if not {">=", "<"} <= found} == {}


def test_what_the_tests_run_on_is_what_users_may_get() -> None:
    versions = pinned()
    here = {name: wanted for name, wanted in needed().items() if wanted.marker is None or wanted.marker.evaluate()}
    assert {
        name: versions[name] for name, wanted in here.items() if not wanted.specifier.contains(versions[name])
    } == {}


FAULTY = {
    "aiosmtpd": "1.4.5",
    "authlib": "1.8.0",
    "cryptography": "49.0.0",
    "dnspython": "2.6.0",
    "filelock": "4.2.0",
    "idna": "3.14",
    "platformdirs": "4.3.8",
}
"""The newest versions with a fault that is known; CONTRIBUTING.md says which."""


@pytest.mark.parametrize(("name", "version"), FAULTY.items())
def test_no_version_with_a_known_fault_is_taken(name: str, version: str) -> None:
    assert not needed()[name].specifier.contains(version)
    assert f"| {name} |" in (ROOT / "CONTRIBUTING.md").read_text("utf-8")
