"""Writes croniter.tsv: what croniter (PyPI) says where its meaning is ours.

    python3 -m venv venv && venv/bin/pip install croniter
    venv/bin/python make-croniter.py > croniter.tsv

Columns: expression (five fields, or six with seconds first), a time, the run before it and three after it, in seconds
since 1970, UTC. Left out, because croniter means something else: clock changes; day fields that both are restricted
where one of them begins with "*" or covers all its values; steps over wrapping ranges; L-n, nW, LW, nL in croniter's
own spelling.
"""

import random
from datetime import datetime, timezone

from croniter import croniter

random.seed(20261124)
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
DAYS = "sun mon tue wed thu fri sat".split()


def element(low, high, names=None):
    def written(value):
        return names[value - low] if names and random.random() < 0.3 else str(value)

    first, last = sorted((random.randint(low, high), random.randint(low, high)))
    kind = random.randrange(7)
    if kind < 3:
        return written(first)
    if kind == 3 and first < last:
        return f"{written(first)}-{written(last)}"
    if kind == 4 and last - first > 2:
        return f"{first}-{last}/{random.randint(2, last - first)}"
    return f"*/{random.randint(2, (high - low) // 2)}" if kind == 5 else str(last)


def field(low, high, any_, names=None):
    if random.random() < any_:
        return "*"
    return ",".join(element(low, high, names) for _ in range(random.choice([1, 1, 1, 2, 3])))


def days():
    kind = random.randrange(8)
    if kind < 2:
        return "*", "*"
    if kind < 4:
        return field(1, 31, 0), "*"
    if kind < 6:
        return "*", field(0, 6, 0, DAYS)
    if kind == 6:
        return "*", f"{random.randint(0, 6)}#{random.randint(1, 5)}"
    # Both restricted: one is enough.
    return str(random.randint(1, 31)), random.choice(["1", "mon-fri", "0,6", "3"])


seen = set()
while len(seen) < 700:
    day, weekday = days()
    if random.random() < 0.06:
        day, weekday = "L", "*"
    parts = [field(0, 59, 0.2), field(0, 23, 0.3), day, field(1, 12, 0.6, MONTHS), weekday]
    has_seconds = random.random() < 0.2
    if has_seconds:
        parts.insert(0, field(0, 59, 0.3))
    text = " ".join(parts)
    start = random.randint(946684800, 2524608000)
    try:
        def runs():
            return croniter(
                text, datetime.fromtimestamp(start, timezone.utc), second_at_beginning=has_seconds, max_years_between_matches=30
            )

        forward, backward = runs(), runs()
        times = [backward.get_prev(float)] + [forward.get_next(float) for _ in range(3)]
    except Exception:
        continue
    if text in seen:
        continue
    seen.add(text)
    print(text, start, *(int(time) for time in times), sep="\t")
