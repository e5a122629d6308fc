/** The shape profiles: for every dynamic dimension the smallest, the usual and the largest size to build for. */

import {
  button,
  element,
  KeyedList,
  NameText,
  sameValue,
  setAttribute,
  setHidden,
  setText,
  uniqueIdentifier,
} from "./dom.js";
import { AvailableButton, Field, setAvailability } from "./field.js";
import { plural } from "./format.js";
import { BUSY } from "./option_editor.js";

const BOUNDS = [
  { name: "min", title: "Minimum", about: "the smallest size the engine must take" },
  { name: "opt", title: "Optimum", about: "the size TensorRT tunes for" },
  { name: "max", title: "Maximum", about: "the largest size; memory grows with it" },
];

/** One dynamic dimension. */
class ProfileRow {
  constructor(row, profile, send) {
    this.send = send;
    this.profile = profile;
    this.tensor = new NameText();
    this.facts = element("span", { class: "trtlab-muted trtlab-tensor-facts" });
    this.dimension = element("span", { class: "trtlab-dimension-name" });
    this.axis = element("span", { class: "trtlab-muted" });
    this.remark = element("div", { class: "trtlab-remark", id: uniqueIdentifier("remark") });
    this.inputs = new Map(BOUNDS.map((bound) => [bound.name, this.makeInput(bound)]));
    this.node = element(
      "div",
      { class: "trtlab-profile-row", role: "row" },
      element("div", { role: "cell", class: "trtlab-cell-tensor" }, this.tensor.node, this.facts),
      element("div", { role: "cell", class: "trtlab-cell-dimension" }, this.dimension, this.axis),
      ...[...this.inputs.values()].map(({ cell }) => cell),
      element("div", { role: "cell", class: "trtlab-cell-remark" }, this.remark),
    );
  }

  makeInput({ name, title }) {
    const input = element("input", {
      type: "number",
      min: "0",
      step: "1",
      class: "trtlab-input trtlab-number",
      "aria-describedby": this.remark.id,
      "data-bound": name,
    });
    const field = new Field(input, {
      write: (value) => {
        input.value = String(value);
      },
      send: () => this.sendRow(),
    });
    // The words over the columns are too far away on a narrow page, where each input has its own.
    const narrowTitle = element("span", { class: "trtlab-narrow-title", "aria-hidden": "true", text: title });
    return {
      input,
      field,
      title,
      cell: element("div", { role: "cell", class: "trtlab-cell-bound" }, narrowTitle, input),
    };
  }

  /** Send all three sizes, for they only make sense together. */
  sendRow() {
    const sizes = Object.fromEntries([...this.inputs].map(([name, { input }]) => [name, input.valueAsNumber]));
    const isComplete = Object.values(sizes).every((size) => Number.isSafeInteger(size) && size >= 0);
    this.localProblem = isComplete ? "" : "Each of the three sizes must be a whole number, 0 or more.";
    this.showRemark();
    if (!isComplete) return false;
    this.send({
      command: "set_profile",
      profile: this.profile,
      tensor: this.row.tensor,
      axis: this.row.axis,
      ...sizes,
    });
    return true;
  }

  /** @param {object} row @param {boolean} isBusy */
  update(row, isBusy) {
    if (!sameValue(row, this.row)) this.localProblem = "";
    this.row = row;
    this.tensor.update(row.tensor);
    setText(this.facts, [row.dtype, row.shape].filter(Boolean).join(" · "));
    setAttribute(this.facts, "title", row.shape || null);
    setText(this.dimension, row.dimension || `axis ${row.axis}`);
    setAttribute(this.dimension, "title", row.dimension || null);
    setText(this.axis, row.dimension ? `axis ${row.axis}` : "");
    for (const [name, { input, field, title }] of this.inputs) {
      setAttribute(input, "aria-label", `${title} of ${row.dimension || `axis ${row.axis}`} in ${row.tensor}`);
      field.receive(row[name]);
      setAvailability(input, isBusy ? BUSY : { enabled: true });
    }
    this.showRemark();
  }

  showRemark() {
    const problem = this.localProblem || this.row?.problem || "";
    setText(this.remark, problem ? `✕ ${problem}` : (this.row?.note ?? ""));
    this.remark.classList.toggle("trtlab-problem", problem !== "");
    for (const { input } of this.inputs.values()) setAttribute(input, "aria-invalid", problem ? "true" : null);
  }
}

/** One profile with its rows. */
class ProfileTable {
  constructor(send) {
    this.send = send;
    this.title = element("span", { class: "trtlab-profile-title" });
    this.remove = button("Remove", {
      kind: "quiet",
      on: { click: () => send({ command: "remove_profile", profile: this.index }) },
    });
    this.bar = element("div", { class: "trtlab-profile-bar" }, this.title, this.remove);
    const head = element(
      "div",
      { class: "trtlab-profile-row trtlab-profile-head", role: "row" },
      ...["Tensor", "Dimension"].map((text) => element("span", { role: "columnheader", text })),
      ...BOUNDS.map(({ title, about }) =>
        element("span", { role: "columnheader", text: title, "data-tip": `${title}: ${about}.` }),
      ),
      element("span", { role: "columnheader", class: "trtlab-cell-remark", text: "Note" }),
    );
    const body = element("div", { role: "rowgroup" });
    this.table = element("div", { role: "table", class: "trtlab-profile-table" }, head, body);
    this.node = element("div", { class: "trtlab-profile" }, this.bar, this.table);
    this.rows = new KeyedList(body, {
      key: (row) => `${row.axis} ${row.tensor}`,
      create: (row) => {
        const part = new ProfileRow(row, this.index, this.send);
        return { node: part.node, update: (next) => part.update(next, this.isBusy) };
      },
    });
  }

  update(profile, index, isBusy) {
    this.index = index;
    this.isBusy = isBusy;
    setText(this.title, `Profile ${index}`);
    setAttribute(this.table, "aria-label", `Shape profile ${index}`);
    setAttribute(this.remove, "aria-label", `Remove profile ${index}`);
    this.rows.update(profile.rows);
  }
}

export class ProfileEditor {
  /** @param {(message: object) => void} send */
  constructor(send) {
    this.note = element("p", { class: "trtlab-muted trtlab-section-note" });
    const command = (label, name, help) =>
      new AvailableButton(button(label, { kind: "quiet", on: { click: () => send({ command: name }) } }), help);
    this.propose = command(
      "Propose again",
      "propose_profiles",
      "Replaces all sizes by a new proposal made from the model.",
    );
    this.add = command(
      "Add profile",
      "add_profile",
      "A second set of ranges in the same engine, for requests of another size.",
    );
    this.summary = element("span", { class: "trtlab-muted" });
    const head = element(
      "div",
      { class: "trtlab-section-head" },
      element("h4", { text: "Shapes" }),
      this.summary,
      element("span", { class: "trtlab-spring" }),
      element("div", { class: "trtlab-actions" }, this.propose.node, this.add.node),
    );
    const list = element("div", {});
    this.node = element("section", { class: "trtlab-section", "aria-label": "Shapes" }, head, this.note, list);
    this.profiles = new KeyedList(list, {
      key: (_profile, index) => String(index),
      create: () => this.makeTable(send),
    });
  }

  makeTable(send) {
    const table = new ProfileTable(send);
    return { node: table.node, bar: table.bar, update: (profile, index) => table.update(profile, index, this.isBusy) };
  }

  /** @param {{profiles: object[], profiles_note: string, model: string, busy: boolean}} view */
  update({ profiles, profiles_note: note, model, busy }) {
    this.isBusy = busy;
    for (const part of [this.propose, this.add]) part.update(busy ? BUSY : { enabled: true });
    this.profiles.update(profiles);
    profiles.forEach((_profile, index) => setHidden(this.profiles.get(String(index)).bar, profiles.length < 2));
    const rows = profiles[0]?.rows.length ?? 0;
    const count = profiles.length > 1 ? `${plural(profiles.length, "profile")}, ` : "";
    setText(this.summary, rows ? `${count}${plural(rows, "dynamic dimension")}` : "");
    const teach = model
      ? ""
      : "Once a model is chosen: one row for each dimension whose size is open, with a proposal.";
    setText(this.note, note || teach);
    setHidden(this.note, !(note || teach));
    setHidden(this.propose.node, rows === 0);
    setHidden(this.add.node, rows === 0);
  }
}
