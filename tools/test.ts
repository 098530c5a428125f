// `npm test`: every test, in phases from the quickest to those on real containers; prints the minutes of each.
// Arguments are passed on to the test runner of each phase. Long forms run with PINNACE_LONG=1 (`npm run test:long`).
// Invariant: exits 0 only when every phase ran at least one test and none failed.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

interface Phase {
  readonly name: string;
  /** Folders or patterns given to the runner; unit tests are everything outside test/. */
  readonly paths: readonly string[];
  readonly exclude?: readonly string[];
  /** Files at once; tests that own the host's network or its CPU run alone. */
  readonly workers: number;
}

const PHASES: readonly Phase[] = [
  {
    name: 'units and tidy',
    paths: [],
    exclude: ['test/{contracts,integration,e2e,clients,regression,bench}/**', '**/oci/**'],
    workers: 2,
  },
  {
    name: 'contracts and integration',
    paths: ['test/integration', 'test/contracts', 'test/regression', 'kubelet/runtime/oci'],
    workers: 2,
  },
  { name: 'real clients', paths: ['test/clients'], workers: 1 },
  { name: 'real containers', paths: ['test/e2e'], workers: 1 },
];

interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly ok: boolean;
}

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
  try {
    const json = JSON.parse(readFileSync(report, 'utf8')) as Record<string, number>;
    return {
      passed: json['numPassedTests'] ?? 0,
      failed: json['numFailedTests'] ?? 0,
      skipped: (json['numPendingTests'] ?? 0) + (json['numTodoTests'] ?? 0),
    };
  } catch {
    return { passed: 0, failed: 0, skipped: 0 };
  }
}

let ok = true;
const total = { passed: 0, failed: 0, skipped: 0 };
const lines: string[] = [];
for (const phase of PHASES) {
  const startedAt = performance.now();
  process.stdout.write(`\n== ${phase.name}\n`);
  const outcome = await runPhase(phase);
  ok &&= outcome.ok && outcome.passed > 0;
  total.passed += outcome.passed;
  total.failed += outcome.failed;
  total.skipped += outcome.skipped;
  const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
  const verdict = outcome.ok ? 'ok' : 'FAILED';
  lines.push(
    `${phase.name}: ${minutes} min, ${outcome.passed} passed, ${outcome.failed} failed: ${verdict}`,
  );
}
rmSync(scratch, { recursive: true, force: true });
process.stdout.write(`\n${lines.join('\n')}\n`);
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exit(ok ? 0 : 1);
