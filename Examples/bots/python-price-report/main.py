"""A bot that runs on a schedule: it makes a report, and ends."""

import json
import random
import statistics


def main(id, config):
    symbol = config.get("symbol", "BTC")
    price = 45000.0
    prices = []
    for _ in range(config.get("samples", 60)):
        price *= 1 + random.gauss(0, 0.002)
        prices.append(round(price, 2))
    report = {
        "symbol": symbol,
        "last": prices[-1],
        "low": min(prices),
        "high": max(prices),
        "mean": round(statistics.fmean(prices), 2),
    }
    print(json.dumps({"_metric": "price_report", **report}))
    # What main returns is written to result.json, which the scheduler stores.
    return report
