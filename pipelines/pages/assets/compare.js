// Two to six regions side by side in any subjects; what is chosen stands in the address, so that it can be sent on.
junheng.ready(function () {
  "use strict";
  var listed = junheng.listed(), both = junheng.both, make = junheng.make, MOST = 6;
  var state = { r: [], s: [] }, boxes = { r: {}, s: {} };
  var table = document.getElementById("compared"), charts = document.getElementById("charts"), hint = document.getElementById("hint");

  function option(kind, key, names, small) {
    var label = make("label", "option"), box = document.createElement("input");
    box.type = "checkbox";
    box.value = key;
    box.addEventListener("change", function () { toggle(kind, key, box.checked); });
    label.append(box, " ", both(names[0], names[1]));
    if (small) { label.append(" ", make("small", "", small)); }
    label.dataset.find = (names[0] + " " + names[1] + " " + key).toLowerCase();
    boxes[kind][key] = box;
    return label;
  }
  function toggle(kind, key, isWanted) {
    var at = state[kind].indexOf(key);
    if (isWanted && at < 0) { state[kind].push(key); }
    if (!isWanted && at >= 0) { state[kind].splice(at, 1); }
    if (kind === "r" && state.r.length > MOST) { state.r.shift(); }
    settle();
  }
  function settle() {
    ["r", "s"].forEach(function (kind) {
      Object.keys(boxes[kind]).forEach(function (key) { boxes[kind][key].checked = state[kind].indexOf(key) >= 0; });
    });
    history.replaceState(null, "", "#r=" + state.r.map(encodeURIComponent).join(",") + "&s=" + state.s.map(encodeURIComponent).join(","));
    var left = state.s.length;
    if (!left) { draw(); }
    state.s.forEach(function (key) { junheng.need(key, function () { left -= 1; if (left === 0) { draw(); } }); });
  }
  function read() {
    var asked = new URLSearchParams(location.hash.slice(1));
    state.r = (asked.get("r") || "").split(",").filter(function (code) { return code && junheng.region(code); }).slice(0, MOST);
    state.s = (asked.get("s") || "").split(",").filter(function (key) { return key && junheng.subject(key); });
  }
  function sample(one) {
    return one.isSample && listed.mark ? make("mark", "sample", both(listed.mark.zh, listed.mark.en)) : "";
  }
  function valueCell(about, data, code, year) {
    var one = junheng.figure(data, code, year), cell = make("td", "n");
    if (!one || one.value === null) {
      cell.append(one && one.status.split(";").indexOf("Q") >= 0 ? both("不公布", "withheld") : "–");
      return cell;
    }
    var button = make("button", "", junheng.written(about, one.value));
    button.type = "button";
    button.dataset.f = [about.key, code, year, one.variant].join(" ");
    cell.append(button);
    if (one.variant !== "main") { cell.append(make("i", "flag", both("按今日区划", "on today's boundaries"))); }
    if (one.status.split(";").indexOf("E") >= 0) { cell.append(make("i", "flag", both("估计", "estimated"))); }
    if (one.status.split(";").indexOf("P") >= 0) {
      cell.append(make("i", "flag", one.staysAt ? both("初步：" + one.staysAt + " 的来文", "provisional: delivery of " + one.staysAt) : both("初步", "provisional")));
    }
    if (one.low !== null) { cell.append(make("small", "", junheng.written(about, one.low) + "–" + junheng.written(about, one.high))); }
    cell.append(sample(one), make("small", "", junheng.called(data, year)));
    return cell;
  }
  function heading(code, place) {
    var r = junheng.region(code), cell = make("th", "n"), link = make("a", "", both(r.names[0], r.names[1]));
    cell.scope = "col";
    link.href = "regions/" + encodeURIComponent(code) + ".html";
    cell.append(make("i", "key t" + (place + 1), String(place + 1)), " ", link);
    return cell;
  }
  function draw() {
    var isEnough = state.r.length > 1 && state.s.length > 0;
    hint.hidden = isEnough;
    document.getElementById("result").hidden = !isEnough;
    table.replaceChildren();
    charts.replaceChildren();
    if (!isEnough) { return; }
    var head = make("thead"), line = make("tr"), first = make("th", "", both("指标", "Indicator"));
    first.scope = "col";
    line.append(first);
    state.r.forEach(function (code, place) { line.append(heading(code, place)); });
    head.append(line);
    var body = make("tbody");
    state.s.forEach(function (key) {
      var about = junheng.subject(key), data = junheng.kept[key], row = make("tr"), name = make("th"), link = make("a", "", both(about.names[0], about.names[1]));
      name.scope = "row";
      link.href = "indicators/" + encodeURIComponent(key) + ".html";
      name.append(link);
      if (about.units[0]) { name.append(make("small", "", both(about.units[0], about.units[1]))); }
      if (isMixed(about, data)) { name.append(make("i", "flag", both("政府层级不同，不可比", "other levels of government: not comparable"))); }
      row.append(name);
      state.r.forEach(function (code) { row.append(valueCell(about, data, code, about.years[junheng.region(code).depth])); });
      body.append(row);
      charts.append(chart(about, data));
    });
    table.append(head, body);
  }
  // Money of other levels of government is no more or less than another's: it is shown, and not drawn together.
  function isMixed(about, data) {
    var levels = new Set();
    state.r.forEach(function (code) {
      data.years.forEach(function (year) {
        var one = junheng.figure(data, code, year);
        if (one && one.value !== null) { levels.add(one.levels); }
      });
    });
    return levels.size > 1;
  }
  function svg(tag, attributes, text) {
    var made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    Object.keys(attributes).forEach(function (name) { made.setAttribute(name, attributes[name]); });
    if (text !== undefined) { made.textContent = text; }
    return made;
  }
  function chart(about, data) {
    var figure = make("figure", "small"), caption = make("figcaption", "", both(about.names[0], about.names[1]));
    var width = 340, height = 170, left = 46, right = 22, top = 12, bottom = 24, values = [], ends = [], isSample = false;
    state.r.forEach(function (code) {
      data.years.forEach(function (year) {
        var one = junheng.figure(data, code, year);
        if (one && one.value !== null) { values.push(one.value); isSample = isSample || one.isSample; }
      });
    });
    if (isSample) { caption.append(sample({ isSample: true })); }
    figure.append(caption);
    if (isMixed(about, data)) {
      figure.append(make("p", "note", both("所选地区的钱属于不同的政府层级，不画在一起。", "The money of these regions is of different levels of government: it is not drawn together.")));
      return figure;
    }
    if (!values.length) { figure.append(make("p", "", both("没有数", "no figures"))); return figure; }
    var low = Math.min.apply(null, values), high = Math.max.apply(null, values), span = high - low || Math.abs(high) || 1;
    var years = data.years, wide = years[years.length - 1] - years[0] || 1;
    function x(year) { return left + (years.length > 1 ? (year - years[0]) / wide : 0.5) * (width - left - right); }
    function y(value) { return height - bottom - (value - low) / span * (height - top - bottom); }
    var drawn = svg("svg", { viewBox: "0 0 " + width + " " + height, class: "chart", role: "img", "aria-label": about.names[junheng.isEnglish() ? 1 : 0] });
    [low, high].forEach(function (value) {
      drawn.append(svg("line", { x1: left, x2: width - right, y1: y(value), y2: y(value), class: "grid" }));
      drawn.append(svg("text", { x: left - 5, y: y(value) + 4, "text-anchor": "end", class: "tick" }, junheng.written(about, value)));
    });
    [years[0], years[years.length - 1]].filter(function (year, at, all) { return all.indexOf(year) === at; }).forEach(function (year) {
      drawn.append(svg("text", { x: x(year), y: height - 6, "text-anchor": "middle", class: "tick" }, junheng.called(data, year)));
    });
    state.r.forEach(function (code, place) {
      var before = null, last = null;
      years.forEach(function (year) {
        var one = junheng.figure(data, code, year);
        if (!one || one.value === null) { before = null; return; }
        if (before && year - before.year === 1) {
          drawn.append(svg("line", { x1: x(before.year), y1: y(before.value), x2: x(year), y2: y(one.value), class: "line t" + (place + 1) + (one.isSample || before.isSample ? " dashed" : "") }));
        }
        drawn.append(svg("circle", { cx: x(year), cy: y(one.value), r: 3, class: "t" + (place + 1) + (one.isSample ? " hollow" : " filled") }));
        before = { year: year, value: one.value, isSample: one.isSample };
        last = before;
      });
      if (last) { ends.push({ x: x(last.year) + 7, y: y(last.value) + 4, text: String(place + 1) }); }
    });
    ends.sort(function (one, other) { return one.y - other.y; }).forEach(function (end, at) {
      if (at > 0) { end.y = Math.max(end.y, ends[at - 1].y + 11); } // numbers of lines that end together stay readable
      drawn.append(svg("text", { x: end.x, y: end.y, class: "tick" }, end.text));
    });
    figure.append(drawn);
    return figure;
  }
  function fill() {
    var regions = document.getElementById("regions"), subjects = document.getElementById("subjects");
    listed.regions.forEach(function (r) {
      var above = junheng.region(r.above);
      regions.append(option("r", r.code, r.names, above && above.code !== listed.home ? above.names[0] : ""));
    });
    listed.subjects.forEach(function (about) { subjects.append(option("s", about.key, about.names, about.kind === "indicator" ? about.key : "")); });
    [["find-regions", regions], ["find-subjects", subjects]].forEach(function (pair) {
      document.getElementById(pair[0]).addEventListener("input", function (event) {
        var text = event.target.value.trim().toLowerCase();
        pair[1].querySelectorAll(".option").forEach(function (item) { item.hidden = item.dataset.find.indexOf(text) < 0; });
      });
    });
  }
  document.getElementById("clear").addEventListener("click", function () { state = { r: [], s: [] }; settle(); });
  document.getElementById("save").addEventListener("click", function () { junheng.save("compare", junheng.table(state.s, state.r)); });
  window.addEventListener("hashchange", function () { read(); settle(); });
  fill();
  read();
  settle();
});
