/** Where a log comes in: pasted, dropped, picked from this computer, or by a path where the kernel runs. */

import { button, element, setHidden } from "./dom.js";

const PIECE_BYTES = 1 << 20;
const EXAMPLE = `[05/07/2026-11:02:31] [I] Start parsing network model.
[05/07/2026-11:02:31] [W] [TRT] CUDA lazy loading is not enabled. Enabling it can significantly reduce device memory usage.
[05/07/2026-11:02:32] [I] Finished parsing network model. Parse time: 0.41
[05/07/2026-11:02:40] [W] [TRT] Requested amount of GPU memory (8589934592 bytes) could not be allocated. There may not be enough free memory for allocation to succeed.
[05/07/2026-11:02:41] [E] Error[10]: IBuilder::buildSerializedNetwork: Error Code 10: Internal Error (Could not find any implementation for node {ForeignNode[/encoder/layers.0/MatMul.../head/Add]}.)
[05/07/2026-11:02:41] [E] Engine could not be created from network
[05/07/2026-11:02:41] [E] Building engine failed
[05/07/2026-11:02:41] [E] Failed to create engine from model or file.
[05/07/2026-11:02:41] [E] Engine set up failed
&&&& FAILED TensorRT.trtexec [TensorRT v101300] # trtexec --onnx=model.onnx
`;

export class ErrorInput {
  /** @param {(message: object, buffers?: ArrayBuffer[]) => void} send @param {object} words */
  constructor(send, words) {
    this.send = send;
    this.words = words;
    this.area = element("textarea", {
      class: "trtlab-input trtlab-error-text",
      "aria-label": words.paste,
      placeholder: words.paste_hint,
      spellcheck: "false",
      rows: "5",
      on: {
        keydown: (event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.explain();
        },
        paste: () => setTimeout(() => this.explain()),
      },
    });
    this.file = element("input", {
      type: "file",
      class: "trtlab-only-read",
      tabindex: "-1",
      "aria-hidden": "true",
      on: { change: () => this.sendFile(this.file.files[0]) },
    });
    this.path = element("input", {
      type: "text",
      class: "trtlab-input trtlab-error-path",
      placeholder: words.path,
      "aria-label": words.path,
      spellcheck: "false",
      on: {
        keydown: (event) => {
          if (event.key === "Enter") this.openPath();
        },
      },
    });
    const explain = button(words.explain, { kind: "primary", title: "Ctrl+Enter", on: { click: () => this.explain() } });
    const choose = button(words.choose, { title: words.choose_help, on: { click: () => this.file.click() } });
    const open = button(words.open, { on: { click: () => this.openPath() } });
    this.example = button(words.example, { kind: "quiet", on: { click: () => this.showExample() } });
    this.clear = button(words.clear, { kind: "quiet", on: { click: () => this.clearAll() } });
    const spring = element("span", { class: "trtlab-spring" });
    const row = element(
      "div",
      { class: "trtlab-error-sources" },
      explain,
      choose,
      this.path,
      open,
      spring,
      this.example,
      this.clear,
      this.file,
    );
    this.node = element("div", { class: "trtlab-error-input" }, this.area, row);
    for (const name of ["dragover", "drop"]) this.node.addEventListener(name, (event) => this.drop(event));
  }

  update({ source, cards }) {
    const isEmpty = !source && cards.length === 0;
    setHidden(this.clear, isEmpty);
    setHidden(this.example, !isEmpty);
    this.area.classList.toggle("trtlab-error-text-small", !isEmpty);
  }

  explain() {
    if (this.area.value.trim()) this.sendBytes(new TextEncoder().encode(this.area.value), "", true);
    else this.area.focus();
  }

  showExample() {
    this.area.value = EXAMPLE;
    this.explain();
  }

  clearAll() {
    this.area.value = "";
    this.path.value = "";
    this.send({ command: "clear" });
    this.area.focus();
  }

  openPath() {
    if (this.path.value.trim()) this.send({ command: "open_path", path: this.path.value });
    else this.path.focus();
  }

  drop(event) {
    if (!event.dataTransfer?.types.includes("Files")) return; // text is dropped into the box as anywhere
    event.preventDefault();
    event.stopPropagation();
    if (event.type === "drop") this.sendFile(event.dataTransfer.files[0]);
  }

  async sendFile(file) {
    this.file.value = "";
    if (!file) return;
    // In pieces: the connection to the kernel takes no message of any size, and a file can be larger than the page's memory.
    let first = { name: file.name, size: file.size, is_text: false };
    for (let start = 0; start === 0 || start < file.size; start += PIECE_BYTES) {
      const piece = await file.slice(start, start + PIECE_BYTES).arrayBuffer();
      const isLast = start + PIECE_BYTES >= file.size;
      this.send({ command: "upload", ...first, is_last: isLast }, [piece]);
      first = {};
    }
  }

  sendBytes(bytes, name, isText) {
    let first = { name, size: bytes.length, is_text: isText };
    for (let start = 0; start === 0 || start < bytes.length; start += PIECE_BYTES) {
      const piece = bytes.slice(start, start + PIECE_BYTES).buffer;
      this.send({ command: "upload", ...first, is_last: start + PIECE_BYTES >= bytes.length }, [piece]);
      first = {};
    }
  }
}
