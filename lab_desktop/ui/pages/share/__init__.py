"""Giving what was taught to others: the contributions, and the sheet that makes one."""
