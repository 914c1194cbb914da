#!/usr/bin/env python3
"""Makes the zips of this folder. The part of a name before the first "-" is the expected code, or "ok"."""
import io
import os
import struct
import zipfile
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
FILE, LINK, FOLDER = 0o100644, 0o120777, 0o040755


def entry(name, content=b"content", mode=FILE, **lies):
    return dict(name=name if isinstance(name, bytes) else name.encode(), content=content, mode=mode, **lies)


def build(entries, count=None, tail=b"", comment=b""):
    out, directory = b"", b""
    for e in entries:
        method = e.get("method", 8)
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        data = e["content"] if method != 8 else packer.compress(e["content"]) + packer.flush()
        size = e.get("size", len(e["content"]))
        stored = e.get("compressed", len(data))
        crc = e.get("crc", zlib.crc32(e["content"]))
        flags = e.get("flags", 0x800)
        middle = struct.pack("<HHHHIII", flags, method, 0, 0x21, crc, stored, size)
        local = e.get("local", e["name"])
        offset = e.get("offset", len(out))
        out += b"PK\3\4" + struct.pack("<H", 20) + middle + struct.pack("<HH", len(local), 0) + local + data
        directory += b"PK\1\2" + struct.pack("<HH", e.get("system", 3) << 8 | 20, 20) + middle
        directory += struct.pack("<HHHHHII", len(e["name"]), 0, 0, 0, 0, e["mode"] << 16 & 0xFFFFFFFF, offset) + e["name"]
    n = len(entries) if count is None else count
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, n, n, len(directory), len(out), len(comment)) + comment
    return out + directory + end + tail


def python_zip():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as z:
        for name, text in (("main.py", "print(1)\n" * 20), ("vendor/größe.py", "x = 1\n"), ("bin/run", "#!/bin/sh\n")):
            info = zipfile.ZipInfo(name, (2024, 1, 2, 3, 4, 6))
            info.external_attr = 0o755 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            z.writestr(info, text)
    return buffer.getvalue()


ok = entry("main.py", b"print(1)\n")
good = build([ok, entry("lib/a.py"), entry("lib/l", b"a.py", LINK), entry("data/", b"", FOLDER)])
zips = {
    "ok-nested": good,
    "ok-python": python_zip(),
    "ok-stored": build([entry("a", method=0), entry("b/c", b"", method=0)]),
    "ok-comment": build([ok], comment=b"a comment"),
    "ok-fat-backslash": build([entry("lib\\a.py", mode=0, system=0)]),
    "unsafeEntry-dotdot": build([ok, entry("../evil")]),
    "unsafeEntry-dotdot-within": build([ok, entry("a/b/../../../evil")]),
    "unsafeEntry-absolute": build([ok, entry("/etc/cron.d/evil")]),
    "unsafeEntry-backslash": build([ok, entry("..\\evil")]),
    "unsafeEntry-backslash-fat": build([ok, entry("..\\..\\evil", system=0)]),
    "unsafeEntry-drive": build([ok, entry("C:/evil")]),
    "unsafeEntry-nul": build([ok, entry(b"a\0/../../evil")]),
    "unsafeEntry-not-utf8": build([ok, entry(b"a\xff\xfe", flags=0)]),
    "unsafeEntry-link-absolute": build([ok, entry("l", b"/etc", LINK)]),
    "unsafeEntry-link-out": build([ok, entry("a/l", b"../../etc", LINK)]),
    "unsafeEntry-link-through-link": build(
        [ok, entry("a/b/c/up", b"../../..", LINK), entry("out", b"a/b/c/up/..", LINK)]),
    "unsafeEntry-device": build([ok, entry("null", b"", 0o020666)]),
    "unsafeEntry-fifo": build([ok, entry("fifo", b"", 0o010666)]),
    "unsafeEntry-deep": build([ok, entry("d/" * 70 + "f")]),
    "unsafeEntry-long": build([ok, entry("n" * 300)]),
    "duplicate-file": build([ok, entry("./main.py")]),
    "duplicate-file-folder": build([ok, entry("main.py/x")]),
    "duplicate-write-through-link": build([ok, entry("d", b"lib", LINK), entry("d/evil"), entry("lib/a")]),
    "ratio-zeros": build([entry("zeros", bytes(17 << 20))]),
    "tooLarge-announced": build([ok, entry("big", size=0xFFFFFFF0)]),
    "tooManyEntries-announced": build([ok], count=60000),
    "encrypted-zipcrypto": build([ok, entry("secret", flags=0x801)]),
    "unsupported-ppmd": build([ok, entry("a", method=98)]),
    "corrupt-crc": build([ok, entry("bad", crc=1)]),
    "corrupt-link-crc": build([ok, entry("l", b"main.py", LINK, crc=1)]),
    "corrupt-size-small": build([ok, entry("bad", size=3)]),
    "corrupt-two-names": build([ok, entry("a", local=b"b")]),
    "corrupt-overlap": build([ok, entry("main.py", b"print(1)\n", offset=0)]),
    "corrupt-tail": build([ok], tail=b"x"),
    "corrupt-more-than-announced": build([ok, entry("hidden")], count=1),
    "truncated-announced": build([ok], count=2),
    "truncated-directory": good[:-60] + good[-22:],
    "truncated-end": good[:-5],
    "truncated-middle": good[: len(good) // 2],
    "empty-nothing": b"",
    "empty-zip": build([]),
    "empty-folders": build([entry("a/", b"", FOLDER)]),
    "notAZip-text": b"#!/bin/sh\necho not a zip\n",
    "notAZip-prefixed": b"#!python\n" + good,
}
for name, data in zips.items():
    with open(os.path.join(HERE, name + ".zip"), "wb") as f:
        f.write(data)
