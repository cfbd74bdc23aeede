"""Everything that can go wrong is done to the program, and what it kept is counted."""
