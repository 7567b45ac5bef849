"""The configuration of a person."""

from ..aws_configuration import configured

__all__ = ["configured"]
