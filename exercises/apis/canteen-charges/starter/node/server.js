/** Canteen wallets: charges as often as it is asked, and forgets everything when it stops. */
const http = require("node:http");

const wallets = new Map(); // id -> { id, balance_cents }
const charges = new Map(); // wallet id -> list of charges

function openWallet({ body }) {
  const wallet = { id: wallets.size + 1, balance_cents: body.balance_cents };
  wallets.set(wallet.id, wallet);
  charges.set(wallet.id, []);
  return [201, wallet];
}

function showWallet({ walletId }) {
  return [200, wallets.get(walletId)];
}

function deposit({ walletId, body }) {
  const wallet = wallets.get(walletId);
  wallet.balance_cents += body.amount_cents;
  return [200, wallet];
}

function listCharges({ walletId }) {
  return [200, { items: charges.get(walletId) }];
}

function charge({ walletId, headers, body }) {
  const key = headers["idempotency-key"]; // nobody looks at it yet
  const wallet = wallets.get(walletId);
  if (wallet.balance_cents < body.amount_cents) return [402, { error: "the balance is too small" }];
  wallet.balance_cents -= body.amount_cents;
  const made = { id: charges.get(walletId).length + 1, ...body, balance_cents: wallet.balance_cents };
  charges.get(walletId).push(made);
  return [201, made];
}

const ROUTES = [
  ["GET", /^\/health$/, () => [200, { status: "up" }]],
  ["POST", /^\/wallets$/, openWallet],
  ["GET", /^\/wallets\/(\d+)$/, showWallet],
  ["POST", /^\/wallets\/(\d+)\/deposits$/, deposit],
  ["GET", /^\/wallets\/(\d+)\/charges$/, listCharges],
  ["POST", /^\/wallets\/(\d+)\/charges$/, charge],
];

/** Returns [status, body] or [status, body, headers]. */
function answer(request, data) {
  for (const [method, pattern, view] of ROUTES) {
    const match = pattern.exec(request.url);
    if (match && method === request.method) {
      const body = data ? JSON.parse(data) : undefined;
      return view({ walletId: Number(match[1]), headers: request.headers, body });
    }
  }
  return [404, { error: "there is nothing here" }];
}

async function serve(request, response) {
  let data = "";
  for await (const part of request.setEncoding("utf8")) data += part;
  const [status, body, headers = {}] = answer(request, data);
  response.writeHead(status, { "Content-Type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

http.createServer(serve).listen(process.env.PORT, "127.0.0.1");
