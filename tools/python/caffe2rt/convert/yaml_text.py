"""Reads YAML of detectron2's configurations without running anything: PyYAML's safe loader, and the two tags of Python's that they have.

`!!python/tuple` is a list. `!!python/object/apply:eval ["[[x, x * 2**(1.0/3)] for x in [32, 64]]"]`, as Base-RetinaNet.yaml has its anchors,
is worked out here: numbers, strings, lists, arithmetic and comprehensions over lists, and nothing else.
"""
import ast
import operator

import yaml

_ARITHMETIC = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv,
               ast.Mod: operator.mod, ast.Pow: operator.pow}
_SIGNS = {ast.UAdd: operator.pos, ast.USub: operator.neg}
_LARGEST = 1e6  # of a number that is worked with: no expression costs much


class _Evaluator(ast.NodeVisitor):
    """Values of the nodes of an expression. Raises ValueError that says what it does not know."""

    def __init__(self, names=()):
        self._names = dict(names)

    def generic_visit(self, node):
        raise ValueError("%s" % type(node).__name__)

    def visit_Expression(self, node):
        return self.visit(node.body)

    def visit_Constant(self, node):
        return node.value

    def visit_Name(self, node):
        if node.id not in self._names:
            raise ValueError("the name '%s'" % node.id)
        return self._names[node.id]

    def visit_List(self, node):
        return [self.visit(e) for e in node.elts]

    visit_Tuple = visit_List

    def _number(self, node):
        value = self.visit(node)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= _LARGEST:
            raise ValueError("arithmetic on %.40r" % (value,))
        return value

    def visit_BinOp(self, node):
        if type(node.op) not in _ARITHMETIC:
            raise ValueError("%s" % type(node.op).__name__)
        left, right = self._number(node.left), self._number(node.right)
        if isinstance(node.op, ast.Pow) and abs(right) > 64:
            raise ValueError("the power %r" % right)
        return _ARITHMETIC[type(node.op)](left, right)

    def visit_UnaryOp(self, node):
        if type(node.op) not in _SIGNS:
            raise ValueError("%s" % type(node.op).__name__)
        return _SIGNS[type(node.op)](self._number(node.operand))

    def visit_ListComp(self, node):
        loop = node.generators[0]
        if len(node.generators) != 1 or loop.ifs or loop.is_async or not isinstance(loop.target, ast.Name):
            raise ValueError("a comprehension of more than one name over one list")
        values = self.visit(loop.iter)
        if not isinstance(values, list):
            raise ValueError("a comprehension over %s" % type(values).__name__)
        return [_Evaluator({**self._names, loop.target.id: v}).visit(node.elt) for v in values]


def _evaluated(loader, node):
    text = loader.construct_sequence(node, deep=True)
    try:
        if len(text) != 1 or not isinstance(text[0], str):
            raise ValueError("expected one expression")
        return _Evaluator().visit(ast.parse(text[0].strip(), mode="eval"))
    except (ValueError, SyntaxError, ArithmeticError, RecursionError, MemoryError) as e:
        raise yaml.constructor.ConstructorError(None, None, "refused to evaluate %.200r: %s; only lists of numbers and arithmetic on them are worked out"
                                                % (text, e), node.start_mark) from None


class _Loader(yaml.SafeLoader):
    pass


_Loader.add_constructor("tag:yaml.org,2002:python/object/apply:eval", _evaluated)
_Loader.add_constructor("tag:yaml.org,2002:python/tuple", lambda loader, node: loader.construct_sequence(node, deep=True))


def load(text):
    """What a YAML text (str or UTF-8 bytes) holds. Raises yaml.YAMLError or UnicodeDecodeError."""
    return yaml.load(text, _Loader)
