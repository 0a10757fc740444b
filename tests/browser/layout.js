// What is cut off, reaches beyond the page, or lies over other text. Returns sentences; none is good.
() => {
  const problems = [];
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) {
    problems.push(`the page is ${document.documentElement.scrollWidth} wide in a window of ${width}`);
  }
  const unseen = (element) => element.closest(".hidden, .skip, thead") &&
    getComputedStyle(element.closest(".hidden, .skip, thead")).position === "absolute";
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (!node.data.trim() || unseen(parent) || parent.closest("select, progress, style")) continue;
    if (parent.closest("details:not([open])") && !parent.closest("summary")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) {
      if (box.width < 1 || box.height < 1) continue;
      texts.push({ box, parent, text: node.data.trim().slice(0, 40) });
      const scroll = parent.closest(".scroll");
      if (!scroll && (box.right > width + 1 || box.left < -1)) problems.push(`beyond the page: ${node.data.trim().slice(0, 60)}`);
    }
  }
  for (const element of document.querySelectorAll("main *, header *")) {
    const style = getComputedStyle(element);
    if (["hidden", "clip"].includes(style.overflowX) && !unseen(element) && !element.closest("svg") &&
        element.scrollWidth > element.clientWidth + 1 && !["PROGRESS", "SELECT", "INPUT"].includes(element.tagName)) {
      problems.push(`cut off: ${element.tagName} ${element.textContent.trim().slice(0, 60)}`);
    }
  }
  texts.sort((one, two) => one.box.top - two.box.top);
  for (let first = 0; first < texts.length && problems.length < 20; first++) {
    const one = texts[first];
    for (let second = first + 1; second < texts.length && texts[second].box.top < one.box.bottom - 3; second++) {
      const two = texts[second];
      const across = Math.min(one.box.right, two.box.right) - Math.max(one.box.left, two.box.left);
      const down = Math.min(one.box.bottom, two.box.bottom) - Math.max(one.box.top, two.box.top);
      if (across > 2 && down > 5) {
        const inScroll = one.parent.closest(".scroll") || two.parent.closest(".scroll");
        if (!inScroll || one.parent.closest(".scroll") === two.parent.closest(".scroll")) {
          problems.push(`"${one.text}" lies over "${two.text}"`);
        }
      }
    }
  }
  return problems;
}
