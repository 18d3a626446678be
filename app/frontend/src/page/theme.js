/** `data-theme-preview` on the select or radios of the settings page shows a theme at once; the server keeps it. */
export function themePreview() {
  document.addEventListener("change", (event) => {
    if (event.target.closest("[data-theme-preview]")) document.documentElement.dataset.bsTheme = event.target.value;
  });
}
