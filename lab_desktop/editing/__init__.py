"""What the lesson editors work on, without a window: a lesson as a value, its history, checklist and passages."""
