"""The steps without a face: what is asked, what may be done, what happened. Screens draw it, plain asks it."""
