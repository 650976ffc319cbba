"""What every field means, in words for the person at the page."""

from studio.preset.refinements import REFINEMENTS

FIELDS = {
    "vae": "Id of an autoencoder in the library, or of a model that has one. Empty: the base model's own.",
    "omega": "For LoRA and fine-tune rows. 0–0.3 keeps the subject most faithful, 0.4–0.6 is balanced, 1 is plain guidance.",
    "decoupling": "For prompts with AND. 0 joins the parts into one condition, 1 lets each part guide alone, at a pass each.",
    "distilled_guidance": "A number that a distilled network (FLUX.1 [dev]) reads in every pass; rows guide beside it. Empty: 3.5, as on its card.",
    "clip_skip": "Layer of the text encoder that is read, counted from its end; 2 for many anime models. Empty: the base's own.",
    "effort": "Below exact, a row runs again only where that would show.",
    "tiles": "A picture larger than the base's own in overlapping tiles of that size; every pass runs in each.",
    "seed": "",
}
LABELS = {
    "name": "Preset",
    "base": "Base model",
    "rows": "Guidance rows",
    "init": "Start from a picture",
    "vae": "Autoencoder (VAE)",
    "omega": "ω, personalization guidance",
    "decoupling": "Condition decoupling",
    "count": "Images",
    "freeu_on": "FreeU",
    "freeu_b1": "FreeU b1",
    "freeu_b2": "FreeU b2",
    "freeu_s1": "FreeU s1",
    "freeu_s2": "FreeU s2",
    "refiner_model": "Refiner: model",
    "refiner_at": "Refiner: from",
    "second_pass_scale": "Second pass, times as large",
    "second_pass_strength": "Second pass, strength",
    "second_pass_steps": "Second pass, steps",
    "second_pass_enlarge": "Second pass, enlarged in its",
    "second_pass_upscaler": "Second pass, upscaler",
    "second_pass_tiles": "Second pass, in tiles",
    "second_pass_scheduler": "Second pass, scheduler",
    "second_pass_prompt": "Second pass, prompt",
    "second_pass_negative_prompt": "Second pass, negative prompt",
    "second_pass_model": "Second pass, model",
    "second_pass_cfg": "Second pass, CFG scale",
    "detail_finder": "Detail pass, finds",
    "detail_words": "Detail pass, words",
    "detail_prompt": "Detail pass, prompt",
    "detail_strength": "Detail pass, strength",
    "detail_confidence": "Detail pass, confidence",
    "detail_most": "Detail pass, most parts",
    "detail_grow": "Detail pass, grown by",
    "detail_padding": "Detail pass, padding",
    "seed": "Seed (−1: new each time)",
}
# What values are called that no table of titles holds, by their field's name.
VALUES = {"area": {"picture": "whole picture", "mask": "around the mask alone"}}
ROW_VALUES = {  # of a row's fields, whose lists are in editors of their own
    "curve": {
        "constant": "constant",
        "linear_up": "rising",
        "linear_down": "falling",
        "cosine_up": "rising softly",
        "cosine_down": "falling softly",
    },
    "reference": {
        "unconditional": "unconditional (default)",
        "autoguidance": "autoguidance: base under this prompt",
        "own": "own weak model",
        "perturbed": "perturbed: its middle attends to nothing (PAG)",
    },
}

_HELP = """
### In one minute
Every **row** is one guidance. It pulls the image towards its prompt, model or control image with its own
**weight**; a weight below zero pushes away. The studio adds all rows up, finds out how many *distinct*
network passes that takes, and shows the sum and its cost beside the Generate button before anything runs.

1. Pick a preset, or write a prompt into the first row.
2. **Generate** (Ctrl+Enter). The image forms in front of you; **Cancel** (Esc) stops within one step.
3. Add a row, change one weight, generate again with the same seed, and compare.

*Tour*, beside the studio's name, shows in six steps what there is; each loads a preset, and *Undo* brings yours back.

### A row
| field | what it does |
|---|---|
| Eye, **S** | leave the row out; or let only the rows marked S (solo) take part |
| Model | the base model, a concept model, a LoRA with its strength, or a fine-tune |
| Prompt | what the row asks for; empty means unconditional. `AND` separates parts, `sunset:1.5` weighs a part. The arrow button proposes a split. Concept models take no prompt |
| Weight | how far the row pulls: one prompt row of weight *w* is classifier-free guidance of scale *w*. Weights are never normalised. Typical: 3–8 for the main prompt, 1–3 for concepts, −1 to −3 for what you do not want |
| Control image | click the picture button or drop an image on the row: its edges (or depth, pose …) guide the layout. Only where the library has a ControlNet for the base model |
| Also | more LoRAs, each at its own strength, learned words, or another network under the LoRA; shown where the library has some |
| Picture | what an editing model (InstructPix2Pix) changes; shown where the row's model takes one |
| Image | an image prompt: a picture that the network sees besides the row's text, at a strength of its own; shown where the library has an IP-Adapter |
| Range | the part of the denoising in which the row acts: 0 is pure noise, 1 the finished image. The beginning decides layout, the end detail |
| Curve | multiplies the weight as the noise goes away: rising or falling over the row's range, or your own points `progress:factor`, such as `0:0, 0.4:1, 1:0.5` |
| Mask | an image of the picture's shape, painted here or uploaded: the row acts where it is white and contributes nothing where it is black. *Masks*, above the rows, paints those of all rows over one picture, each in its colour |
| Reference | what the row is compared with. *Unconditional*: the shared base term. *Autoguidance*: the base model under the same prompt. *Own weak model*: the row's own model at ω without a prompt. *Another prompt*: that text under the row's model. *Perturbed*: the row itself, whose network attends to nothing in its middle (perturbed-attention guidance): such a row beside the prompt's, weight 1 to 3, gives pictures more structure, also without a negative prompt. A paper's baseline is rows together: the presets *Baseline: …* hold them. The classic negative prompt is two rows, +*w* for the prompt and −(*w*−1) for the negative one; *CFG scale*, above the rows, moves both |
| Known words | of a base that says what it knows: unknown words are underlined while you type, with the nearest known ones to click |
| Your own tags | complete what you type, on every base: lists in the folder tags/ below STUDIO_HOME, a .csv as other tools have it (danbooru.csv) or a .txt with a tag a line |
| Explain this picture | below a result, and in *Use this picture …*: what each row pulled towards at three moments, its share over time, and the picture *without this row* at the same seed |
| Share | after a generation: how much the row moved the image, step by step, its part of all rows, and whether it pulled along with the others (cosine 1) or against them (−1) |

### The whole
| field | what it does |
|---|---|
| ω | for LoRAs and fine-tunes: the unconditional branch runs on weights interpolated between base (0) and personalised model (1). 0–0.3 for the most subject fidelity, 0.4–0.6 balanced |
| Decoupling | 0 joins the parts of a prompt into one condition, 1 lets each part guide alone |
| Scheduler, steps | how the noise is taken away. DPM-Solver++ with 20–30 steps is a good start |
| Effort | *Exact* runs every row at every step. *Balanced* and *fast* go on with what a row changed at the steps before, and run it again only where that would no longer do: about two fifths and a third of the passes of eight rows, with hardly a visible difference. The cost beside Generate is then the most that it can be; the result says what was saved and the error to expect, as a root mean square of the finished latent |
| Seed | the same seed and the same preset give the same image; −1 takes a new one each time |
| Size, images | empty size: the base model's own. *Aspect* fills both sides in, for a ratio of about as many pixels |

### A sweep
Press the name of a field, or the small grid beside a row's prompt or weight, and it becomes an axis of the tab
*Sweep*: up to three, values as a list (`0, 0.5, 1`, or `0,5; 1` between semicolons) or from:to:step (`0:1:0.25`), prompts and models one a line. The
cost stands there before it starts; *Stop* keeps what is made, *Go on* makes the rest. A press on a cell shows it large,
to use it or to sweep around it with half the step. *Prompt S/R*, in the tab's list of fields, searches a text in the
prompts of all rows and puts others in its place.

Numbers may be written as in other tools' X/Y/Z plot: `1-5`, `10-30 (+10)` or, how many, `0-1 [5]`; models, styles and
the texts of *Prompt S/R* may stand on one line, divided by commas. A seed of −1 is drawn once for all pictures of that
value.

*Every choice in turn*, below a prompt with choices such as `{cat|dog}`, sweeps over all that it can become.

### Advanced
| field | what it does |
|---|---|
| Start from a picture | image-to-image: the denoising starts from your picture instead of pure noise. Strength 1 keeps hardly anything of it, 0.3 most. With a mask only what is white is painted anew (inpainting). *Loops* sends it through several times, each result the start of the next (other tools call it loopback) |
| Second pass | makes the finished picture again, larger, with the same rows and seed (other tools call it hires fix): below strength 0.5 it keeps what is there and works out detail. *Make it larger* below a result does the same afterwards. An upscaler of the library enlarges better than Lanczos; strength 0 does nothing else |
| Detail pass | finds faces, or what words say, in the finished picture, makes each again at the full size with the same rows, and puts it back (other tools call it detailer): small faces and hands become clear. A start picture at strength 0 is only mended. A shared prompt of the parts may take the place of the first row's |
| Seamless | opposite edges meet, so that copies side by side show no seam |
| FreeU | networks trust what they have worked out more, and what skips past it less: calmer, clearer pictures of Stable Diffusion 1.x, 2.x and XL, at no further pass |
{refinements}

### Presets and sharing
A **preset** is everything needed to make an image again. Every image carries its own: drop a PNG made here
(or by A1111, ComfyUI or InvokeAI) or a preset's JSON anywhere on this page. *Copy link* puts the preset,
without its images, into an address. *Copy code* puts a Python script that makes the same pictures on the
clipboard: plain `diffusers` where the rows are prompts on one model, else a few lines that call the studio; under
*Presets* there is a command line too. A picture that you drop, paste, or choose below a result can also be what
the next one starts from, a control image or an image prompt. What could not be carried over stays in a list
until you close it.

A press of Generate while another run goes on waits in the **queue**, a list under the buttons: a line can come
earlier or later, or be taken out. **Forever** makes one more with the next seeds whenever the last is done, other
presses in between, until Cancel or *Stop after this one*. Pressed again, it goes on with what the form
shows then.

A run goes on when you reload the page, and the page finds it again. **Cancel** keeps what is finished; what
is not is marked, and kept only where you press *Keep*. With no run of yours left it ends your sweep, then
your search for ω: one a press. A training goes on; *Pause* and *Stop and keep*, in its tab, end it.

*Unconditional drift* under the rows: how far the personalised weights lead away from the base without any
prompt, the mean over the steps of ‖ε(θ′, ∅) − ε(θ, ∅)‖. Large values mean that ω matters.

### For programs
[Every endpoint, with examples in Python and for a shell](studio-api.html)

### Keys
| key | what it does |
|---|---|
| `Ctrl+Enter` | generate, also while another one runs: presses queue |
| `Esc` | cancel what runs; a list or a dialog that is open closes first |
| `Ctrl+Z / Ctrl+Shift+Z` | undo and redo, of the whole form; while one types, the browser's own come first |
| `Alt+↑ / Alt+↓` | move the row that holds the cursor |
| `Ctrl+↑ / Ctrl+↓` | in a prompt, weigh what is selected, or the word at the cursor, by 0.1 |
| `Alt+← / Alt+→` | in a prompt, move the part at the cursor past the comma beside it (not on a Mac) |
| `↑ / ↓ / Enter` | choose from the words that complete what is typed, and take one |
| `Ctrl+V` | outside of fields, open a picture, a preset, or another tool's text that was copied |
| `← / → / ↑ / ↓` | go along the pictures of the History, the strip and a sweep; enlarged, to the next one |
| `Space / s / Delete` | in the History, choose, star or delete a picture; Enter opens it |
| `+ / − / 0 / 1` | zoom an enlarged picture; 0 shows the whole, 1 each of its pixels as one of the screen's |
| `[ / ]` | while painting, a smaller or larger brush; the arrow keys move it, Space puts it down and lifts it |
"""


def help_text() -> str:
    """The page's help, with a line for each refinement there is."""
    lines = (
        f"| {record.title[0].upper()}{record.title[1:]} | {record.help} {record.source} |"
        for record in REFINEMENTS.values()
    )
    return _HELP.replace("{refinements}", "\n".join(lines))
