// The program of the thread that reads and writes large YAML (yaml-thread.ts): one task, one answer, and it ends.
// Invariant: what is wrong with a body is an answer; only defects are thrown.
import { parentPort, workerData } from 'node:worker_threads';
import { parseExactJson } from '../base/exact-json.ts';
import { StatusError } from '../api/status.ts';
import { parseYaml, yamlBytes } from './yaml-format.ts';
import type { YamlAnswer, YamlTask } from './yaml-thread.ts';

parentPort?.postMessage(answerOf(workerData as YamlTask));

function answerOf(task: YamlTask): YamlAnswer {
  if (task.kind === 'write')
    return { kind: 'written', yaml: yamlBytes(parseExactJson(Buffer.from(task.json).toString())) };
  try {
    const { value, duplicates } = parseYaml(task.yaml);
    return { kind: 'read', value, duplicates: duplicates() };
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return { kind: 'refused', reason: error.reason, message: error.message };
  }
}
