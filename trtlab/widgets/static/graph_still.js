/** The picture of the graph that a notebook keeps for when it is opened without a kernel. */

const PICTURE_MS = 800; // after the last change
const LARGEST_PICTURE = 2_000_000; // bytes

/** Send what is drawn to the kernel, which keeps it in the notebook for when it is opened without a kernel. */
export function pictureSender(model, canvas) {
  let timer = 0;
  const send = () => {
    if (!canvas.node.isConnected || !canvas.scene.boxes.count) return;
    const svg = canvas.stillSvg();
    if (new Blob([svg]).size <= LARGEST_PICTURE) model.send({ command: "picture", svg });
  };
  return {
    ask: () => {
      clearTimeout(timer);
      timer = setTimeout(send, PICTURE_MS);
    },
    stop: () => clearTimeout(timer),
  };
}
