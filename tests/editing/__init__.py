"""Editing lessons."""
