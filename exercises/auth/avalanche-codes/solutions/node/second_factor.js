// One-time codes for the avalanche desk: RFC 6238, each code once, and a limit on guessing.
//
// A secret carries the last step whose code was good, so "used up" is one comparison. Codes and recovery codes share
// one way in (SecondFactor.attempt), and with it the count of failures.
'use strict';

const { createHash, createHmac, randomBytes, randomInt, timingSafeEqual } = require('node:crypto');

const STEP_SECONDS = 30;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** The bytes of a Base32 text: every 8 of its bits, a rest left out. */
function bytesOf(text) {
  const bytes = [];
  let [buffer, bits] = [0, 0];
  for (const letter of text.replace(/ /g, '').replace(/=+$/, '').toUpperCase()) {
    buffer = (buffer << 5) | BASE32.indexOf(letter);
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((buffer >> bits) & 0xff);
      buffer &= (1 << bits) - 1;
    }
  }
  return Buffer.from(bytes);
}

/** A new secret of 160 bits; 32 letters carry 5 of them each. */
function newSecret() {
  // 256 is a multiple of 32, so no letter is likelier than another.
  return Array.from(randomBytes(32), (byte) => BASE32[byte % 32]).join('');
}

function codeOfStep(secret, step) {
  const message = Buffer.alloc(8);
  message.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', bytesOf(secret)).update(message).digest();
  const number = mac.readUInt32BE(mac[19] & 0x0f) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

const stepAt = (now) => Math.floor(now / STEP_SECONDS);

/** The code of a Base32 secret at a time, in seconds. */
function codeAt(secret, now) {
  return codeOfStep(secret, stepAt(now));
}

/** What a forecaster's phone holds, too. */
class Secret {
  constructor(text) {
    this.text = text;
    this.lastStep = -1; // of the last code that was good
  }

  /** Whether the code is good now; if so it is used up, with all before it. */
  accept(code, now, drift) {
    const typed = typeof code === 'string' ? code.replace(/ /g, '') : '';
    if (!/^[0-9]{6}$/.test(typed)) return false;
    const current = stepAt(now);
    for (let step = Math.max(current - drift, this.lastStep + 1); step <= current + drift; step += 1) {
      if (timingSafeEqual(Buffer.from(codeOfStep(this.text, step)), Buffer.from(typed))) {
        this.lastStep = step;
        return true;
      }
    }
    return false;
  }
}

/** What is kept of a recovery code; spellings do not matter. */
const digestOf = (code) => createHash('sha256').update(code.replace(/[ -]/g, '').toLowerCase()).digest('hex');

/** An active forecaster: the confirmed secret, and digests of the recovery codes that are left. */
class Forecaster {
  constructor(secret) {
    this.secret = secret;
    this.recovery = new Set();
  }

  newRecoveryCodes() {
    const five = () => Array.from({ length: 5 }, () => LETTERS[randomInt(LETTERS.length)]).join('');
    const codes = new Set();
    while (codes.size < 8) codes.add(`${five()}-${five()}`);
    this.recovery = new Set([...codes].map(digestOf));
    return [...codes];
  }

  acceptRecovery(code) {
    return typeof code === 'string' && this.recovery.delete(digestOf(code));
  }
}

/** Who has a second factor, and whether a code is good. */
class SecondFactor {
  constructor(drift, maxFailures, lockSeconds) {
    this.drift = drift;
    this.maxFailures = maxFailures;
    this.lockSeconds = lockSeconds;
    this.pending = new Map(); // name -> Secret
    this.active = new Map(); // name -> Forecaster
    this.failures = new Map(); // name, of a forecaster or not -> {count, last}
  }

  enrol(name, now) {
    const secret = new Secret(newSecret());
    this.pending.set(name, secret);
    return secret.text;
  }

  confirm(name, code, now) {
    const secret = this.pending.get(name);
    if (!secret?.accept(code, now, this.drift)) return null;
    this.pending.delete(name);
    const forecaster = new Forecaster(secret);
    this.active.set(name, forecaster);
    return forecaster.newRecoveryCodes();
  }

  isActive(name) {
    return this.active.has(name);
  }

  check(name, code, now) {
    return this.attempt(name, now, (forecaster) => forecaster.secret.accept(code, now, this.drift));
  }

  recover(name, code, now) {
    return this.attempt(name, now, (forecaster) => forecaster.acceptRecovery(code));
  }

  renew(name, now) {
    return this.active.get(name)?.newRecoveryCodes() ?? null;
  }

  /** The answer to one attempt; `accept` says whether it is right. */
  attempt(name, now, accept) {
    const failures = this.failures.get(name) ?? { count: 0, last: 0 };
    if (failures.count >= this.maxFailures) {
      if (now < failures.last + this.lockSeconds) return 'wait';
      failures.count = 0;
    }
    const forecaster = this.active.get(name);
    if (forecaster !== undefined && accept(forecaster)) {
      this.failures.delete(name);
      return 'ok';
    }
    this.failures.set(name, { count: failures.count + 1, last: now });
    return 'wrong';
  }
}

module.exports = { codeAt, SecondFactor };
