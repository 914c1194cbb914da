"""Writes json-verdicts.tsv: what Python's json module makes of texts, good and bad.

Each line: the text in hexadecimal, "ok" or "no", and for "ok" the value again as JSON in hexadecimal
where it must be the same.
Left out is where the two may differ: numbers beyond a double's range, lone surrogates, other depths.
"""
import json
import pathlib
import random
import re

here = pathlib.Path(__file__).parent
random.seed(3)
seeds = [
    rb'{"a":[1,2.5,-0.0,1e10,true,false,null,"x\u00e9\ud83d\ude00\n"],"b":{"c":{}},"d":[]}',
    rb'[9223372036854775807,-9223372036854775808,9223372036854775808,0.1,1E+2]',
    rb'"\u0041\/\b\f\n\r\t\\\""', b' \t\r\n[ 1 , 2 ] ', '{"é":"日本 😀","e\u0301":"\u007f"}'.encode(),
    b'{"z":1,"a":2,"z":3}', b"-0.0e-0", b"true", b"1", b'""',
]
pieces = [b"{", b"}", b"[", b"]", b":", b",", b'"', b"\\", b"\\u", b"0", b"1", b"-", b"+", b".", b"e", b" ", b"\n",
          b"\x00", b"\x1f", b"\x7f", b"\xc3\xa9", b"\xff", b"\xef\xbb\xbf", b"null", b"NaN", b"\xc2\xa0", b"'", b"/"]


def refuse(text):
    raise ValueError(text)


def verdict(raw):
    text = raw.decode("utf-8")
    value = json.loads(text, parse_constant=refuse)
    # Of these the two keep different things: -0 as a float, more digits than a double has.
    if re.search(rb"-0(?![.0-9eE])|[0-9]\.[0-9]{15}", raw):
        return b""
    again = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return again.encode("utf-8")


def mutated(raw):
    data = bytearray(raw)
    for _ in range(random.randint(1, 3)):
        at = random.randint(0, len(data))
        choice = random.randrange(4)
        if choice == 0:
            del data[at:at + random.randint(1, 3)]
        elif choice == 1 and at < len(data):
            data[at] = random.randrange(256)
        else:
            data[at:at] = random.choice(pieces)
    return bytes(data)


lines = {}
for raw in seeds + [mutated(random.choice(seeds)) for _ in range(1500)]:
    try:
        lines[raw] = f"{raw.hex()}\tok\t{verdict(raw).hex()}"
    except UnicodeEncodeError:
        continue  # a lone surrogate
    except ValueError as error:
        if "Out of range float" not in str(error):
            lines[raw] = f"{raw.hex()}\tno\t"
(here / "json-verdicts.tsv").write_text("\n".join(lines.values()) + "\n")
