"""The rules of the house, proved by reading the source and by looking at what a command loads."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeGuard

import pytest
from textual.app import App
from textual.screen import Screen
from textual.widgets import DataTable, Input, OptionList, TextArea

from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.data_files import data_path, read_yaml
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.services.services import Services
from smtp_wizard.widgets.toolkit import PRIVATE
from tests.commands.test_send import RELAY
from tests.support.misbehaving import refused_port

pytestmark = pytest.mark.xdist_group("architecture")
"""One process reads all the source, for all of them."""

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "smtp_wizard"

# --- The rules ---

FOLDERS: tuple[str, ...] = (
    "__main__",
    "cli",
    "commands",
    "launch",
    "app",
    "app_screens",
    "app_areas",
    "app_styles",
    "type_ahead",
    "app_faults",
    "changed_cells",
    "plain",
    "screens",
    "widgets",
    "flows",
    "text",
    "runtime",
    "output",
    "engine.services",
    "engine.remote",
    "engine.wizard",
    "engine.scan",
    "engine.limits",
    "engine.mailbox",
    "engine.explain",
    "engine.domain",
    "engine.discovery",
    "engine.accounts",
    "engine.state",
    "engine.checks",
    "engine.providers",
    "engine.secrets",
    "engine.oauth",
    "engine.diagnosis",
    "engine.smtp",
    "engine.sandbox",
    "engine.guides",
    "engine.unsubscribe",
    "engine.base",
    "engine.lazy_dataclass",
)
"""The package from the top down: a folder imports from itself and from the folders after it, and from no other."""

FOLDER_LIMIT = 20
"""Modules in a folder at most; `commands` holds one a command."""

SCREENS_FOR_ALL = frozenset(
    {
        f"{PACKAGE}.screens",
        f"{PACKAGE}.screens.screen_context",
        f"{PACKAGE}.screens.keyed_screen",
        f"{PACKAGE}.screens.page",
        f"{PACKAGE}.screens.panel",
        f"{PACKAGE}.screens.details",
        f"{PACKAGE}.screens.guide",
        f"{PACKAGE}.screens.question",
        f"{PACKAGE}.screens.link",
        f"{PACKAGE}.screens.accounts.home_parts",
        f"{PACKAGE}.screens.areas.list_page",
        f"{PACKAGE}.screens.areas.stoppable_page",
    }
)
"""What a screen may import of its neighbours: the base of a step, and the panels."""

TOOLKITS = frozenset({"textual", "rich", "click", "prompt_toolkit", "pyte"})
"""What the engine never imports."""

FRONT_DOOR_CALLS = frozenset({"print", "input", "exit", "quit", "sys.exit", "os._exit"})
"""What the engine never calls: only a front door talks to the person or ends the program."""

REVEALERS = frozenset(
    {
        "engine/smtp/sasl.py",  # encodes the secret for the server
        "engine/smtp/masking.py",  # knows the secret again where a server says it back
        "engine/remote/ssh.py",  # hands it to the check on the other computer
        "engine/oauth/browser.py",  # proves that who redeems the code is who asked for it
        "engine/oauth/client.py",  # sends code, secret and refresh token to the server that they belong to
        "engine/oauth/grants.py",  # makes one secret of them, and opens it
        "engine/secrets/command.py",  # refuses a command that has it in its words
        "engine/secrets/keyring.py",  # keeps it
        "engine/secrets/vault_format.py",  # makes the vault's key of the passphrase
        "engine/secrets/vault.py",  # keeps it
        "engine/checks/credential_clues.py",  # says how it looks: letters, blanks, an app password
        "engine/providers/provider.py",  # compares its shape with that of the provider's app passwords
        "flows/last_steps/done.py",  # shows it, after a yes
        "screens/browser.py",  # puts a client secret back into its field, where it stays hidden
        "flows/connect.py",  # hands what was typed back to its field, where it stays hidden
        "screens/connect.py",  # puts what was typed back into its field, where it stays hidden
    }
)
"""Where a secret may be seen in clear."""

HEAVY = frozenset(
    {
        "aiosmtpd",
        "authlib",
        "cryptography",
        "defusedxml",
        "dns",
        "email_validator",
        "filelock",
        "flufl",
        "httpx2",
        "imapclient",
        "keyring",
        "markdown_it",
        "publicsuffixlist",
        "rich",
        "scramp",
        "segno",
        "textual",
        "trustme",
        "truststore",
    }
)
"""What a command loads only when it uses it."""

ORDINARY_WORDS = frozenset({"active", "forward", "free", "live", "resend"})
"""Words of providers' names, ids and domains that are words of the language too, and stand in the code as such."""


# --- Reading the source ---


@dataclass(frozen=True)
class Import:
    """One module that a module imports."""

    target: str
    line: int
    lazy: bool
    """Made inside a function, or for the type checker only: not when the module is loaded."""


@dataclass(frozen=True)
class Module:
    """One file of the package."""

    name: str
    file: Path
    tree: ast.Module

    @property
    def path(self) -> str:
        """Its path inside the package."""
        return self.file.relative_to(ROOT / PACKAGE).as_posix()

    @functools.cached_property
    def imports(self) -> tuple[Import, ...]:
        return tuple(_imports(self.tree, lazy=False))


def _imports(node: ast.AST, *, lazy: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, child.lineno, lazy) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"line {child.lineno}: imports are written in full here"
            yield from (Import(f"{child.module}.{alias.name}", child.lineno, lazy) for alias in child.names)
        else:
            later = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            typing_only = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test)
            yield from _imports(child, lazy=lazy or later or typing_only)


@functools.cache
def modules() -> dict[str, Module]:
    """Every module of the package by its dotted name."""
    found = {}
    for file in sorted((ROOT / PACKAGE).rglob("*.py")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = Module(name, file, ast.parse(file.read_text("utf-8"), filename=str(file)))
    return found


def own_imports(module: Module, *, at_load: bool = False) -> Iterator[tuple[str, int]]:
    """Yield the modules of this package that a module imports, with the line."""
    for each in module.imports:
        if at_load and each.lazy:
            continue
        parts = each.target.split(".")
        if parts[0] == PACKAGE:
            # `from package import name` means a module if there is one of that name, else something in it.
            target = each.target if each.target in modules() else ".".join(parts[:-1])
            yield target, each.line


def folder_of(name: str) -> str:
    """Return the folder of `FOLDERS` in which a module stands."""
    inside = name.removeprefix(PACKAGE).removeprefix(".")
    fitting = [folder for folder in FOLDERS if inside == folder or inside.startswith(f"{folder}.")]
    assert fitting, f"{name} stands in no folder that is known: say in {Path(__file__).name} where it belongs"
    return max(fitting, key=len)


def crossings() -> Iterator[tuple[str, str, str]]:
    """Yield each import from one folder into another: the two folders, and the place."""
    for name, module in modules().items():
        if name in (PACKAGE, f"{PACKAGE}.engine"):
            continue
        for target, line in own_imports(module):
            if target not in (PACKAGE, f"{PACKAGE}.engine") and folder_of(target) != folder_of(name):
                yield folder_of(name), folder_of(target), f"{name} line {line} imports {target}"


# --- The import rule ---


def test_a_folder_imports_only_folders_below_it() -> None:
    assert [place for one, other, place in crossings() if FOLDERS.index(other) < FOLDERS.index(one)] == []


def test_a_folder_is_small_enough_to_be_read() -> None:
    sizes = {
        folder: len([file for file in folder.glob("*.py") if file.name != "__init__.py"])
        for folder in (ROOT / PACKAGE).rglob("*")
        if folder.is_dir() and folder.name not in ("__pycache__", "commands")
    }
    assert {folder.name: size for folder, size in sizes.items() if size > FOLDER_LIMIT} == {}


HOOKS = frozenset({"changed", "events", "told"})
"""What a face, or a flow around another, puts into a flow to hear of it; documented as such where they are."""


OPTIONS_OF_LIBRARIES = frozenset({"folder_encode", "normalise_times"})
"""What a library takes in no other way."""


def test_a_flow_is_given_single_services() -> None:
    """Never the record of all of them: what a step asks stands in the head of its flow."""
    record = f"{PACKAGE}.engine.services.services"
    below = [
        name for name in modules() if name.startswith((f"{PACKAGE}.flows", f"{PACKAGE}.engine", f"{PACKAGE}.text"))
    ]
    assert [name for name in below if record in {target for target, _ in own_imports(modules()[name])}] == []


def test_the_record_of_services_does_nothing() -> None:
    own = {name for name, each in vars(Services).items() if inspect.isfunction(each) and not name.startswith("__")}
    assert own == set()


def test_nothing_is_put_into_the_insides_of_another() -> None:
    """An object's parts are its own: whoever wants them otherwise says so to it, by a method or when it is made."""
    found = []
    for name, module in modules().items():
        if name.startswith((f"{PACKAGE}.flows", f"{PACKAGE}.engine", f"{PACKAGE}.launch", f"{PACKAGE}.commands")):
            for node in ast.walk(module.tree):
                if (
                    isinstance(node, ast.Attribute)
                    and isinstance(node.ctx, ast.Store)
                    and node.attr not in HOOKS | OPTIONS_OF_LIBRARIES
                ):
                    inside = isinstance(node.value, ast.Attribute) and not node.attr.startswith("__")
                    found += [f"{name} line {node.lineno}: {ast.unparse(node)}"] if inside else []
    assert found == []


NO_FOLDERS_OF_THE_PACKAGE = {"corpus", "realservers", "support", "whole"}
"""Folders of tests that are about no single folder of the package."""


def test_the_tests_are_laid_out_like_the_folders() -> None:
    """The tests of a folder are in the folder of the same name, those of a module straight in `engine/` there too."""
    tests = [path.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py")]
    folders = {str(path.parent) for path in tests} - NO_FOLDERS_OF_THE_PACKAGE
    assert {folder for folder in folders if not (ROOT / PACKAGE / folder).is_dir()} == set()
    flat = {path.stem.removeprefix("test_") for path in tests if str(path.parent) == "engine"}
    assert {name for name in flat if not (ROOT / PACKAGE / "engine" / f"{name}.py").is_file()} == set()


def test_no_imports_run_in_a_circle() -> None:
    graph = {name: {target for target, _ in own_imports(module)} - {name} for name, module in modules().items()}
    while leaves := [name for name, targets in graph.items() if not targets & graph.keys()]:
        for leaf in leaves:
            del graph[leaf]
    assert {name: sorted(targets & graph.keys()) for name, targets in graph.items()} == {}


def test_the_init_of_a_folder_imports_nothing() -> None:
    """So that whoever needs one module of a folder loads that one alone, and a name is found where it is defined."""
    inits = [module for module in modules().values() if module.file.name == "__init__.py"]
    assert len(inits) > 20
    assert [module.path for module in inits if module.imports] == []


def test_no_screen_imports_another_screen() -> None:
    screens = {name: module for name, module in modules().items() if name.startswith(f"{PACKAGE}.screens.")}
    wrong = [
        f"{name} line {line} imports {target}"
        for name, module in screens.items()
        if name not in SCREENS_FOR_ALL
        for target, line in own_imports(module)
        if target in screens and target not in SCREENS_FOR_ALL and target != name
    ]
    assert wrong == []


def test_the_engine_knows_no_toolkit() -> None:
    wrong = [
        f"{module.path} line {each.line} imports {each.target}"
        for module in _engine()
        for each in module.imports
        if each.target.partition(".")[0] in TOOLKITS
    ]
    assert wrong == []


def test_the_engine_neither_prints_nor_asks_nor_ends_the_program() -> None:
    wrong = []
    for module in _engine():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in FRONT_DOOR_CALLS:
                wrong.append(f"{module.path} line {node.lineno} calls {ast.unparse(node.func)}")
            if isinstance(node, ast.Raise) and node.exc is not None and "SystemExit" in ast.unparse(node.exc):
                wrong.append(f"{module.path} line {node.lineno} raises SystemExit")
    assert wrong == []


def _engine() -> list[Module]:
    found = [module for name, module in modules().items() if name.startswith(f"{PACKAGE}.engine")]
    assert len(found) > 10
    return found


# --- What is loaded ---


TELLING = """\
import sys
try:
    exec({program!r})
finally:
    open({result!r}, "w", encoding="utf-8").write("\\n".join(sys.modules))
"""
MAIN = "import sys\nfrom smtp_wizard.__main__ import main\nsys.exit(main())"


def loaded_after(program: str, *arguments: str, tmp_path: Path, code: int = 0, stdin: str = "") -> set[str]:
    """Run a program in a fresh interpreter; return the modules that it loaded, and the packages that they are of."""
    result = tmp_path / "modules.txt"
    done = subprocess.run(
        [sys.executable, "-c", TELLING.format(program=program, result=str(result)), *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stderr
    loaded = set(result.read_text("utf-8").splitlines())
    return loaded | {name.partition(".")[0] for name in loaded}


def test_the_engine_loads_nothing_heavy_by_itself(tmp_path: Path) -> None:
    names = ", ".join(module.name for module in _engine())
    assert loaded_after(f"import {names}", tmp_path=tmp_path) & (HEAVY | {"yaml", "click"}) == set()


def test_a_check_by_password_needs_the_standard_library_alone(tmp_path: Path) -> None:
    """So that what runs it can be carried to another computer."""
    names = [name for name in modules() if re.match(rf"{PACKAGE}\.engine\.(base|smtp|checks)\b", name)]
    assert len(names) > 25
    loaded = loaded_after(f"{CHECK}\nimport {', '.join(names)}", tmp_path=tmp_path, code=0)
    foreign = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names - {PACKAGE} - BY_THE_INTERPRETER
    assert foreign == set()


CHECK = """
import asyncio, socket
from smtp_wizard.engine.base.connection import Auth, Connection
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.checks.runner import run_checks
from smtp_wizard.engine.checks.target import Target
from smtp_wizard.engine.smtp.transport import SocketWire

class Explains:
    def explain(self, symptom):
        raise AssertionError(symptom)

SAID = {b"EHLO": b"250-x\\r\\n250 AUTH PLAIN\\r\\n", b"AUTH": b"235 2.7.0 ok\\r\\n", b"QUIT": b"221 2.0.0 bye\\r\\n"}

async def answer(reader, writer):
    writer.write(b"220 mail.example ESMTP\\r\\n")
    while line := await reader.readline():
        writer.write(SAID[line[:4]])
    writer.close()

async def main():
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        here = Endpoint("127.0.0.1", server.sockets[0].getsockname()[1], Security.NONE)
        connection = Connection(endpoint=here, username="ana", auth=Auth.PASSWORD, allow_cleartext=True)
        report = await run_checks(
            Target(connection=connection), Secret("a password"), depth=Depth.LOGIN, wire=SocketWire(),
            diagnosis=Explains(), emit=lambda event: None,
        )
    assert report.verdict is Verdict.PASS, report
    assert report.results[-1].stage is Stage.AUTH, report

asyncio.run(main())
"""
"""Signs in to a server of its own."""

BY_THE_INTERPRETER = frozenset(
    {"__main__", "sitecustomize", "usercustomize", "_distutils_hack", "distutils-precedence"}
)
"""What stands in every process: the start itself, and what an installation has it load."""

PARTS = frozenset({"asyncio", "email", "http", "logging", "socket", "sqlite3", "ssl", "tempfile", "yaml"})
"""What takes time to load, of the standard library and beside it."""
ENGINE_PARTS = frozenset(
    {
        f"{PACKAGE}.{name}"
        for name in (
            "app",
            "engine.discovery.search",
            "engine.discovery.web",
            "engine.mailbox.arrival",
            "engine.mailbox.imap_session",
            "engine.oauth.attempt",
            "engine.oauth.exchange",
            "engine.sandbox.certificates",
            "engine.sandbox.server",
            "engine.state.migration",
            "plain",
            "screens",
            "widgets",
        )
    }
)
"""Parts of our own that few commands use."""
LETTERS = frozenset(
    {"html", f"{PACKAGE}.engine.base.mail_message"}
    | {f"{PACKAGE}.engine.explain.readers.{name}" for name in ("bounces", "mail_logs", "stack_traces", "transcripts")}
)
"""What reads letters, logs and sessions: for a line of an error it is not needed."""


@pytest.mark.parametrize(
    ("arguments", "never"),
    [
        (["--version"], {"click", "re", "pathlib", "typing", f"{PACKAGE}.cli", f"{PACKAGE}.engine"}),
        (["--help"], HEAVY | PARTS | {"json", "dataclasses", "shutil", f"{PACKAGE}.engine.base.endpoint"}),
        (["check", "--help"], HEAVY | ENGINE_PARTS | {"sqlite3", "yaml"}),
        (["test", "--help"], HEAVY | ENGINE_PARTS | {"sqlite3", "yaml"}),
        (["guide"], HEAVY | ENGINE_PARTS | {"asyncio", "ssl", "sqlite3", "yaml"}),
        (["providers"], HEAVY | ENGINE_PARTS | PARTS - {"socket"} | {"hashlib"}),
        (["providers", "gmail"], HEAVY | ENGINE_PARTS | PARTS - {"socket"}),
        (["limits"], HEAVY | ENGINE_PARTS | PARTS - {"socket"} | {"hashlib", f"{PACKAGE}.flows"}),
        (["accounts"], HEAVY | ENGINE_PARTS | PARTS),
        (["explain"], HEAVY | ENGINE_PARTS | PARTS | LETTERS),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_loads_only_what_it_uses(
    arguments: list[str], never: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_WIZARD_CONFIG", str(tmp_path / "config"))
    loaded = loaded_after(MAIN, *arguments, tmp_path=tmp_path, stdin="535 5.7.8 authentication failed\n")
    assert loaded & never == set()


def test_a_test_of_an_account_loads_only_what_a_check_by_password_uses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_WIZARD_CONFIG", str(tmp_path / "config"))
    with refused_port() as port:
        there = replace(RELAY.connection, endpoint=Endpoint("127.0.0.1", port, Security.TLS), username="ana")
        account = replace(RELAY, connection=replace(there, auth=Auth.PASSWORD), store=StoreRef(StoreKind.SESSION, "x"))
        SavedAccounts(tmp_path / "config").put(account)
        asked = ["test", account.name, "--password-stdin"]
        loaded = loaded_after(MAIN, *asked, tmp_path=tmp_path, code=1, stdin="a password")
    assert "ssl" in loaded
    others = {"yaml", "imaplib", "email.utils", "_strptime", f"{PACKAGE}.output.junit"}
    assert loaded & (HEAVY | ENGINE_PARTS | others) == set()


# --- Names in texts ---

NAMED_IN_TEXT = re.compile(rf"\bfrom ({PACKAGE}[\w.]*) import ([\w, ]+)|(?<![\w./-])({PACKAGE}(?:\.\w+)+)")


def names_in_texts_of_tests() -> Iterator[tuple[str, str]]:
    """Yield what tests call in text (a program to run, something to replace) by its full name, with the place."""
    for file in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and f"{PACKAGE}." in node.value:
                for module, names, full in NAMED_IN_TEXT.findall(node.value):
                    asked = [f"{module}.{name.split()[0]}" for name in names.split(",") if name.strip()]
                    yield from ((name, f"{file.relative_to(ROOT)} line {node.lineno}") for name in asked or [full])


def test_what_a_text_in_the_tests_names_is_there() -> None:
    """Else a program that a test runs ends for another reason than the test thinks of."""
    named = list(names_in_texts_of_tests())
    assert len(named) > 20
    assert sorted({f"{place}: {name}" for name, place in named if not _is_there(name)}) == []


def _is_there(name: str) -> bool:
    try:
        pkgutil.resolve_name(name)
    except (ImportError, AttributeError):
        return False
    return True


# --- The toolkit ---


def toolkit_names(kind: type) -> frozenset[str]:
    """Return the private names that a class has of the toolkit: what its classes define, and set on themselves."""
    bases = [base for base in kind.__mro__ if base.__module__.partition(".")[0] == "textual"]
    return frozenset().union(*map(_own_private_names, bases))


@functools.cache
def _own_private_names(kind: type) -> frozenset[str]:
    source = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    set_on_self = {node.attr for node in ast.walk(source) if _is_set_on_self(node)}
    return frozenset({name for name in vars(kind) if _is_private(name)} | set_on_self)


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def _is_set_on_self(node: ast.AST) -> TypeGuard[ast.Attribute]:
    if not isinstance(node, ast.Attribute) or not isinstance(node.ctx, ast.Store) or not _is_private(node.attr):
        return False
    return isinstance(node.value, ast.Name) and node.value.id == "self"


def private_touches(file: Path) -> Iterator[str]:
    """Yield the private names of the toolkit that a file touches or stands in the place of."""
    tree = ast.parse(file.read_text("utf-8"))
    name = ".".join(file.relative_to(ROOT).with_suffix("").parts)
    everything = frozenset().union(*map(toolkit_names, (App, Screen, DataTable, Input, OptionList, TextArea)))
    for node in tree.body:
        theirs: frozenset[str] = frozenset()
        if isinstance(node, ast.ClassDef):
            theirs = toolkit_names(getattr(importlib.import_module(name), node.name))
        for each in ast.walk(node):
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and each.name in theirs:
                yield each.name
            if isinstance(each, ast.Attribute) and _is_private(each.attr):
                on_self = isinstance(each.value, ast.Name) and each.value.id in ("self", "cls")
                if each.attr in (theirs if on_self else everything):
                    yield each.attr
            if isinstance(each, ast.ImportFrom) and (each.module or "").startswith("textual._"):
                yield (each.module or "").partition(".")[2]


def test_what_is_private_to_the_toolkit_is_touched_only_where_one_place_says_why() -> None:
    files = [*(ROOT / PACKAGE).rglob("*.py"), *(ROOT / "tests" / "support").rglob("*.py")]
    ours = [file for file in files if "textual" in file.read_text("utf-8")]
    assert len(ours) > 20
    touched = {name: file.name for file in ours for name in private_touches(file)}
    assert {name: file for name, file in touched.items() if name not in PRIVATE} == {}
    assert PRIVATE.keys() - touched.keys() == set(), "these are touched no more: take them off the list"


# --- Functions ---

LONGEST_FUNCTION = 50
MOST_COMPLEX = 19
"""Ways through a function: one, and one more for each branch, loop, handler, case and further operand of and/or."""


def functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Yield every function of the package, with its place."""
    for module in modules().values():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{module.path} line {node.lineno}: {node.name}", node


def complexity(function: ast.AST) -> int:
    """Return how many ways lead through a function; what is defined inside it counts for itself."""
    ways, nodes = 1, list(ast.iter_child_nodes(function))
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        match node:
            case ast.If() | ast.IfExp() | ast.For() | ast.AsyncFor() | ast.While() | ast.ExceptHandler() | ast.Assert():
                ways += 1
            case ast.match_case(guard=guard):
                ways += 1 if guard is None else 2
            case ast.comprehension(ifs=conditions):
                ways += 1 + len(conditions)
            case ast.BoolOp(values=operands):
                ways += len(operands) - 1
        nodes += ast.iter_child_nodes(node)
    return ways


def test_a_function_is_short_enough_to_be_read() -> None:
    lines = {place: (node.end_lineno or 0) - node.lineno + 1 for place, node in functions()}
    assert len(lines) > 5_000
    assert {place: count for place, count in lines.items() if count > LONGEST_FUNCTION} == {}


def test_a_function_does_one_thing() -> None:
    ways = {place: complexity(node) for place, node in functions()}
    assert {place: count for place, count in ways.items() if count > MOST_COMPLEX} == {}


@pytest.mark.parametrize(
    ("source", "ways"),
    [
        ("def f(): return 1", 1),
        ("def f(a, b): return 1 if a and b or not a else 2", 4),
        ("async def f(a):\n async for b in a:\n  assert b\n  while b: b -= 1", 4),
        ("def f(a):\n try:\n  return [b for b in a if b if b > 1]\n except (OSError, ValueError):\n  return", 5),
        ("def f(a):\n match a:\n  case 1: return 2\n  case b if b: return 3", 4),
        ("def f(a):\n def g(): return 1 if a else 2\n return g", 1),
    ],
)
def test_the_ways_through_a_function_are_counted(source: str, ways: int) -> None:
    assert complexity(ast.parse(source).body[0]) == ways


# --- Names ---


def test_a_public_class_has_a_name_of_its_own() -> None:
    """One name means one thing, wherever it stands."""
    places: dict[str, list[str]] = {}
    for module in modules().values():
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef) and not _is_private(node.name):
                places.setdefault(node.name, []).append(module.path)
    assert {name: paths for name, paths in places.items() if len(paths) > 1} == {}


def test_dates_and_times_are_read_in_one_place() -> None:
    """`fromisoformat` takes weeks, days without hyphens and hours alone as well."""
    readers = {
        module.path
        for module in modules().values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr in ("fromisoformat", "strptime")
    }
    assert readers == {"engine/base/records.py"}


# --- Secrets ---


def test_a_secret_is_revealed_only_where_it_must_be() -> None:
    revealing = {
        module.path
        for module in modules().values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr == "reveal"
    }
    assert revealing - REVEALERS == set()
    stale = {path for path in REVEALERS - revealing if (ROOT / PACKAGE / path).exists()}
    assert stale == set(), "these may reveal a secret and do not: take them off the list"


# --- No provider in the code ---


def words_of(text: str) -> str:
    """Return the words of a text or an identifier in lower case, a space around each; CamelCase also taken apart."""
    joined = re.findall(r"[a-z0-9]+", text.lower())
    apart = re.findall(r"[a-z0-9]+", re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", text).lower())
    return f" {' '.join(joined if joined == apart else [*joined, *apart])} "


@functools.cache
def brands() -> frozenset[str]:
    """What the catalogue's providers are known by: names and their first words, ids, domains, and hosts' own domains.

    A domain counts as a whole: 'list.ru' is a brand, and 'list' is a word of the language.
    """
    found: set[str] = set()
    for provider in read_yaml(data_path("providers.yaml"))["providers"]:
        if provider["kind"] in ("custom", "sandbox"):
            continue
        names = [name.strip() for name in re.split(r"[/,]|\(.*?\)", provider["name"].lower())]
        found |= {words_of(name).strip() for name in (*names, provider["id"])}
        first = names[0].partition(" ")[0]
        found |= {words_of(first).strip()} if "." not in first else set()
        hosts = [each["host"] for each in provider.get("endpoints", ()) if "of_domain" not in each]
        for name in (*provider.get("domains", ()), *provider.get("mx", {}).get("endings", ()), *hosts):
            found.add(words_of(".".join(name.split(".")[-2:])).strip())
    return frozenset(brand for brand in found if len(brand) > 2 and any(map(str.isalpha, brand)))


def texts_in_code() -> Iterator[tuple[Module, int, str]]:
    """Yield the package's names and strings, with the line; docstrings and comments are left out."""
    for module in modules().values():
        docstrings = set(_docstrings(module.tree))
        for node in ast.walk(module.tree):
            if id(node) not in docstrings and (text := _text(node)):
                yield module, getattr(node, "lineno", 0), text


def _text(node: ast.AST) -> str:
    """Return what a node of the source calls something, or says."""
    match node:
        case ast.Constant(value=str() as text) | ast.Name(id=text) | ast.Attribute(attr=text):
            return text
        case ast.Constant(value=bytes() as raw):
            return raw.decode("latin-1")
        case ast.FunctionDef(name=text) | ast.AsyncFunctionDef(name=text) | ast.ClassDef(name=text):
            return text
        case ast.arg(arg=text) | ast.keyword(arg=str() as text):
            return text
    return ""


def _docstrings(tree: ast.Module) -> Iterator[int]:
    """Yield the ids of strings that stand alone as statements: docstrings, of attributes too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield id(node.value)


def brands_in_code() -> Iterator[tuple[str, str]]:
    """Yield each brand that the code says, with the place."""
    pattern = re.compile(rf"(?<= )(?:{'|'.join(sorted(brands(), key=len, reverse=True))})(?= )")
    for module, line, text in texts_in_code():
        for brand in pattern.findall(words_of(text)):
            yield brand, f"{module.path} line {line}: {brand}"


def test_no_provider_is_named_in_the_code() -> None:
    """What is true of a provider is in the data; a new one needs no change of code."""
    assert sorted({place for brand, place in brands_in_code() if brand not in ORDINARY_WORDS}) == []


def test_the_list_of_ordinary_words_is_honest() -> None:
    assert ORDINARY_WORDS - {brand for brand, _ in brands_in_code()} == set(), "no brand, or not in the code"


@pytest.mark.parametrize(
    "text", ["Gmail", "GMAIL_HOST", "MicrosoftTenant", "is_yahoo", "Sign in to Google Workspace.", "smtp.aol.com"]
)
def test_a_brand_would_be_found(text: str) -> None:
    assert set(words_of(text).split()) & brands()


# --- What no file holds ---

REGISTRIES = tuple(
    ".".join(labels)
    for labels in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("deb", "debian", "org"),
        ("archive", "ubuntu", "com"),
        ("proxy", "golang", "org"),
        ("static", "crates", "io"),
    )
)
MACHINE_PATHS = re.compile(rf"(?<![\w.~-])/(?:{'|'.join(('work', 'root', 'workspace'))})/")
LEFT_FOR_LATER = re.compile(rf"\b(?:{'|'.join(('TO' + 'DO', 'FIX' + 'ME'))})\b")


@functools.cache
def tracked_texts() -> dict[str, str]:
    """Every text file that git keeps."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    texts = {}
    for name in listed.decode().split("\0"):
        file = ROOT / name
        if name and file.is_file():
            raw = file.read_bytes()
            if b"\0" not in raw:
                texts[name] = raw.decode("utf-8")
    assert "pyproject.toml" in texts
    return texts


def test_no_file_names_a_package_registry() -> None:
    assert [(name, host) for name, text in tracked_texts().items() for host in REGISTRIES if host in text] == []


def test_no_file_holds_a_path_of_one_machine() -> None:
    assert [name for name, text in tracked_texts().items() if MACHINE_PATHS.search(text)] == []


def test_nothing_is_left_for_later() -> None:
    assert [name for name, text in tracked_texts().items() if LEFT_FOR_LATER.search(text)] == []
    unbuilt = "NotImplemented" + "Error"
    assert [name for name, text in tracked_texts().items() if name.endswith(".py") and unbuilt in text] == []


def test_the_drawing_is_the_tree() -> None:
    """Every folder, and every module that stands in none, is drawn, and nothing else is."""
    _, _, rest = (ROOT / "docs" / "architecture.md").read_text("utf-8").partition("```text\n")
    drawn = set(re.findall(r"(?<![\w./])(\w+/|\w+\.py)(?![\w*])", rest.partition("```")[0])) - {"data/"}
    package = ROOT / PACKAGE
    folders = {f"{file.parent.name}/" for file in package.rglob("*.py")}
    alone = {file.name for folder in (package, package / "engine") for file in folder.glob("*.py")} - {"__init__.py"}
    assert len(folders) > 30
    assert drawn == folders | alone


def test_the_docs_send_nobody_to_a_file_that_is_gone() -> None:
    """Each file that the architecture names is there, the answers in the table of what is found where among them."""
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    rows = [row for row in text.splitlines() if row.startswith("| Where")]
    answers = [path for row in rows for path in re.findall(r"`([\w./-]+\.\w+)`", row.split("|")[2])]
    named = re.findall(r"`([\w./-]+\.(?:py|yaml|md|txt))`", text)
    tops = (ROOT, ROOT / PACKAGE, ROOT / PACKAGE / "engine")
    assert len(rows) == 30
    assert len(named) > 100
    assert sorted({path for path in (*answers, *named) if not any((top / path).is_file() for top in tops)}) == []
