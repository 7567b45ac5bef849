"""A notebook's handlers as a project for other tools: Chalice."""
