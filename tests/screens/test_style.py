"""The style sheet names classes by their names in Python, which no type checker sees."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import textual

import smtp_wizard

PACKAGE = Path(smtp_wizard.__file__).parent
TOOLKIT = Path(textual.__file__).parent
SELECTOR = re.compile(r"(?<![\w.#$:-])([A-Z]\w+)")


def classes(*files: Path) -> set[str]:
    return {
        node.name
        for path in files
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ClassDef)
    }


def selected() -> set[str]:
    """The names of classes in the selectors of the style sheet and of the widgets' own styles."""
    sheets = [path.read_text("utf-8") for path in PACKAGE.glob("*.tcss")]
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Assign | ast.AnnAssign) and "CSS" in ast.unparse(node).partition("=")[0]:
                sheets += [str(each.value) for each in ast.walk(node) if isinstance(each, ast.Constant)]
    bare = [re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL) for sheet in sheets]
    return {name for sheet in bare for rule in re.findall(r"([^{};]*)\{", sheet) for name in SELECTOR.findall(rule)}


def test_every_class_that_a_style_names_is_there() -> None:
    assert len(selected()) > 10
    ours = [path for folder in (PACKAGE / "widgets", PACKAGE / "screens") for path in folder.rglob("*.py")]
    known = classes(*ours, *PACKAGE.glob("*.py"), *TOOLKIT.rglob("*.py"))
    assert selected() - known == set()
