"""The commands of `lab-desktop`, a module for each family: what it adds to the command line, and what that does.

A family is a module with one public function, `add(new)`, that fills in its commands with `new` (see arguments.py); it
stands beside them in `cli.COMMANDS` and is imported when one of them is asked for. A command gets its parsed arguments
and an event that Ctrl-C sets, says its results with `terminal.print_result` and everything else with
`terminal.print_remark`, raises a LabError for what a person can mend, and returns the exit status.
"""
