// The API's page: every endpoint as this server names it, and examples with its own address. Nothing of
// another host; all addresses are relative to the page's own, so that it works under a proxy's path.
(function () {
  "use strict";
  const EXAMPLE = "http://127.0.0.1:7860"; // as the examples name the server
  const here = new URL(".", location.href).href.replace(/\/$/, "");

  for (const code of document.querySelectorAll("code"))
    code.textContent = code.textContent.replaceAll(EXAMPLE, here);

  const make = (tag, text, ...inner) => {
    const node = document.createElement(tag);
    node.append(text, ...inner);
    return node;
  };
  const name = ({ type, anyOf, items }) =>
    anyOf
      ? anyOf.map(name).join(" or ")
      : type === "array" && items
        ? `list of ${name(items)}`
        : type || "any";

  /** An endpoint with its parameters, folded. */
  function entry([path, { post }]) {
    const schema = post.requestBody?.content?.["application/json"]?.schema?.properties || {};
    const lines = Object.entries(schema).map(([field, of]) =>
      make(
        "tr",
        "",
        make("td", "", make("code", field)),
        make("td", name(of)),
        make("td", of.description || ""),
      ),
    );
    const takes = lines.length ? make("table", "", ...lines) : make("p", "Takes nothing.");
    const summary = make("summary", "", make("code", path), ` ${post.summary || ""}`);
    return make("details", "", summary, takes);
  }

  async function list() {
    const place = document.getElementById("endpoints");
    try {
      const answer = await fetch("gradio_api/openapi.json");
      const { paths } = await answer.json();
      const posted = Object.entries(paths).filter(([, { post }]) => post);
      place.replaceChildren(...posted.map(entry));
    } catch {
      place.textContent = "The server does not say which endpoints it has.";
    }
  }
  list();
})();
