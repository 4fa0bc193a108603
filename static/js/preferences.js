// Side colours and letter keys belong to this browser: kept in a cookie so that the server draws the page right at once.
for (const select of document.querySelectorAll("[data-cookie]")) {
  select.addEventListener("change", () => {
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `${select.dataset.cookie}=${select.value}; path=/; max-age=34560000; samesite=strict${secure}`;
    if (select.dataset.cookie.endsWith("palette")) document.documentElement.dataset.palette = select.value;
  });
}
