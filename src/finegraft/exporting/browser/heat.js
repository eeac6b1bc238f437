// A heat map as a picture to lay over its photo, in the colours of `finegraft.vision.overlaying`.

import { placed } from "./preprocess.js";

const LONGEST = 320; // pixels: it is smooth, and drawn larger
const [COOL, HOT] = [[184, 12, 60], [255, 214, 74]];
const OPAQUE = 215; // of 255, where it is hottest: the photo still shows through

/** `heat` ({ values, rows, columns }, 0 to 1) of the photo in the element `photo`, as a canvas of the photo's shape. */
export function drawn({ values, rows, columns }, settings, photo) {
  const { naturalWidth: width, naturalHeight: height } = photo, scale = Math.min(LONGEST / Math.max(width, height), 1);
  const small = canvasOf(columns, rows), pixels = small.createImageData(columns, rows);
  values.forEach((value, at) => {
    const colour = COOL.map((cool, channel) => cool + value * (HOT[channel] - cool));
    pixels.data.set([...colour, OPAQUE * value], 4 * at);
  });
  small.putImageData(pixels, 0, 0);
  const whole = canvasOf(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
  const [left, top, wide, high] = placed(settings, width, height), { canvas } = whole;
  whole.imageSmoothingQuality = "high";
  whole.drawImage(small.canvas, left * canvas.width, top * canvas.height, wide * canvas.width, high * canvas.height);
  return canvas;
}

function canvasOf(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
}
