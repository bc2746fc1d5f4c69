"""Labels from people, round by round: the first rows, what to ask next, what was told, when to stop."""
