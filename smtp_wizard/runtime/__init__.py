"""Running a command: exit codes, signals, time limits, output, lending the terminal."""
