"""Step 1: sources become Markdown, Markdown becomes passages."""
