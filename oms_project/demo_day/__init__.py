"""Demo day: real incidents played on a running demo house, each with its answer key. Never in live mode.

Nothing is faked inside: orders go through the doors, the venue misbehaves by its own script, files are files. An answer key
reads what a person would: orders, executions, exceptions.
"""
