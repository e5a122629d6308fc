// Runs in Netron's page before Netron starts, which it does when the page has loaded. Uses nothing of Netron's but the page
// that it draws.

// Netron asks for consent to cookies, and asks another host where the user is, unless it finds one of this name.
// It finds it, sets none, and sees none of Jupyter's.
Object.defineProperty(document, "cookie", {get: () => "consent=1", set: () => {}});

const firstTitle = document.title;
const address = location.href;
let wanted = wantedNode();

// Netron takes the part behind # for the address of a model, if the first cannot be read. It is back when the graph is.
if (wanted) history.replaceState(null, "", location.pathname + location.search);

const observer = new MutationObserver(lookForGraph);
observer.observe(document, {subtree: true, childList: true, attributes: true, attributeFilter: ["class"]});

addEventListener("hashchange", () => {
  wanted = wantedNode();
  if (isDrawn()) select(wanted);
});

function wantedNode() {
  const text = new URLSearchParams(location.hash.slice(1).replaceAll("+", "%2B")).get("node");
  return text ?? "";
}

// Netron closes its sidebar when the graph appears, and sets the title after that.
function isDrawn() {
  return document.body?.classList.contains("default") && document.title !== firstTitle;
}

function lookForGraph() {
  if (!isDrawn()) return;
  observer.disconnect();
  if (!wanted) return;
  history.replaceState(null, "", address);
  select(wanted);
}

function select(name) {
  if (!name) return;
  // Not there: a node inside a branch or a local function, which Netron draws elsewhere. The graph is shown as it is.
  const node = document.getElementById(`node-name-${name}`);
  const title = node?.querySelector(".node-item");
  if (!title) return;
  title.dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true, view: window}));
  node.scrollIntoView({block: "center", inline: "center", behavior: "instant"});
}
