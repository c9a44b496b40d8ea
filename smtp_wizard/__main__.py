"""What runs when the program is called by its name, or by `python -m smtp_wizard`."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; return the exit code."""
    from smtp_wizard.commands.process import forbid_core_dumps, occupy_streams

    occupy_streams()
    forbid_core_dumps()
    from smtp_wizard import cli

    return cli.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
