// The page works without this: it only remembers language and theme, tells the language to screen readers, and opens
// what is folded before printing.
(function () {
  "use strict";
  var root = document.documentElement;

  function remember(name, value) {
    try { localStorage.setItem(name, value); } catch (_) { /* no storage: nothing to remember */ }
  }
  function remembered(name) {
    try { return localStorage.getItem(name); } catch (_) { return null; }
  }
  function isEnglish() { return document.getElementById("in-en").checked; }
  function choose(name) {
    var box = document.getElementById(remembered("junheng-" + name));
    if (box && box.name === name) { box.checked = true; }
    document.querySelectorAll("input[name=" + name + "]").forEach(function (item) {
      item.addEventListener("change", function () { remember("junheng-" + name, item.id); say(); });
    });
  }
  function say() {
    root.lang = isEnglish() ? "en" : "zh-CN";
    document.title = root.getAttribute(isEnglish() ? "data-title-en" : "data-title-zh");
  }

  choose("language");
  choose("theme");
  say();
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details").forEach(function (item) { item.open = true; });
  });
})();
