"""A person arranges the library, and every step can be undone.

Library   library   the steps: new, rename, move, merge, throw away, put back
Places    places    where things may be, and which names are free
          merging   two become one
Step      steps     what was done, for menus
History   history   files that change places, written down before they move
"""

from lab_desktop.taxonomy.library.library import Library
from lab_desktop.taxonomy.library.places import KEEP
from lab_desktop.taxonomy.library.steps import Binned, NewLeaf, Step, made_here, moved_since

__all__ = ["KEEP", "Binned", "Library", "NewLeaf", "Step", "made_here", "moved_since"]
