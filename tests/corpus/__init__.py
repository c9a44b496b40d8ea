"""What the program does, seen from outside: recorded, and compared to the letter."""
