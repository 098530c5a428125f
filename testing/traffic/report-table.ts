// A traffic report as a table of text: a row for each figure, a column for each variant. Pure.
// Invariant: what kept an autoscaler from acting stands below the figures that it spoiled.
import { REVERSAL_SECONDS, type TrafficSummary } from './summary.ts';
import type { TrafficReport, VariantReport } from './simulate-traffic.ts';

/** Words for each figure, and how it is shown. */
export const FIGURES: readonly (readonly [string, (summary: TrafficSummary) => string])[] = [
  ['requests', (s) => grouped(s.requests)],
  ['lost', (s) => `${grouped(s.lost)} (${s.lostPercent} %)`],
  ['delayed by a second or more', (s) => `${grouped(s.delayed)} (${s.delayedPercent} %)`],
  ['longest wait', (s) => `${s.longestWaitSeconds} s`],
  ['overloaded', (s) => `${s.overloadedMinutes} min`],
  ['pod-hours', (s) => String(s.podHours)],
  ['most replicas', (s) => String(s.peakReplicas)],
  ['mean use of requested CPU', (s) => `${s.utilizationPercent} %`],
  ['scaled up, down', (s) => `${s.scaleUps}, ${s.scaleDowns}`],
  [`turned within ${REVERSAL_SECONDS / 60} min`, (s) => String(s.reversals)],
];

/** The table, with a line end after each row. */
export function trafficTable({ service, seconds, seed, variants }: TrafficReport): string {
  const head = [
    `${service}, ${duration(seconds)}, seed ${seed}`,
    ...variants.map(({ name }) => name),
  ];
  const rows = FIGURES.map(([words, shown]) => [
    words,
    ...variants.map(({ summary }) => shown(summary)),
  ]);
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const lines = all.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('   '),
  );
  return [...lines, ...complaints(variants)].map((line) => `${line}\n`).join('');
}

/** What autoscalers said that did not act. */
export function complaints(variants: readonly VariantReport[]): string[] {
  return variants.flatMap(({ name, complaint }) =>
    complaint === undefined ? [] : [`${name} does not scale: ${complaint}`],
  );
}

function duration(seconds: number): string {
  return seconds < 7200
    ? `${Math.round(seconds / 60)} min`
    : `${Number((seconds / 3600).toFixed(1))} h`;
}

/** Digits in groups of three, the same wherever it is read. */
function grouped(figure: number): string {
  return String(figure).replace(/\B(?=(\d{3})+$)/g, ',');
}
