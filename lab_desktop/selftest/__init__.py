"""Does this installation work, offline? What is tried, what is said about it, and where, apart from everything else.

The trying itself is `ui.selftest`, for it goes the roads of the window; `commands.selftest` shows it in a terminal and
`ui.check_window` in the window.
"""
