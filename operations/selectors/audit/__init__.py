"""What happened to anything: which subject a name means, what is told of it, and what the actor may see of that."""
