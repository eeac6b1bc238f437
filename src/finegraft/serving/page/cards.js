// What a page shows of a model and its answers: a card for each photo, with its picture, the answer, why a person should
// look, and every class with its probability.

const SHOWN = 5; // classes before the rest is asked for
const DOUBTS = {
  "close call": "A close call: let a person look.",
  "unlike training": "Unlike anything it learned from: no class may fit.",
};

const percent = (share) => `${(100 * share).toFixed(1)} %`;

/** Puts into title and header what the model called `name` answers with (`kind` of target), and how good it is. */
export function introduced(name, kind, { labels, metrics, n_judged: judged }) {
  const kinds = { category: `${labels.length} classes`, tags: `${labels.length} tags`, number: "a number" };
  const accuracy = metrics.accuracy;
  const good = accuracy ? `, right for ${percent(accuracy.value)} of ${judged} photos it had not seen` : "";
  document.getElementById("title").textContent = name;
  document.getElementById("about").textContent = `Answers with ${kinds[kind]}${good}.`;
  document.title = `${name} · finegraft`;
}

/** The card of a file that waits for its answer. */
export function cardOf(file) {
  const card = document.getElementById("card").content.firstElementChild.cloneNode(true);
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
  return card;
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

/** Puts the answer `told`, a line of `predict --json`, on a card. */
export function show(card, told) {
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

/** Offers to show where the model looked: `draw` gives the heat map when it is first asked for, an image or a canvas of
 * the photo's shape, which is laid over it. */
export function explainable(card, draw) {
  const [button, strength, photo] = [".look", ".strength", ".photo"].map((what) => card.querySelector(what));
  const slider = strength.querySelector("input");
  button.hidden = false;
  button.onclick = async () => {
    button.disabled = true;
    button.textContent = "…";
    try {
      const heat = await draw();
      heat.className = "heat";
      heat.setAttribute("aria-hidden", "true");
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

/** Says on a card why there is no answer. */
export function fail(card, words) {
  card.classList.add("wrong");
  card.querySelector("strong").textContent = "No answer";
  card.querySelector(".share").textContent = "";
  const doubt = card.querySelector(".doubt");
  doubt.hidden = false;
  doubt.textContent = words;
}
