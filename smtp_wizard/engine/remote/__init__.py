"""The same check on another computer: what is asked and answered, the part that runs there, and the way by ssh."""
