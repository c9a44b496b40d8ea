"""Compiles the knowledge before a wheel is built."""

from __future__ import annotations

import sys
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompiledKnowledge(BuildHookInterface[Any]):
    """What hatchling calls by the table `tool.hatch.build.targets.wheel.hooks.custom` in pyproject.toml."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write data/compiled, which is packed with the rest of data/."""
        sys.path.insert(0, self.root)
        try:
            from smtp_wizard.engine.services.compiled_data import compile_data

            if problems := compile_data():
                raise ValueError("; ".join(problems))
        finally:
            sys.path.remove(self.root)
