"""What somebody can press: each asks the front end for what a command does."""
