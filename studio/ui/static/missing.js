// What can be done about a model that is missing: fetch it, or choose another where it is named.
(function (studio) {
  "use strict";

  /** Ask for a model on the tab that has just been turned to, once that is drawn, or look it up. */
  async function fetchModel(name, does) {
    const box = await studio.inSight("#gs-fetch-name textarea, #gs-fetch-name input", 30000);
    if (!box) return;
    box.scrollIntoView({ block: "center" }); // with what is answered below it
    box.value = name;
    box.dispatchEvent(new Event("input", { bubbles: true }));
    setTimeout(() => studio.press(does === "Look up" ? "gs-fetch-look" : "gs-fetch-start"), 100);
  }

  document.addEventListener("click", ({ target }) => {
    const {
      fetch: wanted,
      choose,
      lacks,
      does,
    } = target.closest?.("[data-fetch], [data-choose]")?.dataset || {};
    if (wanted) {
      studio.showTab("models");
      fetchModel(wanted, does);
    } else if (choose) studio.chooseAnother(choose, lacks);
  });

  /** The list of a card from which its model ``id`` is chosen. */
  function listOf(card, field, id) {
    const { lora, model } = card.parts();
    const reads = field.includes("control") ? "control" : field.includes("image_prompt") && "image";
    if (reads === "control") {
      const [, further] = field.match(/controls\.(\d+)/) ?? [0, -1];
      const line = card.node.querySelectorAll(".gs-control")[Number(further) + 1];
      const nets = line.querySelector(".gs-control-net");
      return nets.hidden ? line.querySelector("select") : nets;
    }
    if (!reads && id === (lora || model)) return card.node.querySelector(".gs-model");
    if (!card.opened) card.more.click();
    const list = reads === "image" ? "gs-reader" : id === model ? "gs-network" : "gs-adder";
    return card.node.querySelector(`.${list}`);
  }

  /** Lead to the list from which a field's model is chosen. */
  studio.chooseAnother = function (field, id) {
    const [, row] = field.match(/^rows\.(\d+)\./) || [];
    const card = row === undefined ? null : studio.stack.cards[Number(row)];
    const node = card ? listOf(card, field, id) : document.querySelector("#gs-base input");
    node?.scrollIntoView({ block: "center" });
    node?.focus();
    try {
      node?.showPicker?.();
    } catch {
      /* only where the browser allows it */
    }
  };
})(window.studio);
