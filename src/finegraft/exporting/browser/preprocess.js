// From the bytes of a photo to the square a model sees, as `finegraft.vision.preprocess` does it in Python.

import { toSrgb } from "./icc.js";
import { UnknownKind, openJpeg } from "./jpeg.js";
import { resampled } from "./resampling.js";
import { hasProfile, kindOf, orientationOf, withoutExif } from "./signatures.js";

const GREY = 128; // of the borders
const MOST = 64e6; // pixels

/**
 * The photo in `bytes` as Uint8Array (size · size · 3): upright, RGB, as the `settings` of model.json say.
 * Throws an `Error` whose message says what is wrong with the photo.
 */
export async function square(bytes, settings) {
  const { size } = settings, photo = await decoded(bytes, settings);
  const [box, width, height] = geometry(settings, ...photo.extent);
  const downFirst = parseInt(settings.decoder.Pillow) >= 13; // the one the model learned with
  const small = resampled(photo.picture, box, width, height, settings.interpolation, downFirst);
  const upright = turned(small, photo.orientation);
  return settings.resize === "pad" ? padded(upright, size) : upright.pixels;
}

/** What to cut from a photo of that size, and the width and height it becomes. */
function geometry({ size, resize, crop }, width, height) {
  const whole = [0, 0, width, height];
  if (resize === "squish") return [whole, size, size];
  if (resize === "pad") {
    const scale = size / Math.max(width, height);
    return [whole, Math.max(toEven(width * scale), 1), Math.max(toEven(height * scale), 1)];
  }
  const side = Math.min(width, height) * crop, left = (width - side) / 2, top = (height - side) / 2;
  return [[left, top, left + side, top + side], size, size];
}

/** Where the square of a model lies on an upright photo of that size: left, top, width and height in shares of it. */
export function placed(settings, width, height) {
  if (settings.resize === "pad") {
    const side = Math.max(width, height);
    return [(width - side) / 2 / width, (height - side) / 2 / height, side / width, side / height];
  }
  const [[left, top, right, bottom]] = geometry(settings, width, height);
  return [left / width, top / height, (right - left) / width, (bottom - top) / height];
}

/** Rounded as Python rounds: halves to the even number. */
function toEven(value) {
  const down = Math.floor(value);
  return value - down === 0.5 ? down + (down % 2) : Math.round(value);
}

/** `picture`, the width and height (`extent`) the photo takes in it, and the `orientation` it is still to be given. */
async function decoded(bytes, settings) {
  const kind = kindOf(bytes);
  if (kind === "jpeg") {
    try {
      const photo = openJpeg(bytes), turn = toSrgb(photo.profile, photo.channels);
      mustBeModest(photo);
      if (turn !== "tables") return ofJpeg(photo, turn, settings);
    } catch (error) {
      if (!(error instanceof UnknownKind)) throw error;
    }
  }
  return byBrowser(bytes, kind);
}

function ofJpeg(photo, turn, settings) {
  const { width, height } = photo, [box, columns, rows] = geometry(settings, width, height);
  const room = Math.min((box[2] - box[0]) / columns, (box[3] - box[1]) / rows);
  const wanted = [8, 4, 2].find((shrink) => shrink <= room) ?? 1;
  const least = Math.min(...[width, height].map((side) => Math.floor(side / Math.max(Math.floor(side / wanted), 1))));
  const shrink = [8, 4, 2].find((part) => part <= least) ?? 1; // as Pillow has it, which is asked for whole pixels
  const picture = photo.decode(shrink);
  turn?.(picture.pixels);
  return { picture, extent: [width / shrink, height / shrink], orientation: orientationOf(photo.exif) };
}

/** Decoded by the browser, on white; it applies a profile, and turns a photo of a kind whose EXIF is not read here. */
async function byBrowser(bytes, kind) {
  const profiled = kind === "jpeg" || hasProfile(bytes, kind), [exif, parts] = withoutExif(bytes, kind);
  const options = {
    premultiplyAlpha: "none",
    colorSpaceConversion: profiled ? "default" : "none",
    imageOrientation: "from-image",
  };
  const bitmap = await createImageBitmap(new Blob(parts, { type: `image/${kind}` }), options).catch(() => {
    const what = `This browser cannot open the ${kind.toUpperCase()}`;
    throw new Error(`${what}: it is damaged, or of a kind browsers do not read. Save it as JPEG.`);
  });
  const { width, height } = bitmap;
  mustBeModest(bitmap);
  const canvas = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  canvas.fillStyle = "white";
  canvas.fillRect(0, 0, width, height);
  canvas.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = canvas.getImageData(0, 0, width, height), pixels = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    pixels[to] = data[from];
    pixels[to + 1] = data[from + 1];
    pixels[to + 2] = data[from + 2];
  }
  return { picture: { width, height, pixels }, extent: [width, height], orientation: orientationOf(exif) };
}

function mustBeModest({ width, height }) {
  if (width * height <= MOST) return;
  const millions = Math.round((width * height) / 1e6);
  throw new Error(`The photo has ${millions} million pixels; at most 64 million are read. Save a smaller copy.`);
}

/** A small picture the way the camera was held (Exif 2.3, 0x0112). */
function turned(picture, orientation) {
  if (orientation === 1) return picture;
  const { width: w, height: h, pixels } = picture;
  const from = {
    2: (x, y) => [w - 1 - x, y], 3: (x, y) => [w - 1 - x, h - 1 - y], 4: (x, y) => [x, h - 1 - y], 5: (x, y) => [y, x],
    6: (x, y) => [y, h - 1 - x], 7: (x, y) => [w - 1 - y, h - 1 - x], 8: (x, y) => [w - 1 - y, x],
  }[orientation];
  const [width, height] = orientation < 5 ? [w, h] : [h, w], made = new Uint8Array(pixels.length);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += 3) {
      const [column, row] = from(x, y), at = (row * w + column) * 3;
      made.set(pixels.subarray(at, at + 3), to);
    }
  }
  return { width, height, pixels: made };
}

function padded({ width, height, pixels }, size) {
  const made = new Uint8Array(size * size * 3).fill(GREY);
  const left = Math.floor((size - width) / 2), top = Math.floor((size - height) / 2);
  for (let y = 0; y < height; y++) {
    made.set(pixels.subarray(y * width * 3, (y + 1) * width * 3), ((top + y) * size + left) * 3);
  }
  return made;
}
