/** `<details class="gr-menu">` opens without a script; this closes it on Escape and on a click or focus elsewhere. */
export function menus() {
  const close = (except) => {
    for (const menu of document.querySelectorAll("details.gr-menu[open]")) {
      if (!menu.contains(except)) menu.open = false;
    }
  };
  document.addEventListener("click", (event) => close(event.target));
  document.addEventListener("focusin", (event) => close(event.target));
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target.closest?.("details.gr-menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}
