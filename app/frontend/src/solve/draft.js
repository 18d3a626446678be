import { request } from "./wire.js";
import { differing } from "./files.js";
import { LocalCopy } from "./local.js";

const AFTER_LAST_CHANGE = 800;
const FIRST_RETRY = 2_000;
const LONGEST_RETRY = 60_000;
const KEEPALIVE_BYTES = 60_000; // browsers refuse larger bodies once the page is gone

/** "12:03" in the learner's browser, or the text itself when it is no date. */
export function clock(moment) {
  const date = new Date(moment);
  if (Number.isNaN(date.getTime())) return String(moment);
  return date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

/**
 * Keeps what is typed: in this browser at once, on the server shortly after.
 *
 * `version` is the server's draft that the text was built on. The server refuses an older one (409), and only the
 * learner decides then: nothing is overwritten unasked.
 *
 * `body(version, files, saved)` makes what is sent, by default all files; `onSaved(answer)` hears what came back.
 */
export class Draft {
  #o;
  #local;
  #kept; // what the browser had when the page was opened
  #saved; // the files as the server has them, as far as we know
  #sent = null; // the files last posted with a run or submission: the server may have kept them as the draft
  #conflict = null;
  #busy = null;
  #again = false;
  #timer = 0;
  #retry = FIRST_RETRY;

  constructor(options) {
    this.#o = options;
    this.version = options.version;
    this.#saved = options.files.served;
    this.#local = new LocalCopy(options.account, options.url, options.language);
    this.#kept = this.#local.get();
    options.form.elements.draft_version.value = this.version;
    options.files.addEventListener("change", () => this.#changed());
    options.form.addEventListener("focusout", () => this.save());
    options.status.addEventListener("click", (event) => event.target.closest("button") && this.#settle());
    document.addEventListener("visibilitychange", () => document.hidden && this.save({ leaving: true }));
    addEventListener("pagehide", () => this.save({ leaving: true }));
    addEventListener("online", () => this.save());
    if (this.#dirty()) this.#changed(); // typed before this script was there
  }

  /** Offers what this browser kept from a visit that ended before the server had it. */
  async restore(offer) {
    const kept = this.#kept;
    if (!kept?.files) return;
    const paths = differing(kept.files, this.#saved);
    if (paths.length) {
      this.#local.setAside(); // typing meanwhile must not replace it
      const choice = await offer({ paths, kept, newerOnServer: kept.version !== this.version });
      if (!choice) return;
      if (choice === "restore") this.#o.files.write(kept.files);
    } else if (!this.#dirty()) this.#local.drop();
    this.#local.dropAside();
  }

  /** What a run or submission sends now; the server may keep it as the draft too. */
  posting() {
    clearTimeout(this.#timer);
    this.#sent = this.#o.files.read();
  }

  /** After a run or submission was taken: `version` is the draft the server made of it, if it says so. */
  posted(version) {
    if (version) {
      this.#adopt(version);
      this.#done(this.#sent, new Date());
    }
    if (this.#dirty()) this.save();
  }

  /** Saves now unless nothing changed; resolves to whether the server has the text. */
  save({ asked = false, leaving = false } = {}) {
    clearTimeout(this.#timer);
    if (this.#conflict) return asked ? this.#settle() : Promise.resolve(false);
    if (!this.#dirty()) {
      if (asked) this.#say("saved", `Saved ${clock(new Date())}`);
      return Promise.resolve(true);
    }
    if (this.#busy) {
      this.#again = true;
      return this.#busy;
    }
    this.#busy = this.#put(leaving).finally(() => {
      this.#busy = null;
      if (this.#again && !this.#conflict) this.save();
      this.#again = false;
    });
    return this.#busy;
  }

  #dirty() {
    return differing(this.#o.files.read(), this.#saved).length > 0;
  }

  #changed() {
    const isKept = !this.#dirty() || this.#local.put(this.#o.files.read(), this.version);
    if (!this.#dirty() && !this.#conflict) this.#local.drop();
    if (!isKept) this.#say("lost", "This browser keeps no copies: do not close the page before it says Saved");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.save(), AFTER_LAST_CHANGE);
  }

  async #put(leaving) {
    const files = this.#o.files.read();
    const { language, body: makeBody } = this.#o;
    const body = JSON.stringify(makeBody ? makeBody(this.version, files, this.#saved) : { language, version: this.version, files });
    this.#o.status.dataset.state = "saving";
    try {
      const keepalive = leaving && new Blob([body]).size < KEEPALIVE_BYTES;
      const answer = await request(this.#o.url, { method: "PUT", csrf: this.#o.csrf, body, keepalive });
      this.#adopt(answer.version);
      this.#done(files, answer.saved_at);
      this.#o.onSaved?.(answer);
      return true;
    } catch (refused) {
      return this.#refused(refused, files);
    }
  }

  #refused(refused, files) {
    if (refused.status === 409 && refused.body.files) return this.#changedElsewhere(refused.body, files);
    if (refused.status === undefined) throw refused;
    const isKept = this.#local.put(this.#o.files.read(), this.version);
    const why = refused.passing ? "" : ` – ${refused.message}`;
    this.#say(isKept ? "kept" : "lost", (isKept ? "Not saved – kept in this browser" : "Not saved") + why);
    if (refused.passing) {
      const wait = Math.max(this.#retry, refused.retryAfter * 1000);
      this.#timer = setTimeout(() => this.save(), wait);
      this.#retry = Math.min(this.#retry * 2, LONGEST_RETRY);
    }
    return false;
  }

  /** The server has another draft. If it is one we sent ourselves, or the same text, there is nothing to choose. */
  #changedElsewhere(theirs, files) {
    if (!differing(theirs.files, files).length) {
      this.#adopt(theirs.version);
      this.#done(files, theirs.saved_at);
      return true;
    }
    const isOurs = [this.#saved, this.#sent].some((known) => known && !differing(theirs.files, known).length);
    if (isOurs) {
      this.#adopt(theirs.version);
      this.#saved = theirs.files;
      this.#timer = setTimeout(() => this.save(), AFTER_LAST_CHANGE);
      return false;
    }
    this.conflictWith(theirs);
    return false;
  }

  /** Asks the learner between this text and `theirs`, { version, files, saved_at }. */
  conflictWith(theirs) {
    this.#conflict = theirs;
    this.#local.put(this.#o.files.read(), this.version);
    this.#say("conflict", "Not saved – changed in another tab", "Choose…");
    this.#settle();
  }

  async #settle() {
    const theirs = this.#conflict;
    if (!theirs) return this.save({ asked: true });
    const choice = await this.#o.chooseDraft({ mine: this.#o.files.read(), theirs });
    if (!choice) return false; // dismissed: still kept in this browser, still not saved
    this.#conflict = null;
    this.#adopt(theirs.version);
    this.#saved = theirs.files;
    if (choice === "mine") return this.save();
    this.#o.files.write(theirs.files);
    this.#done(theirs.files, theirs.saved_at);
    this.#o.onSaved?.(theirs);
    return true;
  }

  #adopt(version) {
    if (!Number.isInteger(version)) return;
    this.version = version;
    this.#o.form.elements.draft_version.value = version;
  }

  #done(files, moment) {
    this.#saved = files;
    this.#retry = FIRST_RETRY;
    if (!this.#dirty()) this.#local.drop();
    this.#say("saved", `Saved ${clock(moment)}`);
  }

  /** Writes only what changed, so that a screen reader hears "Saved 12:03" once a minute at most. */
  #say(state, text, action) {
    const { status } = this.#o;
    status.dataset.state = state;
    if (status.firstChild?.textContent !== text || status.children.length) status.textContent = text;
    if (!action) return;
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "btn btn-link btn-sm", textContent: action });
    status.append(" ", button);
  }
}
