/** The copy of unsaved text that this browser keeps, one per account, exercise and language. */
export class LocalCopy {
  #key;
  #aside;

  constructor(account, url, language) {
    this.#key = `greenroom:draft:${account}:${url}:${language}`;
    this.#aside = `${this.#key}:aside`;
  }

  /** Returns { files, version, at } or null; `version` is the server's draft that the text was built on. */
  get() {
    try {
      return JSON.parse(localStorage.getItem(this.#key) ?? localStorage.getItem(this.#aside));
    } catch {
      return null;
    }
  }

  /** Moves the copy where later changes do not replace it; the next visit finds it again. */
  setAside() {
    try {
      const kept = localStorage.getItem(this.#key);
      if (kept === null) return;
      localStorage.setItem(this.#aside, kept);
      localStorage.removeItem(this.#key);
    } catch {
      // Storage is forbidden: then nothing was kept either.
    }
  }

  dropAside() {
    try {
      localStorage.removeItem(this.#aside);
    } catch {
      // As above.
    }
  }

  /** Returns whether the browser kept it: storage may be full or forbidden. */
  put(files, version) {
    try {
      localStorage.setItem(this.#key, JSON.stringify({ files, version, at: new Date().toISOString() }));
      return true;
    } catch {
      return false;
    }
  }

  drop() {
    try {
      localStorage.removeItem(this.#key);
    } catch {
      // Storage is forbidden: then nothing was kept either.
    }
  }
}
