"""The one error of the converter."""


class ConvertError(Exception):
    """What cannot be converted: says where, what was expected and what came."""
