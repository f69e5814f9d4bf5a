"""The table itself, and what its entries share."""

OPERATORS = {}


def maps(*names):
    """A decorator: the entry of these operators, by their names without aten:: and overload."""
    def register(function):
        OPERATORS.update(dict.fromkeys(names, function))
        return function
    return register


def fixed(x):
    """Whether a number is known now."""
    return isinstance(x, (int, float))


def pair(x):
    """One number for height and width, or two."""
    return list(x) * (2 // len(x))


def axis_of(axis, rank):
    """An axis counted from the front."""
    return axis % rank
