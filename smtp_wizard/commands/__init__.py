"""The commands, one a file, and what they share: exits, output, running, passwords, connection, questions."""
