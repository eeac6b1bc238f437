// Runs the model beside the page, which stays quick: photos in, answers out, nothing over the network but the page's
// own folder.

import * as ort from "../runtime/ort.js";
import { answerOf } from "./answering.js";
import { square } from "./preprocess.js";

const HERE = new URL("..", import.meta.url);
const FRESH = { cache: "no-cache" }; // what the browser kept is asked whether it changed: files belong together
let model, session;

/** The bytes of a file of this folder, all of them or an `Error`; `arrived` is told of each piece. */
async function fetched(name, size, arrived) {
  const answer = await fetch(new URL(name, HERE), FRESH).catch(() => null);
  if (!answer?.ok) throw new Error(`${name} cannot be loaded. Is the whole folder on the server?`);
  const bytes = new Uint8Array(size), reader = answer.body.getReader();
  let at = 0;
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    if (at + piece.value.length > size) throw new Error(`${name} is another file than the one that was exported.`);
    bytes.set(piece.value, at);
    at += piece.value.length;
    arrived(piece.value.length);
  }
  if (at < size) throw new Error(`${name} did not arrive whole. Load the page again.`);
  return bytes;
}

async function start() {
  if (typeof WebAssembly !== "object") throw new Error("This browser has no WebAssembly, which runs the model.");
  model = await (await fetch(new URL("model.json", HERE), FRESH)).json();
  const { files } = model.web, total = Object.values(files).reduce((sum, size) => sum + size, 0);
  let loaded = 0;
  const arrived = (count) => postMessage({ loaded: (loaded += count), total });
  const names = ["model.onnx", "runtime/ort.wasm"];
  const [graph, binary] = await Promise.all(names.map((name) => fetched(name, files[name], arrived)));
  Object.assign(ort.env.wasm, { wasmBinary: binary.buffer, numThreads: 1 }); // more need headers few servers send
  session = await ort.InferenceSession.create(graph, { executionProviders: ["wasm"] });
  postMessage({ model });
}

async function answered(file) {
  const { size } = model.preprocess, pixels = await square(new Uint8Array(await file.arrayBuffer()), model.preprocess);
  const outputs = await session.run({ input: new ort.Tensor("uint8", pixels, [1, size, size, 3]) });
  const values = outputs.value ?? outputs.probabilities;
  const told = answerOf(model, values.data, outputs.novelty?.data[0]), { heat } = outputs;
  return { told, heat: heat && { values: heat.data, rows: heat.dims[1], columns: heat.dims[2] } };
}

onmessage = async ({ data: { file } }) => {
  try {
    postMessage(await answered(file));
  } catch (error) {
    postMessage({ wrong: error.message || "The photo cannot be read." });
  }
};

start().catch((error) => postMessage({ failed: error.message }));
