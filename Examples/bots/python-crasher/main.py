"""A bot that ends with an error, again and again."""

import sys
import time


def main(id, config):
    seconds = config.get("after_seconds", 3)
    print(f"{id} will end in {seconds} s")
    time.sleep(seconds)
    print("out of money", file=sys.stderr)
    sys.exit(config.get("exit_code", 3))
