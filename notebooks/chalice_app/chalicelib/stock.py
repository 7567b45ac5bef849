"""How many pieces of each item are on the shelf."""

import os


class Shelf:
    def __init__(self):
        self._pieces = {}

    def change(self, item, by):
        self._pieces[item] = self.pieces(item) + by
        return self._pieces[item]

    def pieces(self, item):
        return self._pieces.get(item, int(os.environ.get("BEGIN_WITH", "0")))
