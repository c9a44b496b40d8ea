"""What stands beside the steps: each tool a screen of its own, opened from the menu."""
