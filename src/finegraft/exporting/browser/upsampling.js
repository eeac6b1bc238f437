// Components of a JPEG to RGB: the colours, kept at a half or less of the size, made as many as the brightnesses
// (jdsample.c of libjpeg-turbo), and turned into RGB (jdcolor.c, jccolor.c; for four inks Convert.c of Pillow).

const RED = new Int32Array(256), BLUE = new Int32Array(256), GREEN_B = new Int32Array(256), GREEN_R = new Int32Array(256);
for (let i = 0; i < 256; i++) {
  RED[i] = (91881 * (i - 128) + 32768) >> 16;
  BLUE[i] = (116130 * (i - 128) + 32768) >> 16;
  GREEN_B[i] = -22554 * (i - 128) + 32768;
  GREEN_R[i] = -46802 * (i - 128);
}

const clip = (value) => (value < 0 ? 0 : value > 255 ? 255 : value);

/** RGB of `width` × `height` as `{ width, height, pixels }`, from the decoded components of `file`. */
export function coloured(file, width, height) {
  const { components } = file.frame, pixels = new Uint8Array(width * height * 3);
  const rows = components.map((part) => rowsOf(file.frame, part, width));
  const write = WRITERS[kindOf(file)];
  for (let y = 0; y < height; y++) write(rows.map((row) => row(y)), pixels, y * width * 3, width);
  return { width, height, pixels };
}

/** What the components mean, as libjpeg guesses it (default_decompress_parms). */
function kindOf({ frame, jfif, adobe }) {
  const ids = frame.components.map((part) => part.id);
  if (ids.length === 1) return "grey";
  if (ids.length === 4) return adobe === null || adobe === 0 ? "inks" : "turned inks";
  if (jfif) return "turned";
  if (adobe !== null) return adobe === 0 ? "plain" : "turned";
  return ids.join() === "82,71,66" ? "plain" : "turned";
}

const turnedInto = (target, at, y, b, r) => {
  target[at] = clip(y + RED[r]);
  target[at + 1] = clip(y + ((GREEN_B[b] + GREEN_R[r]) >> 16));
  target[at + 2] = clip(y + BLUE[b]);
};

/** An ink of 0..255 on what `black` leaves over. */
const inked = (light, black) => {
  const product = (255 - light) * black + 128;
  return clip(black - (((product >> 8) + product) >> 8));
};

const WRITERS = {
  grey([row], pixels, at, width) {
    for (let x = 0; x < width; x++, at += 3) pixels[at] = pixels[at + 1] = pixels[at + 2] = row[x];
  },
  plain(rows, pixels, at, width) {
    for (let x = 0; x < width; x++) for (const row of rows) pixels[at++] = row[x];
  },
  turned([y, b, r], pixels, at, width) {
    for (let x = 0; x < width; x++, at += 3) turnedInto(pixels, at, y[x], b[x], r[x]);
  },
  inks([c, m, y, k], pixels, at, width) {
    for (let x = 0; x < width; x++) for (const row of [c, m, y]) pixels[at++] = inked(row[x], k[x]);
  },
  "turned inks"([y, b, r, k], pixels, at, width) {
    const light = new Uint8Array(3);
    for (let x = 0; x < width; x++) {
      turnedInto(light, 0, y[x], b[x], r[x]);
      for (const value of light) pixels[at++] = inked(255 - value, k[x]);
    }
  },
};

/** For a component the function from a row's number to its values, at least `width`. */
function rowsOf(frame, part, width) {
  const { plane, stride, size, height } = part;
  const across = (frame.across * frame.size) / (part.h * size), down = (frame.down * frame.size) / (part.v * size);
  const row = (y) => plane.subarray(y * stride, y * stride + stride);
  const beside = (y) => row(Math.min(Math.max(y, 0), height - 1)); // beyond the edge lies the last row again
  if (across === 1 && down === 1) return row;
  const smooth = frame.size > 1, out = new Uint8Array(Math.max(width, stride * Math.ceil(across)) + 1);
  if (across === 2 && down === 1 && smooth && part.width > 2) return (y) => wider(row(y), part.width, out);
  if (down === 2 && smooth && (across === 1 || (across === 2 && part.width > 2))) {
    const sums = new Int32Array(part.width);
    return (y) => {
      const near = row(y >> 1), far = beside((y >> 1) + (y & 1 ? 1 : -1));
      for (let x = 0; x < part.width; x++) sums[x] = 3 * near[x] + far[x];
      return across === 1 ? quarters(sums, y & 1 ? 2 : 1, out) : widerSums(sums, out);
    };
  }
  return (y) => {
    const given = row(Math.floor(y / down));
    for (let x = 0; x < width; x++) out[x] = given[Math.floor(x / across)];
    return out;
  };
}

function quarters(sums, round, out) {
  for (let x = 0; x < sums.length; x++) out[x] = (sums[x] + round) >> 2;
  return out;
}

/** Twice as many values, each three parts of the nearer and one of the farther (h2v1_fancy_upsample). */
function wider(row, width, out) {
  const last = width - 1;
  for (let x = 0; x < width; x++) {
    out[2 * x] = x === 0 ? row[0] : (3 * row[x] + row[x - 1] + 1) >> 2;
    out[2 * x + 1] = x === last ? row[last] : (3 * row[x] + row[x + 1] + 2) >> 2;
  }
  return out;
}

/** The same of sums of two rows (h2v2_fancy_upsample). */
function widerSums(sums, out) {
  const last = sums.length - 1;
  for (let x = 0; x <= last; x++) {
    out[2 * x] = (3 * sums[x] + (x === 0 ? sums[0] : sums[x - 1]) + 8) >> 4;
    out[2 * x + 1] = (3 * sums[x] + (x === last ? sums[last] : sums[x + 1]) + 7) >> 4;
  }
  return out;
}
