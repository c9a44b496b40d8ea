"""Scanning a host: its ports over both families, what the network does, and who blocks a port."""
