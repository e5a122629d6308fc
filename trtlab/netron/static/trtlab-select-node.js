// Runs in Netron's page before Netron does: selects the node that the address names, .../index.html?path=a.onnx#node=conv1
//
// It uses what a person could: the ids of the drawn picture, scrolling, and a click. Where the node is not drawn (it has
// no name, or lies inside a branch or a function) the graph stays as Netron shows it.

(() => {
  const nodeInAddress = () => new URLSearchParams(location.hash.slice(1)).get("node") ?? "";
  const isDrawn = () =>
    document.body?.classList.contains("default") && document.getElementById("canvas") !== null;

  function select(name) {
    const node = name && document.getElementById(`node-name-${name}`);
    // A click on the title, not on the parts below it: those stand for the node's weights and attributes.
    const title = node?.querySelector(".node-item");
    if (!title) return;
    title.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
    node.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
  }

  // Netron takes what stands behind "#" for the address of a model, if it can not open the one that it was given.
  const hash = location.hash;
  const name = nodeInAddress();
  if (hash) history.replaceState(null, "", location.pathname + location.search);

  const observer = new MutationObserver(() => {
    if (!isDrawn()) return;
    observer.disconnect();
    if (name) history.replaceState(null, "", hash);
    select(name);
    addEventListener("hashchange", () => select(nodeInAddress()));
  });
  // Netron shows the finished picture by a class of the body.
  addEventListener("DOMContentLoaded", () => observer.observe(document.body, { attributeFilter: ["class"] }));
})();
