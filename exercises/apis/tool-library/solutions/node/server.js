/** The tool library: tools as a REST resource, kept in memory. */
const express = require("express");

const CATEGORIES = ["garden", "hand", "power"];

const app = express();
app.use(express.raw({ type: () => true })); // read as JSON by hand, so that every fault gets our own answer

const tools = new Map(); // id -> tool, in order of creation
let lastId = 0;

const isText = (value, longest) => typeof value === "string" && [...value].length <= longest;

// A Map and no object: an object would also have rules for "constructor" and "toString".
const RULES = new Map([
  ["name", [(value) => isText(value, 80) && value.trim() !== "", "must be a text of 1 to 80 characters"]],
  ["category", [(value) => CATEGORIES.includes(value), `must be one of ${CATEGORIES.join(", ")}`]],
  ["daily_fee_cents", [(value) => Number.isInteger(value) && value >= 0, "must be a whole number, 0 or more"]],
  ["note", [(value) => value === null || isText(value, 500), "must be null or a text of at most 500 characters"]],
]);
const REQUIRED = ["name", "category", "daily_fee_cents"];

/** The request is at fault; the message and the extra members are the answer. */
class Refused extends Error {
  constructor(status, message, extra = {}) {
    super(message);
    this.status = status;
    this.body = { error: message, ...extra };
  }
}

function faultsIn(body, required) {
  const faults = {};
  for (const field of required) if (!Object.hasOwn(body, field)) faults[field] = "is required";
  for (const [field, value] of Object.entries(body)) {
    const [isGood, message] = RULES.get(field) ?? [() => false, "unknown field"];
    if (!isGood(value)) faults[field] = message;
  }
  return faults;
}

/** Returns the request's fields, all of them known and valid. */
function fieldsOf(request, required = []) {
  let body;
  try {
    body = JSON.parse(request.body);
  } catch {
    throw new Refused(400, "the body is not JSON");
  }
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new Refused(400, "the body is not a JSON object");
  }
  const faults = faultsIn(body, required);
  if (Object.keys(faults).length > 0) throw new Refused(422, "some fields are wrong", { fields: faults });
  return body;
}

function find(request) {
  const tool = tools.get(Number(request.params.id));
  if (tool === undefined) throw new Refused(404, "there is no such tool");
  return tool;
}

/** Answers every method that a route does not have. */
function only(...methods) {
  return (request, response) => {
    response.set("Allow", methods.join(", "));
    throw new Refused(405, `this address knows ${methods.join(", ")}`);
  };
}

app.get("/health", (request, response) => response.json({ status: "up" }));

app
  .route("/tools")
  .get((request, response) => {
    const wanted = request.query.category;
    response.json({ items: [...tools.values()].filter((tool) => wanted === undefined || tool.category === wanted) });
  })
  .post((request, response) => {
    const fields = fieldsOf(request, REQUIRED);
    lastId += 1;
    const tool = { id: lastId, note: null, ...fields };
    tools.set(tool.id, tool);
    response.status(201).location(`/tools/${tool.id}`).json(tool);
  })
  .all(only("GET", "POST"));

app
  .route("/tools/:id(\\d+)")
  .get((request, response) => response.json(find(request)))
  .patch((request, response) => {
    const tool = { ...find(request), ...fieldsOf(request) };
    tools.set(tool.id, tool);
    response.json(tool);
  })
  .delete((request, response) => {
    tools.delete(find(request).id);
    response.status(204).end();
  })
  .all(only("GET", "PATCH", "DELETE"));

app.use(() => {
  throw new Refused(404, "there is nothing here");
});

// Four parameters make it an error handler, even if the last one is not used.
app.use((error, request, response, next) => {
  response.status(error.status ?? 500).json(error.body ?? { error: "the server is at fault" });
});

app.listen(process.env.PORT, "127.0.0.1");
