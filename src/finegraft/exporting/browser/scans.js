// The scans of a JPEG: from bits to coefficients (ITU-T T.81, annexes F and G), and these to pixels.

import { transformed } from "./idct.js";

// Row by row from the zigzag that coefficients come in (T.81, figure 5).
export const NATURAL = Uint8Array.of(
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
  35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47,
  55, 62, 63,
);
export const CUT_OFF = "The JPEG is cut off or damaged. Fetch or export it again.";

/** A JPEG of a kind that is not decoded here: arithmetic coding, 12 bits, two components. */
export class UnknownKind extends Error {}

/** The bits of one scan. What is read beyond their end is zero, and counted. */
class Bits {
  constructor(bytes, at) {
    Object.assign(this, { bytes, at, held: 0, count: 0, lent: 0 });
  }

  fill() {
    const { bytes } = this;
    while (this.count <= 24) {
      let byte = bytes[this.at];
      if (byte === undefined || (byte === 0xff && bytes[this.at + 1] !== 0)) {
        byte = 0;
        this.lent += 8;
      } else {
        this.at += byte === 0xff ? 2 : 1;
      }
      this.held = (this.held << 8) | byte;
      this.count += 8;
    }
  }

  bits(n) {
    if (n === 0) return 0;
    if (this.count < n) this.fill();
    this.count -= n;
    return (this.held >>> this.count) & ((1 << n) - 1);
  }

  /** A number of `n` bits, the upper half positive (T.81, F.2.2.1). */
  signed(n) {
    const value = this.bits(n);
    return n === 0 || value >= 1 << (n - 1) ? value : value - (1 << n) + 1;
  }

  symbol(table) {
    if (this.count < 16) this.fill();
    const found = table[(this.held >>> (this.count - 16)) & 0xffff];
    if (found === 0) throw new Error(CUT_OFF);
    this.count -= found >> 8;
    return found & 255;
  }

  /** To the byte after the next restart marker, or to whatever marker comes. */
  restart() {
    this.mustBeWhole();
    const { bytes } = this;
    while (this.at < bytes.length && !(bytes[this.at] === 0xff && bytes[this.at + 1] > 0 && bytes[this.at + 1] < 0xff)) {
      this.at++;
    }
    if ((bytes[this.at + 1] & 0xf8) !== 0xd0) throw new Error(CUT_OFF);
    this.at += 2;
    [this.held, this.count, this.lent] = [0, 0, 0];
  }

  mustBeWhole() {
    if (this.count < this.lent) throw new Error(CUT_OFF);
  }
}

/** Decodes a scan into its components' blocks, or straight into pixels. Returns where it ends in the file. */
export function readScan(file, scan) {
  const { frame } = file, bits = new Bits(file.bytes, file.at);
  const state = { bits, scan, run: 0 };
  const direct = !frame.progressive && scan.parts.length === frame.components.length;
  for (const part of scan.parts) {
    part.before = 0;
    part.dc = file.tables[part.dcId];
    part.ac = file.tables[16 + part.acId];
    if (!direct) {
      part.blocks ??= new Int16Array(part.columns * part.rows * 64);
      part.lacking ??= new Uint8Array(64).fill(255);
      if (frame.progressive) part.lacking.fill(scan.low, scan.first, scan.last + 1);
      else part.lacking.fill(0);
    }
  }
  if (!frame.progressive) Object.assign(scan, { first: 0, last: 63, high: 0, low: 0 });
  mustHaveTables(frame, scan);
  const read = frame.progressive ? progressive(scan) : sequential;
  const one = direct ? drawn(read) : stored(read);
  const [columns, rows, unit] = units(frame, scan, one);
  for (let row = 0, left = file.restart; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      if (file.restart && left-- === 0) {
        bits.restart();
        state.run = 0;
        for (const part of scan.parts) part.before = 0;
        left = file.restart - 1;
      }
      unit(state, column, row);
    }
    bits.mustBeWhole();
  }
  return bits.at;
}

function mustHaveTables(frame, { parts, first, last, high }) {
  const needs = (part) => (first > 0 || part.dc || high > 0) && (last === 0 || part.ac);
  if (!parts.every(needs)) throw new UnknownKind("A JPEG of a film, with tables that go without saying.");
}

/** How a scan goes over the photo: units of all its components, or the blocks of its only one (T.81, A.2). */
function units(frame, { parts }, one) {
  if (parts.length === 1) {
    const [part] = parts;
    const columns = Math.ceil(Math.ceil((frame.width * part.h) / frame.across) / 8);
    const rows = Math.ceil(Math.ceil((frame.height * part.v) / frame.down) / 8);
    return [columns, rows, (state, column, row) => one(state, part, column, row)];
  }
  const unit = (state, column, row) => {
    for (const part of parts) {
      for (let y = 0; y < part.v; y++) {
        for (let x = 0; x < part.h; x++) one(state, part, column * part.h + x, row * part.v + y);
      }
    }
  };
  return [Math.ceil(frame.width / (8 * frame.across)), Math.ceil(frame.height / (8 * frame.down)), unit];
}

function stored(read) {
  return (state, part, column, row) => {
    const start = (row * part.columns + column) * 64;
    read(state, part, part.blocks.subarray(start, start + 64));
  };
}

function drawn(read) {
  const block = new Int16Array(64);
  return (state, part, column, row) => {
    block.fill(0);
    read(state, part, block);
    transformed(block, part.quant, part.size, part.plane, (row * part.stride + column) * part.size, part.stride);
  };
}

/** Makes pixels of the blocks that several scans gave. */
export function transformAll(part) {
  for (let row = 0, at = 0; row < part.rows; row++) {
    for (let column = 0; column < part.columns; column++, at += 64) {
      const place = (row * part.stride + column) * part.size;
      transformed(part.blocks.subarray(at, at + 64), part.quant, part.size, part.plane, place, part.stride);
    }
  }
}

function sequential({ bits }, part, block) {
  block[0] = part.before += bits.signed(bits.symbol(part.dc));
  for (let k = 1; k < 64; k++) {
    const symbol = bits.symbol(part.ac), size = symbol & 15;
    if (size === 0 && symbol < 0xf0) return;
    k += symbol >> 4;
    if (size) block[NATURAL[k & 63]] = bits.signed(size);
  }
}

/** The way of a progressive scan with one block (T.81, annex G). */
function progressive({ first, high }) {
  if (first === 0) return high === 0 ? firstOfDc : refinedDc;
  return high === 0 ? firstOfAc : refinedAc;
}

function firstOfDc({ bits, scan }, part, block) {
  part.before += bits.signed(bits.symbol(part.dc));
  block[0] = part.before << scan.low;
}

function refinedDc({ bits, scan }, part, block) {
  if (bits.bits(1)) block[0] |= 1 << scan.low;
}

function firstOfAc(state, part, block) {
  const { bits, scan } = state;
  if (state.run > 0) {
    state.run--;
    return;
  }
  for (let k = scan.first; k <= scan.last; k++) {
    const symbol = bits.symbol(part.ac), zeros = symbol >> 4, size = symbol & 15;
    if (size === 0 && zeros < 15) {
      state.run = (1 << zeros) - 1 + bits.bits(zeros);
      return;
    }
    k += zeros;
    if (size) block[NATURAL[k & 63]] = bits.signed(size) << scan.low;
  }
}

function refinedAc(state, part, block) {
  const { bits, scan } = state, one = 1 << scan.low;
  let k = scan.first;
  const refine = (at) => {
    if (bits.bits(1) && (block[at] & one) === 0) block[at] += block[at] >= 0 ? one : -one;
  };
  for (; state.run === 0 && k <= scan.last; k++) {
    const symbol = bits.symbol(part.ac), size = symbol & 15;
    let zeros = symbol >> 4, value = 0;
    if (size) value = bits.bits(1) ? one : -one;
    else if (zeros < 15) {
      state.run = (1 << zeros) + bits.bits(zeros);
      break;
    }
    for (; k <= scan.last; k++) {
      const at = NATURAL[k];
      if (block[at] !== 0) refine(at);
      else if (zeros-- === 0) {
        block[at] = value;
        break;
      }
    }
  }
  if (state.run === 0) return;
  for (; k <= scan.last; k++) if (block[NATURAL[k]] !== 0) refine(NATURAL[k]);
  state.run--;
}
