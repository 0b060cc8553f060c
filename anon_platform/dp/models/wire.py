"""Messages of protocol buffers, as far as an ONNX file needs them: so that none has to be installed to write or check one.

Sources: the encoding of protocol buffers (protobuf.dev/programming-guides/encoding), and onnx.proto of ONNX 1.16 for the
numbers of the fields.
"""

import struct
from collections.abc import Sequence

FLOAT, INT64, STRING, BOOL, DOUBLE = 1, 7, 8, 9, 11
"""Types of elements in TensorProto."""


def varint(value: int) -> bytes:
    """A whole number ≥ 0, seven bits a byte, the lowest first.

    >>> varint(300).hex()
    'ac02'
    """
    found = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def number(field: int, value: int) -> bytes:
    """A field that is a whole number."""
    return varint(field << 3) + varint(value)


def text(field: int, value: str | bytes) -> bytes:
    """A field that is text, bytes, or a message.

    >>> text(2, "testing").hex()
    '120774657374696e67'
    """
    content = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(content)) + content


def floats(field: int, values: Sequence[float]) -> bytes:
    """A repeated field of single floats."""
    return text(field, struct.pack(f"<{len(values)}f", *values))


def single(field: int, value: float) -> bytes:
    """A field that is a single float."""
    return varint(field << 3 | 5) + struct.pack("<f", value)


def tensor(name: str, kind: int, shape: Sequence[int], values: Sequence[float]) -> bytes:
    """TensorProto of floats, single or double."""
    content = struct.pack(f"<{len(values)}{'f' if kind == FLOAT else 'd'}", *values)
    dims = b"".join(number(1, each) for each in shape)
    return dims + number(2, kind) + text(8, name) + text(9, content)


def node(kind: str, inputs: Sequence[str], output: str, attributes: bytes = b"", domain: str = "") -> bytes:
    """NodeProto; its output is its name."""
    ends = b"".join(text(1, each) for each in inputs) + text(2, output)
    return ends + text(3, output) + text(4, kind) + attributes + (text(7, domain) if domain else b"")


def value(name: str, kind: int) -> bytes:
    """ValueInfoProto of a column: any number of rows, one value each."""
    shape = text(1, text(2, "rows")) + text(1, number(1, 1))
    return text(1, name) + text(2, text(1, number(1, kind) + text(2, shape)))


def whole_attribute(name: str, given: int) -> bytes:
    """AttributeProto of a whole number, as a field of a node."""
    return text(5, text(1, name) + number(3, given) + number(20, 2))


def float_attribute(name: str, given: float) -> bytes:
    """AttributeProto of a float, as a field of a node."""
    return text(5, text(1, name) + single(2, given) + number(20, 1))


def floats_attribute(name: str, given: Sequence[float]) -> bytes:
    """AttributeProto of floats, as a field of a node."""
    return text(5, text(1, name) + floats(7, given) + number(20, 6))


def texts_attribute(name: str, given: Sequence[str]) -> bytes:
    """AttributeProto of texts, as a field of a node."""
    return text(5, text(1, name) + b"".join(text(9, each) for each in given) + number(20, 8))
