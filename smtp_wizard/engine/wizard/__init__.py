"""The wizard as a state machine over an immutable draft, and the draft on disk."""
