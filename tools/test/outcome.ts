// What one run of the test runner came to, read from its JSON report.
// Invariant: a report that is not there, or is none, counts no test at all, so that it cannot pass for a run.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

/** What a run came to. */
export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Each failed test, or file that could not be loaded, with the first lines of why. */
  readonly failures: readonly string[];
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

/** Reads the report at this path. */
export function outcomeOf(report: string): Outcome {
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
