/** The page side of trtlab.widgets.GraphView: the graph alone, with its traits. GRAPH_CONTRACT.md says what they hold. */

import { element, sameValue } from "./dom.js";
import { GraphCanvas } from "./graph_canvas.js";
import { pictureSender } from "./graph_still.js";
import { keepKeysInside } from "./keyboard.js";
import { installTooltip } from "./tooltip.js";

function render({ model, el }) {
  performance.mark("trtlab-graph-render");
  const canvas = new GraphCanvas({
    onSelect: (numbers) => {
      model.set("selected", numbers);
      model.save_changes();
    },
  });
  const node = element("div", { class: "trtlab trtlab-graph-view", role: "region", "aria-label": "ONNX graph" }, canvas.node);
  node.style.setProperty("--trtlab-graph-height", `${model.get("height_px")}px`);
  el.append(node);
  installTooltip(node);
  const releaseKeys = keepKeysInside(node);
  const select = () => {
    const wanted = model.get("selected") ?? [];
    if (!sameValue(wanted, [...canvas.scene.selection])) canvas.select(wanted, { center: true });
  };
  const listeners = {
    "change:graph": () => canvas.setGraph(model.get("graph") ?? {}),
    "change:status": () => canvas.setStatus(model.get("status") ?? {}),
    "change:overlay": () => canvas.setOverlay(model.get("overlay") ?? {}),
    "change:engine": () => canvas.setEngine(model.get("engine") ?? {}),
    "change:selected": select,
  };
  const picture = pictureSender(model, canvas);
  for (const [event, listener] of Object.entries(listeners)) {
    listener();
    model.on(event, listener);
    model.on(event, picture.ask);
  }
  picture.ask();
  return () => {
    picture.stop();
    for (const [event, listener] of Object.entries(listeners)) {
      model.off(event, listener);
      model.off(event, picture.ask);
    }
    releaseKeys();
    canvas.destroy();
  };
}

export default { render };
