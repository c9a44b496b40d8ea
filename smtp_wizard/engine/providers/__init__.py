"""What is known about mail providers, read from data/providers.yaml and from a file of one's own."""
