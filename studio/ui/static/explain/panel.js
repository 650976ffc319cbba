// Explain this picture: what each row pulled towards, its share over time, and the picture without it.
(function (studio) {
  "use strict";
  const { el } = studio;
  const NAMESPACE = "http://www.w3.org/2000/svg";
  const BOX = { width: 460, height: 170, left: 42, right: 12, top: 10, bottom: 30 };
  const FILE = { _type: "gradio.FileData" };
  const ASKED = "guidance-studio-explaining"; // kept in the tab while one is waited for
  const LOST =
    "The page was loaded anew: the explanation that was being made is gone, and Explain this picture begins it again";
  function draw(tag, attributes, ...children) {
    const node = document.createElementNS(NAMESPACE, tag);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }

  function chart({ rows, moments }) {
    const plot = studio.shareLines(rows, moments, BOX);
    const text = (x, y, anchor, said) => draw("text", { x, y, "text-anchor": anchor }, said);
    const foot = BOX.height - BOX.bottom;
    const lines = plot.lines.map(({ path, dots }, index) =>
      draw(
        "g",
        { class: `gs-explain-line gs-explain-${index % 8}` },
        draw("path", { d: path }),
        ...dots.map(([cx, cy]) => draw("circle", { cx, cy, r: 4 })),
      ),
    );
    return draw(
      "svg",
      {
        viewBox: `0 0 ${BOX.width} ${BOX.height}`,
        class: "gs-explain-chart",
        role: "img",
        "aria-label": `Shares over the steps. In all: ${rows
          .map(
            ({ row, norm }) => `row ${row + 1} ${studio.wholeShare(norm, rows) || "not measured"}`,
          )
          .join(", ")}`,
      },
      ...plot.ticks.flatMap(([y, said]) => [
        draw("path", { class: "gs-grid-line", d: `M${BOX.left} ${y}H${BOX.width - BOX.right}` }),
        text(BOX.left - 5, y + 4, "end", said),
      ]),
      ...plot.marks.flatMap(([x, moment]) => [
        draw("path", { class: "gs-explain-mark", d: `M${x} ${BOX.top}V${foot}` }),
        text(x, foot + 13, "middle", String(moment)),
      ]),
      text((BOX.left + BOX.width - BOX.right) / 2, BOX.height - 4, "middle", "step"),
      text(plot.last[0], foot + 13, "end", String(plot.last[1])),
      ...lines,
    );
  }

  function strip(images, moments, steps, what) {
    return el(
      "div",
      { class: "gs-explain-strip" },
      ...images.map((src, index) => {
        const step = `step ${moments[index]} of ${steps}`;
        return el(
          "figure",
          {},
          src
            ? el("img", { src, alt: `${what}, ${step}` })
            : el("span", { class: "gs-explain-none" }, "no part"),
          el("figcaption", {}, step),
        );
      }),
    );
  }

  studio.mountExplain = function (element, props, upload, trigger, watch) {
    let dialog = null;
    let leave = null; // the button that closes it
    let picture = null;
    let turn = 0;
    let heard = null;
    let busy = false;
    let made = {}; // the comparisons without a row that are there already
    const status = el("p", { class: "gs-explain-status", role: "status" });
    const body = el("div", { class: "gs-explain-body" });
    const stop = el(
      "button",
      { type: "button", class: "gs-word", onclick: () => trigger("stop", {}) },
      "Stop",
    );

    /** A reload takes the panel, and what was being made for it. */
    function wait(on) {
      busy = on;
      studio.noted(ASKED, on ? "yes" : "");
    }
    const cut = studio.noted(ASKED);
    studio.noted(ASKED, "");
    if (cut) studio.filled.then(() => studio.emit("unsent", { text: LOST }));

    function say(text, state) {
      wait(state === "running");
      status.textContent = text;
      status.dataset.state = state;
      const held = document.activeElement === stop;
      stop.hidden = !busy;
      if (held && stop.hidden) leave?.focus();
      for (const button of body.querySelectorAll(".gs-explain-without")) button.disabled = busy;
    }
    function ask(event, more = {}) {
      turn += 1;
      trigger(event, { turn, picture, ...more });
    }
    function without(row) {
      if (made[row]) return compare(made[row]);
      say(`Making the picture without row ${row + 1} …`, "running");
      return ask("submit", { row });
    }
    function compare(records) {
      const shown = studio.compareDialog(records);
      document.body.append(shown);
      shown.showModal();
    }

    function open(source) {
      dialog?.close();
      made = {};
      body.replaceChildren();
      leave = studio.button("close", "Close", () => dialog?.close());
      const own = el(
        "dialog",
        {
          class: "gs-painter gs-explain",
          "aria-label": "Explain this picture",
          onclose: () => {
            if (busy) trigger("stop", {});
            URL.revokeObjectURL(source);
            own.remove();
            if (dialog !== own) return;
            dialog = null;
            turn += 1; // what still comes is for a panel that is gone
            wait(false);
          },
          onclick: (event) => event.target === own && own.close(),
        },
        el(
          "div",
          { class: "gs-line" },
          el("img", { src: source, alt: "The picture", class: "gs-explain-picture" }),
          el("strong", {}, "What each row did"),
          stop,
          leave,
        ),
        status,
        body,
      );
      dialog = own;
      document.body.append(own);
      own.showModal();
    }

    function row(one, index, strips, report) {
      const weight = String(one.weight).replace("-", "−");
      const what = `row ${one.row + 1} (${weight}): ${one.title}`;
      const images = strips[one.row] || report.moments.map(() => null);
      const part = studio.wholeShare(one.norm, report.rows);
      return el(
        "section",
        { class: "gs-explain-row", "aria-label": what },
        el(
          "div",
          { class: "gs-line" },
          el("span", { class: `gs-explain-key gs-explain-${index % 8}`, "aria-hidden": "true" }),
          el("span", { class: "gs-explain-title", dir: "auto" }, what),
          el(
            "span",
            { class: "gs-explain-share" },
            `${one.weight < 0 ? "pushed away · " : ""}${part ? `share ${part}` : "no share"}`,
          ),
          el(
            "button",
            {
              type: "button",
              class: "gs-word gs-explain-without",
              title: "The same seed and every other row as it was",
              onclick: () => without(one.row),
            },
            "Without this row",
          ),
        ),
        strip(images, report.moments, report.steps, what),
      );
    }

    function show({ report, strips, same }) {
      const around = (title, name) =>
        el(
          "section",
          { class: "gs-explain-row", "aria-label": title },
          el("div", { class: "gs-line" }, el("span", { class: "gs-explain-title" }, title)),
          strip(strips[name], report.moments, report.steps, title),
        );
      const drift = report.drift.map((one) => el("li", { translate: "no" }, studio.driftText(one)));
      body.replaceChildren(
        ...studio
          .aboutStrips(report, same)
          .map((said) => el("p", { class: "gs-field-help" }, said)),
        around("Base term, without a prompt: what rows are compared with", "base"),
        ...report.rows.map((one, index) => row(one, index, strips, report)),
        around("All rows together", "whole"),
        ...(report.rows.some((one) => one.share.some((value) => value !== null))
          ? [el("h3", {}, "Shares over time"), chart(report)]
          : []),
        ...(drift.length
          ? [
              el("h3", {}, "Unconditional drift"),
              el("ul", { class: "gs-explain-drift", title: "‖ε(θ′, ∅) − ε(θ, ∅)‖" }, ...drift),
            ]
          : []),
      );
    }

    watch("value", () => {
      const value = studio.clone(props.value) || {};
      if (!dialog || value.turn !== turn || value.nonce === heard) return;
      heard = value.nonce; // Gradio sends the last one twice
      if (value.state === "done") show(value);
      if (value.state === "compared") compare((made[value.row] = value.compared));
      say(value.text || "", value.state);
    });

    /** Open the panel for a picture that carries its preset. */
    studio.explain = async function (file) {
      open(URL.createObjectURL(file));
      say("Making the picture again …", "running");
      const asked = (turn += 1);
      try {
        const { path } = await studio.sending(upload)(file);
        if (!dialog || asked !== turn) return;
        picture = { path, meta: FILE };
        ask("select");
      } catch (error) {
        if (asked === turn)
          say(`The picture could not be uploaded (${error.message || error})`, "failed");
      }
    };
  };
})(window.studio);
