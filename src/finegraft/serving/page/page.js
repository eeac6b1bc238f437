// The page of the server: photos in, every class with its probability out. No library, no build step.

import { cardOf, explainable, fail, introduced, show } from "./cards.js";
import { listen } from "./photos.js";

const AT_ONCE = 2;
const LIMIT = 20 * 2 ** 20; // bytes of a request, as the server has it
const of = (id) => document.getElementById(id);
const answers = of("answers"), note = of("note");
let token = "", waiting = [], running = 0;

let feedback = false, labels = [];

const headers = () => (token ? { authorization: `Bearer ${token}` } : {});

function say(words, wrong = false) {
  note.textContent = words;
  note.classList.toggle("wrong", wrong);
}

function path(what) {
  const name = of("model").value;
  return name ? `v1/models/${encodeURIComponent(name)}${what}` : "v1" + what;
}

async function asked(address, options = {}) {
  const answer = await fetch(address, { ...options, headers: { ...options.headers, ...headers() } });
  if (answer.status === 401) {
    of("ask-token").hidden = false;
    of("token").focus();
  }
  const told = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(told.error.message), { status: answer.status });
  return told;
}

async function introduce() {
  const told = await asked("v1/models");
  feedback = told.feedback;
  const names = Object.keys(told.models), select = of("model"), before = select.value;
  select.replaceChildren(...names.map((name) => new Option(name)));
  select.value = names.includes(before) ? before : names[0];
  of("pick-model").hidden = names.length < 2;
  const model = await asked(path(names.length ? "" : "/model"));
  labels = model.labels;
  introduced(model.name, model.kind, model);
  const given = token ? " -H 'Authorization: Bearer TOKEN'" : "";
  const address = new URL(names.length > 1 ? path("/predict") : "v1/predict", location.href);
  of("curl").textContent = `curl --data-binary @photo.jpg${given} ${address}`;
  of("ask-token").hidden = true;
}

function judge(card, told) {
  const form = card.querySelector(".verdict");
  form.hidden = !(feedback && "label" in told);
  const [right, wrong, wanted] = ["button.right", "button.amiss", "select"].map((what) => form.querySelector(what));
  const say = async (verdict) => {
    const body = JSON.stringify({ digest: told.digest, label: told.label, ...verdict });
    try {
      await asked(path("/feedback"), { method: "POST", body });
      form.replaceChildren("Thank you.");
    } catch (error) {
      form.append(` ${error.message}`);
    }
  };
  right.onclick = () => say({ right: true });
  wrong.onclick = () => {
    const others = labels.filter((label) => label !== told.label).map((label) => new Option(label));
    wanted.replaceChildren(new Option("What is it?", ""), ...others, new Option("none of these", "-"));
    [wanted.hidden, wrong.hidden, right.hidden] = [false, true, true];
    wanted.focus();
  };
  wanted.onchange = () => say({ right: false, wanted: wanted.value === "-" ? null : wanted.value });
}

// Ask again where the server is busy, as it asks for.
async function patiently(ask) {
  for (let tries = 0; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      if (error.status !== 429 || tries === 30) throw error;
      await new Promise((later) => setTimeout(later, 1000));
    }
  }
}

// A picture of a data URL, by way of a blob: that the page's policy lets it show.
function pictureOf(address) {
  const bytes = Uint8Array.from(atob(address.split(",")[1]), (letter) => letter.charCodeAt(0));
  const picture = new Image();
  picture.src = URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
  picture.onload = () => URL.revokeObjectURL(picture.src);
  return picture;
}

async function answer(file, card) {
  try {
    if (file.size > LIMIT) throw new Error("The photo has more than 20 MB.");
    const told = await patiently(() => asked(path("/predict"), { method: "POST", body: file }));
    show(card, told.predictions[0]);
    judge(card, told.predictions[0]);
    explainable(card, async () => {
      const more = await patiently(() => asked(path("/predict?explain=true&top=1"), { method: "POST", body: file }));
      return pictureOf(more.predictions[0].heatmap);
    });
  } catch (error) {
    fail(card, error instanceof TypeError ? "The server cannot be reached." : error.message);
  }
}

async function next() {
  while (running < AT_ONCE && waiting.length) {
    const [file, card] = waiting.shift();
    running++;
    answer(file, card).finally(() => {
      running--;
      say(running + waiting.length ? `${running + waiting.length} to go` : "");
      next();
    });
  }
}

function take(files) {
  for (const file of files) {
    const card = cardOf(file);
    answers.prepend(card);
    waiting.push([file, card]);
  }
  of("clear").hidden = false;
  say(`${running + waiting.length} to go`);
  next();
}

of("model").onchange = () => introduce().catch((error) => say(error.message, true));
of("clear").onclick = () => {
  answers.replaceChildren();
  waiting = [];
  of("clear").hidden = true;
  say("");
  of("files").focus();
};
of("ask-token").onsubmit = (event) => {
  event.preventDefault();
  token = of("token").value;
  introduce().then(() => say(""), (error) => say(error.message, true));
};
of("copy").onclick = async () => {
  await navigator.clipboard.writeText(of("curl").textContent);
  say("Copied.");
};

listen(take, say);
introduce().catch((error) => say(error.message, true));
