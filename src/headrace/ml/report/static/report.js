(() => {
  "use strict";
  const page = document.documentElement;
  const { config, charts } = JSON.parse(document.getElementById("chart-specifications").textContent);
  const bubble = document.getElementById("tooltip");

  /* Tooltips are filled with textContent, so that no cell can become markup. */
  const tooltip = (_, event, __, value) => {
    if (value === null || value === undefined || value === "") { bubble.hidden = true; return; }
    bubble.replaceChildren();
    const entries = typeof value === "object" ? Object.entries(value) : [["", value]];
    for (const [name, text] of entries) {
      const row = bubble.appendChild(document.createElement("div"));
      if (name) row.appendChild(document.createElement("span")).textContent = name;
      row.appendChild(document.createElement("b")).textContent = String(text);
    }
    bubble.hidden = false;
    const box = bubble.getBoundingClientRect();
    const x = event.clientX + 14 + box.width > innerWidth ? event.clientX - 14 - box.width : event.clientX + 14;
    const y = event.clientY + 14 + box.height > innerHeight ? event.clientY - 14 - box.height : event.clientY + 14;
    bubble.style.left = `${Math.max(4, x)}px`;
    bubble.style.top = `${Math.max(4, y)}px`;
  };

  const draw = async (place) => {
    if (place.dataset.state) return;
    place.dataset.state = "drawing";
    try {
      await vegaEmbed(place, charts[place.dataset.chart], {
        mode: "vega-lite", ast: true, actions: false, defaultStyle: false, renderer: "svg", config, tooltip,
      });
      place.dataset.state = "drawn";
    } catch (error) {
      place.dataset.state = "failed";
      place.textContent = "This chart could not be drawn; the tables hold the same facts.";
      console.error(place.dataset.chart, error);
    }
  };
  const pause = () => new Promise((resume) => setTimeout(resume));
  const drawAll = async (places) => {
    for (const place of places) { await draw(place); await pause(); }
  };
  const seen = (place) => !place.closest("details:not([open])");
  const places = [...document.querySelectorAll("[data-chart]")];

  for (const fold of document.querySelectorAll("details")) {
    fold.addEventListener("toggle", () => { if (fold.open) drawAll([...fold.querySelectorAll("[data-chart]")].filter(seen)); });
  }
  drawAll(places.filter(seen)).then(() => { page.dataset.charts = "drawn"; });

  const toggle = document.getElementById("theme");
  const dark = () => (page.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const name = () => { toggle.setAttribute("aria-pressed", String(dark())); };
  toggle.addEventListener("click", () => {
    page.dataset.theme = dark() ? "light" : "dark";
    try { localStorage.setItem("headrace-theme", page.dataset.theme); } catch { /* kept for this visit only */ }
    name();
  });
  name();

  document.getElementById("print").addEventListener("click", async () => {
    for (const fold of document.querySelectorAll("details")) fold.open = true;
    await drawAll(places);
    print();
  });

  const links = new Map([...document.querySelectorAll("nav.contents a")].map((link) => [link.hash.slice(1), link]));
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const link of links.values()) link.removeAttribute("aria-current");
      const link = links.get(entry.target.id);
      link.setAttribute("aria-current", "true");
      const list = link.closest("ol");
      if (list.scrollWidth > list.clientWidth) list.scrollTo({ left: link.offsetLeft - 24 });
    }
  }, { rootMargin: "-20% 0px -70% 0px" });
  for (const id of links.keys()) watcher.observe(document.getElementById(id));
})();
