"""Where the knowledge lies, and the one strict way to read its YAML."""

from __future__ import annotations

import errno
import re
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from smtp_wizard.engine.base.errors import ShownError
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.lazy_dataclass import dataclass


class DataError(ShownError):
    """A data file is not as it must be. The text names file, line and column."""


class DataUnread(DataError):
    """The system did not give a data file to us, whatever is in it. The text says why."""

    def __init__(self, name: str, problem: OSError) -> None:
        super().__init__(phrase("{}: cannot be read: {}", shown(name), shown(problem.strerror or "unknown reason")))
        self.crowded = problem.errno in (errno.EMFILE, errno.ENFILE)
        """Whether this program has as many files open as it may."""


def data_path(*parts: str) -> Path:
    """Return the path of a file of the product's knowledge: in the wheel, or in the repository (editable install)."""
    package = Path(__file__).resolve().parents[2]
    shipped = package / "data"
    base = shipped if shipped.is_dir() else package.parent / "data"
    return base.joinpath(*parts)


@dataclass(frozen=True, slots=True)
class DataFile:
    """What a data file says."""

    value: Any
    compiled: bool = False
    """Whether it is the compiled form: what it says was checked as a whole when that was made."""
    worked_out: Mapping[str, Any] = field(default_factory=dict)
    """What was worked out of its texts then, by the text; empty where it is not compiled."""


def read_yaml(path: Path) -> Any:
    """Return what `read_data_file` reads, however it stood there."""
    return read_data_file(path).value


def read_data_file(path: Path) -> DataFile:
    """Read one YAML document into plain dicts, lists, str, int, float, bool, None.

    Only true/false, null, decimal whole numbers and decimal fractions are anything but text, so that `no`, `0123`,
    `1e3` and `2026-11-23` stay what was written. Raises `DataError` with line and column for duplicate keys, aliases,
    syntax, or a file that is no UTF-8; `DataUnread`.
    """
    try:
        source = path.read_bytes()
    except OSError as problem:
        raise DataUnread(path.name, problem) from None
    try:
        return _compiled(path, source)
    except (OSError, ValueError, RecursionError):
        pass  # none was made, or it was made of another text
    return DataFile(parse_yaml(decoded(source, path.name), path.name))


def decoded(source: bytes, name: str) -> str:
    """Return the text of a data file. Raises `DataError`, in which `name` stands, where it is not UTF-8."""
    try:
        return source.decode("utf-8")
    except UnicodeDecodeError:
        raise DataError(phrase("{}: not UTF-8 text", shown(name))) from None


def compiled_path(path: Path) -> Path:
    """Return where the compiled form of a YAML file of the product's own lies."""
    return path.parent / "compiled" / f"{path.name}.json"


def compile_yaml(path: Path, worked_out: Mapping[str, Any] | None = None) -> Path:
    """Write the compiled form of a YAML file; return where it is. The caller has checked what the file says.

    A checksum, what the file says as JSON, and what was worked out of its texts. YAML takes fifty times as long to
    read. The compiled form is read only while the checksum is that of all this and of the file, so that neither an old
    one is believed nor one that was changed by itself. Raises `DataError`, `OSError`.
    """
    import json

    source = path.read_bytes()
    value = parse_yaml(source.decode("utf-8"), path.name)
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if json.loads(text) != value:
        raise DataError(phrase("{}: says something that JSON cannot (a key that is a number?)", shown(path.name)))
    target = compiled_path(path)
    target.parent.mkdir(exist_ok=True)
    more = json.dumps(worked_out or {}, ensure_ascii=False, separators=(",", ":"))
    content = f"{text}\n{more}\n".encode()
    target.write_bytes(_checksum(source, content) + b"\n" + content)
    return target


def _compiled(path: Path, source: bytes) -> DataFile:
    """Read the compiled form. Raises `OSError` where there is none, `ValueError` where it is not of this source."""
    checksum, _, content = compiled_path(path).read_bytes().partition(b"\n")
    import json

    if checksum != _checksum(source, content):
        raise ValueError(path.name)
    value, _, worked_out = content.partition(b"\n")
    return DataFile(json.loads(value), True, json.loads(worked_out))


def _checksum(source: bytes, content: bytes) -> bytes:
    """Return what tells both forms of a file from any others by accident: their lengths and one checksum over both.

    Nothing stronger, which takes longer to load than the file to read: anybody who could change one of them on
    purpose could change the program too.
    """
    import zlib

    return f"{len(source)} {len(content)} {zlib.crc32(content, zlib.crc32(source)):08x}".encode("ascii")


def parse_yaml(text: str, name: str) -> Any:
    """As `read_yaml`, for text that is at hand; `name` stands in the errors."""
    import yaml

    loader = _strict_loader()
    try:
        return yaml.load(text, loader)  # noqa: S506  the loader builds plain values only
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        where = f"{name}, line {mark.line + 1}, column {mark.column + 1}" if mark else name
        raise DataError(phrase("{}: {}", shown(where), shown(problem.problem or "not YAML"))) from None
    except yaml.YAMLError as problem:
        raise DataError(phrase("{}: {}", shown(name), shown(str(problem)))) from None


_loader: Any = None


def _strict_loader() -> Any:
    """Build the loader class once; yaml is imported only when a file is read."""
    global _loader  # noqa: PLW0603  a class, made once, never changed
    if _loader is not None:
        return _loader
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class StrictLoader(base):  # type: ignore[misc]  # the C loader where the platform has it
        yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012
        depth = 0

        # Both parsers call these around every node. Deeper down the one in C would overrun its stack.
        def descend_resolver(self, parent: Any, index: Any) -> None:
            self.depth += 1
            if self.depth > _DEEPEST:
                raise yaml.constructor.ConstructorError(None, None, "nested too deep", parent.start_mark)

        def ascend_resolver(self) -> None:
            self.depth -= 1

        def get_single_node(self) -> Any:
            node = super().get_single_node()
            if node is not None:
                _refuse_traps(node, yaml)
            return node

    for tag, pattern, first in (
        ("bool", r"true|false", "tf"),
        ("null", r"null|~|", ["n", "~", ""]),
        ("int", r"-?(?:0|[1-9][0-9]*)", "-0123456789"),
        ("float", r"-?(?:0|[1-9][0-9]*)\.[0-9]+", "-0123456789"),
    ):
        StrictLoader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(rf"^(?:{pattern})$"), list(first))
    _loader = StrictLoader
    return _loader


_DEEPEST = 40


def _refuse_traps(root: Any, yaml: Any) -> None:
    """Walk the composed tree once. The C parser has no hook for aliases, but an aliased node is met twice."""

    def refuse(reason: str, node: Any) -> Any:
        return yaml.constructor.ConstructorError(None, None, reason, node.start_mark)

    met: set[int] = set()
    todo: list[Any] = [root]
    while todo:
        node = todo.pop()
        if id(node) in met:
            raise refuse("aliases are not used here", node)
        met.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            todo.extend(node.value)
        elif isinstance(node, yaml.MappingNode):
            keys: set[str] = set()
            for key, value in node.value:
                if not isinstance(key, yaml.ScalarNode) or key.tag not in {
                    "tag:yaml.org,2002:str",
                    "tag:yaml.org,2002:int",
                }:
                    raise refuse("a key must be text", key)
                if key.value in keys:
                    raise refuse(f"the key '{key.value}' stands twice", key)
                keys.add(key.value)
                todo += [key, value]
