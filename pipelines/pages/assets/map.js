// Gives areas of the map their class: on the map page for any subject and year, on an indicator's page for its newest.
junheng.ready(function () {
  "use strict";
  var listed = junheng.listed(), both = junheng.both, box = document.getElementById("areas");
  if (box) { box.innerHTML = junheng.blank(); }
  var areas = document.querySelectorAll("[data-r]");
  var lowest = listed.regions.filter(function (r) { return r.isLowest; });
  function levelsNamed(levels) {
    var pairs = levels.split(",").map(function (code) { return listed.governments[code] || [code, code]; });
    return both(pairs.map(function (p) { return p[0]; }).join("＋"), pairs.map(function (p) { return p[1]; }).join(" + "));
  }
  function reason(r, one, year) {
    if (one && one.status.split(";").indexOf("Q") >= 0) { return ["不公布", "withheld", "none q"]; }
    if (!(one && one.isThere) && r.founded && r.founded > year) { return ["尚未设立", "not yet founded", "none n"]; }
    return ["缺", "missing", "none"];
  }
  // The newest figure of each region's level where no year is given. Fifths come with the figures.
  function show(about, data, year) {
    var ends = {}, isSample = false;
    areas.forEach(function (area) {
      var r = junheng.region(area.dataset.r), when = year || about.years[r.depth], one = junheng.figure(data, r.code, when);
      var isThere = one && one.value !== null, label = area.querySelector("i, title"), why = isThere ? null : reason(r, one, when);
      area.setAttribute("class", isThere ? "k" + one.fifth : why[2]);
      if (isThere) {
        var peers = r.depth + "|" + one.levels, key = peers + "|" + one.fifth;
        var end = ends[key] = ends[key] || { peers: peers, levels: one.levels, fifth: one.fifth, low: Infinity, high: -Infinity, count: 0 };
        end.low = Math.min(end.low, one.value);
        end.high = Math.max(end.high, one.value);
        end.count += 1;
        isSample = isSample || one.isSample;
      }
      if (!label) { return; }
      if (label.tagName.toLowerCase() === "i") {
        label.replaceChildren(isThere ? junheng.written(about, one.value) : both(why[0], why[1]));
      } else {
        label.textContent = r.names.join(" / ") + ": " + (isThere ? junheng.written(about, one.value) : why[0] + " / " + why[1]);
      }
    });
    return { ends: ends, isSample: isSample };
  }
  if (box) {
    var own = junheng.subject(document.documentElement.dataset.subject);
    junheng.need(own.key, function (data) { show(own, data, null); });
    return;
  }

  // -- the map page -------------------------------------------------------------------------------------------------
  var subjects = document.getElementById("subject"), years = document.getElementById("year");
  var legend = document.getElementById("legend"), title = document.getElementById("map-h"), more = document.getElementById("more");
  if (!subjects) { return; }
  function describe(about, data, year, shown) {
    legend.replaceChildren();
    var last = null, keys = Object.keys(shown.ends).sort(), peers = new Set(keys.map(function (key) { return shown.ends[key].peers; }));
    keys.forEach(function (key) {
      var end = shown.ends[key], line = junheng.make("li");
      if (peers.size > 1 && end.levels && end.peers !== last) { legend.append(junheng.make("li", "peers", levelsNamed(end.levels))); }
      last = end.peers;
      line.append(junheng.make("i", "swatch k" + end.fifth));
      line.append(junheng.written(about, end.low) + " – " + junheng.written(about, end.high), " ",
        junheng.make("small", "", both(end.count + " 个地区", end.count + " regions")));
      legend.appendChild(line);
    });
    var hatched = junheng.make("li");
    hatched.append(junheng.make("i", "swatch none"), both("缺、不公布或尚未设立", "missing, withheld or not yet founded"));
    legend.appendChild(hatched);
    var name = junheng.called(data, year);
    title.replaceChildren(both(about.names[0] + "，" + name + " 年", about.names[1] + ", " + name));
    if (shown.isSample && listed.mark) { title.append(junheng.make("mark", "sample", both(listed.mark.zh, listed.mark.en))); }
    more.href = "indicators/" + encodeURIComponent(about.key) + ".html";
  }
  function draw() {
    var about = junheng.subject(subjects.value);
    junheng.need(about.key, function (data) {
      var wanted = Number(years.value), kept = data.years.filter(function (year) {
        return lowest.some(function (r) {
          var one = junheng.figure(data, r.code, year);
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
