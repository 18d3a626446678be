// On every page. Each part looks for its own markup and does nothing where there is none.
import "bootstrap/js/dist/collapse";
import "bootstrap/js/dist/dropdown";

import { confirmForms } from "./page/confirm.js";
import { copyButtons } from "./page/copy.js";
import { followProof } from "./page/follow-proof.js";
import { menus } from "./page/menus.js";
import { openDialogs } from "./page/dialogs.js";
import { relativeTimes } from "./page/times.js";
import { tabLists } from "./page/tabs.js";
import { themePreview } from "./page/theme.js";

document.documentElement.classList.add("js");

confirmForms();
followProof();
openDialogs();
menus();
themePreview();

/** What has to be done again to content that arrives later; solve.js announces it with `greenroom:content`. */
function enhance(root) {
  copyButtons(root);
  relativeTimes(root);
  tabLists(root);
}

enhance(document);
document.addEventListener("greenroom:content", (event) => enhance(event.target));
