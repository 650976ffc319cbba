// What the server does with the pictures that rows name: it keeps, shows and crops them. Each answer that
// could not be had is {error}, one line to read.
(function (studio) {
  "use strict";
  const META = { _type: "gradio.FileData" };

  studio.RowImages = class {
    /** @param models the page's, whose base a control map is made for. */
    constructor(server, upload, models) {
      Object.assign(this, { server, models, thumbs: {}, sent: new WeakMap() });
      this.upload = studio.sending(upload);
    }

    /** Send a file to the server: what names it there. What was sent once, as to be looked at, is not sent again. */
    send(file) {
      const named = ({ path }) => ({ path, meta: META });
      if (!this.sent.has(file)) this.sent.set(file, this.upload(file).then(named));
      const sending = this.sent.get(file);
      sending.catch(() => this.sent.delete(file));
      return sending;
    }

    /** Keep a file among the studio's images: {image, thumb, sent} or {error}, which names the file. */
    async store(file, mask = false) {
      try {
        const sent = await this.send(file);
        const answer = await this.server.store_image({ ...sent, mask });
        if (answer.image) this.thumbs[answer.image] = answer.thumb;
        if (answer.note) studio.toast(answer.note);
        if (answer.error && file.name)
          answer.error = answer.error.replace(/^(image|mask)(?=: )/, () => file.name);
        return { ...answer, sent };
      } catch (error) {
        return { error: `The image could not be uploaded (${error.message || error})` };
      }
    }

    /** The seed of the preset that a picture carries: {seed} or {error}. */
    async seedOf(file) {
      try {
        return await this.server.seed_of(await this.send(file));
      } catch (error) {
        return { error: `The picture could not be read (${error.message || error})` };
      }
    }

    /** The settings that are written in a picture, as they stand there: {text} or {error}. */
    async settingsIn(file) {
      try {
        return await this.server.settings_in(await this.send(file));
      } catch (error) {
        return { error: `The picture could not be read (${error.message || error})` };
      }
    }

    /** What a picture shows, in words for the base of the form: {text} or {error}, or {fetches}: how much
     *  has to be fetched for it, which `fetch` allows. */
    async captionOf(file, fetch = false) {
      try {
        const picture = await this.send(file);
        return await this.server.caption_picture({ picture, base: this.models.base, fetch });
      } catch (error) {
        return { error: `The picture could not be read (${error.message || error})` };
      }
    }

    /** Why a file is no picture that can be used, or "". What the browser shows is one.
     *  @param reading called where the server has to say it, which takes as long as the file to get there */
    async wrongWith(file, reading = () => {}) {
      try {
        (await createImageBitmap(file)).close();
        return "";
      } catch {
        reading(); // damaged, or of a kind that the server alone reads
      }
      try {
        const answer = await this.server.check_picture(await this.send(file));
        return (answer.error ?? "").replace(/^picture(?=: )/, (field) => file.name || field);
      } catch (error) {
        return `The picture could not be read (${error.message || error})`;
      }
    }

    /** Whether a mask has the aspect of an image; null where that cannot be told. */
    async maskFits(mask, image) {
      try {
        return (await this.server.mask_fits({ mask, image })).fits ?? null;
      } catch {
        return null;
      }
    }

    /** Width and height of an image of a preset; null where it cannot be read. */
    async sizeOf(image) {
      try {
        return (await this.server.image_size(image)).size ?? null;
      } catch {
        return null;
      }
    }

    /** A part of an image as an image of its own: {image} or {error}. */
    async crop(image, box) {
      try {
        const answer = await this.server.crop_image({ image, box });
        if (answer.image) this.thumbs[answer.image] = answer.thumb;
        return answer;
      } catch (error) {
        return { error: `The crop could not be made (${error.message || error})` };
      }
    }

    /** An image with strokes over it, a file, as an image of its own: {image} or {error}. */
    async paintOver(image, strokes) {
      try {
        const answer = await this.server.paint_over({ ...(await this.send(strokes)), image });
        if (answer.image) this.thumbs[answer.image] = answer.thumb;
        return answer;
      } catch (error) {
        return { error: `The image could not be uploaded (${error.message || error})` };
      }
    }

    /** All that a prompt with choices can become: {texts} or {error}. */
    async choicesOf(prompt) {
      try {
        return await this.server.prompt_choices({ prompt });
      } catch (error) {
        return { error: `The choices could not be looked up (${error.message || error})` };
      }
    }

    /** Where the face in an image is: {box} or {error}. */
    async findFace(image) {
      try {
        return await this.server.find_face(image);
      } catch (error) {
        return { error: `The face could not be looked for (${error.message || error})` };
      }
    }

    /** What words say in a picture (a data URI): {mask}, white where it is, or {error}. */
    async findParts(image, words) {
      try {
        return await this.server.find_parts({ image, words });
      } catch (error) {
        return { error: `The picture could not be searched (${error.message || error})` };
      }
    }

    async preview(control) {
      try {
        return await this.server.preview_map({
          control,
          base: this.models.base,
          size: studio.pictureSize(),
        });
      } catch (error) {
        return { error: `The map could not be made (${error.message || error})` };
      }
    }

    /** An image of a preset, large enough to paint on; "" where it cannot be read. */
    async show(reference) {
      try {
        const answer = await this.server.show_image(reference);
        if (answer.error) studio.toast(answer.error);
        return answer.src || "";
      } catch {
        return "";
      }
    }
  };
})(window.studio);
