"""What builds the app: an engine (a Python that runs on its own), the window's program beside it, and what proves both.

The steps are the same on every system; `packaging/build.py` puts them in order.
"""
