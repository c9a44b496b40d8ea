"""The saved accounts: the list of them, and a flow for each thing that can be done with one."""
