/** What is wrong with the working copy: the list that the server renders, marks in the tree and in the editors. */
export class Problems {
  #o;

  /** `panel` holds the list, `count` its number. */
  constructor(options) {
    this.#o = options;
    options.panel.addEventListener("click", (event) => {
      const link = event.target.closest("a[data-path]");
      if (!link || !options.files.has(link.dataset.path)) return;
      event.preventDefault();
      options.files.open(link.dataset.path, { line: Number(link.dataset.line) || 1 });
    });
  }

  /** `shown` is the list as HTML; without it the one that is there stays. */
  show({ problems, shown }) {
    const { panel, count, files, tree } = this.#o;
    if (shown !== undefined) panel.innerHTML = shown; // our own server's fragment, autoescaped there
    count.textContent = problems.length;
    count.classList.toggle("text-bg-warning", problems.length > 0);
    count.classList.toggle("text-bg-success", problems.length === 0);
    tree.mark(problems.map((problem) => problem.file));
    files.diagnose(problems);
  }
}
