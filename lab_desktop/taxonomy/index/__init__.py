"""What is known of a library's lessons: kept up with the disk, searched, compared, and how far each of them is.

Index       index     keeps up with the disk, in slices
Entry Node  entries   a lesson, a folder of the tree
Hit …       finding   what a search gives, lessons like another, topics for a new one
"""

from lab_desktop.taxonomy.index.entries import Entry, Node
from lab_desktop.taxonomy.index.finding import Hit, Near, Place
from lab_desktop.taxonomy.index.index import Index

__all__ = ["Entry", "Hit", "Index", "Near", "Node", "Place"]
