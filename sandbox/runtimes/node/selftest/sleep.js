function double(n) {
  return new Promise((resolve) => setTimeout(resolve, 3_600_000));
}

module.exports = { double };
