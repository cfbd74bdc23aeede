"""Step 4: one file that anyone can run."""
