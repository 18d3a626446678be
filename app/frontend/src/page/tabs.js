/** Shows the panel of `tab` and hides those of its neighbours; tells the page with a `gr:tab` event. */
export function selectTab(tab) {
  const list = tab.closest("[role=tablist]");
  for (const each of list.querySelectorAll("[role=tab]")) {
    const chosen = each === tab;
    each.setAttribute("aria-selected", String(chosen));
    each.tabIndex = chosen ? 0 : -1;
    document.getElementById(each.getAttribute("aria-controls"))?.classList.toggle("is-active", chosen);
  }
  tab.dispatchEvent(new CustomEvent("gr:tab", { bubbles: true }));
}

const STRIDE = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

function onKey(event) {
  const list = event.currentTarget;
  const tabs = [...list.querySelectorAll("[role=tab]")];
  const at = tabs.indexOf(event.target.closest("[role=tab]"));
  if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
  let next;
  if (event.key in STRIDE) next = tabs[(at + STRIDE[event.key] + tabs.length) % tabs.length];
  else if (event.key === "Home") next = tabs[0];
  else if (event.key === "End") next = tabs.at(-1);
  else if (event.key === " ") next = tabs[at];
  else return;
  event.preventDefault();
  selectTab(next);
  next.focus();
}

function wire(list) {
  list.dataset.wired = "yes";
  const tabs = [...list.querySelectorAll("[role=tab]")];
  const named = location.hash && tabs.find((tab) => `#${tab.getAttribute("aria-controls")}` === location.hash);
  const start = named || tabs.find((tab) => tab.getAttribute("aria-selected") === "true") || tabs[0];
  if (start) selectTab(start);
  list.addEventListener("keydown", onKey);
  list.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (!tab) return;
    event.preventDefault(); // a tab may be a link to its panel, for pages without scripts
    selectTab(tab);
  });
}

/** Makes every `[role=tablist]` work: click, arrow keys, Home and End, one stop for the Tab key. */
export function tabLists(root) {
  root.querySelectorAll("[role=tablist]:not([data-wired])").forEach(wire);
}
