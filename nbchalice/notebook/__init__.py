"""From a live session or an ``.ipynb`` to the source a handler needs: cells, statements, slices."""
