// Builds app/static/dist from this folder. The output depends on nothing but the sources and the lock, so two builds
// of one commit are byte-identical; tests/architecture/test_assets.py says when the committed build is stale.
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";
import * as sass from "sass";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const DIST = path.join(HERE, "..", "static", "dist");
const MODULES = path.join(HERE, "node_modules");
const BANNER = "/*! Greenroom. Third-party code in this file: see THIRD_PARTY.txt */";

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const byName = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** Every file that decides the output, as paths relative to this folder, sorted. */
async function sources() {
  const files = await readdir(path.join(HERE, "src"), { recursive: true, withFileTypes: true });
  const found = files
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(HERE, path.join(entry.parentPath, entry.name)).split(path.sep).join("/"));
  return [...found, "build.mjs", "package.json", "package-lock.json"].sort(byName);
}

/** One digest over names and contents: the same sum is taken in Python, without Node. */
async function sourceDigest() {
  const sum = createHash("sha256");
  for (const name of await sources()) {
    sum.update(`${name}\0${sha256(await readFile(path.join(HERE, name)))}\n`);
  }
  return sum.digest("hex");
}

const COMMON = {
  absWorkingDir: HERE,
  bundle: true,
  charset: "utf8",
  format: "esm",
  legalComments: "none",
  metafile: true,
  minify: true,
  outdir: DIST,
  target: ["es2022"],
};

/** Returns the package folders whose code went into the scripts. */
async function scripts() {
  const banner = { js: BANNER };
  const results = [
    await build({ ...COMMON, banner, entryPoints: ["src/app.js"] }),
    await build({ ...COMMON, banner, entryPoints: ["src/solve.js", "src/author.js"], splitting: true, chunkNames: "chunks/[name]-[hash]" }),
  ];
  const used = results.flatMap((result) =>
    Object.values(result.metafile.outputs).flatMap((output) =>
      Object.entries(output.inputs).flatMap(([input, { bytesInOutput }]) => (bytesInOutput ? [input] : [])),
    ),
  );
  return used.map((input) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1]).filter(Boolean);
}

/** Bootstrap's icons are data: images, which a strict img-src refuses: each becomes a file beside the style sheet. */
async function imagesToFiles(css) {
  await mkdir(path.join(DIST, "img"), { recursive: true });
  const writes = [];
  const rewritten = css.replace(/url\((?:"data:image\/svg\+xml,(.*?)"|'data:image\/svg\+xml,(.*?)')\)/g, (_all, double, single) => {
    const svg = (double ?? single)
      .replace(/%(3c|3e|23|28|29)/gi, decodeURIComponent) // what Bootstrap escapes, and no more
      .replaceAll("'", '"');
    const name = `img/${sha256(svg).slice(0, 10)}.svg`;
    writes.push(writeFile(path.join(DIST, name), svg + "\n"));
    return `url(${name})`;
  });
  await Promise.all(writes);
  const left = /url\(.?data:.{0,60}/.exec(rewritten);
  if (left) throw new Error(`app.css still holds ${left[0]}`);
  return rewritten;
}

async function styles() {
  const compiled = sass.compile(path.join(HERE, "src/styles/app.scss"), {
    loadPaths: [MODULES],
    quietDeps: true,
    silenceDeprecations: ["import", "global-builtin", "color-functions", "if-function", "abs-percent"],
  });
  const { outputFiles } = await build({
    stdin: { contents: compiled.css, loader: "css" },
    charset: "utf8",
    legalComments: "none",
    minify: true,
    target: ["chrome115", "firefox121", "safari17"],
    write: false,
  });
  await writeFile(path.join(DIST, "app.css"), `${BANNER}\n${await imagesToFiles(outputFiles[0].text)}`);
}

/** One sprite of the icons named in src/icons.txt: `<svg class="gr-icon"><use href="…/icons.svg#check"/></svg>`. */
async function icons() {
  const names = (await readFile(path.join(HERE, "src/icons.txt"), "utf8")).split(/\s+/).filter(Boolean).sort(byName);
  const symbols = [];
  for (const name of names) {
    const svg = await readFile(path.join(MODULES, "lucide-static/icons", `${name}.svg`), "utf8");
    const body = svg.replace(/<!--.*?-->/gs, "").replace(/<svg[^>]*>|<\/svg>/g, "").replace(/\s+/g, " ").trim();
    const stroke = 'fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"';
    symbols.push(`<symbol id="${name}" viewBox="0 0 24 24" ${stroke}>${body}</symbol>`);
  }
  const sprite = `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`;
  await writeFile(path.join(DIST, "icons.svg"), sprite);
}

async function licences(packages) {
  const parts = ["Third-party code and images in this folder, with their licences.\n"];
  for (const name of [...new Set(packages)].sort(byName)) {
    const folder = path.join(MODULES, name);
    const about = JSON.parse(await readFile(path.join(folder, "package.json"), "utf8"));
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e(\.|$)/i.test(entry));
    if (!file) throw new Error(`${name} has no licence file`);
    const text = (await readFile(path.join(folder, file), "utf8")).replaceAll("\r\n", "\n").trim();
    parts.push(`${"=".repeat(78)}\n${name} ${about.version} (${about.license})\n${"=".repeat(78)}\n\n${text}\n`);
  }
  await writeFile(path.join(DIST, "THIRD_PARTY.txt"), parts.join("\n"));
}

/** manifest.json: the digest of the sources, and the digest of every file built from them. */
async function manifest() {
  const entries = await readdir(DIST, { recursive: true, withFileTypes: true });
  const files = {};
  for (const entry of entries.filter((each) => each.isFile())) {
    const full = path.join(entry.parentPath, entry.name);
    files[path.relative(DIST, full).split(path.sep).join("/")] = sha256(await readFile(full));
  }
  const sorted = Object.fromEntries(Object.entries(files).sort(([a], [b]) => byName(a, b)));
  const content = { sources: await sourceDigest(), files: sorted };
  await writeFile(path.join(DIST, "manifest.json"), JSON.stringify(content, null, 1) + "\n");
}

await rm(DIST, { recursive: true, force: true });
await mkdir(DIST, { recursive: true });
const packages = await scripts();
await styles();
await icons();
await licences([...packages, "bootstrap", "lucide-static"]);
await manifest();
