
"use strict";
(() => {
  // Adds to each matrix a grid that is drawn from its table: an axis down, an axis across, coloured by a metric.
  const make = (name, text, parent) => {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    if (parent) parent.append(element);
    return element;
  };
  // Four digits; from a million on with a letter for the thousands that are left out.
  const short = (number) => new Intl.NumberFormat("en", {
    maximumSignificantDigits: 4,
    notation: Math.abs(number) >= 1e6 ? "compact" : Math.abs(number) < 1e-4 && number !== 0 ? "scientific" : "standard",
  }).format(number);
  const choice = (name, values, chosen, parent) => {
    const label = make("label", name, parent);
    const select = make("select", undefined, label);
    values.forEach((value, at) => {
      const option = make("option", value, select);
      option.value = String(at);
      option.selected = at === chosen;
    });
    return select;
  };
  for (const matrix of document.querySelectorAll(".matrix")) {
    const table = matrix.querySelector("table.points");
    const rows = [...table.tBodies[0].rows];
    if (rows.length === 0) continue;
    const names = [...table.querySelectorAll("th.axis")].map((head) => head.textContent);
    const metrics = [...table.querySelectorAll("th.metric")].map((head) => head.textContent);
    const points = rows.map((row) => ({
      row,
      at: row.dataset.at.split(" ").map(Number),
      numbers: [...row.querySelectorAll("td[data-number]")].map((cell) => cell.dataset.number),
      state: row.cells[names.length].textContent,
      words: row.textContent.toLowerCase(),
    }));
    const values = names.map((_, axis) => {
      const known = [];
      for (const point of points) known[point.at[axis]] = point.row.cells[axis].textContent;
      return known;
    });
    const place = matrix.querySelector(".grid-place");
    const controls = make("div", undefined, place);
    controls.className = "controls";
    const many = names.map((_, axis) => axis).sort((a, b) => values[b].length - values[a].length || a - b);
    const down = choice("down", names, many[0], controls);
    const across = choice("across", names, many[1] === undefined ? many[0] : many[1], controls);
    const colour = choice("colour by", [...metrics, "state"], 0, controls);
    // At first the values that most points have, so that the grid is as full as it can be.
    const usual = names.map((_, axis) => {
      const counts = values[axis].map((_, value) => points.filter((point) => point.at[axis] === value).length);
      return counts.indexOf(Math.max(...counts));
    });
    const fixed = names.map((name, axis) => choice(name, values[axis], usual[axis], controls));
    const label = make("label", "only rows with", controls);
    const filter = make("input", undefined, label);
    filter.type = "search";
    const region = make("div", undefined, place);
    region.className = "wide";
    region.tabIndex = 0;
    region.setAttribute("role", "region");
    const heading = place.closest("section")?.querySelector("h2");
    region.setAttribute("aria-label", heading ? `Grid of ${heading.textContent}` : "Grid of the matrix");
    const count = make("p", undefined, place);
    count.className = "small";
    count.setAttribute("role", "status");

    const open = (point) => {
      filter.value = "";
      show();
      for (const row of rows) row.classList.remove("chosen");
      point.row.classList.add("chosen");
      const details = point.row.querySelector("details");
      if (details) details.open = true;
      point.row.focus();
      // The attempts stand at the end of a row that may be wider than the screen.
      (details || point.row).scrollIntoView({ block: "center" });
    };
    const draw = () => {
      const [rowAxis, columnAxis, metric] = [down, across, colour].map((select) => Number(select.value));
      fixed.forEach((select, axis) => { select.parentElement.hidden = axis === rowAxis || axis === columnAxis; });
      const inSlice = (point) => fixed.every((select, axis) => axis === rowAxis || axis === columnAxis || point.at[axis] === Number(select.value));
      const slice = points.filter(inSlice);
      const numbers = slice.map((point) => point.numbers[metric]).filter((text) => text !== undefined && text !== "").map(Number);
      const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
      const grid = document.createElement("table");
      grid.className = "grid";
      const head = make("tr", undefined, make("thead", undefined, grid));
      const corner = make("th", `${names[rowAxis]} \\ ${names[columnAxis]}`, head);
      corner.scope = "col";
      const occurs = (axis, value) => slice.some((point) => point.at[axis] === value);
      const columns = rowAxis === columnAxis ? [""] : values[columnAxis];
      const isColumn = (across) => rowAxis === columnAxis || occurs(columnAxis, across);
      columns.forEach((value, across) => { if (isColumn(across)) make("th", value, head).scope = "col"; });
      const body = make("tbody", undefined, grid);
      values[rowAxis].forEach((value, down) => {
        if (!occurs(rowAxis, down)) return;
        const line = make("tr", undefined, body);
        make("th", value, line).scope = "row";
        columns.forEach((_, across) => {
          if (!isColumn(across)) return;
          const cell = make("td", undefined, line);
          const point = slice.find((point) => point.at[rowAxis] === down && (rowAxis === columnAxis || point.at[columnAxis] === across));
          if (!point) { make("span", "", cell); return; }
          const text = metric === metrics.length ? point.state : point.numbers[metric];
          const shown = text === "" ? "–" : metric === metrics.length ? text : short(Number(text));
          const button = make("button", shown, cell);
          button.type = "button";
          button.addEventListener("click", () => open(point));
          button.setAttribute("aria-label", `${[value, columns[across]].filter((name) => name !== "").join(", ")}: ${shown}`);
          if (metric < metrics.length && text !== "") {
            const share = most > least ? (Number(text) - least) / (most - least) : 0;
            cell.className = `heat-${Math.min(6, Math.floor(share * 7))}`;
          }
        });
      });
      region.replaceChildren(grid);
    };
    const show = () => {
      const words = filter.value.toLowerCase().split(/\s+/).filter((word) => word !== "");
      let shown = 0;
      for (const point of points) {
        point.row.hidden = !words.every((word) => point.words.includes(word));
        if (!point.row.hidden) shown += 1;
      }
      count.textContent = `${shown} of ${points.length} points in the table below`;
    };
    for (const select of [down, across, colour, ...fixed]) select.addEventListener("change", draw);
    filter.addEventListener("input", show);
    draw();
    show();
  }
  for (const item of document.querySelectorAll(".commands li")) {
    const code = item.querySelector("code");
    const button = make("button", "copy", item);
    button.type = "button";
    button.className = "copy";
    button.setAttribute("aria-label", `Copy: ${code.textContent}`);
    button.addEventListener("click", () => {
      const range = document.createRange();
      range.selectNodeContents(code);
      const selection = getSelection();
      selection.removeAllRanges();
      selection.addRange(range);
      if (navigator.clipboard) navigator.clipboard.writeText(code.textContent).then(() => { button.textContent = "copied"; }, () => {});
    });
  }
})();
