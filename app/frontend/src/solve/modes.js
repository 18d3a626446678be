/** What `data-mode` may name. A language is its own chunk, fetched when a file asks for it. */
export const MODES = {
  python: { indent: 4, load: async () => (await import("@codemirror/lang-python")).python() },
  sql: {
    indent: 2,
    async load() {
      const { PostgreSQL, sql } = await import("@codemirror/lang-sql");
      return sql({ dialect: PostgreSQL });
    },
  },
  yaml: { indent: 2, load: async () => (await import("@codemirror/lang-yaml")).yaml() },
  markdown: { indent: 2, load: async () => (await import("@codemirror/lang-markdown")).markdown() },
  javascript: { indent: 2, load: async () => (await import("@codemirror/lang-javascript")).javascript() },
};

/** A file of any other kind: text without colours. */
export const PLAIN = { indent: 4 };
