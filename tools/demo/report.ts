// The HTML report: one self-contained file with the charts of a story. Wraps uPlot.
// Invariant: opens from disk with no network: script, style and data are inside.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Moment, TimelineSecond } from './timeline.ts';
import type { Check } from './verdict.ts';

/** What a report is made from. */
export interface ReportData {
  readonly title: string;
  readonly seconds: readonly TimelineSecond[];
  readonly moments: readonly Moment[];
  readonly checks: readonly Check[];
}

/** The file's text. */
export function reportHtml(data: ReportData): string {
  const require = createRequire(import.meta.url);
  const script = readFileSync(require.resolve('uplot/dist/uPlot.iife.min.js'), 'utf8');
  const style = readFileSync(require.resolve('uplot/dist/uPlot.min.css'), 'utf8');
  const rows = data.checks
    .map(
      (check) =>
        `<tr class="${check.ok ? 'ok' : 'bad'}"><td>${check.ok ? 'ok' : 'FAIL'}</td><td>${escape(check.name)}</td><td>${escape(check.measured)}</td><td>${escape(check.bar)}</td></tr>`,
    )
    .join('\n');
  const payload = JSON.stringify(columns(data)).replaceAll('<', '\\u003c');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${escape(data.title)}</title>
<style>${style}
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 960px; color: #1b2733; }
table { border-collapse: collapse; width: 100%; } td { padding: .25rem .6rem; border-bottom: 1px solid #dde3e8; }
tr.ok td:first-child { color: #19742f; } tr.bad td:first-child { color: #b3261e; font-weight: bold; }
ol { columns: 2; font-size: 13px; color: #51606d; } h2 { margin-top: 2rem; font-size: 1.1rem; }
</style>
</head>
<body>
<h1>${escape(data.title)}</h1>
<table>${rows}</table>
<h2>Replicas ready</h2><div id="replicas"></div>
<h2>Requests a second</h2><div id="load"></div>
<h2>Latency, milliseconds (99th percentile)</h2><div id="latency"></div>
<h2>CPU, millicores</h2><div id="cpu"></div>
<h2>What happened</h2>
<ol>${data.moments.map((m) => `<li>${m.at.toFixed(1)} s: ${escape(m.text)}</li>`).join('')}</ol>
<script>${script}</script>
<script>
const data = ${payload};
const marks = {
  hooks: { draw: [(u) => {
    u.ctx.save(); u.ctx.strokeStyle = '#9aa7b3'; u.ctx.setLineDash([4, 4]);
    for (const at of data.marks) {
      const x = u.valToPos(at, 'x', true);
      u.ctx.beginPath(); u.ctx.moveTo(x, u.bbox.top); u.ctx.lineTo(x, u.bbox.top + u.bbox.height); u.ctx.stroke();
    }
    u.ctx.restore();
  }] },
};
function chart(id, payment, catalog) {
  new uPlot({
    width: 940, height: 220, plugins: [marks], scales: { x: { time: false } },
    series: [{ label: 's' }, { label: 'payment', stroke: '#c2410c', width: 2 }, { label: 'catalog', stroke: '#1d4ed8', width: 2 }],
  }, [data.at, payment, catalog], document.getElementById(id));
}
for (const id of ['replicas', 'load', 'latency', 'cpu']) chart(id, data.payment[id], data.catalog[id]);
</script>
</body>
</html>
`;
}

function columns(data: ReportData) {
  const of = (name: 'payment' | 'catalog') => ({
    replicas: data.seconds.map((s) => s[name].ready),
    load: data.seconds.map((s) => Math.round(s[name].answered / s.length)),
    latency: data.seconds.map((s) => Math.round(s[name].p99)),
    cpu: data.seconds.map((s) => s[name].cpuMillis),
  });
  return {
    at: data.seconds.map((s) => s.at),
    payment: of('payment'),
    catalog: of('catalog'),
    marks: data.moments.map((m) => m.at),
  };
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}
