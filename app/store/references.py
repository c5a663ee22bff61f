"""How the rows of table `body` name what they stand on: pieces, list lengths, another body.

A split body is varints: the length of each list of its template, then each piece's item id as the zig-zag difference
to the one before it, beginning at 0. An edited body is two varints, start and end, then the text; a quote is the two
numbers alone.
"""

from app.models.call import Edit
from app.store.varints import read_varint, read_varints, write_varint


def encode_counts(counts: list[int]) -> bytes:
    """Return the lengths of lists."""
    out = bytearray()
    for count in counts:
        write_varint(out, count)
    return bytes(out)


def encode_ids(ids: list[int], before: int) -> bytes:
    """Return item ids that follow the id `before`."""
    out = bytearray()
    for item_id in ids:
        delta = item_id - before
        write_varint(out, delta << 1 if delta >= 0 else (-delta << 1) - 1)
        before = item_id
    return bytes(out)


def decode_references(template: bytes, data: bytes) -> tuple[list[int], list[int]]:
    """Return the lengths of the template's lists and the ids of all pieces in order."""
    numbers = read_varints(data)
    n_lists = template.count(b"\x01") // 2
    ids = []
    item_id = 0
    for number in numbers[n_lists:]:
        item_id += (number >> 1) ^ -(number & 1)
        ids.append(item_id)
    return numbers[:n_lists], ids


def encode_edit(edit: Edit) -> bytes:
    """Return an edit of another body."""
    out = bytearray()
    write_varint(out, edit.start)
    write_varint(out, edit.end)
    return bytes(out) + edit.text


def decode_edit(data: bytes) -> Edit:
    """Return what `encode_edit` wrote."""
    start, at = read_varint(data, 0)
    end, at = read_varint(data, at)
    return Edit(start, end, data[at:])
