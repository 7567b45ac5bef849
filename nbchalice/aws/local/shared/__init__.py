"""What the notebook and the server both know: the folder of the local AWS, interpreters, functions."""
