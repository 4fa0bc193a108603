"""What others say, read: the bytes of a file become rows of a kind, or named problems. Constant memory; nothing guessed."""
