/* Shows /openapi.json: the problems as a list with an anchor each, the calls by Swagger UI. */
const answer = await fetch("/openapi.json");
const spec = await answer.json();

const list = document.querySelector("#problem-list");
for (const [code, { status, title }] of Object.entries(spec["x-problems"])) {
  const term = document.createElement("dt");
  term.id = `problem-${code}`;
  term.textContent = `${status} ${code}`;
  const meaning = document.createElement("dd");
  meaning.textContent = title;
  list.append(term, meaning);
}

// A refusal's `type` leads to its problem. The browser looked for it before there was one.
const asked = location.hash.startsWith("#problem-")
  ? document.getElementById(location.hash.slice(1))
  : null;
asked?.classList.add("asked");

globalThis.SwaggerUIBundle({
  spec,
  dom_id: "#api",
  // Takes every anchor for one of its own.
  deepLinking: asked === null,
  defaultModelsExpandDepth: 0,
  presets: [globalThis.SwaggerUIBundle.presets.apis],
  // The badge of the default validator would call another host.
  validatorUrl: null,
});

if (asked !== null) {
  // Each call that is drawn moves what is below, until the reader decides what to look at.
  const drawing = new ResizeObserver(() => asked.scrollIntoView({ block: "center" }));
  drawing.observe(document.querySelector("#api"));
  for (const turn of ["wheel", "pointerdown", "keydown"]) {
    addEventListener(turn, () => drawing.disconnect(), { once: true, passive: true });
  }
}
