"""What compliance lays down: rules, restrictions, mandates, collars and marks of conduct, parsed once a version. Pure."""
