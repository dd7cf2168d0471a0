"use strict";
// Tables sort by a click on a heading. Without this script they are plain tables.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down === 1 ? "ascending" : "descending");
      const text = (row) => row.cells[column].textContent.trim();
      // Signs, thousands and sizes with their units: 1.54 MB is more than 146 kB.
      const units = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };
      const number = (value) => {
        const found = /^([-+]?[\d,]*\.?\d+)(?:\s([kMGT]?B)$)?/.exec(value);
        return found ? Number.parseFloat(found[1].replaceAll(",", "")) * (units[found[2]] ?? 1) : NaN;
      };
      const compare = (a, b) => {
        const [x, y] = [number(text(a)), number(text(b))];
        if (Number.isNaN(x) || Number.isNaN(y)) return text(a).localeCompare(text(b), "en");
        return x - y;
      };
      // Each group of rows by itself, below its heading.
      for (const body of table.tBodies) {
        const rows = [...body.rows].filter((row) => !row.classList.contains("group"));
        body.append(...rows.sort((a, b) => down * compare(a, b)));
      }
    });
  });
}
