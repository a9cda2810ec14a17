"""The events of the crash test: numbered from 1 without a gap, so that what must be there can be counted."""

KEYS = 17
BROKEN_EVERY = 50
NEW_FIELD_EVERY = 4000
FIELDS = 25


def is_broken(number):
    """A broken event does not fit silver and becomes a dead letter."""
    return number % BROKEN_EVERY == 7


def field_of(number):
    """Of a field that comes up with the numbers, alone and in a struct; its value is the number."""
    return number // NEW_FIELD_EVERY % FIELDS


def event(number):
    key = f"k{number % KEYS}"
    found = f'"f{field_of(number)}":{number},"extra":{{"f{field_of(number)}":{number}}}'
    if not is_broken(number):
        return f'{{"id":{number},"key":"{key}","amount":{number * 3 % 1000},{found}}}'
    if number % (2 * BROKEN_EVERY) == 7:
        return f'{{"id":{number},"key":"{key}","amount":"much",{found}}}'
    return f'{{"id":{number},"key":"{key}","amou'


def broken_up_to(last):
    """How many of the events 1 … last are broken."""
    return (last - 7) // BROKEN_EVERY + 1 if last >= 7 else 0


def cut_up_to(last):
    """How many of them are no JSON."""
    return (last - 57) // (2 * BROKEN_EVERY) + 1 if last >= 57 else 0
