// What in the panels lacks a name, or is hard to read (WCAG 2.2: 4.5 to 1 for text). Returns a list of findings.
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const paint = (...layers) => {
    for (const [color, alpha] of layers) {
      canvas.globalAlpha = alpha;
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
    }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const linear = (part) => (part <= 10 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const parents = (node) => (node ? [...parents(node.parentElement), node] : []);
  const name = (node) =>
    node.ariaLabel || node.labels?.[0]?.textContent || node.title || node.placeholder || node.textContent.trim();
  const found = [];
  let seen = 0;
  for (const node of document.querySelectorAll(".nbchalice-panel *, .nbchalice-card *, .nbchalice-invocation *")) {
    if (!node.getClientRects().length) continue;
    const isInput = node.matches("input, textarea, select");
    if ((isInput || node.matches("button, summary, [role]")) && !name(node) && !node.matches("[role=alert], [role=status]")) {
      found.push(`no name: ${node.outerHTML.slice(0, 100)}`);
    }
    if (!isInput && ![...node.childNodes].some((one) => one.nodeType === Node.TEXT_NODE && one.textContent.trim())) continue;
    const styles = parents(node).map((one) => getComputedStyle(one));
    const below = paint(["white", 1], ...styles.map((style) => [style.backgroundColor, 1]));
    const opacity = styles.reduce((product, style) => product * Number(style.opacity), 1);
    const above = paint([getComputedStyle(node).color, opacity]);
    const [more, less] = [light(above), light(below)].sort((a, b) => b - a);
    seen += 1;
    if ((more + 0.05) / (less + 0.05) < 4.5) found.push(`contrast: ${above} on ${below}: ${node.outerHTML.slice(0, 100)}`);
  }
  return seen ? found : ["nothing was looked at"];
}
