// Alerts when a simulated price leaves a band around the last price it alerted for.

const emit = (metric, fields) => console.log(JSON.stringify({ _metric: metric, ...fields }));

async function main(id, config) {
  const band = (config.band_percent ?? 1) / 100;
  const prices = new Map((config.symbols ?? ['BTC']).map((symbol) => [symbol, { value: 100, centre: 100 }]));
  let running = true;
  process.on('SIGTERM', () => {
    running = false;
  });
  console.log(`${id} watches ${[...prices.keys()].join(', ')}`);
  while (running) {
    for (const [symbol, price] of prices) {
      price.value *= 1 + (Math.random() - 0.5) * 0.01;
      emit('price', { symbol, value: Number(price.value.toFixed(2)) });
      if (Math.abs(price.value / price.centre - 1) > band) {
        emit('alert', { symbol, from: price.centre, to: price.value });
        price.centre = price.value;
      }
    }
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, (config.interval_seconds ?? 3) * 1000);
      process.once('SIGTERM', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
  console.log(`${id} stopped`);
}

module.exports = { main };
