"""The wizard as lines of text: for screen readers, for terminals that cannot move a cursor, for serial lines."""
