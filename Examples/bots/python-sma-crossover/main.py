"""Signals a trade when a fast moving average crosses a slow one, on simulated prices."""

import json
import time
from collections import deque

from market import Market


def emit(metric, **fields):
    print(json.dumps({"_metric": metric, **fields}))


def average(prices):
    return sum(prices) / len(prices)


def main(id, config):
    market = Market(config.get("symbol", "BTC"), config.get("start_price", 100))
    fast = deque(maxlen=config.get("fast", 5))
    slow = deque(maxlen=config.get("slow", 20))
    if fast.maxlen >= slow.maxlen:
        raise ValueError(f"fast ({fast.maxlen}) must be less than slow ({slow.maxlen})")
    was_above = None
    while True:
        price = market.tick()
        fast.append(price)
        slow.append(price)
        emit("price", symbol=market.symbol, value=price)
        if len(slow) == slow.maxlen:
            is_above = average(fast) > average(slow)
            if was_above is not None and is_above != was_above:
                emit("signal", symbol=market.symbol, side="buy" if is_above else "sell", price=price)
            was_above = is_above
        time.sleep(config.get("interval_seconds", 2))
