// The page of the server: photos in, every class with its probability out. No library, no build step.

const SHOWN = 5; // classes before the rest is asked for
const AT_ONCE = 2;
const LIMIT = 20 * 2 ** 20; // bytes of a request, as the server has it
const DOUBTS = {
  "close call": "A close call: let a person look.",
  "unlike training": "Unlike anything it learned from: no class may fit.",
};

const of = (id) => document.getElementById(id);
const drop = of("drop"), answers = of("answers"), note = of("note");
let token = "", waiting = [], running = 0;

let feedback = false, labels = [];

const headers = () => (token ? { authorization: `Bearer ${token}` } : {});
const percent = (share) => `${(100 * share).toFixed(1)} %`;

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
  of("title").textContent = model.name;
  document.title = `${model.name} · finegraft`;
  const kinds = { category: `${model.labels.length} classes`, tags: `${model.labels.length} tags`, number: "a number" };
  const accuracy = model.metrics.accuracy;
  const good = accuracy ? `, right for ${percent(accuracy.value)} of ${model.n_judged} photos it had not seen` : "";
  of("about").textContent = `Answers with ${kinds[model.kind]}${good}.`;
  const given = token ? " -H 'Authorization: Bearer TOKEN'" : "";
  const address = new URL(names.length > 1 ? path("/predict") : "v1/predict", location.href);
  of("curl").textContent = `curl --data-binary @photo.jpg${given} ${address}`;
  of("ask-token").hidden = true;
}

function bar({ label, probability }) {
  const row = document.createElement("li");
  const cells = ["label", "track", "number"].map((kind) => {
    const cell = document.createElement("span");
    cell.className = kind;
    return cell;
  });
  const fill = document.createElement("span");
  fill.className = "fill";
  fill.style.width = `${Math.max(100 * probability, 0.5)}%`;
  cells[0].textContent = label;
  cells[1].append(fill);
  cells[2].textContent = percent(probability);
  row.append(...cells);
  return row;
}

function bars(list, ranking) {
  list.replaceChildren(...ranking.slice(0, SHOWN).map(bar));
  if (ranking.length <= SHOWN) return;
  const more = document.createElement("button");
  more.type = "button";
  more.className = "more";
  more.textContent = `All ${ranking.length}`;
  more.onclick = () => list.replaceChildren(...ranking.map(bar));
  const row = document.createElement("li");
  row.append(more);
  list.append(row);
}

function show(card, told) {
  const [head, share, doubt] = ["strong", ".share", ".doubt"].map((what) => card.querySelector(what));
  if ("value" in told) {
    head.textContent = told.value;
    share.textContent = told.interval ? `${told.interval[0]} to ${told.interval[1]} in 9 of 10 cases` : "";
  } else if ("labels" in told) {
    head.textContent = told.labels.map((row) => row.label).join(", ") || "none of its tags";
    share.textContent = "";
  } else {
    head.textContent = told.label;
    share.textContent = percent(told.probability);
  }
  doubt.hidden = !told.unsure;
  doubt.textContent = DOUBTS[told.unsure] ?? told.unsure ?? "";
  bars(card.querySelector(".bars"), told.ranking ?? []);
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

// The heat map is computed when it is first asked for, and laid over the photo.
function explain(card, file) {
  const [button, strength, photo] = [".look", ".strength", ".photo"].map((what) => card.querySelector(what));
  const slider = strength.querySelector("input");
  button.hidden = false;
  button.onclick = async () => {
    button.disabled = true;
    button.textContent = "…";
    try {
      const told = await patiently(() => asked(path("/predict?explain=true&top=1"), { method: "POST", body: file }));
      const heat = Object.assign(new Image(), { className: "heat", alt: "", src: local(told.predictions[0].heatmap) });
      heat.onload = () => URL.revokeObjectURL(heat.src);
      slider.oninput = () => heat.style.setProperty("opacity", slider.value / 100);
      slider.oninput();
      photo.append(heat);
      [button.hidden, strength.hidden] = [true, false];
      slider.focus();
    } catch (error) {
      button.textContent = error.message;
    }
  };
}

// A data URL as one of a blob, which the page's policy lets it show.
function local(address) {
  const [, encoded] = address.split(",");
  const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
  return URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
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

function fail(card, words) {
  card.classList.add("wrong");
  card.querySelector("strong").textContent = "No answer";
  card.querySelector(".share").textContent = "";
  const doubt = card.querySelector(".doubt");
  doubt.hidden = false;
  doubt.textContent = words;
}

async function answer(file, card) {
  try {
    if (file.size > LIMIT) throw new Error("The photo has more than 20 MB.");
    const told = await patiently(() => asked(path("/predict"), { method: "POST", body: file }));
    show(card, told.predictions[0]);
    judge(card, told.predictions[0]);
    explain(card, file);
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
  const photos = [...files].filter((file) => file instanceof File);
  if (!photos.length) {
    say("That was no file.", true);
    return;
  }
  for (const file of photos) {
    const card = of("card").content.firstElementChild.cloneNode(true);
    const picture = card.querySelector("img"), url = URL.createObjectURL(file);
    picture.src = url;
    picture.alt = file.name;
    picture.onload = () => URL.revokeObjectURL(url);
    picture.onerror = () => {
      const blank = Object.assign(document.createElement("div"), { className: "blank", textContent: "No picture" });
      picture.replaceWith(blank);
      URL.revokeObjectURL(url);
    };
    card.querySelector(".name").textContent = file.name;
    card.querySelector("strong").textContent = "…";
    answers.prepend(card);
    waiting.push([file, card]);
  }
  of("clear").hidden = false;
  say(`${running + waiting.length} to go`);
  next();
}

for (const id of ["files", "shot"]) {
  of(id).onchange = (event) => {
    take(event.target.files);
    event.target.value = ""; // so that the same photo can be chosen again
  };
}
for (const kind of ["dragenter", "dragover"]) {
  addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
addEventListener("dragleave", (event) => event.relatedTarget ?? drop.classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  take(event.dataTransfer.files);
});
addEventListener("paste", (event) => {
  if (event.clipboardData.files.length) take(event.clipboardData.files);
});
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

of("shoot").hidden = of("shot").hidden = !matchMedia("(pointer: coarse)").matches;
of("camera").hidden = !navigator.mediaDevices?.getUserMedia;
of("camera").onclick = async () => {
  try {
    of("video").srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    of("live").showModal();
  } catch {
    say("There is no camera, or it may not be used.", true);
  }
};
of("snap").onclick = () => {
  const video = of("video"), canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  canvas.getContext("2d").drawImage(video, 0, 0);
  canvas.toBlob((blob) => take([new File([blob], "camera.jpg", { type: "image/jpeg" })]), "image/jpeg", 0.92);
  of("live").close();
};
of("stop").onclick = () => of("live").close();
of("live").onclose = () => of("video").srcObject?.getTracks().forEach((track) => track.stop());

introduce().catch((error) => say(error.message, true));
