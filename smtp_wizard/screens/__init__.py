"""One step of the wizard, or one area beside it, to a file."""
