// Coefficients to pixels: the inverse cosine transforms of libjpeg-turbo in whole numbers (jidctint.c, jidctred.c),
// of eight pixels a side or, for smaller photos, of four, two or one.

const work = new Int32Array(64);
const A = 2446, B = 16819, C = 25172, D = 12299, E = 7373, F = 20995, G = 16069, H = 3196, I = 4433, J = 6270, K = 15137;
const L = 9633; // each a cosine times 2¹³

const clipped = (value) => (value < -128 ? 0 : value > 127 ? 255 : value + 128);

/** Draws one block of 64 `coefficients` into `plane` at `place`, `size` (1, 2, 4 or 8) pixels a side. */
export function transformed(coefficients, quant, size, plane, place, stride) {
  if (size === 8) eight(coefficients, quant, plane, place, stride);
  else if (size === 4) four(coefficients, quant, plane, place, stride);
  else if (size === 2) two(coefficients, quant, plane, place, stride);
  else plane[place] = clipped((coefficients[0] * quant[0] + 4) >> 3);
}

function eight(c, q, plane, place, stride) {
  for (let x = 0; x < 8; x++) {
    if (!(c[x + 8] | c[x + 16] | c[x + 24] | c[x + 32] | c[x + 40] | c[x + 48] | c[x + 56])) {
      const flat = (c[x] * q[x]) << 2;
      for (let y = x; y < 64; y += 8) work[y] = flat;
      continue;
    }
    line(
      c[x] * q[x], c[x + 8] * q[x + 8], c[x + 16] * q[x + 16], c[x + 24] * q[x + 24],
      c[x + 32] * q[x + 32], c[x + 40] * q[x + 40], c[x + 48] * q[x + 48], c[x + 56] * q[x + 56], x, 8, 11,
    );
  }
  for (let y = 0; y < 64; y += 8, place += stride) {
    line(
      work[y], work[y + 1], work[y + 2], work[y + 3], work[y + 4], work[y + 5], work[y + 6], work[y + 7], y, 1, 18,
    );
    for (let x = 0; x < 8; x++) plane[place + x] = clipped(work[y + x]);
  }
}

/** One row or column of eight, written to `work` from `at` in steps of `step`, `shift` bits less (jpeg_idct_islow). */
function line(c0, c1, c2, c3, c4, c5, c6, c7, at, step, shift) {
  const half = 1 << (shift - 1);
  const z1 = (c2 + c6) * I, even2 = z1 - c6 * K, even3 = z1 + c2 * J;
  const even0 = (c0 + c4) * 8192, even1 = (c0 - c4) * 8192;
  const t10 = even0 + even3 + half, t13 = even0 - even3 + half;
  const t11 = even1 + even2 + half, t12 = even1 - even2 + half;
  const z5 = (c7 + c3 + c5 + c1) * L;
  const p1 = -(c7 + c1) * E, p2 = -(c5 + c3) * F, p3 = z5 - (c7 + c3) * G, p4 = z5 - (c5 + c1) * H;
  const o0 = c7 * A + p1 + p3, o1 = c5 * B + p2 + p4, o2 = c3 * C + p2 + p3, o3 = c1 * D + p1 + p4;
  work[at] = (t10 + o3) >> shift;
  work[at + 7 * step] = (t10 - o3) >> shift;
  work[at + step] = (t11 + o2) >> shift;
  work[at + 6 * step] = (t11 - o2) >> shift;
  work[at + 2 * step] = (t12 + o1) >> shift;
  work[at + 5 * step] = (t12 - o1) >> shift;
  work[at + 3 * step] = (t13 + o0) >> shift;
  work[at + 4 * step] = (t13 - o0) >> shift;
}

function four(c, q, plane, place, stride) {
  for (let x = 0; x < 8; x++) {
    if (x === 4) continue; // not used by what follows
    const v = (row) => c[x + 8 * row] * q[x + 8 * row];
    half(v(0), v(1), v(2), v(3), v(5), v(6), v(7), x, 8, 12);
  }
  for (let row = 0; row < 4; row++, place += stride) {
    const w = work.subarray(8 * row, 8 * row + 8);
    half(w[0], w[1], w[2], w[3], w[5], w[6], w[7], 8 * row, 1, 19);
    for (let x = 0; x < 4; x++) plane[place + x] = clipped(w[x]);
  }
}

/** Four of eight, as `line` (jpeg_idct_4x4). */
function half(c0, c1, c2, c3, c5, c6, c7, at, step, shift) {
  const round = 1 << (shift - 1);
  const t0 = c0 * 16384, t2 = c2 * K - c6 * J, t10 = t0 + t2 + round, t12 = t0 - t2 + round;
  const o0 = -c7 * 1730 + c5 * 11893 - c3 * 17799 + c1 * 8697;
  const o2 = -c7 * 4176 - c5 * 4926 + c3 * 7373 + c1 * 20995;
  work[at] = (t10 + o2) >> shift;
  work[at + 3 * step] = (t10 - o2) >> shift;
  work[at + step] = (t12 + o0) >> shift;
  work[at + 2 * step] = (t12 - o0) >> shift;
}

function two(c, q, plane, place, stride) {
  const odd = (c1, c3, c5, c7) => -c7 * 5906 + c5 * 6967 - c3 * 10426 + c1 * 29692;
  for (const x of [0, 1, 3, 5, 7]) {
    const v = (row) => c[x + 8 * row] * q[x + 8 * row], even = v(0) * 32768, o = odd(v(1), v(3), v(5), v(7));
    work[x] = (even + o + 4096) >> 13;
    work[x + 8] = (even - o + 4096) >> 13;
  }
  for (const y of [0, 8]) {
    const even = work[y] * 32768, o = odd(work[y + 1], work[y + 3], work[y + 5], work[y + 7]);
    plane[place] = clipped((even + o + 524288) >> 20);
    plane[place + 1] = clipped((even - o + 524288) >> 20);
    place += stride;
  }
}
