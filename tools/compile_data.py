"""Write the compiled form of every YAML file under data/, which is what a program that starts often reads.

`make` calls it when a file has changed, the build of a wheel always. Nothing depends on it but speed: without it, or
with one that is out of date, the YAML itself is read.
"""

from __future__ import annotations

import sys

from smtp_wizard.engine.services.compiled_data import compile_data


def main() -> int:
    """Compile what can be compiled; a file that is wrong is left to `make check-data`, which says where."""
    for problem in compile_data():
        print(f"not compiled: {problem}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
