// The solve page. It works without this file: the form posts, the page reloads, the server keeps the draft. With it,
// textareas become editors, drafts save themselves, and a run answers in place.
import { dividers } from "./solve/divider.js";
import { chooseDraft, offerLocal } from "./solve/choices.js";
import { Draft } from "./solve/draft.js";
import { Files } from "./solve/files.js";
import { onShortcuts } from "./solve/keys.js";
import { phoneTabs } from "./solve/phone.js";
import { Results } from "./solve/results.js";
import { Sender } from "./solve/sender.js";
import { tabLists } from "./page/tabs.js";

function start(page) {
  const form = document.getElementById("solve-form");
  const files = new Files(form.querySelector(".gr-files"), page.dataset.nonce);
  const phone = phoneTabs(page);
  tabLists(page);
  dividers(page);

  const draft = new Draft({
    url: page.dataset.draftUrl,
    language: page.dataset.language,
    version: Number(page.dataset.draftVersion),
    csrf: page.dataset.csrf,
    account: page.dataset.account ?? "",
    files,
    status: document.getElementById("saved"),
    form,
    chooseDraft,
  });
  const results = new Results(document.getElementById("results"), () => phone.show("results"));
  const sender = new Sender({ form, draft, results, csrf: page.dataset.csrf });

  onShortcuts({
    run: () => sender.send("run"),
    submit: () => sender.send("submit"),
    save: () => draft.save({ asked: true }),
  });
  sender.resume();
  draft.restore(offerLocal);
}

const page = document.getElementById("solve");
if (page) start(page);
