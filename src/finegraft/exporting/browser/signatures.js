// What a file is by how it begins, and how a camera was held: as Python has it, whatever the file is called.

const PHOTOS = [
  ["jpeg", "\xff\xd8\xff"], ["png", "\x89PNG\r\n\x1a\n"], ["gif", "GIF87a"], ["gif", "GIF89a"],
  ["tiff", "II*\0"], ["tiff", "MM\0*"], ["tiff", "II+\0"], ["tiff", "MM\0+"],
];
const BMP_HEADERS = [12, 16, 40, 52, 56, 64, 108, 124]; // bytes; a text may begin with BM, too
const OTHERS = [
  ["%PDF", "a PDF"], ["PK\x03\x04", "a zip archive"], ["\x1f\x8b", "a gzip archive"], ["<svg", "a drawing (SVG)"],
];
const HEIC = ["heic", "heix", "heim", "heis", "hevc", "mif1", "msf1"];

const text = (bytes, at, length) => String.fromCharCode(...bytes.subarray(at, at + length));

/** "jpeg", "png", "gif", "bmp", "tiff", "webp" or "avif". Throws an `Error` that says what it is instead. */
export function kindOf(bytes) {
  if (!bytes.length) throw new Error("The file is empty: it holds no bytes.");
  const begin = text(bytes, 0, 64), found = PHOTOS.find(([, sign]) => begin.startsWith(sign));
  if (found) return found[0];
  if (begin.startsWith("RIFF") && begin.slice(8, 12) === "WEBP") return "webp";
  if (begin.startsWith("BM") && BMP_HEADERS.includes(bytes[14]) && !bytes[15] && !bytes[16] && !bytes[17]) return "bmp";
  const brands = begin.slice(4, 8) === "ftyp" ? begin.slice(8) : "";
  if (["avif", "avis"].some((brand) => brands.includes(brand))) return "avif";
  if (HEIC.includes(brands.slice(0, 4))) throw new Error("An HEIC photo is not read here: save it as JPEG.");
  const known = OTHERS.find(([sign]) => begin.startsWith(sign));
  const other = known?.[1] ?? (isText(bytes) ? "a text" : "no known kind of photo");
  throw new Error(`The content is not a photo: it looks like ${other}.`);
}

function isText(bytes) {
  return bytes.subarray(0, 1024).every((byte) => byte >= 32 || (byte >= 9 && byte <= 13) || byte === 27);
}

/** Whether a photo of another kind than JPEG carries a colour profile. */
export function hasProfile(bytes, kind) {
  const sign = { png: "iCCP", webp: "ICCP", avif: "colrprof" }[kind];
  return sign !== undefined && new TextDecoder("latin1").decode(bytes.subarray(0, 65536)).includes(sign);
}

/**
 * The block of EXIF of a PNG (chunk eXIf) or WebP (chunk EXIF), null where there is none, and the parts of the file
 * without it: browsers differ in whether they turn a photo by it, and cannot be told not to.
 */
export function withoutExif(bytes, kind) {
  const [first, little, wanted] = { png: [8, false, "eXIf"], webp: [12, true, "EXIF"] }[kind] ?? [bytes.length];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = first; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at + (little ? 4 : 0), little), end = at + 8 + length + (little ? length % 2 : 4);
    if (text(bytes, at + (little ? 0 : 4), 4) === wanted) {
      const body = bytes.subarray(at + 8, at + 8 + length);
      const exif = text(body, 0, 6) === "Exif\0\0" ? body.subarray(6) : body;
      // In a WebP a chunk of no known name takes its place: the file says how long it is.
      return [exif, [bytes.subarray(0, at), ...(little ? ["JUNK", bytes.subarray(at + 4)] : [bytes.subarray(end)])]];
    }
    at = end;
  }
  return [null, [bytes]];
}

/** The orientation 1..8 in a block of EXIF (Exif 2.3, tag 0x0112); 1 where there is none that makes sense. */
export function orientationOf(exif) {
  if (!exif || exif.length < 8) return 1;
  const little = exif[0] === 0x49, view = new DataView(exif.buffer, exif.byteOffset, exif.byteLength);
  if (!["II*\0", "MM\0*"].includes(text(exif, 0, 4))) return 1;
  const first = view.getUint32(4, little);
  const count = first + 2 <= exif.length ? view.getUint16(first, little) : 0;
  for (let at = first + 2, n = count; n > 0 && at + 12 <= exif.length; n--, at += 12) {
    if (view.getUint16(at, little) !== 0x0112) continue;
    const kind = view.getUint16(at + 2, little);
    if (view.getUint32(at + 4, little) !== 1) return 1;
    const value = { 1: exif[at + 8], 3: view.getUint16(at + 8, little), 4: view.getUint32(at + 8, little) }[kind] ?? 1;
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}
