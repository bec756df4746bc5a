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
      var hours = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
      function clock(chart, at) {
        return at.map(function (one) { return hours.format(new Date(one * 1000)); });
      }
      var counts = numbers(place.dataset.count).map(function (one) { return one || null; });
      new window.uPlot({
        width: Math.max(240, place.clientWidth - 24), height: 160, legend: { show: false }, cursor: { show: false },
        scales: { y: { range: function (u, low, high) { return [0, Math.max(1, high || 0)]; } } },
        axes: [Object.assign({ values: clock, space: 72 }, axis), Object.assign({ size: 44, incrs: [1, 2, 5, 10, 20,
          50, 100, 200, 500, 1000, 5000, 10000, 100000] }, axis)],
        series: [{}, { stroke: style.getPropertyValue("--link"), fill: style.getPropertyValue("--link"),
          width: 0, paths: window.uPlot.paths.bars({ size: [0.8, 40, 3], align: -1 }), points: { show: false } }]
      }, [numbers(place.dataset.at), counts], place);
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
    var chosen = live && [].some.call(live.querySelectorAll("select"), function (one) { return one.selectedIndex > 0; });
    return live && (chosen || live.querySelector("input:checked") ||
      (at && live.contains(at) && /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName)));
  }

  var missed = false;

  function news() {
    var live = document.getElementById("live");
    missed = busy();
    if (live && window.htmx && !missed) window.htmx.trigger(live, "news");
  }

  // what was not shown while somebody chose is shown once nobody does
  function catchUp() {
    if (missed && !busy()) news();
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
  document.addEventListener("change", catchUp);
  document.addEventListener("focusout", function () { setTimeout(catchUp, 0); });

  document.addEventListener("htmx:beforeRequest", function (event) {
    if (document.hidden) event.preventDefault();
  });
  document.addEventListener("htmx:beforeSwap", function (event) {
    // an error is shown in place as well, but no page of somebody who is logged out
    var status = event.detail.xhr.status, isPage = /id="live"/.test(event.detail.xhr.responseText);
    if (status === 503 || status === 400 || status === 404) event.detail.shouldSwap = true;
    if (status === 401 || (status === 200 && !isPage)) window.location.reload();
    // what a busy or ending console answers replaces nothing
    if (!isPage) {
      event.detail.shouldSwap = false;
      away(true);
    }
    // somebody may have begun to choose since it was asked for
    if (busy()) {
      missed = true;
      event.detail.shouldSwap = false;
    }
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
