/** The builder's options. Which there are, their values and why one can't be used come from the kernel. */

import { element, KeyedList, sameValue, setAttribute, setText, uniqueIdentifier } from "./dom.js";
import { Field, setAvailability } from "./field.js";
import { exactBytes, parseBytes } from "./format.js";

/**
 * @typedef {{control: HTMLElement, inputs: () => HTMLElement[], update: (option: object) => void}} OptionControl
 *   `control` is what a label names and a reason describes.
 */

/** @returns {OptionControl} */
function choiceControl(option, sendValue) {
  const select = element("select", { class: "trtlab-input" });
  let choices = [];
  const list = new KeyedList(select, {
    key: (choice) => JSON.stringify(choice.value),
    create: () => {
      const node = element("option", {});
      return {
        node,
        update: (choice, index) => {
          setText(node, choice.label);
          setAttribute(node, "value", String(index));
        },
      };
    },
  });
  const field = new Field(select, {
    write: (value) => {
      select.value = String(choices.findIndex((choice) => sameValue(choice.value, value)));
    },
    send: () => sendValue(choices[Number(select.value)].value),
  });
  const update = (next) => {
    const isNew = !sameValue(choices, next.choices);
    choices = next.choices ?? [];
    list.update(choices);
    // New choices move the old one to another place in the list.
    if (isNew) field.value = undefined;
    field.receive(next.value);
  };
  return { control: select, inputs: () => [select], update };
}

/** @returns {OptionControl} */
function flagControl(option, sendValue) {
  const box = element("input", { type: "checkbox" });
  const word = element("span", { class: "trtlab-muted" });
  const label = element("label", { class: "trtlab-check" }, box, word);
  const write = (value) => {
    box.checked = Boolean(value);
    setText(word, value ? "on" : "off");
  };
  const field = new Field(box, { write, send: () => sendValue(box.checked) });
  box.addEventListener("change", () => setText(word, box.checked ? "on" : "off"));
  return { node: label, control: box, inputs: () => [box], update: (next) => field.receive(next.value) };
}

/** How the kinds that are typed read and show their values; `read` gives undefined for what it can't read. */
const TYPED_KINDS = {
  integer: {
    attributes: { inputmode: "numeric", class: "trtlab-input trtlab-number" },
    show: (value) => (value === null || value === undefined ? "" : String(value)),
    read: (text) => (text.trim() === "" ? null : /^\s*-?\d{1,15}\s*$/.test(text) ? Number(text) : undefined),
    problem: "Write a whole number, or nothing for TensorRT's default.",
  },
  bytes: {
    attributes: { class: "trtlab-input trtlab-number", placeholder: "such as 1 GiB" },
    show: (value) => (typeof value === "number" ? exactBytes(value) : (value ?? "")),
    read: (text) => (text.trim() === "" ? null : (parseBytes(text) ?? undefined)),
    problem: "Write a size such as 512 MiB or 1 GiB, or nothing for TensorRT's default.",
  },
  text: {
    attributes: { class: "trtlab-input" },
    show: (value) => value ?? "",
    read: (text) => text,
    problem: "",
  },
};

/** @returns {OptionControl} */
function typedControl(option, sendValue, setLocalProblem) {
  const kind = TYPED_KINDS[option.kind] ?? TYPED_KINDS.text;
  const input = element("input", { type: "text", spellcheck: "false", autocomplete: "off", ...kind.attributes });
  const field = new Field(input, {
    write: (value) => {
      input.value = kind.show(value);
    },
    send: () => {
      const value = kind.read(input.value);
      setLocalProblem(value === undefined ? kind.problem : "");
      return value !== undefined && sendValue(value);
    },
  });
  return { control: input, inputs: () => [input], update: (next) => field.receive(next.value) };
}

/** @returns {OptionControl} */
function severalControl(option, sendValue) {
  const group = element("div", { class: "trtlab-several", role: "group" });
  let value = [];
  const boxes = new KeyedList(group, {
    key: (choice) => JSON.stringify(choice.value),
    create: (choice) => {
      const box = element("input", { type: "checkbox" });
      const text = element("span", {});
      const field = new Field(box, {
        write: (isOn) => {
          box.checked = isOn;
        },
        send: () => {
          value = value.filter((item) => !sameValue(item, choice.value));
          if (box.checked) value = [...value, choice.value];
          return sendValue(value);
        },
      });
      const update = (next) => {
        setText(text, next.label);
        field.receive(value.some((item) => sameValue(item, next.value)));
      };
      return { node: element("label", { class: "trtlab-check" }, box, text), update };
    },
  });
  const update = (next) => {
    value = next.value ?? [];
    boxes.update(next.choices ?? []);
  };
  return { control: group, inputs: () => [...group.querySelectorAll("input")], update };
}

const CONTROLS = {
  choice: choiceControl,
  flag: flagControl,
  several: severalControl,
  integer: typedControl,
  bytes: typedControl,
  text: typedControl,
};

/** While a step runs the plan can be read, not changed. */
export const BUSY = { enabled: false, reason: "A step is running. Cancel it, or wait until it has ended." };

/** One option: its name, its control, and beside them why it can't be used, what is wrong with it, or what it does. */
class OptionRow {
  constructor(option, send) {
    this.localProblem = "";
    this.label = element("label", { class: "trtlab-option-label" });
    this.remark = element("div", { class: "trtlab-remark", id: uniqueIdentifier("remark") });
    const sendValue = (value) => {
      this.localProblem = "";
      send({ command: "set_option", id: option.id, value });
      return true;
    };
    const setLocalProblem = (problem) => {
      this.localProblem = problem;
      this.showRemark();
    };
    this.part = (CONTROLS[option.kind] ?? typedControl)(option, sendValue, setLocalProblem);
    const { control } = this.part;
    control.id = uniqueIdentifier("option");
    this.label.id = uniqueIdentifier("label");
    // A group of boxes can't be named by `for`.
    if (control.getAttribute("role") === "group") setAttribute(control, "aria-labelledby", this.label.id);
    else this.label.htmlFor = control.id;
    const place = element("div", { class: "trtlab-option-control" }, this.part.node ?? control);
    this.node = element("div", { class: "trtlab-option", "data-option": option.id }, this.label, place, this.remark);
  }

  update(option, isBusy) {
    this.option = option;
    this.isBusy = isBusy && option.enabled;
    setText(this.label, option.label);
    this.part.update(option);
    this.showRemark();
  }

  showRemark() {
    const { help, problem } = this.option;
    const { enabled, reason } = this.isBusy ? BUSY : this.option;
    const shownProblem = this.localProblem || problem || "";
    for (const input of this.part.inputs()) {
      setAttribute(input, "aria-describedby", this.remark.id);
      setAttribute(input, "aria-invalid", shownProblem ? "true" : null);
      setAvailability(input, { enabled, reason });
    }
    const isOffered = this.option.enabled;
    setText(
      this.remark,
      shownProblem ? `✕ ${shownProblem}` : isOffered ? help : `⊘ ${reason || "Not available here."}`,
    );
    this.remark.classList.toggle("trtlab-problem", shownProblem !== "");
    this.node.classList.toggle("trtlab-unavailable", !isOffered);
  }
}

export class OptionEditor {
  /** @param {(message: object) => void} send */
  constructor(send) {
    const list = element("div", { class: "trtlab-options" });
    this.empty = element("p", {
      class: "trtlab-muted trtlab-section-note",
      text: "Once a model is chosen: the builder's options.",
    });
    const head = element("div", { class: "trtlab-section-head" }, element("h4", { text: "Options" }));
    this.node = element("section", { class: "trtlab-section", "aria-label": "Options" }, head, this.empty, list);
    this.rows = new KeyedList(list, {
      key: (option) => `${option.kind} ${option.id}`,
      create: (option) => {
        const row = new OptionRow(option, send);
        return { node: row.node, update: (next) => row.update(next, this.isBusy) };
      },
    });
  }

  /** @param {{options: object[], busy: boolean}} view */
  update({ options, busy }) {
    this.isBusy = busy;
    this.empty.hidden = options.length > 0;
    this.rows.update(options);
  }
}
