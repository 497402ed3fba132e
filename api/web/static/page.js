// What the pages do beside htmx: follow a step's log, open the log of the step
// at work, keep times true, and sign in again when the session is over.
(() => {
  const keep = 5000; // lines of a log that are shown
  const tail = 1 << 20; // bytes of a log that are read at first
  const ansi = /\x1b\[[0-9;?]*[A-Za-z]/g;

  // Log is the log of one step in its box. Lines stand in blocks, so that the
  // oldest can be dropped, and the browser need not lay out what is not seen.
  class Log {
    constructor(box) {
      this.url = `/v1/steps/${box.dataset.step}/log`;
      this.lines = box.querySelector(".lines");
      this.state = box.querySelector(".state");
      this.offset = -1; // -1 before anything was read
      this.blocks = [];
      this.count = 0;
      this.text = "";
    }

    // start reads the end of what there is, then follows what comes.
    async start() {
      if (this.source || this.ended) return;
      const source = (this.source = {}); // tells this start from a later one
      if (this.offset < 0) await this.readTail();
      if (this.source === source) this.follow();
    }

    async readTail() {
      this.offset = 0;
      const answer = await fetch(this.url, { headers: { Range: `bytes=-${tail}` } });
      const size = Number((answer.headers.get("Content-Range") || "").split("/")[1] || 0);
      if (!answer.ok) return;
      const text = await answer.text();
      this.offset = size || new TextEncoder().encode(text).length;
      if (size > tail) {
        this.note("older lines are left out");
        this.add(text.slice(text.indexOf("\n") + 1));
      } else {
        this.add(text);
      }
    }

    follow() {
      const source = (this.source = new EventSource(`${this.url}/stream?offset=${this.offset}`));
      source.addEventListener("log", (event) => {
        this.offset = Number(event.lastEventId);
        this.add(JSON.parse(event.data).text);
      });
      source.addEventListener("end", () => {
        this.ended = true;
        this.stop();
        this.paint(true);
      });
      source.onerror = () => {
        if (source.readyState === EventSource.CLOSED) this.note("cannot be followed; load the page again");
      };
    }

    stop() {
      this.source?.close?.();
      this.source = null;
    }

    note(text) {
      this.state.textContent = `· ${text}`;
    }

    add(text) {
      this.text += text;
      if (!this.due) {
        this.due = requestAnimationFrame(() => this.paint(false));
      }
    }

    // paint shows the whole lines that have come since, and at the end the rest.
    paint(all) {
      this.due = 0;
      const cut = all ? this.text.length : this.text.lastIndexOf("\n") + 1;
      const lines = this.text.slice(0, cut).replace(ansi, "").split("\n");
      this.text = this.text.slice(cut);
      if (lines.at(-1) === "") lines.pop();
      if (lines.length === 0) return;
      const atEnd = this.lines.scrollTop + this.lines.clientHeight >= this.lines.scrollHeight - 40;
      for (let i = Math.max(0, lines.length - keep); i < lines.length; i += 200) {
        this.append(lines.slice(i, i + 200));
      }
      this.drop();
      if (atEnd) this.lines.scrollTop = this.lines.scrollHeight;
    }

    append(lines) {
      const last = this.blocks.at(-1);
      if (last && last.count + lines.length <= 200) {
        last.node.append(lines.join("\n") + "\n");
        last.count += lines.length;
      } else {
        const node = document.createElement("pre");
        node.textContent = lines.join("\n") + "\n";
        this.lines.append(node);
        this.blocks.push({ node, count: lines.length });
      }
      this.count += lines.length;
    }

    drop() {
      while (this.count - this.blocks[0].count >= keep) {
        const oldest = this.blocks.shift();
        oldest.node.remove();
        this.count -= oldest.count;
        this.note("older lines are left out");
      }
    }
  }

  const logs = new Map(); // by box

  // Only the open log is followed, and none while the page is not seen: a
  // browser has six connections to a server for all of its tabs.
  function tend() {
    for (const box of document.querySelectorAll("details[data-step]")) {
      if (box.open && !document.hidden) {
        if (!logs.has(box)) logs.set(box, new Log(box));
        logs.get(box).start();
      } else {
        logs.get(box)?.stop();
      }
    }
  }

  // The log of the step at work opens, unless that of another one at work is open.
  function openActive() {
    const box = (card) => document.querySelector(`details[data-step="${card.id}"]`);
    const active = [...document.querySelectorAll(".step:has(h3 .is-planning, h3 .is-applying)")].map(box);
    if (active.length && !active.some((b) => b.open)) active[0].open = true;
  }

  const units = [[172800, 86400, "days"], [3600, 3600, "h"], [60, 60, "min"], [0, 1, "s"]];

  function roughly(seconds) {
    const [, unit, name] = units.find(([from]) => seconds >= from);
    return `${Math.floor(seconds / unit)} ${name}`;
  }

  // The words are those of since() in frame.go.
  function since(seconds) {
    if (seconds < -2) return `in ${roughly(-seconds)}`;
    return seconds < 2 ? "just now" : `${roughly(seconds)} ago`;
  }

  function tell() {
    for (const t of document.querySelectorAll("time[datetime]")) {
      const text = since((Date.now() - Date.parse(t.dateTime)) / 1000);
      if (t.textContent !== text) t.textContent = text;
    }
  }

  // Parts of pages are not asked for as pages, or the sign-in would come as a
  // part once the session is over.
  function ask(event) {
    event.detail.ctx.request.headers.Accept = "text/event-stream, */*";
  }

  // An error is not put into the page as if it were the part.
  function refuse(event) {
    const { response, sourceElement } = event.detail.ctx;
    if (response.status < 400) return;
    event.preventDefault();
    if (response.status === 401) location.reload();
    else sourceElement.textContent = "This cannot be loaded now. Load the page again.";
  }

  addEventListener("DOMContentLoaded", () => {
    for (const box of document.querySelectorAll("details[data-step]")) box.addEventListener("toggle", tend);
    document.addEventListener("visibilitychange", tend);
    openActive();
    tend();
    setInterval(tell, 10000);
    document.addEventListener("htmx:after:swap", () => {
      openActive();
      tell();
    });
    document.addEventListener("htmx:config:request", ask);
    document.addEventListener("htmx:before:response", refuse);
    document.addEventListener("htmx:sse:error", (event) => {
      if (event.detail.status === 401) location.reload(); // leads to the sign-in
    });
  });
})();
