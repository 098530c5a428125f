// `npm test`: every test, in phases from the quickest to those on real containers; prints the minutes of each, and
// at the very end each failure once more, so that the last page of a long log is enough to know what broke.
// Arguments are passed on to the test runner of each phase. Long forms run with PINNACE_LONG=1 (`npm run test:long`).
// Invariant: exits 0 only when every phase ran at least one test and none failed.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { performance } from 'node:perf_hooks';

interface Phase {
  readonly name: string;
  /** Folders or patterns given to the runner; unit tests are everything outside test/. */
  readonly paths: readonly string[];
  readonly exclude?: readonly string[];
  /** Files at once; tests that own the host's network or its CPU run alone. */
  readonly workers: number;
}

/** What takes the whole host, or measures what it does under load: nothing runs beside it. */
const STORMS = ['demo', 'chaos', 'hostile', 'kills-at-random'].map(
  (name) => `test/e2e/${name}.test.ts`,
);

const PHASES: readonly Phase[] = [
  {
    name: 'units and tidy',
    paths: [],
    exclude: ['test/{contracts,integration,e2e,clients,regression,bench}/**', '**/{oci,cri}/**'],
    workers: 2,
  },
  {
    name: 'contracts and integration',
    paths: [
      'test/integration',
      'test/contracts',
      'test/regression',
      'kubelet/runtime/oci',
      'kubelet/runtime/cri',
    ],
    workers: 2,
  },
  { name: 'real clients', paths: ['test/clients'], workers: 2 },
  { name: 'real containers', paths: ['test/e2e'], exclude: STORMS, workers: 2 },
  { name: 'storms and the demo', paths: STORMS, workers: 1 },
];

interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Each failed test, or file that could not be loaded, with the first lines of why. */
  readonly failures: readonly string[];
  readonly ok: boolean;
}

/** The part of the runner's JSON report that is read here. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly FileReport[];
}

interface FileReport {
  readonly name: string;
  readonly status: string;
  readonly message?: string;
  readonly assertionResults: readonly {
    readonly fullName: string;
    readonly status: string;
    readonly failureMessages?: readonly string[];
  }[];
}

/** Lines of one failure's message that are told again. */
const FAILURE_LINES = 25;

const extra = process.argv.slice(2);
const scratch = mkdtempSync(join(tmpdir(), 'pinnace-test-'));

async function runPhase(phase: Phase): Promise<Outcome> {
  const report = join(scratch, `${phase.name.replaceAll(' ', '-')}.json`);
  const args = ['run', ...phase.paths, `--maxWorkers=${phase.workers}`];
  for (const pattern of phase.exclude ?? []) args.push('--exclude', pattern);
  args.push('--reporter=default', '--reporter=json', `--outputFile=${report}`, ...extra);
  const code = await new Promise<number>((resolve) => {
    const child = spawn('node_modules/.bin/vitest', args, {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    child.on('error', () => resolve(1));
    child.on('close', (status) => resolve(status ?? 1));
  });
  return { ...countsOf(report), ok: code === 0 };
}

function countsOf(report: string): Omit<Outcome, 'ok'> {
  let json: Report;
  try {
    json = JSON.parse(readFileSync(report, 'utf8')) as Report;
  } catch {
    return { passed: 0, failed: 0, skipped: 0, failures: [] };
  }
  return {
    passed: json.numPassedTests,
    failed: json.numFailedTests,
    skipped: json.numPendingTests + json.numTodoTests,
    failures: json.testResults.flatMap(failuresOf),
  };
}

function failuresOf(file: FileReport): string[] {
  const path = relative(process.cwd(), file.name);
  const failed = file.assertionResults.filter((test) => test.status === 'failed');
  if (failed.length === 0) {
    return file.status === 'failed' ? [told(path, file.message ?? '')] : [];
  }
  return failed.map((test) =>
    told(`${path}: ${test.fullName}`, (test.failureMessages ?? []).join('\n')),
  );
}

function told(title: string, message: string): string {
  const lines = message.split('\n').slice(0, FAILURE_LINES);
  return [title, ...lines.map((line) => `    ${line}`)].join('\n');
}

let ok = true;
const total = { passed: 0, failed: 0, skipped: 0 };
const lines: string[] = [];
const failures: string[] = [];
for (const phase of PHASES) {
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
rmSync(scratch, { recursive: true, force: true });
for (const failure of failures) process.stdout.write(`\nFAILED ${failure}\n`);
process.stdout.write(`\n${lines.join('\n')}\n`);
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exit(ok ? 0 : 1);
