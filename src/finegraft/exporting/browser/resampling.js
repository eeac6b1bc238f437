// A part of a picture made larger or smaller, as Pillow does it, to the bit (Resample.c, Reduce.c, Image.resize).

const sinc = (x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
const FILTERS = {
  bilinear: { support: 1, at: (x) => Math.max(1 - Math.abs(x), 0) },
  bicubic: {
    support: 2,
    at(x) {
      const a = -0.5, d = Math.abs(x);
      if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
      return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
    },
  },
  lanczos: { support: 3, at: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};
const GAP = 2; // a picture is first averaged down to this many times the size
const BITS = 22;

/**
 * `box` (left, top, right, bottom; need not be whole) of an RGB picture `{ width, height, pixels }` as another one of
 * `width` × `height`. `downFirst`: the height of tall pictures is done before their width, as Pillow does since 13.
 */
export function resampled(picture, box, width, height, filter, downFirst) {
  const { support, at } = FILTERS[filter];
  const factors = [box[2] - box[0], box[3] - box[1]].map(
    (side, axis) => Math.trunc(side / [width, height][axis] / GAP) || 1,
  );
  if (factors.some((factor) => factor > 1)) {
    const safe = around(picture, box, width, height, support - 0.5);
    picture = averaged(picture, safe, factors[0], factors[1]);
    box = box.map((edge, i) => (edge - safe[i % 2]) / factors[i % 2]);
  }
  box = box.map(Math.fround);
  const across = weights(picture.width, box[0], box[2], width, support, at);
  const down = weights(picture.height, box[1], box[3], height, support, at);
  const passes = [];
  if (!isWhole(picture.width, box[0], box[2], width)) passes.push((given) => horizontally(given, across, width));
  if (!isWhole(picture.height, box[1], box[3], height)) passes.push((given) => vertically(given, down, height));
  if (downFirst && isMuchTaller(picture, width, height)) passes.reverse();
  return passes.reduce((given, pass) => pass(given), picture);
}

/** Whether the height shrinks by more than twice as many pixels as the width. */
function isMuchTaller(picture, width, height) {
  return picture.height > height && picture.height - height > 2 * (picture.width - width);
}

const isWhole = (side, low, high, size) => size === side && low === 0 && high === side;

/** Whole pixels around `box` that a filter may look at. */
function around({ width, height }, box, columns, rows, support) {
  const x = (support * (box[2] - box[0])) / columns, y = (support * (box[3] - box[1])) / rows;
  return [
    Math.max(0, Math.trunc(box[0] - x)), Math.max(0, Math.trunc(box[1] - y)),
    Math.min(width, Math.ceil(box[2] + x)), Math.min(height, Math.ceil(box[3] + y)),
  ];
}

/** Averages of `fx` × `fy` pixels, of fewer at the right and lower edge (ImagingReduce). */
function averaged({ width, pixels }, [left, top, right, bottom], fx, fy) {
  const columns = Math.ceil((right - left) / fx), rows = Math.ceil((bottom - top) / fy);
  const made = new Uint8Array(columns * rows * 3);
  for (let row = 0, to = 0; row < rows; row++) {
    const first = top + row * fy, last = Math.min(first + fy, bottom);
    for (let column = 0; column < columns; column++, to += 3) {
      const start = left + column * fx, end = Math.min(start + fx, right), count = (end - start) * (last - first);
      const times = Math.floor(Math.fround(2 ** 32 / (256 * count)));
      for (let channel = 0; channel < 3; channel++) {
        let sum = count >> 1;
        for (let y = first; y < last; y++) {
          for (let at = (y * width + start) * 3 + channel, n = end - start; n > 0; n--, at += 3) sum += pixels[at];
        }
        made[to + channel] = Math.floor((sum * times) / 2 ** 24);
      }
    }
  }
  return { width: columns, height: rows, pixels: made };
}

/** For each of `size` places the first pixel it is made of and their shares in 2⁻²² (precompute_coeffs). */
function weights(side, low, high, size, support, at) {
  const scale = (high - low) / size, stretch = Math.max(scale, 1), reach = support * stretch;
  return Array.from({ length: size }, (_, place) => {
    const centre = low + (place + 0.5) * scale;
    const first = Math.max(Math.trunc(centre - reach + 0.5), 0), end = Math.min(Math.trunc(centre + reach + 0.5), side);
    const shares = Array.from({ length: end - first }, (_, i) => at((i + first - centre + 0.5) * (1 / stretch)));
    const whole = shares.reduce((sum, share) => sum + share, 0);
    const parts = shares.map((share) => {
      const part = (whole === 0 ? share : share / whole) * 2 ** BITS;
      return Math.trunc(part < 0 ? part - 0.5 : part + 0.5);
    });
    return { first, parts: Int32Array.from(parts) };
  });
}

const rounded = (sum) => {
  const value = sum >> BITS;
  return value < 0 ? 0 : value > 255 ? 255 : value;
};

function horizontally({ width, height, pixels }, places, columns) {
  const made = new Uint8Array(columns * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0, to = y * columns * 3; x < columns; x++, to += 3) {
      const { first, parts } = places[x];
      let red = 1 << (BITS - 1), green = red, blue = red;
      for (let i = 0, at = (y * width + first) * 3; i < parts.length; i++, at += 3) {
        red += pixels[at] * parts[i];
        green += pixels[at + 1] * parts[i];
        blue += pixels[at + 2] * parts[i];
      }
      made[to] = rounded(red);
      made[to + 1] = rounded(green);
      made[to + 2] = rounded(blue);
    }
  }
  return { width: columns, height, pixels: made };
}

function vertically({ width, pixels }, places, rows) {
  const stride = width * 3, made = new Uint8Array(stride * rows);
  places.forEach(({ first, parts }, y) => {
    for (let x = 0; x < stride; x++) {
      let sum = 1 << (BITS - 1);
      for (let i = 0, at = first * stride + x; i < parts.length; i++, at += stride) sum += pixels[at] * parts[i];
      made[y * stride + x] = rounded(sum);
    }
  });
  return { width, height: rows, pixels: made };
}
