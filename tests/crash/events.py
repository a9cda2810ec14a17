"""The events of the crash test: numbered from 1 without a gap, so that what must be there can be counted."""

KEYS = 17
BROKEN_EVERY = 50


def is_broken(number):
    """A broken event does not fit silver and becomes a dead letter."""
    return number % BROKEN_EVERY == 7


def event(number):
    key = f"k{number % KEYS}"
    if not is_broken(number):
        return f'{{"id":{number},"key":"{key}","amount":{number * 3 % 1000}}}'
    if number % (2 * BROKEN_EVERY) == 7:
        return f'{{"id":{number},"key":"{key}","amount":"much"}}'
    return f'{{"id":{number},"key":"{key}","amou'


def broken_up_to(last):
    """How many of the events 1 … last are broken."""
    return (last - 7) // BROKEN_EVERY + 1 if last >= 7 else 0
