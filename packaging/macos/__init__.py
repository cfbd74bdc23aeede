"""What makes a Mac app: its bundle, its signatures, Apple's approval, its disk image; `release.py` runs all of it."""
