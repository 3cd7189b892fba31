"""How a report looks: light and dark, on a desk, on a phone and on paper."""

from __future__ import annotations

__all__ = ["STYLE"]

STYLE = """
:root {
  color-scheme: light dark;
  --ground: #fbfbfa; --card: #ffffff; --text: #1d2026; --quiet: #5a606b; --line: #d9dce1;
  --accent: #0b5c97; --accent-ground: #eaf3fa; --warning: #8a4b00; --warning-ground: #fdf4e3;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14161a; --card: #1b1e24; --text: #e7e9ec; --quiet: #a3aab5; --line: #363b44;
    --accent: #7cc0f2; --accent-ground: #15293a; --warning: #f2bd6b; --warning-ground: #2c2416;
  }
  .picture image { filter: brightness(.85); }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--ground); color: var(--text);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  overflow-wrap: break-word;
}
header, main, footer { max-width: 62rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 2.25rem; }
.eyebrow { margin: 0; color: var(--quiet); font-size: .875rem; letter-spacing: .02em; }
h1 {
  margin: .2rem 0 .5rem; font-size: clamp(1.45rem, 4vw, 2rem); line-height: 1.2;
  overflow-wrap: anywhere;
}
h2 { margin: 2.75rem 0 .5rem; font-size: 1.3rem; line-height: 1.25; }
h3 { margin: 1.75rem 0 .25rem; font-size: 1.05rem; }
p { margin: .6rem 0; max-width: 46rem; }
a { color: var(--accent); }
a:focus-visible, .scroll:focus-visible, summary:focus-visible {
  outline: 2px solid var(--accent); outline-offset: 2px;
}
.quiet { color: var(--quiet); }
.tag {
  display: inline-block; padding: .1rem .55rem; border: 1px solid currentColor;
  border-radius: 1rem; color: var(--warning); font-size: .875rem; font-weight: 600;
}
.answer {
  margin: 1.25rem 0; padding: 1.1rem 1.4rem 1rem; background: var(--accent-ground);
  border: 1px solid var(--line); border-left: 5px solid var(--accent); border-radius: .5rem;
}
.answer h2 {
  margin: 0 0 .4rem; font-size: clamp(1.25rem, 3.4vw, 1.6rem); overflow-wrap: anywhere;
}
.answer p { margin: .4rem 0; overflow-wrap: anywhere; }
.facts {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: .75rem;
  margin: 1.25rem 0;
}
.facts div {
  padding: .6rem .9rem; background: var(--card); border: 1px solid var(--line);
  border-radius: .5rem;
}
.facts dt { color: var(--quiet); font-size: .875rem; }
.facts dd { margin: 0; font-size: 1.35rem; font-weight: 600; font-variant-numeric: tabular-nums; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; margin: 1rem 0; padding: 0;
  list-style: none; font-size: .95rem; }
.warnings { padding: 0; list-style: none; }
.warnings li {
  margin: .5rem 0; padding: .55rem .9rem; background: var(--warning-ground);
  border-left: 4px solid var(--warning); border-radius: .35rem; overflow-wrap: anywhere;
}
.warnings strong { color: var(--warning); }
.scroll { overflow-x: auto; margin: .75rem 0; }
table { min-width: min(100%, 26rem); border-collapse: collapse; font-size: .94rem; }
caption {
  padding-bottom: .35rem; color: var(--quiet); font-size: .875rem; text-align: left;
}
th, td {
  padding: .38rem .8rem; border-bottom: 1px solid var(--line); text-align: right;
  vertical-align: top; font-variant-numeric: tabular-nums; white-space: nowrap;
}
thead th {
  max-width: 14rem; border-bottom: 2px solid var(--quiet); vertical-align: bottom;
  white-space: normal;
}
th.words, td.words { text-align: left; }
tbody th {
  position: sticky; left: 0; min-width: 6rem; max-width: 15rem; background: var(--ground);
  font-weight: 600; white-space: normal; overflow-wrap: break-word;
}
td.words { min-width: 5.5rem; max-width: 24rem; white-space: normal; overflow-wrap: break-word; }
caption span { display: block; position: sticky; left: 0; width: min(100%, calc(100vw - 2.2rem)); }
bdi.short { white-space: nowrap; }
th > .long { display: inline-block; min-width: 12rem; overflow-wrap: anywhere; }
.range { color: var(--quiet); font-size: .86em; }
figure { margin: 1rem 0; padding: 0; }
figcaption { max-width: 46rem; color: var(--quiet); font-size: .9rem; }
.picture { display: block; width: 100%; height: auto; }
.picture * { stroke-linejoin: round; stroke-linecap: butt; }
.picture text { fill: currentColor; font-family: inherit; }
.grid figure { margin: 0; }
.titled figcaption { color: var(--text); font-weight: 600; overflow-wrap: anywhere; }
.grid {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr));
  gap: 1rem 1.5rem; align-items: start;
}
details { margin: .75rem 0; }
summary { cursor: pointer; color: var(--accent); }
pre {
  padding: .75rem 1rem; white-space: pre-wrap; overflow-wrap: anywhere; background: var(--card);
  border: 1px solid var(--line); border-radius: .4rem; font-size: .875rem;
}
code, pre { font-family: ui-monospace, SFMono-Regular, Consolas, "DejaVu Sans Mono", monospace; }
.settings { font-size: .85rem; overflow-wrap: anywhere; }
td code { overflow-wrap: anywhere; }
.paper { border-radius: .4rem; background: #ffffff; color: #1d2026; }
td .settings { display: inline-block; min-width: 14rem; }
dl.words dt { margin-top: .75rem; font-weight: 600; }
dl.words dd { margin: 0; max-width: 46rem; }
footer { padding-top: 2.5rem; padding-bottom: 2.5rem; color: var(--quiet); font-size: .875rem; }
@media (max-width: 40rem) {
  header, main, footer { padding-left: 1rem; padding-right: 1rem; }
  .answer { padding: .9rem 1rem .8rem; }
  th, td { padding: .35rem .55rem; }
  tbody th { max-width: 9rem; min-width: 4.5rem; }
  th > .long { min-width: 8rem; }
}
@media print {
  :root {
    color-scheme: light;
    --ground: #ffffff; --card: #ffffff; --text: #000000; --quiet: #444444; --line: #bbbbbb;
    --accent: #0b5c97; --accent-ground: #ffffff; --warning: #6d3b00; --warning-ground: #ffffff;
  }
  html { font-size: 75%; }
  header, main, footer { max-width: none; padding: 0; }
  nav, summary { display: none; }
  details::details-content { content-visibility: visible; display: block; }
  .scroll { overflow: visible; }
  figure, tr, .answer, .warnings li { break-inside: avoid; }
  h2, h3, caption { break-after: avoid; }
  th, td { white-space: normal; }
}
"""
