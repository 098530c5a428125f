// The API server under load: `pinnace apiserver` as a process of its own, TLS with client certificates, RBAC, LMDB, durable.
// Invariant: each row's calibration ran right beside it: the same load on a bare node:https server with as many bytes.
import { API_ROWS, type ApiRow, FILLING, MANY, SCRATCH, SOME } from './api-rows.ts';
import { prepareSetting } from './api-setting.ts';
import { loadBy, LoadWorker } from './load-fleet.ts';
import type { Figure, Part } from './part.ts';
import { usageOf } from './process-usage.ts';
import {
  type BareServer,
  cpuDuring,
  type ServedApi,
  withBareServer,
  withServedApi,
} from './served-api.ts';

/** What the rows run on. */
interface Ground {
  readonly api: ServedApi;
  readonly workers: readonly LoadWorker[];
  readonly bare: BareServer;
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
        await prepareSetting(served.client, [SCRATCH, SOME, MANY]);
        for (const row of FILLING) await loadBy(workers, { ...row, target: served.target });
        await withBareServer(directory, async (bare) => {
          for (const row of API_ROWS) note(await measured(row, { api: served, workers, bare }));
        });
        const { rssMb } = usageOf(served.pid);
        note({ what: 'API server with 10,500 Pods after all rows', value: rssMb, unit: 'MB' });
      });
    } finally {
      for (const worker of workers) await worker.stop();
    }
  },
};
