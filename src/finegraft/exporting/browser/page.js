// The page of an exported model: photos in, every class with its probability out, all on this device.

import { cardOf, explainable, fail, introduced, show } from "./cards.js";
import { drawn } from "./heat.js";
import { listen } from "./photos.js";

const LIMIT = 256 * 2 ** 20; // bytes of a photo, as Python has it
const of = (id) => document.getElementById(id);
const answers = of("answers"), note = of("note"), loading = of("loading");
let waiting = [], busy = null, ready = false, failed = "", settings = null;

function say(words, wrong = false) {
  note.textContent = words;
  note.classList.toggle("wrong", wrong);
}

/**
 * The worker that holds the model. It is started from a line of text, not from its file: so it lives under the policy
 * of this page, which lets nothing out, where a file would be under that of the server.
 */
function started() {
  const file = JSON.stringify(new URL("worker.js", import.meta.url).href);
  const line = URL.createObjectURL(new Blob([`import ${file};`], { type: "text/javascript" }));
  return new Worker(line, { type: "module" });
}

/** The model will not run: says why, now and of every photo. */
function giveUp(words) {
  failed = words;
  loading.hidden = true;
  for (const [, card] of [...(busy ? [busy] : []), ...waiting]) fail(card, "The model did not load.");
  [waiting, busy] = [[], null];
  say(words, true);
}

function progress() {
  const left = waiting.length + (busy ? 1 : 0);
  if (ready) say(left ? `${left} to go` : "");
}

function loadedSoFar(loaded, total) {
  loading.value = loaded / total;
  const [done, all] = [loaded, total].map((bytes) => Math.round(bytes / 1e6));
  say(loaded < total ? `Loading the model: ${done} of ${all} MB` : "Starting the model");
}

function next() {
  if (!ready || busy) return;
  busy = waiting.shift() ?? null;
  if (busy) worker.postMessage({ file: busy[0] });
  progress();
}

function take(files) {
  for (const file of files) {
    const card = cardOf(file);
    answers.prepend(card);
    if (failed) fail(card, "The model did not load.");
    else if (file.size > LIMIT) fail(card, "The file has more than 256 MB. Save a smaller copy.");
    else waiting.push([file, card]);
  }
  of("clear").hidden = false;
  if (!failed) progress();
  next();
}

note.classList.remove("unstarted");
loading.hidden = false;
say("Loading the model");
const worker = started();
worker.onerror = () => giveUp("This browser cannot run the model: it is too old, or the folder is not there as a whole.");
worker.onmessage = ({ data }) => {
  if (failed) return;
  if (data.failed) giveUp(data.failed);
  else if ("loaded" in data) loadedSoFar(data.loaded, data.total);
  else if (data.model) {
    introduced(data.model.web.name, data.model.target.kind, { labels: [], ...data.model.target, ...data.model });
    settings = data.model.preprocess;
    loading.hidden = ready = true;
    progress();
    next();
  } else {
    const card = busy?.[1];
    busy = null;
    if (card && data.told) {
      show(card, data.told);
      if (data.heat) explainable(card, () => drawn(data.heat, settings, card.querySelector(".photo img")));
    }
    else if (card) fail(card, data.wrong);
    next();
  }
};

of("clear").onclick = () => {
  answers.replaceChildren();
  waiting = [];
  of("clear").hidden = true;
  if (!failed) progress();
  of("files").focus();
};
listen(take, say);
