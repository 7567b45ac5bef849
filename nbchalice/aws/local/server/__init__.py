"""The server's process: MiniStack behind a guard, with a faithful Lambda. Imports nothing of the notebook's side."""
