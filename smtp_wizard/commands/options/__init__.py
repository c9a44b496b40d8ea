"""Options that several commands share, and what they need to run a check."""
