import { make } from "../page/dom.js";
import { selectTab } from "../page/tabs.js";

const PARTS = [
  ["statement", "Statement"],
  ["code", "Code"],
  ["results", "Results"],
];

/** On phones the parts of the page are tabs; the style sheet shows the one that `data-show` names. Returns { show }. */
export function phoneTabs(page) {
  const ids = { statement: "gr-part-statement", code: "solve-form", results: "results" };
  const statement = page.querySelector(".gr-pane--statement");
  if (statement) statement.id ||= ids.statement;
  ids.statement = statement?.id;
  const list = make("div", { class: "gr-tabs gr-tabs--phone", role: "tablist", "aria-label": "Parts of the page" });
  const tabs = PARTS.map(([name, label]) =>
    make("button", { type: "button", role: "tab", class: "gr-tab", "data-part": name, "aria-controls": ids[name] }, label),
  );
  list.append(...tabs);
  page.prepend(list);
  list.addEventListener("gr:tab", (event) => (page.dataset.show = event.target.dataset.part));
  return {
    show(name) {
      if (page.dataset.show === name) return;
      const tab = tabs.find((each) => each.dataset.part === name);
      const hadFocus = page.contains(document.activeElement);
      selectTab(tab);
      // On a phone the part that had the focus is hidden now; anywhere else the focus stays where it is.
      if (hadFocus && list.offsetParent && document.activeElement.offsetParent === null) tab.focus();
    },
  };
}
