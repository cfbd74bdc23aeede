"""Step 2: a teacher multiplies the seed examples, leaf by leaf, and judges its own work."""
