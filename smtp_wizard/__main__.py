"""What runs when the program is called by its name, or by `python -m smtp_wizard`."""

from __future__ import annotations

import sys

from smtp_wizard import __version__


def main() -> int:
    """Run the command line; return the exit code, with which the process ends whatever else it does then."""
    try:
        return _main()
    except KeyboardInterrupt:  # while the program was still being loaded; later it is told with what was not done
        sys.stderr.write("smtp-wizard: Interrupted.\n")
        return 130


def _main() -> int:
    from smtp_wizard.commands.process import QuickEnd, collect_garbage_rarely, fill_closed_streams, forbid_core_dumps

    fill_closed_streams()
    if sys.argv[1:] == ["--version"] and _told_version():
        return 0
    end = QuickEnd()
    forbid_core_dumps()
    collect_garbage_rarely()
    from smtp_wizard import cli

    return end.with_code(cli.main(sys.argv[1:]))


def _told_version() -> bool:
    """Write the version, which needs nothing else loaded; return whether it could be written.

    Where it could not, the command line meets the same fault and says what it is.
    """
    try:
        sys.stdout.write(f"smtp-wizard {__version__}\n")
        sys.stdout.flush()
    except (OSError, ValueError):
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
