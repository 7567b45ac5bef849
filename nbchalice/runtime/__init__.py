"""What runs on Lambda and in the notebook alike: standard library only, shipped in every zip."""

__version__ = "0.2.0"
