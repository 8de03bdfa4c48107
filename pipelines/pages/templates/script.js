// The page works without this: it only remembers the language, tells it to screen readers, and opens what is
// folded before printing.
(function () {
  var boxes = document.querySelectorAll("input[name=language]"), root = document.documentElement;
  function say() {
    var en = document.getElementById("in-en").checked;
    root.lang = en ? "en" : "zh-CN";
    document.title = root.getAttribute(en ? "data-title-en" : "data-title-zh");
    try { localStorage.setItem("junheng-language", en ? "en" : "zh"); } catch (_) { /* no storage: nothing to remember */ }
  }
  try { if (localStorage.getItem("junheng-language") === "en") { document.getElementById("in-en").checked = true; } } catch (_) { /* as above */ }
  boxes.forEach(function (box) { box.addEventListener("change", say); });
  say();
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details").forEach(function (item) { item.open = true; });
  });
})();
