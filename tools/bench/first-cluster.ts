// The first cluster of a process, for framework-cluster.ts: tells in JSON how long the imports took, and the start.
import { performance } from 'node:perf_hooks';

const beganAt = performance.now();
const { startCluster } = await import('../../testing/index.ts');
const importedAt = performance.now();
const cluster = await startCluster();
const startedAt = performance.now();
await cluster.close();
const told = { imports: importedAt - beganAt, start: startedAt - importedAt };
process.stdout.write(JSON.stringify(told));
