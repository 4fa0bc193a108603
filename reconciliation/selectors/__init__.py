"""All reads of this room: runs, breaks, rules. What an actor may not see does not exist."""
