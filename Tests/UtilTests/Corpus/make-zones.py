"""Writes zones.tsv: changes of clock as Python's zoneinfo knows them, with the time-zone database of the `tzdata` package.

    python3 -m venv venv && venv/bin/pip install tzdata
    PYTHONTZPATH= venv/bin/python make-zones.py > zones.tsv

Columns: zone, the second at which the clocks change (since 1970, UTC), seconds ahead of UTC before and from then on.
Past years only, since the future's rules change; and 2100 for zones whose rules have long been steady.
"""

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

ZONES = """Europe/Berlin America/New_York Australia/Lord_Howe Antarctica/Troll Africa/Casablanca Pacific/Apia
America/Sao_Paulo Asia/Beirut Africa/Cairo Europe/Dublin Pacific/Chatham Asia/Tehran Asia/Kolkata Pacific/Kwajalein
America/St_Johns Asia/Gaza""".split()
STEADY = "Europe/Berlin America/New_York Australia/Lord_Howe Antarctica/Troll Europe/Dublin Pacific/Chatham".split()


def offset(zone, second):
    moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=second)
    return int(moment.astimezone(zone).utcoffset().total_seconds())


def changes(name, first, last):
    zone = ZoneInfo(name)
    start, end = (int(datetime(year, 1, 1, tzinfo=timezone.utc).timestamp()) for year in (first, last))
    for low in range(start, end, 86400):
        high = low + 86400
        before, after = offset(zone, low), offset(zone, high)
        if before == after:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(zone, middle) == before else (low, middle)
        print(name, high, before, after, sep="\t")


for name in ZONES:
    changes(name, 1985, 2025)
for name in STEADY:
    changes(name, 2099, 2101)
