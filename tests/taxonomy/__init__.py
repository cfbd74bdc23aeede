"""Tests of the taxonomy room."""
