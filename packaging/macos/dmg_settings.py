"""The disk image, as dmgbuild reads it: the app, a link to Applications, and the picture of background.py behind them.

Given: -D app=PATH -D background=PNG (the one of twice the density lies beside it).
"""

from pathlib import Path

from macos.background import APP, APPLICATIONS, ICON, SIZE

_app = Path(defines["app"])  # type: ignore[name-defined] # noqa: F821 - what dmgbuild was given with -D

format = "ULMO"
filesystem = "APFS"
files = [str(_app)]
symlinks = {"Applications": "/Applications"}
icon_locations = {_app.name: APP, "Applications": APPLICATIONS}
icon = str(_app / "Contents" / "Resources" / "LAB Desktop.icns")
background = defines["background"]  # type: ignore[name-defined] # noqa: F821
window_rect = ((200, 160), SIZE)
default_view = "icon-view"
icon_size = ICON
text_size = 13
show_status_bar = show_tab_view = show_toolbar = show_pathbar = show_sidebar = False
