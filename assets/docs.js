/* Shows /openapi.json: the calls by Swagger UI, the problems as a list with an anchor each. */
const answer = await fetch("/openapi.json");
const spec = await answer.json();

globalThis.SwaggerUIBundle({
  spec,
  dom_id: "#api",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  presets: [globalThis.SwaggerUIBundle.presets.apis],
  // The badge of the default validator would call another host.
  validatorUrl: null,
});

const list = document.querySelector("#problem-list");
for (const [code, { status, title }] of Object.entries(spec["x-problems"])) {
  const term = document.createElement("dt");
  term.id = `problem-${code}`;
  term.textContent = `${status} ${code}`;
  const meaning = document.createElement("dd");
  meaning.textContent = title;
  list.append(term, meaning);
}

// The list was not there when the browser looked for the anchor.
if (location.hash.startsWith("#problem-")) {
  document.getElementById(location.hash.slice(1))?.scrollIntoView();
}
