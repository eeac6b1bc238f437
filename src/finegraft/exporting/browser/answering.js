// What a graph gives, as an answer: the fields of a line of `finegraft predict --json`.

/**
 * `values` (probabilities of the labels, or the number) and `novelty` (above 1: unlike the training; or undefined) of
 * one photo as `{ label, probability }`, `{ labels }` or `{ value, interval }`, with `unsure` and `ranking`.
 */
export function answerOf(model, values, novelty) {
  const { target } = model, probabilities = Array.from(values);
  if (![...probabilities, novelty ?? 0].every(Number.isFinite)) throw new Error("The model's answer is no number.");
  const doubt = (close) => (novelty > 1 ? "unlike training" : close ? "close call" : null);
  if (target.kind === "number") return { ...numberOf(model, probabilities[0]), unsure: doubt(false) };
  const order = [...probabilities.keys()].sort((one, other) => probabilities[other] - probabilities[one]);
  const row = (at) => ({ label: target.labels[at], probability: probabilities[at] }), ranking = order.map(row);
  if (target.kind === "tags") {
    const { thresholds } = model;
    const nearest = Math.min(...probabilities.map((probability, at) => clearness(probability, thresholds[at])));
    const labels = order.filter((at) => probabilities[at] >= thresholds[at]).map(row);
    return { labels, ranking, unsure: doubt(nearest < model.unsure_below) };
  }
  return { ...ranking[0], ranking, unsure: doubt(ranking[0].probability < model.unsure_below) };
}

/** How far a tag lies from its threshold: 0 at it, 1 where the probability is 0 or 1. */
function clearness(probability, cut) {
  return probability >= cut ? (probability - cut) / (1 - cut) : (cut - probability) / cut;
}

function numberOf({ half_width: reach }, value) {
  const short = (number) => Number(number.toPrecision(7)); // what single precision holds
  return { value: short(value), interval: reach === null ? null : [short(value - reach), short(value + reach)] };
}
