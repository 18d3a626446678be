function double(n) {
  return n;
}

module.exports = { double };
