"use strict";
(() => {
  const table = document.querySelector("#records tbody");
  if (!table) return;
  const data = JSON.parse(document.getElementById("data").textContent);
  const [find, who, group, shown, more, rest] = ["find", "who", "group", "shown", "more", "rest"].map((id) => document.getElementById(id));
  const PAGE = 200;
  const write = (parent, tag, text, name) => {
    const made = document.createElement(tag);
    if (text) made.textContent = text;
    if (name) made.className = name;
    parent.append(made);
    return made;
  };
  const link = (cell, address, text) => {
    if (!/^https?:\/\//.test(address)) return;
    const made = write(cell, "a", text);
    made.href = address;
    made.target = "_blank";
    made.rel = "noopener noreferrer";
  };
  const build = ([leg, number, id, source, tool, reason, remedy, actor, inGroup, colour, amount, age, month, code]) => {
    const row = document.createElement("tr");
    row.dataset.group = inGroup;
    row.dataset.who = actor;
    const first = write(row, "td");
    write(first, "b", number ? `${leg} ${number}` : leg);
    write(first, "span", id, "ids");
    const second = write(row, "td");
    write(second, "span", "", `dot key ${colour}`);
    second.append(reason);
    write(second, "span", remedy, "remedy");
    write(write(row, "td", actor), "span", code, "ids");
    if (data.amounts) {
      const sum = write(row, "td", amount, "n");
      if (month) write(sum, "span", month, "ids");
    }
    write(row, "td", age, "n");
    const links = write(row, "td", "", "links");
    link(links, source, "Qualy");
    link(links, tool, data.tool);
    return row;
  };
  const rows = [...table.rows].map((row) => ({ row, text: row.textContent.toLowerCase(), who: row.dataset.who, group: row.dataset.group }))
    .concat(data.rows.map((given) => ({ given, text: given.join(" ").toLowerCase(), who: given[7], group: given[8] })));
  let limit = PAGE;
  const show = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const hits = rows.filter((one) => (!who.value || one.who === who.value) && (!group.value || one.group === group.value) &&
      words.every((word) => one.text.includes(word)));
    table.replaceChildren(...hits.slice(0, limit).map((one) => (one.row ??= build(one.given))));
    const searched = rows.length < data.total ? `${rows.length.toLocaleString("en")} of ${data.total.toLocaleString("en")} are in this page` : "";
    shown.textContent = `${hits.length.toLocaleString("en")} found`;
    rest.textContent = [hits.length > limit ? `The first ${limit.toLocaleString("en")} of ${hits.length.toLocaleString("en")} are shown.` : "", searched && `${searched}; all are in the CSV file.`].join(" ").trim();
    more.hidden = hits.length <= limit;
  };
  const anew = () => { limit = PAGE; show(); };
  find.addEventListener("input", anew);
  who.addEventListener("change", anew);
  group.addEventListener("change", anew);
  more.addEventListener("click", () => { limit += PAGE * 5; show(); });
  document.querySelector(".tools").hidden = false;
  show();
})();
