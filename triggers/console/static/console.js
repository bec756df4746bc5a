// What pages do beside links and forms: count times on, ask for news while they are seen, draw charts.
(function () {
  "use strict";

  var UNITS = [["d", 86400], ["h", 3600], ["min", 60]];

  function ago(then) {
    var seconds = Math.max(0, (Date.now() - then) / 1000);
    for (var i = 0; i < UNITS.length; i++) {
      var size = UNITS[i][1];
      if (seconds >= 2 * size || (UNITS[i][0] !== "d" && seconds >= size)) {
        return Math.round(seconds / size) + " " + UNITS[i][0] + " ago";
      }
    }
    return seconds >= 1 ? Math.round(seconds) + " s ago" : "now";
  }

  // in the reader's zone, and relative to the reader's clock
  function countOn() {
    document.querySelectorAll("time[datetime]").forEach(function (one) {
      var then = Date.parse(one.getAttribute("datetime"));
      if (!one.dataset.local) {
        one.title = new Date(then).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
        one.dataset.local = "1";
      }
      if (one.dataset.exact !== undefined) {
        if (one.textContent !== one.title) one.textContent = one.title;
        return;
      }
      var words = ago(then);
      if (one.textContent !== words) one.textContent = words;
    });
  }

  function numbers(text) {
    return text.split(" ").map(Number);
  }

  function draw() {
    document.querySelectorAll(".chart[data-at]").forEach(function (place) {
      if (place.dataset.drawn || !window.uPlot) return;
      place.dataset.drawn = "1";
      var style = getComputedStyle(document.documentElement);
      var ink = style.getPropertyValue("--quiet"), line = style.getPropertyValue("--line");
      var axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
      new window.uPlot({
        width: Math.max(280, place.clientWidth - 24), height: 160, legend: { show: false }, cursor: { show: false },
        scales: { y: { range: function (u, low, high) { return [0, Math.max(1, high)]; } } },
        axes: [axis, Object.assign({ size: 44 }, axis)],
        series: [{}, { stroke: style.getPropertyValue("--link"), fill: style.getPropertyValue("--calm-ground"),
          width: 1, paths: window.uPlot.paths.bars({ size: [0.8, 40] }), points: { show: false } }]
      }, [numbers(place.dataset.at), numbers(place.dataset.count)], place);
    });
  }

  var source = null, wait = null;

  function away(is) {
    var words = document.getElementById("away");
    if (words) words.hidden = !is;
  }

  function busy() {
    // somebody is choosing or writing in what would be replaced
    var live = document.getElementById("live"), at = document.activeElement;
    return live && (live.querySelector("input:checked") ||
      (at && live.contains(at) && /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName)));
  }

  function news() {
    var live = document.getElementById("live");
    if (live && window.htmx && !busy()) window.htmx.trigger(live, "news");
  }

  function listen() {
    var live = document.getElementById("live");
    clearTimeout(wait);
    if (!live || document.hidden || source) return;
    source = new EventSource(live.dataset.live);
    var before = false;
    source.addEventListener("open", function () {
      if (before) news();
      before = true;
      away(false);
    });
    source.addEventListener("changed", news);
    source.addEventListener("error", function () {
      away(true);
      if (source && source.readyState === EventSource.CLOSED) {
        stop();
        wait = setTimeout(listenAgain, 3000);
      }
    });
  }

  function listenAgain() {
    listen();
    news();
  }

  function stop() {
    if (source) source.close();
    source = null;
  }

  document.addEventListener("visibilitychange", function () {
    if (document.hidden) { stop(); } else { listenAgain(); }
  });
  window.addEventListener("pagehide", stop);

  document.addEventListener("htmx:beforeSwap", function (event) {
    // an error is shown in place as well, but no page of somebody who is logged out
    var status = event.detail.xhr.status;
    if (status === 503 || status === 400) event.detail.shouldSwap = true;
    if (status === 401) window.location.reload();
  });
  document.addEventListener("htmx:sendError", function () { away(true); });
  document.addEventListener("htmx:afterSettle", function () { away(false); countOn(); draw(); });

  document.addEventListener("DOMContentLoaded", function () {
    countOn();
    draw();
    listen();
    setInterval(countOn, 1000);
  });
})();
