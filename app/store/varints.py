"""Small numbers in few bytes: non-negative, seven bits a byte, lowest first."""


def write_varint(out: bytearray, number: int) -> None:
    """Append a non-negative number."""
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def read_varint(blob: bytes, at: int) -> tuple[int, int]:
    """Return the number at position `at` and the position behind it."""
    number = shift = 0
    while blob[at] > 0x7F:
        number |= (blob[at] & 0x7F) << shift
        shift += 7
        at += 1
    return number | blob[at] << shift, at + 1


def read_varints(blob: bytes) -> list[int]:
    """Return all the numbers of a blob of varints."""
    numbers = []
    number = shift = 0
    for byte in blob:
        number |= (byte & 0x7F) << shift
        if byte & 0x80:
            shift += 7
        else:
            numbers.append(number)
            number = shift = 0
    return numbers
