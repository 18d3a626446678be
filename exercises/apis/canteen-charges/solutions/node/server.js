/**
 * Canteen wallets: a charge may be sent again and is still made once.
 *
 * Whatever belongs to one charge (the money taken, the entry in the list, the answer under its key) is one line of a
 * journal. It is on the disk before anybody is answered, and all of it is read again at the start. Nothing is awaited
 * between reading the state and writing the line, so no other request can decide on the same, soon outdated data.
 */
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");

const KEY_SECONDS = Number(process.env.KEY_SECONDS ?? 86_400);
const JOURNAL = path.join(process.env.STATE_DIR, "canteen.jsonl");
const KEY = /^[A-Za-z0-9_-]{1,64}$/;

const wallets = new Map(); // id -> { id, balance_cents }
const charges = []; // { wallet_id, charge }
const answers = new Map(); // "wallet id/key" -> { request, status, body, first_used }

/** The request cannot be carried out; nothing was changed and no key was used. */
class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Changes the state by one entry of the journal: at the start by every old one, later by each new one. */
function apply(entry) {
  if (entry.wallet) wallets.set(entry.wallet.id, entry.wallet);
  if (entry.charge) charges.push({ wallet_id: entry.wallet.id, charge: entry.charge });
  if (entry.answer) {
    answers.delete(entry.answer.name); // a key that is used again is a new one
    answers.set(entry.answer.name, entry.answer);
  }
}

function readJournal() {
  if (!fs.existsSync(JOURNAL)) return;
  const text = fs.readFileSync(JOURNAL, "utf8");
  const whole = text.slice(0, text.lastIndexOf("\n") + 1); // a line without its end was never answered
  fs.truncateSync(JOURNAL, Buffer.byteLength(whole));
  for (const line of whole.split("\n")) if (line) apply(JSON.parse(line));
}

/** Makes a change that outlives the process, all of it or nothing. */
function commit(entry) {
  fs.writeSync(journal, `${JSON.stringify(entry)}\n`);
  fs.fsyncSync(journal);
  apply(entry);
}

function amountIn(body, name, { lowest = 1, highest = 100_000, others = [] } = {}) {
  const members = [name, ...others];
  const isObject = typeof body === "object" && body !== null && !Array.isArray(body);
  if (!isObject || Object.keys(body).length !== members.length || !members.every((each) => Object.hasOwn(body, each))) {
    throw new Refused(400, `the body must have exactly these members: ${members.join(", ")}`);
  }
  if (!Number.isInteger(body[name]) || body[name] < lowest || body[name] > highest) {
    throw new Refused(400, `${name} must be a whole number from ${lowest} to ${highest}`);
  }
  return body[name];
}

function walletOf(id) {
  const wallet = wallets.get(id);
  if (wallet === undefined) throw new Refused(404, "there is no such wallet");
  return wallet;
}

function openWallet({ body }) {
  const balance = amountIn(body, "balance_cents", { lowest: 0, highest: 10_000_000 });
  const wallet = { id: wallets.size + 1, balance_cents: balance };
  commit({ wallet });
  return [201, wallet];
}

function showWallet({ walletId }) {
  return [200, walletOf(walletId)];
}

function deposit({ walletId, body }) {
  const wallet = walletOf(walletId);
  commit({ wallet: { ...wallet, balance_cents: wallet.balance_cents + amountIn(body, "amount_cents") } });
  return [200, walletOf(walletId)];
}

function listCharges({ walletId }) {
  walletOf(walletId);
  return [200, { items: charges.filter((each) => each.wallet_id === walletId).map((each) => each.charge) }];
}

/** Returns the answer to this charge: made now, or made before and found under its key. */
function charge({ walletId, headers, body: order }) {
  const wallet = walletOf(walletId);
  const key = headers["idempotency-key"] ?? "";
  if (!KEY.test(key)) throw new Refused(400, "Idempotency-Key must be 1 to 64 letters, digits, - or _");
  const { amount_cents, dish } = { ...order, amount_cents: amountIn(order, "amount_cents", { others: ["dish"] }) };
  if (typeof dish !== "string" || dish === "" || [...dish].length > 80) {
    throw new Refused(400, "dish must be a text of 1 to 80 characters");
  }
  const request = JSON.stringify([amount_cents, dish]); // the same for every spelling of the same order
  const name = `${walletId}/${key}`;

  forgetOldAnswers();
  const known = answers.get(name);
  if (known !== undefined) {
    if (known.request !== request) throw new Refused(422, "this key was used for another charge");
    return [known.status, known.body, { "Idempotency-Replayed": "true" }];
  }
  const { status, body, ...changes } = settle(wallet, { amount_cents, dish });
  commit({ ...changes, answer: { name, request, status, body, first_used: Date.now() } });
  return [status, body];
}

/** Keys are in the order of their first use, so the oldest come first. */
function forgetOldAnswers() {
  const oldest = Date.now() - KEY_SECONDS * 1000;
  for (const [name, { first_used }] of answers) {
    if (first_used > oldest) break;
    answers.delete(name);
  }
}

/** Returns what becomes of an order: status and body, and what changes if the money is there. */
function settle(wallet, order) {
  const left = wallet.balance_cents - order.amount_cents;
  if (left < 0) return { status: 402, body: { error: "the balance is too small" } };
  const made = { id: charges.length + 1, ...order, balance_cents: left };
  return { status: 201, body: made, wallet: { ...wallet, balance_cents: left }, charge: made };
}

const ROUTES = [
  ["GET", /^\/health$/, () => [200, { status: "up" }]],
  ["POST", /^\/wallets$/, openWallet],
  ["GET", /^\/wallets\/(\d{1,15})$/, showWallet],
  ["POST", /^\/wallets\/(\d{1,15})\/deposits$/, deposit],
  ["GET", /^\/wallets\/(\d{1,15})\/charges$/, listCharges],
  ["POST", /^\/wallets\/(\d{1,15})\/charges$/, charge],
];

/** Returns [status, body] or [status, body, headers]. */
function answer(request, data) {
  for (const [method, pattern, view] of ROUTES) {
    const match = pattern.exec(request.url);
    if (match && method === request.method) {
      return view({ walletId: Number(match[1]), headers: request.headers, body: parsed(data) });
    }
  }
  throw new Refused(404, "there is nothing here");
}

function parsed(data) {
  try {
    return data ? JSON.parse(data) : undefined;
  } catch {
    throw new Refused(400, "the body is not JSON");
  }
}

function answerOrRefusal(request, data) {
  try {
    return answer(request, data);
  } catch (error) {
    if (error instanceof Refused) return [error.status, { error: error.message }];
    throw error;
  }
}

async function serve(request, response) {
  let data = "";
  for await (const part of request.setEncoding("utf8")) data += part;
  const [status, body, headers = {}] = answerOrRefusal(request, data);
  response.writeHead(status, { "Content-Type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

readJournal();
const journal = fs.openSync(JOURNAL, "a");
http.createServer(serve).listen(process.env.PORT, "127.0.0.1");
