"""What the code of a notebook does to names: statements, what they bind, use and change, in the order of execution."""
