"""What each ATen operator of a captured graph becomes: OPERATORS, one entry an operator, open to more.

An entry takes the Capture and the operator's arguments (Values for tensors, symbols for open sizes) and returns the Value of its
result, or a list of them; it raises Unmapped where this use of it has no counterpart. Source: aten/src/ATen/native/native_functions.yaml
for the arguments, the operators' schemas (caffe2_inspect --operator) for what they become.
"""
from . import elementwise, layers, reductions, shapes  # noqa: F401
from .table import OPERATORS  # noqa: F401
