"""The local AWS as the notebook sees it: starts, finds, asks and ends the server."""
