// The live view: on a terminal a small block that is painted over each second, elsewhere a line per second.
// Invariant: everything that scrolls away stays readable without colour or cursor movement.
import pc from 'picocolors';
import type { TimelineSecond } from './timeline.ts';
import type { Check } from './verdict.ts';

/** Where the story is shown. */
export interface View {
  stage(text: string): void;
  note(text: string): void;
  second(second: TimelineSecond): void;
  summary(checks: readonly Check[]): void;
}

const BAR = '▁▂▃▄▅▆▇█';
/** Seconds of history in the little charts. */
const HISTORY = 40;

/** A view on `out`; `live` paints over, else lines are appended. */
export function createView(out: NodeJS.WriteStream): View {
  return out.isTTY ? new LiveView(out) : new LineView(out);
}

class LineView implements View {
  readonly #out: NodeJS.WritableStream;

  constructor(out: NodeJS.WritableStream) {
    this.#out = out;
  }

  stage(text: string): void {
    this.#out.write(`\n== ${text}\n`);
  }

  note(text: string): void {
    this.#out.write(`   ${text}\n`);
  }

  second(second: TimelineSecond): void {
    this.#out.write(`${describe(second)}\n`);
  }

  summary(checks: readonly Check[]): void {
    writeSummary(this.#out, checks);
  }
}

class LiveView implements View {
  readonly #out: NodeJS.WriteStream;
  #painted = 0;
  #history: TimelineSecond[] = [];

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  stage(text: string): void {
    this.#clear();
    this.#out.write(`\n${pc.bold(pc.cyan(text))}\n`);
  }

  note(text: string): void {
    this.#clear();
    this.#out.write(`  ${text}\n`);
    this.#paint();
  }

  second(second: TimelineSecond): void {
    this.#history = [...this.#history, second].slice(-HISTORY);
    this.#clear();
    this.#paint();
  }

  summary(checks: readonly Check[]): void {
    this.#clear();
    writeSummary(this.#out, checks);
  }

  #clear(): void {
    if (this.#painted > 0) this.#out.write(`\x1b[${this.#painted}A\x1b[0J`);
    this.#painted = 0;
  }

  #paint(): void {
    const last = this.#history.at(-1);
    if (!last) return;
    const lines = (['payment', 'catalog'] as const).flatMap((name) => {
      const s = last[name];
      const failures = s.failed > 0 ? pc.red(`${s.failed} failed`) : pc.green('no failures');
      return [
        `  ${pc.bold(name.padEnd(8))} ${pc.yellow('●'.repeat(s.ready))}${pc.dim('○'.repeat(Math.max(0, s.replicas - s.ready)))}  ` +
          `${s.ready}/${s.replicas} ready  ${rate(s.answered, last.length)}/s  p50 ${s.p50.toFixed(0)} ms  p99 ${s.p99.toFixed(0)} ms  ${s.cpuMillis}m CPU  ${failures}`,
        `  ${pc.dim('load')}     ${spark(this.#history.map((each) => each[name].answered / each.length))}`,
      ];
    });
    this.#out.write(`${lines.join('\n')}\n`);
    this.#painted = lines.length;
  }
}

const rate = (count: number, length: number): string => (count / length).toFixed(0).padStart(4);

function spark(values: readonly number[]): string {
  const top = Math.max(1, ...values);
  return values
    .map((value) => BAR[Math.min(BAR.length - 1, Math.floor((value / top) * BAR.length))])
    .join('');
}

function describe(second: TimelineSecond): string {
  const of = (name: 'payment' | 'catalog') => {
    const s = second[name];
    return `${name} ${s.ready}/${s.replicas} ready, ${rate(s.answered, second.length)}/s, p50 ${s.p50.toFixed(0)} ms, p99 ${s.p99.toFixed(0)} ms, ${s.cpuMillis}m CPU, ${s.failed} failed`;
  };
  return `${second.at.toFixed(0).padStart(4)} s  ${of('payment')} | ${of('catalog')}`;
}

function writeSummary(
  out: NodeJS.WritableStream & { isTTY?: boolean },
  checks: readonly Check[],
): void {
  // Colours for terminals only, whatever the environment says: what is read by programs stays plain.
  const paint = pc.createColors(out.isTTY ?? false);
  out.write('\n');
  for (const check of checks) {
    const mark = check.ok ? paint.green('ok  ') : paint.red('FAIL');
    const bar = paint.dim(`(${check.bar})`);
    out.write(`${mark} ${check.name.padEnd(42)} ${check.measured}  ${bar}\n`);
  }
}
