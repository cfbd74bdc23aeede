"""The models' page: what is on this computer, and what can be had."""
