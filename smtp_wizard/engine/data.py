"""Where the knowledge lies, and the one strict way to read its YAML."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from smtp_wizard.engine.model import clean


class DataError(Exception):
    """A data file is not as it must be. The text names file, line and column."""


def data_path(*parts: str) -> Path:
    """Return the path of a file of the product's knowledge: in the wheel, or in the repository (editable install)."""
    package = Path(__file__).resolve().parent.parent
    shipped = package / "data"
    base = shipped if shipped.is_dir() else package.parent / "data"
    return base.joinpath(*parts)


def read_yaml(path: Path) -> Any:
    """Read one YAML document into plain dicts, lists, str, int, float, bool, None.

    Only true/false, null, decimal whole numbers and decimal fractions are anything but text, so that `no`, `0123`,
    `1e3` and `2026-11-23` stay what was written. Raises `DataError` with line and column for duplicate keys, aliases,
    syntax, or a file that is no UTF-8.
    """
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        raise DataError(f"{path.name}: not UTF-8 text") from None
    return parse_yaml(text, path.name)


def parse_yaml(text: str, name: str) -> Any:
    """As `read_yaml`, for text that is at hand; `name` stands in the errors."""
    import yaml

    loader = _strict_loader()
    try:
        return yaml.load(text, loader)  # noqa: S506  the loader builds plain values only
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        where = f"{name}, line {mark.line + 1}, column {mark.column + 1}" if mark else name
        raise DataError(f"{where}: {clean(problem.problem or 'not YAML')}") from None
    except yaml.YAMLError as problem:
        raise DataError(f"{name}: {clean(str(problem))}") from None
    except RecursionError:
        raise DataError(f"{name}: nested too deep") from None


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

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                event = self.peek_event()
                raise yaml.constructor.ConstructorError(None, None, "aliases are not used here", event.start_mark)
            return super().compose_node(parent, index)

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            seen: set[Any] = set()
            for key_node, _ in node.value:
                key = self.construct_object(key_node, deep=True)
                if not isinstance(key, str | int):
                    raise yaml.constructor.ConstructorError(None, None, "a key must be text", key_node.start_mark)
                if key in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key '{key}' stands twice", key_node.start_mark
                    )
                seen.add(key)
            return super().construct_mapping(node, deep)

    for tag, pattern, first in (
        ("bool", r"true|false", "tf"),
        ("null", r"null|~|", ["n", "~", ""]),
        ("int", r"-?(?:0|[1-9][0-9]*)", "-0123456789"),
        ("float", r"-?(?:0|[1-9][0-9]*)\.[0-9]+", "-0123456789"),
    ):
        StrictLoader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(rf"^(?:{pattern})$"), list(first))
    _loader = StrictLoader
    return _loader
