"""How the page looks: wide, narrow and printed."""

STYLE = """
:root { color-scheme: light; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --accent: #0072b2; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem; color: var(--ink); background: #fff;
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { margin: 0; font-size: 1.8rem; line-height: 1.2; }
h2 { margin: 0 0 .75rem; padding-top: 1.5rem; border-top: 1px solid var(--line); font-size: 1.3rem; }
section { margin-top: 2rem; }
p { max-width: 46rem; margin: .5rem 0; }
nav { margin: 1rem 0 0; } nav a { display: inline-block; margin: .1rem 1rem .1rem 0; color: var(--accent); }
.note, figcaption, caption { color: var(--soft); font-size: .9rem; text-align: left; }
.verdict { border-left: 4px solid var(--accent); padding-left: .75rem; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 1rem 0; }
.facts div { border: 1px solid var(--line); border-radius: .4rem; padding: .5rem .75rem; }
dt { color: var(--soft); font-size: .85rem; } dd { margin: 0; font-weight: 600; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 26rem), 1fr)); gap: 1.5rem;
  align-items: start; }
figure { margin: 0; } figure img { width: 100%; height: auto; }
.wide { overflow-x: auto; margin: .5rem 0; }
table { border-collapse: collapse; font-size: .9rem; } caption { padding-bottom: .4rem; }
th, td { padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top;
  overflow-wrap: normal; }
td { max-width: 22rem; overflow-wrap: anywhere; min-width: 4rem; }
td:first-child { min-width: 7rem; overflow-wrap: normal; }
td.number { white-space: nowrap; } .number { text-align: right; font-variant-numeric: tabular-nums; }
.sheet { list-style: none; margin: .5rem 0; padding: 0; display: grid; gap: .75rem;
  grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); }
.sheet li { border: 1px solid var(--line); border-top: 4px solid #56b4e9; border-radius: .3rem; padding: .5rem;
  break-inside: avoid; }
.sheet li.given { border-top-color: #009e73; }
.sheet img { display: block; width: 6rem; height: 6rem; object-fit: contain; image-rendering: pixelated; }
.sheet p { margin: .4rem 0 0; font-size: .8rem; line-height: 1.35; } .sheet span { display: block; }
.sheet span:first-child { font-weight: 600; }
pre { overflow-x: auto; padding: .75rem; background: #f6f8fa; font-size: .85rem; white-space: pre-wrap; }
code { font-size: .85rem; }
@media (max-width: 40rem) {
  body { padding: 1rem; } .facts { grid-template-columns: 1fr 1fr; }
  .sheet { grid-template-columns: repeat(auto-fill, minmax(7.5rem, 1fr)); }
  .stacks table, .stacks tbody, .stacks caption { display: block; } .stacks thead { display: none; }
  .stacks tr { display: block; padding: .4rem 0; border-bottom: 1px solid var(--line); }
  .stacks td { display: grid; grid-template-columns: 9rem 1fr; max-width: none; padding: 0; border: 0; text-align: left;
    white-space: normal; overflow-wrap: anywhere; }
  .stacks td::before { content: attr(data-name); color: var(--soft); }
  .stacks td:first-child { font-weight: 600; } .stacks td:first-child::before { font-weight: 400; }
}
@media print {
  @page { margin: 15mm; }
  body { max-width: none; padding: 0; font-size: 10pt; } nav { display: none; }
  .wide { overflow: visible; } tr, figure, .facts, .facts div { break-inside: avoid; }
  h2, caption { break-after: avoid; } .figures { grid-template-columns: 1fr 1fr; }
  .sheet { grid-template-columns: repeat(5, 1fr); } .sheet img { width: 4.5rem; height: 4.5rem; }
}
"""
