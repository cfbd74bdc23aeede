"""What the lesson editors work on, without a window: the lesson as a value, its history, its checklist, its passages."""
