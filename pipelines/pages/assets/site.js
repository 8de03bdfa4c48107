// Every page can be read without this. It says of a figure where it stands (SQL, trace command, reference for errors) and
// hands out the figures of the data files.
var junheng = (function () {
  "use strict";
  var root = document.documentElement, listed = null, kept = {}, waiting = {}, blank = "", ahead = [];

  function isEnglish() { return document.getElementById("in-en").checked; }

  // Text and elements in both languages; nothing is ever put in as markup.
  function both(zh, en) {
    var pair = document.createDocumentFragment();
    [["zh", zh], ["en", en]].forEach(function (one) {
      var part = document.createElement("b");
      part.lang = one[0];
      part.textContent = one[1];
      pair.appendChild(part);
    });
    return pair;
  }
  function make(tag, css, inside) {
    var made = document.createElement(tag);
    if (css) { made.className = css; }
    if (typeof inside === "string") { made.textContent = inside; } else if (inside) { made.appendChild(inside); }
    return made;
  }
  function rounded(value, places, isCut) {
    // Half up from the shortest text of the number, as everywhere else; cut where a target must not read as met.
    if (value === null || value === undefined) { return "–"; }
    var text = Math.abs(value).toString();
    if (text.indexOf("e") >= 0) { text = Math.abs(value).toFixed(20); }
    var parts = text.split("."), digits = (parts[0] + (parts[1] || "").padEnd(places + 1, "0")).split("").map(Number);
    var cut = parts[0].length + places, up = !isCut && digits[cut] >= 5, place = cut - 1;
    digits = digits.slice(0, cut);
    while (up && place >= 0) {
      digits[place] = (digits[place] + 1) % 10;
      up = digits[place] === 0;
      place -= 1;
    }
    if (up) { digits.unshift(1); cut += 1; }
    var whole = digits.slice(0, cut - places).join("").replace(/\B(?=(\d{3})+$)/g, ",");
    var isZero = digits.every(function (digit) { return digit === 0; });
    return (value < 0 && !isZero ? "-" : "") + whole + (places ? "." + digits.slice(cut - places).join("") : "");
  }

  function written(about, value) { return rounded(value, about.places, about.isCut); }

  // -- where a figure is found ----------------------------------------------------------------------------------------
  var TREND = "mart_region_trend", GAP = "mart_urban_rural_gap";

  function quoted(text) { return /[^\w@%+=:,./-]/.test(text) ? "'" + text.replace(/'/g, "'\"'\"'") + "'" : text; }
  function pairs(joined) {
    return joined.split(";").slice(1).map(function (pair) {
      var at = pair.indexOf("=");
      return [pair.slice(0, at), pair.slice(at + 1)];
    });
  }
  function trace(joined) { return "junheng trace " + joined.split(";").map(quoted).join(" "); }
  function sql(joined, column) {
    var conditions = pairs(joined).map(function (pair) {
      return pair[0] + " = " + (pair[0] === "year" ? pair[1] : "'" + pair[1].replace(/'/g, "''") + "'");
    });
    return "select " + column + ", obs_status, provenance\nfrom " + joined.split(";")[0] + "\nwhere " + conditions.join("\n  and ");
  }
  function copyable(text) {
    var box = make("div", "copyable"), shown = make("pre", "", make("code", "", text)), button = make("button", "copy");
    button.type = "button";
    button.appendChild(both("复制", "Copy"));
    button.addEventListener("click", function () {
      var done = function () { button.replaceChildren(both("已复制", "Copied")); };
      if (navigator.clipboard) { navigator.clipboard.writeText(text).then(done, function () { select(shown); }); } else { select(shown); }
    });
    shown.tabIndex = 0;
    box.append(shown, button);
    return box;
  }
  function select(element) { window.getSelection().selectAllChildren(element); }
  function subject(key) { return listed.subjects.find(function (item) { return item.key === key; }); }
  function region(code) { return listed.regions.find(function (item) { return item.code === code; }); }
  // A subject's figure in a region and year: what to query, what to trace. A figure of another variant is traced as that.
  function place(key, code, year, variant) {
    var isGap = key.indexOf("gap.") === 0, about = isGap ? key.slice(4) : key;
    var parts = [isGap ? GAP : TREND, "subject_code=" + about, "region_id=" + region(code).id, "year=" + year];
    if (isGap) { parts = [parts[0], parts[2], parts[3], parts[1]]; }
    var traced = isGap ? parts : ["figure"].concat(parts.slice(1), variant && variant !== "main" ? ["variant=" + variant] : []);
    return { where: parts.join(";"), traced: traced.join(";"), column: isGap ? "ratio" : "value" };
  }
  function inRow(button) {
    // In a profile the row links to its subject, on an indicator's page to its region; the page is about the other.
    var link = button.closest("tr").querySelector("th a").getAttribute("href"), name = decodeURIComponent(link.replace(/^.*\//, "").replace(/\.html$/, ""));
    var key = root.dataset.subject || name, code = root.dataset.region || name;
    return [key, code, button.dataset.y || subject(key).years[region(code).depth], button.dataset.b];
  }
  function explain(button) {
    var isWhole = "t" in button.dataset, short = isWhole ? [button.dataset.s] : button.dataset.f ? button.dataset.f.split(" ") : inRow(button);
    var found = isWhole ? { where: button.dataset.t, traced: button.dataset.j, column: button.dataset.c } : place.apply(null, short);
    var key = short[0], known = Object.fromEntries(pairs(found.where)), about = subject(key.replace(/^gap\./, ""));
    var home = listed.regions.find(function (item) { return item.id === known.region_id; });
    var dialog = make("dialog", "about"), code = [listed.release, key, known.region_id, known.year];
    dialog.setAttribute("aria-labelledby", "about-h");
    var heading = make("h2", "", both(about ? about.names[0] : key, about ? about.names[1] : key)), close = make("button", "close", both("关闭", "Close"));
    heading.id = "about-h";
    close.type = "button";
    close.addEventListener("click", function () { dialog.close(); });
    var said = make("p", "said", make("strong", "", button.textContent));
    said.append(" ", home ? both(home.names[0], home.names[1]) : known.region_id, " " + ((about && about.periods[known.year]) || known.year || ""));
    if (listed.mark && button.closest("tr, li, dl, section") && button.closest("tr, li, dl, section").querySelector("mark")) {
      var mark = make("mark", "sample", both(listed.mark.zh, listed.mark.en));
      said.append(" ", mark);
    }
    dialog.append(close, heading, said,
      make("h3", "", both("给出这个数的查询", "The query that gives this figure")), copyable(sql(found.where, found.column)),
      make("h3", "", both("追到来文的那一格", "Back to the cell it came from")), copyable(trace(found.traced)),
      make("h3", "", both("报告错误时请写明", "To report an error, quote")), copyable(code.join("/")));
    var more = make("p"), link = make("a", "", both("怎样核对一个数", "How to check a number"));
    link.href = root.dataset.root + "check.html";
    more.appendChild(link);
    dialog.appendChild(more);
    dialog.addEventListener("close", function () { dialog.remove(); button.focus(); });
    document.body.appendChild(dialog);
    dialog.showModal();
  }

  // -- figures from data files ------------------------------------------------------------------------------------------
  function need(key, done) {
    if (kept[key]) { done(kept[key]); return; }
    if (waiting[key]) { waiting[key].push(done); return; }
    waiting[key] = [done];
    var script = document.createElement("script");
    script.src = root.dataset.root + "data/" + encodeURIComponent(key) + ".js";
    document.head.appendChild(script);
  }
  function figures(key, data) {
    kept[key] = data;
    (waiting[key] || []).forEach(function (done) { done(data); });
    delete waiting[key];
  }
  function figure(data, code, year) {
    var at = data.years.indexOf(Number(year)), row = data.rows[code];
    if (at < 0 || !row) { return null; }
    function of(name, none) { return !(name in row) ? none : Array.isArray(row[name]) ? row[name][at] : row[name]; }
    var status = of("s", "");
    return {
      value: row.v[at], status: status, isThere: row.v[at] !== null || /[OLMQ]/.test(status), isSample: row.o[at] === "1",
      fifth: Number(row.f[at]), levels: of("g", ""), variant: of("b", "main"), staysAt: of("d", ""),
      low: of("l", null), high: of("h", null),
    };
  }
  function called(data, year) {
    var at = data.years.indexOf(Number(year));
    return at < 0 ? String(year) : data.called[at];
  }
  function save(name, text) {
    var link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff" + text], { type: "text/csv;charset=utf-8" }));
    link.download = (listed.mark ? listed.mark.zh + "_" : "") + name + "_" + listed.release + ".csv";
    link.click();
    setTimeout(function () { URL.revokeObjectURL(link.href); }, 1000);
    return link.download;
  }
  function cell(value) {
    var text = value === null || value === undefined ? "" : String(value);
    return /[",\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
  }
  function table(keys, codes) {
    var lines = [["subject_code", "region_id", "region_code", "region_name", "year", "period_name", "variant", "value", "ci_low", "ci_high", "unit", "obs_status", "provenance"].join(",")];
    keys.forEach(function (key) {
      var about = subject(key), data = kept[key];
      (codes || Object.keys(data.rows)).forEach(function (code) {
        data.years.forEach(function (year) {
          var one = figure(data, code, year);
          if (one && one.isThere) {
            lines.push([key, region(code).id, code, region(code).names[0], year, called(data, year), one.variant, one.value, one.low, one.high, about.units[1] || about.units[0], one.status, one.isSample ? "synthetic" : "official"].map(cell).join(","));
          }
        });
      });
    });
    return lines.join("\r\n") + "\r\n";
  }

  document.addEventListener("click", function (event) {
    var button = event.target.closest && event.target.closest("main button[data-t], main button[data-f], main td > button:not([class])");
    if (button && listed) { explain(button); }
    var download = event.target.closest && event.target.closest("button.download");
    if (download) { need(download.dataset.s, function () { save(download.dataset.s, table([download.dataset.s])); }); }
  });
  return {
    contents: function (found) { listed = found; ahead.forEach(function (begin) { begin(); }); },
    ready: function (begin) { if (listed) { begin(); } else { ahead.push(begin); } },
    areas: function (markup) { blank = markup; }, // made with the pages, names escaped
    blank: function () { return blank.split("{root}").join(root.dataset.root); },
    listed: function () { return listed; },
    figures: figures, need: need, figure: figure, called: called, place: place, both: both, make: make, rounded: rounded, written: written, sql: sql, trace: trace,
    subject: subject, region: region, isEnglish: isEnglish, table: table, save: save, kept: kept,
  };
})();
