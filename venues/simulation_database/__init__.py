"""The simulation's seeds through the real services and tables of a throw-away database."""
