// page_test.mjs WEB: the example pages in headless Chromium. Exits with 77, which is "skipped", where there is none.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

const web = process.argv[2];
const models = {
  "balanced.ltz": new URL("../../examples/tatoeba-160/balanced.ltz", import.meta.url),
  "language-model.ltz": new URL("../runtime/language-model.ltz", import.meta.url),
};
const types = { ".html": "text/html", ".mjs": "text/javascript", ".wasm": "application/wasm" };
// Of the browser's clock, which stands still while it computes.
const patience = 60_000;

// Types into the page in its frame, takes a suggestion, corrects, and shows what was suggested each time.
const typist = `<!doctype html><meta charset="utf-8"><iframe></iframe><ol></ol><script type="module">
  const frame = document.querySelector("iframe");
  const shown = (selector) => [...frame.contentDocument.querySelectorAll(selector)];
  async function until(ready) {
    while (!ready()) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  function note() {
    const words = shown("#suggestions button").map((button) => button.firstChild.textContent);
    const item = document.createElement("li");
    item.textContent = [shown("textarea")[0].value, ...words].join("|");
    document.querySelector("ol").append(item);
  }
  function type(text) {
    const [field] = shown("textarea");
    field.value = text;
    field.dispatchEvent(new Event("input"));
    note();
  }
  frame.src = "keyboard.html?model=language-model.ltz";
  await until(() => shown("#suggestions button").length > 0);
  note();
  type("the zeti d");
  shown("#suggestions button")[0].click();
  note();
  type("the zeti do");
  type("the ");
  document.body.append("typed");
</script>`;

const server = createServer(({ url }, response) => {
  const name = basename(new URL(url, "http://localhost").pathname) || "index.html";
  const path = models[name] ?? join(web, name);
  try {
    const body = name === "typist.html" ? typist : readFileSync(path);
    const type = types[name.slice(name.indexOf("."))] ?? "application/octet-stream";
    response.writeHead(200, { "Content-Type": type }).end(body);
  } catch {
    response.writeHead(404).end();
  }
}).listen(0, "127.0.0.1");
await once(server, "listening");

const profile = mkdtempSync(join(tmpdir(), "ltz-page-"));
async function page(query, name = "") {
  const url = `http://127.0.0.1:${server.address().port}/${name}?${new URLSearchParams(query)}`;
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
  expect("suggestions while one types",
    await page({}, "typist.html"),
    "<li>|figila|vude|ga|fo|file</li>",
    "<li>the zeti d|dezo|da|ditu|dipu|diku</li>",
    "<li>the zeti dezo |devedu|nike|dopasi|zonose|samele</li>",
    "<li>the zeti do|dola|dopasi|doleé|do|donu</li>",
    "<li>the |menino|fafuroé|pule|gesa|bavo</li>",
    "</script>typed");
  expect("suggestions behind a text",
    await page({ model: "language-model.ltz", text: "the " }, "keyboard.html"),
    "menino<small> 7.7%</small>");
  expect("a keyboard's model that translates",
    await page({ model: "balanced.ltz" }, "keyboard.html"),
    "expected a language model, found a translation model");
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
