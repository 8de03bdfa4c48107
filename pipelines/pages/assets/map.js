// Gives areas of the map their class: on the map page for any subject and year, on an indicator's page for its newest.
junheng.ready(function () {
  "use strict";
  var listed = junheng.listed(), box = document.getElementById("areas"), FIFTHS = 5;
  if (box) { box.innerHTML = junheng.blank(); }
  var areas = document.querySelectorAll("[data-r]");
  function bands(values, direction) {
    // As on the pages of indicators: fifths by the rank from the best, ties share the first.
    var sign = direction === "lower" ? -1 : 1, codes = Object.keys(values), found = {};
    codes.forEach(function (code) {
      var rank = 1 + codes.filter(function (other) { return sign * values[other] > sign * values[code]; }).length;
      found[code] = Math.max(1, FIFTHS + 1 - Math.ceil((codes.length + 1 - rank) * FIFTHS / codes.length));
    });
    return found;
  }
  function show(about, data, year) {
    var values = {}, isSample = false;
    listed.regions.filter(function (r) { return r[3] === listed.lowest; }).forEach(function (r) {
      var one = junheng.figure(data, r[0], year);
      if (one && one.value !== null) { values[r[0]] = one.value; isSample = isSample || one.isSample; }
    });
    var found = bands(values, about.direction), ends = {};
    Object.keys(found).forEach(function (code) {
      var end = ends[found[code]] = ends[found[code]] || { low: Infinity, high: -Infinity, count: 0 };
      end.low = Math.min(end.low, values[code]);
      end.high = Math.max(end.high, values[code]);
      end.count += 1;
    });
    areas.forEach(function (area) {
      var code = area.dataset.r, one = junheng.figure(data, code, year), text;
      var isHidden = one && one.status.split(";").indexOf("Q") >= 0;
      var css = code in found ? "k" + found[code] : isHidden ? "none q" : "none";
      area.setAttribute("class", css);
      text = code in found ? junheng.written(about, values[code]) : null;
      var label = area.querySelector("i, title");
      if (label && label.tagName.toLowerCase() === "i") {
        label.replaceChildren(text || (isHidden ? junheng.both("不公布", "withheld") : junheng.both("缺", "missing")));
      } else if (label) {
        var r = junheng.region(code);
        label.textContent = r[1] + " / " + r[2] + ": " + (text || (isHidden ? "不公布 / withheld" : "缺 / missing"));
      }
    });
    return { ends: ends, isSample: isSample };
  }
  if (box) {
    var own = junheng.subject(document.documentElement.dataset.subject);
    junheng.need(own.key, function (data) { show(own, data, own.year); });
    return;
  }

  // -- the map page -------------------------------------------------------------------------------------------------
  var subjects = document.getElementById("subject"), years = document.getElementById("year");
  var legend = document.getElementById("legend"), title = document.getElementById("map-h"), more = document.getElementById("more");
  if (!subjects) { return; }
  function describe(about, data, year, shown) {
    legend.replaceChildren();
    for (var fifth = 1; fifth <= FIFTHS; fifth += 1) {
      var end = shown.ends[fifth];
      if (end) {
        var line = junheng.make("li"), swatch = junheng.make("i", "swatch k" + fifth);
        line.append(swatch, junheng.written(about, end.low) + " – " + junheng.written(about, end.high),
          " ", junheng.make("small", "", junheng.both(end.count + " 个地区", end.count + " regions")));
        legend.appendChild(line);
      }
    }
    var hatched = junheng.make("li");
    hatched.append(junheng.make("i", "swatch none"), junheng.both("缺或不公布", "missing or withheld"));
    legend.appendChild(hatched);
    var name = junheng.called(data, year);
    title.replaceChildren(junheng.both(about.names[0] + "，" + name + " 年", about.names[1] + ", " + name));
    if (shown.isSample && listed.mark) { title.append(junheng.make("mark", "sample", junheng.both(listed.mark.zh, listed.mark.en))); }
    more.href = "indicators/" + encodeURIComponent(about.key) + ".html";
  }
  function draw() {
    var about = junheng.subject(subjects.value);
    junheng.need(about.key, function (data) {
      var wanted = Number(years.value), kept = data.years.filter(function (year) {
        return listed.regions.some(function (r) {
          var one = r[3] === listed.lowest && junheng.figure(data, r[0], year);
          return one && one.value !== null;
        });
      });
      years.replaceChildren.apply(years, kept.map(function (year) { return new Option(junheng.called(data, year), String(year)); }));
      if (!kept.length) { return; }
      years.value = String(kept.indexOf(wanted) >= 0 ? wanted : kept[kept.length - 1]);
      describe(about, data, years.value, show(about, data, Number(years.value)));
      history.replaceState(null, "", "#" + new URLSearchParams({ s: about.key, y: years.value }));
    });
  }
  function read() {
    var asked = new URLSearchParams(location.hash.slice(1));
    if (asked.get("s") && junheng.subject(asked.get("s"))) { subjects.value = asked.get("s"); }
    if (asked.get("y")) { years.replaceChildren(new Option(asked.get("y"), asked.get("y"))); }
    if (asked.get("s")) { draw(); }
  }
  subjects.addEventListener("change", draw);
  years.addEventListener("change", draw);
  window.addEventListener("hashchange", read);
  read();
});
