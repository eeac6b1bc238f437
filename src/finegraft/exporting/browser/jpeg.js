// JPEG files to pixels (ITU-T T.81), as libjpeg-turbo makes them, to the bit: browsers have decoders of their own, and
// none of them decodes at a part of the size, as Python does. Sequential and progressive Huffman, 8 bits.

import { transformed } from "./idct.js";
import { coloured } from "./upsampling.js";

// Row by row from the zigzag that coefficients come in (T.81, figure 5).
const NATURAL = Uint8Array.of(
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
  35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47,
  55, 62, 63,
);
const MAX_SCANS = 100; // each goes over all pixels again
const CUT_OFF = "The JPEG is cut off or damaged. Fetch or export it again.";

/** A JPEG of a kind that is not decoded here: arithmetic coding, 12 bits, two components. */
export class UnknownKind extends Error {}

/**
 * What the header of a JPEG says: `width`, `height`, `channels` (1, 3 or 4), `exif` (Uint8Array or null), `profile`
 * (the embedded colour profile, Uint8Array or null), and `decode(shrink)` for the pixels at full size or, for a
 * `shrink` of 2, 4 or 8, at that part of it.
 * Throws an `Error` with the reason where there is no photo, and `UnknownKind`.
 */
export function openJpeg(bytes) {
  const file = { bytes, at: 2, tables: {}, quants: {}, restart: 0, exif: null, profiles: [], adobe: null, jfif: false };
  nextScan(file);
  if (!file.frame) throw new Error(CUT_OFF);
  const { width, height, components } = file.frame, { exif } = file, profile = joined(file.profiles);
  return { width, height, channels: components.length, exif, profile, decode: (shrink) => decoded(file, shrink) };
}

/** RGB as `{ width, height, pixels }`, three bytes a pixel; sizes that do not divide are rounded up. */
function decoded(file, shrink) {
  const { frame } = file;
  laidOut(frame, 8 / shrink);
  for (let scans = 0, scan = file.scan; scan; scan = nextScan(file)) {
    if (++scans > MAX_SCANS) throw new Error(CUT_OFF);
    for (const part of scan.parts) part.quant ??= file.quants[part.quantId]?.slice();
    if (scan.parts.some((part) => !part.quant)) throw new Error(CUT_OFF);
    file.at = readScan(file, scan);
    if (!frame.progressive && scan.parts.length === frame.components.length) break;
  }
  for (const part of frame.components) {
    if (part.lacking?.some((bits) => bits !== 0)) throw new Error("Some scans of the JPEG are missing. Fetch it again.");
    if (part.blocks) transformAll(part);
  }
  return coloured(file, Math.ceil(frame.width / shrink), Math.ceil(frame.height / shrink));
}

/** How large the parts are that each component is decoded into, at `size` pixels for eight (jdmaster.c). */
function laidOut(frame, size) {
  const { components, across, down, width, height } = frame;
  frame.size = size;
  for (const part of components) {
    let own = size;
    while (own < 8 && (across * size) % (part.h * own * 2) === 0 && (down * size) % (part.v * own * 2) === 0) own *= 2;
    part.size = own;
    part.columns = Math.ceil(width / (8 * across)) * part.h; // blocks, whole units of all components
    part.rows = Math.ceil(height / (8 * down)) * part.v;
    part.stride = part.columns * own;
    part.plane = new Uint8Array(part.stride * part.rows * own);
    part.width = Math.ceil((width * part.h * own) / (across * 8));
    part.height = Math.ceil((height * part.v * own) / (down * 8));
  }
}

/** Reads up to the next scan's header, which it returns; null at the end of the file. */
function nextScan(file) {
  const { bytes } = file;
  for (;;) {
    while (file.at < bytes.length && bytes[file.at] !== 0xff) file.at++;
    while (bytes[file.at] === 0xff) file.at++;
    const marker = bytes[file.at++];
    if (marker === undefined || marker === 0xd9) return null;
    if (marker === 0 || marker === 1 || (marker >= 0xd0 && marker <= 0xd8)) continue;
    const start = file.at + 2, end = file.at + ((bytes[file.at] << 8) | bytes[file.at + 1]);
    if (!(end >= start && end <= bytes.length)) throw new Error(CUT_OFF);
    file.at = end;
    const body = bytes.subarray(start, end);
    if (marker === 0xda) return (file.scan = scanOf(file, body));
    segment(file, marker, body);
  }
}

function segment(file, marker, body) {
  const starts = (text) => [...text].every((letter, at) => body[at] === letter.charCodeAt(0));
  if (marker === 0xdb) quantTables(file, body);
  else if (marker === 0xc4) huffmanTables(file, body);
  else if (marker === 0xdd) file.restart = (body[0] << 8) | body[1];
  else if (marker === 0xe0 && starts("JFIF\0")) file.jfif = true;
  else if (marker === 0xe1 && starts("Exif\0\0")) file.exif ??= body.subarray(6);
  else if (marker === 0xe2 && starts("ICC_PROFILE\0")) file.profiles.push(body);
  else if (marker === 0xee && starts("Adobe")) file.adobe = body[11];
  else if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc8 && marker !== 0xcc) file.frame = frameOf(marker, body);
}

function frameOf(marker, body) {
  if (marker > 0xc2 || body[0] !== 8 || ![1, 3, 4].includes(body[5])) throw new UnknownKind("This kind of JPEG is rare.");
  const components = [];
  for (let at = 6; at < 6 + 3 * body[5]; at += 3) {
    components.push({ id: body[at], h: body[at + 1] >> 4, v: body[at + 1] & 15, quantId: body[at + 2], before: 0 });
  }
  const frame = { progressive: marker === 0xc2, height: (body[1] << 8) | body[2], width: (body[3] << 8) | body[4] };
  const sound = components.every(({ h, v }) => h >= 1 && h <= 4 && v >= 1 && v <= 4);
  if (!frame.width || !frame.height || !sound) throw new Error(CUT_OFF);
  if (components.length === 1) [components[0].h, components[0].v] = [1, 1]; // one component has units of one block
  const largest = (of) => Math.max(...components.map(of));
  return { ...frame, components, across: largest((part) => part.h), down: largest((part) => part.v) };
}

function scanOf(file, body) {
  const parts = [], count = body[0];
  for (let at = 1; at < 1 + 2 * count; at += 2) {
    const part = file.frame?.components.find(({ id }) => id === body[at]);
    if (!part) throw new Error(CUT_OFF);
    [part.dcId, part.acId] = [body[at + 1] >> 4, body[at + 1] & 15];
    parts.push(part);
  }
  const [first, last, bits] = body.subarray(1 + 2 * count);
  if (!parts.length || bits === undefined) throw new Error(CUT_OFF);
  return { parts, first, last: Math.min(last, 63), high: bits >> 4, low: bits & 15 };
}

function quantTables(file, body) {
  for (let at = 0; at < body.length; ) {
    const id = body[at] & 15, wide = body[at++] >> 4, table = new Int32Array(64);
    for (let k = 0; k < 64; k++) {
      table[NATURAL[k]] = wide ? (body[at] << 8) | body[at + 1] : body[at];
      at += wide ? 2 : 1;
    }
    file.quants[id] = table;
  }
}

/** Tables from the next 16 bits to the length of a code (upper byte) and what it stands for (T.81, annex C). */
function huffmanTables(file, body) {
  for (let at = 0; at + 17 <= body.length; ) {
    const id = body[at], counts = body.subarray(at + 1, at + 17), table = new Uint16Array(65536);
    at += 17;
    for (let length = 1, code = 0; length <= 16; length++, code <<= 1) {
      for (let n = counts[length - 1]; n > 0; n--, code++) {
        const start = code << (16 - length);
        table.fill((length << 8) | body[at++], start, start + (1 << (16 - length)));
      }
    }
    file.tables[id] = table;
  }
}

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
function readScan(file, scan) {
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

function transformAll(part) {
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

/** The profile from its pieces, each with a number after its name (ICC.1:2022, B.4). */
function joined(pieces) {
  if (!pieces.length) return null;
  const bodies = [...pieces].sort((one, other) => one[12] - other[12]).map((piece) => piece.subarray(14));
  const whole = new Uint8Array(bodies.reduce((sum, body) => sum + body.length, 0));
  bodies.reduce((at, body) => (whole.set(body, at), at + body.length), 0);
  return whole;
}
