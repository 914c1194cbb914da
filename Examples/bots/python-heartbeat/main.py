"""A bot that says every few seconds that it is alive."""

import json
import time


def main(id, config):
    interval = config.get("interval_seconds", 10)
    started = time.monotonic()
    beats = 0
    print(f"{id} started, one beat every {interval} s")
    try:
        while True:
            beats += 1
            uptime = round(time.monotonic() - started, 1)
            print(json.dumps({"_metric": "heartbeat", "beat": beats, "uptime_seconds": uptime}))
            time.sleep(interval)
    finally:
        # SIGTERM ends the bot here too.
        print(f"{id} stopped after {beats} beats")
