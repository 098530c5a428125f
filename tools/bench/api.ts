// The API server under load: `pinnace apiserver` as a process of its own, TLS with client certificates, RBAC, LMDB, durable.
// Invariant: each row's calibration ran right beside it: the same load on a bare node:https server with as many bytes.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { API_ROWS, type ApiRow, FILLING, MANY, SCRATCH, SOME } from './api-rows.ts';
import { prepareSetting } from './api-setting.ts';
import { loadBy, LoadWorker } from './load-fleet.ts';
import type { Figure, Part } from './part.ts';
import { usageOf } from './process-usage.ts';
import { cpuDuring, type ServedApi, serverPair, withServedApi } from './served-api.ts';

const BARE = new URL('./bare-server.ts', import.meta.url);

/** What the rows run on. */
interface Ground {
  readonly api: ServedApi;
  readonly workers: readonly LoadWorker[];
  readonly bare: { readonly pid: number; readonly port: number };
}

async function startBare(dataDir: string): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(BARE);
  child.send(serverPair(dataDir));
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return { child, port };
}

async function measured(row: ApiRow, { api, workers, bare }: Ground): Promise<Figure> {
  await api.longestTurn();
  const { result, cpuMs } = await cpuDuring(api.pid, () =>
    loadBy(workers, { ...row, target: api.target }),
  );
  const longestTurn = await api.longestTurn();
  const { method } = row.request;
  const request = {
    ...row.request,
    path: `/${Math.round(result.bytesEach)}`,
    status: method === 'POST' ? 201 : 200,
  };
  const target = { ...api.target, port: bare.port };
  const floor = await cpuDuring(bare.pid, () => loadBy(workers, { ...row, target, request }));
  const each = (ms: number) => (1000 * ms) / row.count;
  return {
    what: row.what,
    value: result.perSecond,
    unit: '/s',
    ...(row.goal === undefined ? {} : { goal: `> ${row.goal}` }),
    load: {
      clients: row.clients,
      p99: result.p99,
      serverCpuUs: each(cpuMs),
      longestTurn,
      bare: { perSecond: floor.result.perSecond, serverCpuUs: each(floor.cpuMs) },
    },
  };
}

/** Every row of api-rows.ts. */
export const api: Part = {
  name: 'api',
  async measure(note, directory) {
    const workers = [new LoadWorker()];
    try {
      await withServedApi(directory, async (served) => {
        const { child, port } = await startBare(directory);
        try {
          await prepareSetting(served.client, [SCRATCH, SOME, MANY]);
          for (const row of FILLING) await loadBy(workers, { ...row, target: served.target });
          const ground = { api: served, workers, bare: { pid: child.pid ?? 0, port } };
          for (const row of API_ROWS) note(await measured(row, ground));
          const { rssMb } = usageOf(served.pid);
          note({ what: 'API server with 10,500 Pods after all rows', value: rssMb, unit: 'MB' });
        } finally {
          child.disconnect();
        }
      });
    } finally {
      for (const worker of workers) await worker.stop();
    }
  },
};
