// The column panel: which columns, in which order, how wide. Everything a drag can do, without one.
export function columnPanel(grid, dialog) {
  const list = dialog.querySelector("[data-columns]");

  function draw() {
    list.replaceChildren(...grid.all.map((column, index) => line(column, index)));
  }

  function button(text, label, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.setAttribute("aria-label", label);
    made.addEventListener("click", () => {
      act();
      draw();
    });
    return made;
  }

  function line(column, index) {
    const item = document.createElement("li");
    item.className = "row";
    const title = column.title || column.label;
    const label = document.createElement("label");
    label.className = "row grow";
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = !column.hidden;
    box.disabled = column.pin !== undefined;
    box.addEventListener("change", () => grid.arrange(() => { column.hidden = !box.checked; }));
    label.append(box, title);
    item.append(label);
    if (column.pin === undefined) {
      item.append(
        button("↑", `Move ${title} left`, () => move(index, -1)),
        button("↓", `Move ${title} right`, () => move(index, 1)),
      );
    }
    item.append(
      button("−", `Narrow ${title}`, () => grid.arrange(() => { column.width = Math.max(36, column.width - 12); })),
      button("+", `Widen ${title}`, () => grid.arrange(() => { column.width += 12; })),
    );
    return item;
  }

  function move(index, step) {
    grid.arrange((all) => {
      const to = index + step;
      if (to < 0 || to >= all.length || all[to].pin !== undefined) return;
      all.splice(to, 0, all.splice(index, 1)[0]);
    });
  }

  dialog.addEventListener("toggle", draw);
  draw();
}
