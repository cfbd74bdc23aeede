"""One page for each noun of the sidebar, and the tour."""
