"""What several parts of the engine share: the nouns, private files, the strict readers of data."""
