"""Writes NetDefs in protobuf's text form without protobuf: an operator is (type, inputs, outputs, arguments)."""


def _quote(value):
    data = value.encode() if isinstance(value, str) else value
    return '"%s"' % "".join(chr(b) if 32 <= b < 127 and b not in (34, 92) else "\\%03o" % b for b in data)


def argument(name, value):
    """int -> i, float -> f, str or bytes -> s, a list of one of these -> ints, floats, strings."""
    if isinstance(value, (bool, int)):
        fields = ["i: %d" % value]
    elif isinstance(value, float):
        fields = ["f: %r" % value]
    elif isinstance(value, (str, bytes)):
        fields = ["s: " + _quote(value)]
    elif value and isinstance(value[0], float):
        fields = ["floats: %r" % v for v in value]
    elif value and isinstance(value[0], (str, bytes)):
        fields = ["strings: " + _quote(v) for v in value]
    else:
        fields = ["ints: %d" % v for v in value]
    return "arg { name: %s %s }" % (_quote(name), " ".join(fields))


def operator(type, inputs, outputs, args=None):
    parts = ["input: " + _quote(b) for b in inputs] + ["output: " + _quote(b) for b in outputs]
    parts.append("type: " + _quote(type))
    parts += [argument(k, v) for k, v in (args or {}).items()]
    return "op { %s }" % " ".join(parts)


def net(operators, inputs=(), outputs=(), name="net"):
    lines = ["name: " + _quote(name)] + list(operators)
    lines += ["external_input: " + _quote(b) for b in inputs] + ["external_output: " + _quote(b) for b in outputs]
    return "\n".join(lines) + "\n"
