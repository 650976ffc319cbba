// The chart of a picture's shares: where lines run, where they break, and what is said of them.
import assert from "node:assert/strict";
import test from "node:test";
import { load, plain } from "./load.mjs";

const studio = load("explain/chart.js");
const BOX = { width: 120, height: 60, left: 10, right: 10, top: 5, bottom: 5 };

test("a line runs from the first step to the last, a whole share stands at the top", () => {
  const { lines, marks, ticks, last } = studio.shareLines(
    [{ row: 0, share: [1, 0.5, 0] }],
    [1, 3],
    BOX,
  );
  assert.equal(lines[0].path, "M10.0 5.0L60.0 30.0L110.0 55.0");
  assert.deepEqual(plain(marks), [
    [10, 1],
    [110, 3],
  ]);
  assert.deepEqual(plain(ticks)[2], [5, "100 %"]);
  assert.deepEqual(plain(last), [110, 3]);
});

test("a line breaks where nothing was measured, and one step alone is a dot", () => {
  const share = [0.2, null, 0.4, 0.6, null];
  const { lines } = studio.shareLines([{ row: 2, share }], [], BOX);
  assert.equal(lines[0].row, 2);
  assert.equal(lines[0].path, "M60.0 35.0L85.0 25.0");
  assert.deepEqual(plain(lines[0].dots), [[10, 45]]);
  const none = studio.shareLines([{ row: 0, share: [null] }], [], BOX).lines[0];
  assert.deepEqual(plain(none), { row: 0, path: "", dots: [] });
  assert.ok(Number.isFinite(studio.shareLines([{ row: 0, share: [0.5] }], [1], BOX).marks[0][0]));
});

test("shares and drifts in words leave out what was not measured", () => {
  const rows = [
    { norm: [1, null, 2], share: [0.1, null, 1] },
    { norm: [9, null, 0], share: [0.9, null, 0] },
    { norm: [null, null, null], share: [null, null, null] },
  ];
  assert.deepEqual(
    rows.map(({ norm }) => studio.wholeShare(norm, rows)),
    ["25 %", "75 %", ""],
  );
  // At the first step a row that took part was not measured: what is known of others is no share.
  const some = [
    { norm: [4, 1], share: [null, 0.25] },
    { norm: [null, 3], share: [null, 0.75] },
  ];
  assert.deepEqual(
    some.map(({ norm }) => studio.partOfAll(norm, some)),
    [0.25, 0.75],
  );
  assert.equal(studio.partOfAll([4], [{ norm: [4], share: [null] }]), null);
  assert.match(studio.whyNoPart([0, null]), /^no share: in pure noise/);
  assert.match(studio.whyNoPart([0, 4]), /^share not known/);
  const norm = [null, 0.25164, null, 0.14, 0.1234];
  assert.equal(studio.driftText({ weights: "θ′", norm }, 2), "θ′: 0.25 at step 2, 0.12 at step 5");
  assert.equal(studio.driftText({ weights: "θ′", norm }, 1), "θ′: 0.25 at step 2");
});

test("of a picture with a second pass the strips say that they are the first's", () => {
  const about = (second_pass, same) => plain(studio.aboutStrips({ second_pass }, same));
  assert.equal(about(false, true).length, 1);
  assert.match(about(true, true)[1], /second pass: .* are of the first/);
  assert.match(about(true, false)[2], /not the same in every pixel/);
  const rounds = (count) => plain(studio.aboutStrips({ rounds: count }, true));
  assert.equal(rounds(1).length, 1);
  assert.match(rounds(3)[1], /several rounds: .* are of the first/);
});
