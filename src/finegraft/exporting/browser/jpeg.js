// JPEG files to pixels (ITU-T T.81), as libjpeg-turbo makes them, to the bit: browsers have decoders of their own, and
// none of them decodes at a part of the size, as Python does. Sequential and progressive Huffman, 8 bits.

import { CUT_OFF, NATURAL, UnknownKind, readScan, transformAll } from "./scans.js";
import { coloured } from "./upsampling.js";

export { UnknownKind };

const MAX_SCANS = 100; // each goes over all pixels again

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
  else if (marker === 0xe2 && starts("ICC_PROFILE\0") && !file.frame) file.profiles.push(body); // as Pillow
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

/** The profile from its pieces, each with a number after its name, then how many there are (ICC.1:2022, B.4). */
function joined(pieces) {
  const sorted = [...pieces].sort((one, other) => one[12] - other[12]);
  if (!sorted.length || sorted[0][13] !== sorted.length) return null;
  const bodies = sorted.map((piece) => piece.subarray(14));
  const whole = new Uint8Array(bodies.reduce((sum, body) => sum + body.length, 0));
  bodies.reduce((at, body) => (whole.set(body, at), at + body.length), 0);
  return whole;
}
