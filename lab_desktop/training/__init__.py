"""Step 3: the student learns, phase by phase, with replay."""
