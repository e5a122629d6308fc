/** What other releases of TensorRT say of the model's operators, types and opset. */

import { element, sameValue, setHidden, setText } from "./dom.js";
import { formatCount } from "./format.js";

const ANSWERS = {
  yes: { icon: "✓", state: "done" },
  no: { icon: "✕", state: "failed" },
  unknown: { icon: "?", state: "waiting" },
};

function answerCell({ verdict, note, sure }) {
  const { icon, state } = ANSWERS[verdict] ?? ANSWERS.unknown;
  const rest = [sure && sure !== "unknown" ? sure : "", note].filter(Boolean).join(": ");
  const words = element("span", { class: "trtlab-state", "data-state": state, text: `${icon} ${verdict}` });
  return element("td", {}, words, rest ? element("div", { class: "trtlab-muted trtlab-release-note", text: rest }) : null);
}

export class GraphReleases {
  constructor() {
    this.note = element("p", { class: "trtlab-muted trtlab-section-note" });
    this.head = element("thead", {});
    this.rows = element("tbody", {});
    this.table = element("table", { class: "trtlab-node-table trtlab-releases" }, this.head, this.rows);
    this.empty = element("p", { class: "trtlab-empty", text: "After a check: which releases list the model's operators, types and opset." });
    this.node = element("div", {}, this.note, element("div", { class: "trtlab-node-scroll" }, this.table), this.empty);
  }

  update(releases) {
    const { columns = [], rows = [], note = "" } = releases ?? {};
    setHidden(this.empty, columns.length > 0);
    setHidden(this.table, columns.length === 0);
    setText(this.note, note);
    if (sameValue(releases, this.shown)) return;
    this.shown = releases;
    const heads = ["", ...columns].map((text) => element("th", { scope: "col", text }));
    this.head.replaceChildren(element("tr", {}, ...heads));
    this.rows.replaceChildren(
      ...rows.map(({ operator, count, cells }) => {
        const title = element("th", { scope: "row" }, operator, count > 1 ? element("span", { class: "trtlab-muted", text: ` × ${formatCount(count)}` }) : null);
        return element("tr", {}, title, ...cells.map(answerCell));
      }),
    );
  }
}
