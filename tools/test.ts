// `npm test`: every test, all that can run side by side in one pool and then what takes the whole host; prints the minutes of each,
// and at the very end each failure once more, so that the last page of a long log is enough to know what broke.
// Arguments are passed on to the test runner of each phase. Long forms run with PINNACE_LONG=1 (`npm run test:long`).
// Invariant: exits 0 only when every phase ran at least one test, none failed, and nothing of the run is left on the host; its
// temporary folder goes with it however it ends, short of its own death by SIGKILL.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { hostPlaces, removeScratch, tracesOf } from './test/host-traces.ts';
import { type Outcome, outcomeOf } from './test/outcome.ts';

interface Phase {
  readonly name: string;
  /** Of vitest.config.ts. */
  readonly projects: readonly string[];
  /** Files at once: more than there are cores where many wait; tests that own the host run alone. */
  readonly workers: number;
}

const PHASES: readonly Phase[] = [
  { name: 'all that runs side by side', projects: ['parts', 'servers', 'units'], workers: 3 },
  { name: 'storms and the demo', projects: ['storms'], workers: 1 },
];

const extra = process.argv.slice(2);
const reports = mkdtempSync(join(tmpdir(), 'pinnace-test-'));
/** The temporary folder of all that the tests start. Short: sockets in it have 107 bytes for their paths. */
const scratch = mkdtempSync(join(tmpdir(), 't-'));
const environment = {
  ...process.env,
  TMPDIR: scratch,
  // As for the `pinnace` command: what set-up compiled is not compiled again by each process of each cluster.
  NODE_COMPILE_CACHE: resolve('node_modules/.cache/compile'),
};
let running: ChildProcess | undefined;

async function runPhase(phase: Phase): Promise<Outcome & { readonly ok: boolean }> {
  const report = join(reports, `${phase.name.replaceAll(' ', '-')}.json`);
  const args = ['run', `--maxWorkers=${phase.workers}`];
  for (const project of phase.projects) args.push('--project', project);
  args.push('--reporter=default', '--reporter=json', `--outputFile=${report}`, ...extra);
  const child = spawn('node_modules/.bin/vitest', args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: environment,
  });
  running = child;
  const code = await new Promise<number>((done) => {
    child.on('error', () => done(1));
    child.on('close', (status) => done(status ?? 1));
  });
  running = undefined;
  return { ...outcomeOf(report), ok: code === 0 };
}

let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    interrupted = true;
    running?.kill('SIGINT');
  });
process.on('exit', () => {
  for (const folder of [reports, scratch]) removeScratch(folder);
});

let ok = true;
const before = hostPlaces();
const total = { passed: 0, failed: 0, skipped: 0 };
const lines: string[] = [];
const failures: string[] = [];
for (const phase of PHASES) {
  if (interrupted) break;
  const startedAt = performance.now();
  process.stdout.write(`\n== ${phase.name}\n`);
  const outcome = await runPhase(phase);
  ok &&= outcome.ok && outcome.passed > 0;
  total.passed += outcome.passed;
  total.failed += outcome.failed;
  total.skipped += outcome.skipped;
  failures.push(...outcome.failures);
  const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
  const verdict = outcome.ok ? 'ok' : 'FAILED';
  lines.push(
    `${phase.name}: ${minutes} min, ${outcome.passed} passed, ${outcome.failed} failed: ${verdict}`,
  );
}
const traces = tracesOf(scratch, before);
for (const failure of failures) process.stdout.write(`\nFAILED ${failure}\n`);
for (const trace of traces) process.stdout.write(`\nLEFT BEHIND ${trace}`);
process.stdout.write(`\n${lines.join('\n')}\n`);
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exit(ok && !interrupted && traces.length === 0 ? 0 : 1);
