// Colours as the photo means them: an embedded profile made of three primaries and their curves, turned into sRGB
// (ICC.1:2022). Phones and cameras write no others; those of printers hold tables, which browsers know how to read.

const ONE = 16384;
const SAME = 2; // levels of 255 that nobody sees; Python leaves such profiles alone, too
// From the profile connection space, which is lit as by D50, to red, green and blue of sRGB.
const TO_SRGB = [
  [3.13418636, -1.61720896, -0.49069406],
  [-0.9787485, 1.9161301, 0.0334334],
  [0.07196393, -0.22899387, 1.40575373],
];

/**
 * The function that turns pixels (Uint8Array, three bytes each, of a photo with `channels` channels) into sRGB in
 * place; null where nothing is to be done, and "tables" for a profile that is not read here.
 */
export function toSrgb(profile, channels) {
  const space = profile && text(profile, 16);
  if (space !== { 1: "GRAY", 3: "RGB ", 4: "CMYK" }[channels]) return null;
  if (space === "CMYK") return "tables";
  try {
    const tags = tagsOf(profile);
    if (tags.A2B0) return "tables";
    const turn = space === "GRAY" ? ofGrey(tags) : ofPrimaries(tags);
    return changes(turn) ? turn : null;
  } catch {
    return null; // a profile that is broken is decoration
  }
}

const text = (bytes, at) => String.fromCharCode(...bytes.subarray(at, at + 4));

function tagsOf(profile) {
  const view = new DataView(profile.buffer, profile.byteOffset, profile.byteLength), tags = {};
  for (let n = view.getUint32(128), at = 132; n > 0; n--, at += 12) {
    const start = view.getUint32(at + 4);
    tags[text(profile, at)] = new DataView(profile.buffer, profile.byteOffset + start, view.getUint32(at + 8));
  }
  return tags;
}

/** As Little CMS does it for pixels of 8 bits: light and matrix in 2⁻¹⁴ (cmsopt.c, OptimizeMatrixShaper). */
function ofPrimaries(tags) {
  const read = (name) => [8, 12, 16].map((at) => tags[name].getInt32(at) / 65536);
  const primaries = ["rXYZ", "gXYZ", "bXYZ"].map(read);
  const lights = ["rTRC", "gTRC", "bTRC"].map((name) => levels(curveOf(tags[name])).map(fixed));
  const product = (row, primary) => row.reduce((sum, x, i) => sum + x * primary[i], 0);
  const matrix = TO_SRGB.map((row) => primaries.map((primary) => fixed(product(row, primary))));
  const table = Uint8Array.from({ length: ONE + 1 }, (_, light) => shown(light / ONE));
  return (pixels) => {
    for (let at = 0; at < pixels.length; at += 3) {
      const r = lights[0][pixels[at]], g = lights[1][pixels[at + 1]], b = lights[2][pixels[at + 2]];
      for (let i = 0; i < 3; i++) {
        const light = (matrix[i][0] * r + matrix[i][1] * g + matrix[i][2] * b + ONE / 2) >> 14;
        pixels[at + i] = table[light < 0 ? 0 : light > ONE ? ONE : light];
      }
    }
  };
}

function ofGrey(tags) {
  const table = levels(curveOf(tags.kTRC)).map(shown);
  return (pixels) => {
    for (let at = 0; at < pixels.length; at++) pixels[at] = table[pixels[at]];
  };
}

const fixed = (value) => Math.floor(value * ONE + 0.5);
const levels = (curve) => Float64Array.from({ length: 256 }, (_, level) => curve(level / 255));

/** The light 0..1 for a value 0..1 (10.6 and 10.18). */
function curveOf(tag) {
  const kind = tag.getUint32(0), count = tag.getUint32(8);
  if (kind === 0x63757276 && count === 0) return (x) => x;
  if (kind === 0x63757276 && count === 1) return (x) => x ** (tag.getUint16(12) / 256);
  if (kind === 0x63757276) {
    const table = (at) => tag.getUint16(12 + 2 * at);
    return (x) => between(table, count - 1, Math.round(x * 65535)) / 65535;
  }
  if (kind !== 0x70617261) throw new Error("a curve of another kind");
  const shape = tag.getUint16(8), length = [1, 3, 4, 5, 7][shape];
  const numbers = Array.from({ length }, (_, i) => tag.getInt32(12 + 4 * i) / 65536);
  const [g, a = 1, b = 0, c, d, e = 0, f = 0] = numbers;
  const upper = (x) => Math.max(a * x + b, 0) ** g;
  if (shape === 0) return (x) => x ** g;
  if (shape < 3) return (x) => (x >= -b / a ? upper(x) : 0) + (c ?? 0);
  return (x) => (x >= d ? upper(x) + e : c * x + f);
}

/** The value at `x` of 65535 in a table from 0 to `last`, in whole numbers (cmsintrp.c, LinLerp1D). */
function between(table, last, x) {
  if (x === 65535) return table(last);
  const scaled = last * x, place = scaled + Math.floor((scaled + 0x7fff) / 0xffff), at = Math.floor(place / 65536);
  return table(at) + Math.floor(((table(at + 1) - table(at)) * (place % 65536) + 0x8000) / 65536);
}

/** Light 0..1 as a level of sRGB (IEC 61966-2-1). */
function shown(light) {
  const value = light >= 0.04045 / 12.92 ? 1.055 * light ** (1 / 2.4) - 0.055 : 12.92 * light;
  return Math.round(Math.round(Math.min(Math.max(value, 0), 1) * 65535) / 257);
}

function changes(turn) {
  const steps = Array.from({ length: 9 }, (_, i) => Math.round((i * 255) / 8));
  const grid = Uint8Array.from(steps.flatMap((r) => steps.flatMap((g) => steps.flatMap((b) => [r, g, b]))));
  const moved = grid.slice();
  turn(moved);
  return moved.some((level, at) => Math.abs(level - grid[at]) > SAME);
}
