"""What the faces ask of the engine."""
