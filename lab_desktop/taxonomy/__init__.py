"""Step 1: people write leaves."""
