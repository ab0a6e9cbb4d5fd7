// page_test.mjs WEB: the example page in headless Chromium. Exits with 77, which is "skipped", where there is none.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

const web = process.argv[2];
const example = new URL("../../examples/tatoeba-160/balanced.ltz", import.meta.url);
const types = { ".html": "text/html", ".mjs": "text/javascript", ".wasm": "application/wasm" };
// Of the browser's clock, which stands still while it computes.
const patience = 60_000;

const server = createServer(({ url }, response) => {
  const name = basename(new URL(url, "http://localhost").pathname) || "index.html";
  const path = name === "balanced.ltz" ? example : join(web, name);
  try {
    const body = readFileSync(path);
    const type = types[name.slice(name.indexOf("."))] ?? "application/octet-stream";
    response.writeHead(200, { "Content-Type": type }).end(body);
  } catch {
    response.writeHead(404).end();
  }
}).listen(0, "127.0.0.1");
await once(server, "listening");

const profile = mkdtempSync(join(tmpdir(), "ltz-page-"));
async function page(query) {
  const url = `http://127.0.0.1:${server.address().port}/?${new URLSearchParams(query)}`;
  const browser = spawn("chromium", [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
    `--user-data-dir=${profile}`, `--virtual-time-budget=${patience}`, "--dump-dom", url,
  ], { stdio: ["ignore", "pipe", "ignore"] });
  let dom = "";
  browser.stdout.on("data", (part) => (dom += part));
  await once(browser, "close");
  return dom;
}

let wrong = 0;
function expect(what, dom, ...parts) {
  const missing = parts.filter((part) => !dom.includes(part));
  wrong += missing.length;
  console.log(missing.length ? `FAILED ${what}: expected ${missing} in\n${dom}` : `ok     ${what}`);
}

try {
  expect("a translation and its score",
    await page({ model: "balanced.ltz", text: "I am tired ." }),
    "<td>Je suis fatigué .</td>", "Done in");
  expect("a model that is none", await page({ model: "ltz.mjs" }), "model in memory");
  expect("a model that is not there", await page({ model: "absent.ltz" }), "absent.ltz: 404");
} catch (error) {
  if (error.code !== "ENOENT") {
    throw error;
  }
  console.log("skipped: needs chromium");
  process.exitCode = 77;
} finally {
  server.close();
  rmSync(profile, { recursive: true, force: true });
}
process.exitCode ||= wrong ? 1 : 0;
