"""What stands beside the wizard: sending limits, mailings, explained errors, guides."""
