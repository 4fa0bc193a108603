// Short news, bottom left, never over a send button. Errors are not news: they stay where they belong.
export function toast(text, href = "", word = "open") {
  const box = document.getElementById("toasts");
  if (!box) return;
  const item = document.createElement("div");
  item.className = "toast";
  item.append(text);
  if (href) {
    const link = document.createElement("a");
    link.href = href;
    link.textContent = word;
    item.append(link);
  }
  box.append(item);
  while (box.children.length > 4) box.firstElementChild.remove();
  setTimeout(() => item.remove(), 7000);
}
