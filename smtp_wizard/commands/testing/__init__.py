"""`test`: which accounts, their secrets, the run, what has changed, and how the results are printed."""
