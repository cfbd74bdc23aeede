"""Tests of lab_desktop; the folders mirror the package."""
