// Follows the log of each step whose box is open: what there is, then what
// comes, by server-sent events that go on where they broke off. The newest
// lines are kept; the rest is behind the link above them.
(() => {
  const keep = 5000; // lines
  const ansi = /\x1b\[[0-9;]*[A-Za-z]/g;

  function follow(box) {
    const pre = box.querySelector("pre");
    const source = new EventSource(box.dataset.log + "/stream");
    let pending = "";
    let scheduled = false;

    const paint = () => {
      scheduled = false;
      const atEnd = pre.scrollTop + pre.clientHeight >= pre.scrollHeight - 40;
      pre.append(document.createTextNode(pending));
      pending = "";
      const lines = pre.textContent.split("\n");
      if (lines.length > keep * 2) {
        pre.textContent = "… older lines are left out here\n" + lines.slice(-keep).join("\n");
      }
      if (atEnd) pre.scrollTop = pre.scrollHeight;
    };

    source.addEventListener("log", (event) => {
      pending += JSON.parse(event.data).text.replace(ansi, "");
      if (pending.length > 4 << 20) pending = pending.slice(-(2 << 20));
      if (!scheduled) {
        scheduled = true;
        requestAnimationFrame(paint);
      }
    });
    source.addEventListener("end", () => source.close());
    return source;
  }

  function watch(box) {
    let started = false;
    const begin = () => {
      if (box.open && !started) {
        started = true;
        follow(box);
      }
    };
    box.addEventListener("toggle", begin);
    begin();
  }

  // A step's box opens when a runner takes the step in hand.
  function openActive() {
    for (const card of document.querySelectorAll(".step:has(.is-planning, .is-applying)")) {
      const box = document.querySelector(`details[data-log="/v1/steps/${card.id}/log"]`);
      if (box && !box.dataset.opened) {
        box.dataset.opened = "1";
        box.open = true;
      }
    }
  }

  addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("details[data-log]").forEach(watch);
    const run = document.getElementById("run");
    if (run) {
      openActive();
      new MutationObserver(openActive).observe(run, { childList: true, subtree: true, attributes: true });
    }
  });
})();
