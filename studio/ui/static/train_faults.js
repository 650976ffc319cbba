// What Train would refuse, said in red at its field while it is typed.
(function (studio) {
  "use strict";
  const FIELDS = ["word", "superclass", "template"];
  const problems = new WeakMap(); // by box

  function mark(name, text) {
    const place = document.getElementById(`gs-train-${name}`);
    const box = place?.querySelector("input, textarea");
    if (!box) return;
    if (!problems.has(box)) {
      const problem = studio.problemOf(box);
      place.append(problem.element);
      problems.set(box, problem);
    }
    problems.get(box).show(text);
  }

  studio.on("trainfaults", ({ fields, pictures }) => {
    for (const name of FIELDS) mark(name, fields[name] || "");
    studio.pictures?.mark(pictures);
  });
})(window.studio);
