"""A simulated market: a random walk, the same for the same seed."""

import random


class Market:
    def __init__(self, symbol, price, volatility=0.004):
        self.symbol = symbol
        self.price = float(price)
        self.volatility = volatility
        self.random = random.Random(symbol)

    def tick(self):
        self.price *= 1 + self.random.uniform(-self.volatility, self.volatility)
        return round(self.price, 2)
