"""Finding the server of an address: DNS, autoconfig, the catalogue and guesses, each with its trust."""
