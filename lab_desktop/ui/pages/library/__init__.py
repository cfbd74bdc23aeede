"""Library: the tree of topics, the lessons of one, what a lesson holds; searching, sorting, and what is new."""
