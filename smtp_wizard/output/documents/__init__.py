"""What commands print with --json, as records: the documents, and their published schemas, follow from these types."""
