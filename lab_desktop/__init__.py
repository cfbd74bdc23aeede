"""LAB Desktop: teach a language model new facts and skills on a laptop, offline, and see proof that it learned.

`workflow.py` tells the whole story in one function; start reading there.
"""

__version__ = "0.1.0"
