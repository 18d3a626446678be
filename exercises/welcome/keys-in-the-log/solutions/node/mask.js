const SHOWN = 4;

/** Returns `key` with all but its last four characters replaced by stars; short keys are hidden whole. */
function mask(key) {
  if (key.length <= SHOWN) return "*".repeat(key.length);
  return "*".repeat(key.length - SHOWN) + key.slice(-SHOWN);
}

module.exports = { mask };
