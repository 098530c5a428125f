// The operator of examples/06-cron-backup in a whole cluster, on virtual time: days of backups in milliseconds.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatTime, type Pod, Pods } from 'pinnace/client';
import { installKinds } from 'pinnace/controllers';
import {
  eventually,
  eventuallyList,
  scenario,
  simulate,
  startCluster,
  type TestCluster,
} from 'pinnace/testing';
import { cronBackup } from '../../examples/06-cron-backup/controller.ts';
import { type BackupSchedule, BackupSchedules } from '../../examples/06-cron-backup/kind.ts';
import { runOf, TIME_ANNOTATION } from '../../examples/06-cron-backup/runs.ts';
import { type OperatorProcess, startOperatorProcess } from '../support/operator-process.ts';

const MINUTE = 60_000;
const AT = { namespace: 'default', name: 'db' };

function aSchedule(spec: Partial<BackupSchedule['spec']> = {}) {
  return BackupSchedules.object({
    metadata: AT,
    spec: { schedule: '*/10 * * * *', container: { image: 'dump:1' }, ...spec },
  });
}

describe('in a cluster', () => {
  let cluster: TestCluster;
  beforeEach(async () => {
    // The test plays the node: runs end when it says so. Of the controllers there is the one that a pod needs: a day of all is long.
    const controllers = ['service-account-controller'];
    cluster = await startCluster({ clock: 'virtual', controllers, scheduler: false, nodes: 0 });
    await installKinds(cluster.client, [BackupSchedules]);
  });
  afterEach(() => cluster.close());

  const pods = async (): Promise<Pod[]> =>
    (await cluster.client.resource(Pods).list({ namespace: 'default' })).items;
  const schedule = () => cluster.client.resource(BackupSchedules).get(AT);
  const finish = async (phase: 'Succeeded' | 'Failed') => {
    for (const pod of await pods()) {
      if (pod.status?.phase !== 'Pending') continue;
      const where = { namespace: 'default', name: pod.metadata.name ?? '' };
      const body = { status: { phase } };
      await cluster.client
        .resource(Pods)
        .patch(where, { type: 'merge', body }, { subresource: 'status' });
    }
    await cluster.settled();
  };

  it('runs each time once for a day, keeps seven, and survives its own death in between', async () => {
    let program = cluster.run([cronBackup]);
    await program.synced;
    await cluster.client.resource(BackupSchedules).create(aSchedule());
    for (let time = 1; time <= 24 * 6; time++) {
      await cluster.advance(10 * MINUTE);
      expect((await pods()).filter(({ status }) => status?.phase === 'Pending')).toHaveLength(1);
      if (time % 20 === 0) {
        await program.crash();
        program = cluster.run([cronBackup]);
        await program.synced;
      }
      await finish('Succeeded');
    }
    expect(await pods()).toHaveLength(7);
    const { status } = await schedule();
    expect(status).toMatchObject({ backups: 7, missed: 0 });
    expect(status?.conditions).toContainEqual(
      expect.objectContaining({ type: 'Succeeding', status: 'True' }),
    );
  });

  it('tells runs that it missed while it was away', async () => {
    await cluster.client.resource(BackupSchedules).create(aSchedule());
    await cluster.advance(65 * MINUTE + 1);
    const program = cluster.run([cronBackup]);
    await program.synced;
    await cluster.settled();
    expect((await schedule()).status).toMatchObject({ missed: 6 });
    expect(await pods()).toEqual([]);
  });

  it('ends what runs before its schedule goes', async () => {
    await cluster.run([cronBackup]).synced;
    await cluster.client.resource(BackupSchedules).create(aSchedule());
    await cluster.advance(10 * MINUTE);
    expect(await pods()).toHaveLength(1);
    await cluster.client.resource(BackupSchedules).delete(AT);
    await cluster.advance(MINUTE);
    const left = await cluster.client.resource(BackupSchedules).list();
    expect([left.items, await pods()]).toEqual([[], []]);
  });

  it('says what is wrong with a schedule, and goes on once it is mended', async () => {
    await cluster.run([cronBackup]).synced;
    const schedules = cluster.client.resource(BackupSchedules);
    await schedules.create(aSchedule({ timeZone: 'Mars/Olympus' }));
    await cluster.settled();
    expect((await schedule()).status?.conditions).toContainEqual(
      expect.objectContaining({
        type: 'Valid',
        status: 'False',
        message: expect.stringContaining('IANA'),
      }),
    );
    await schedules.patch(AT, { type: 'merge', body: { spec: { timeZone: 'Etc/UTC' } } });
    await cluster.advance(10 * MINUTE);
    expect(await pods()).toHaveLength(1);
  });
});

describe('as a process of its own', () => {
  let cluster: TestCluster;
  let program: OperatorProcess;
  afterEach(async () => {
    await program.kill();
    await cluster.close();
  });

  it('goes on after kill -9 in the middle of a backup, and begins none twice', async () => {
    cluster = await startCluster({ lives: { dump: { exitAfterMs: 1_000 } } });
    const { client, clock } = cluster;
    await installKinds(client, [BackupSchedules]);
    const schedules = client.resource(BackupSchedules);
    const created = await schedules.create(aSchedule({ schedule: '* * * * *' }));
    // It ran before, so that a time is due now.
    const lastScheduleTime = formatTime(clock.now() - 3 * MINUTE);
    await schedules.updateStatus({ ...created, status: { lastScheduleTime } });
    const { kubeconfig } = await cluster.listen();
    const start = () =>
      startOperatorProcess('examples/06-cron-backup/main.ts', { KUBECONFIG: kubeconfig });
    program = start();
    // A lead that nobody let go is taken over after 15 s.
    const patience = { timeoutMs: 50_000 };
    const some = (pods: readonly Pod[]) => pods.length > 0;
    await eventuallyList(client, Pods, { namespace: 'default' }, some, patience);
    await program.kill();
    program = start();
    const good = { type: 'Succeeding', status: 'True' } as const;
    const wanted = (object: BackupSchedule) =>
      expect(object.status).toMatchObject({
        backups: expect.toSatisfy((count: number) => count > 0),
        conditions: expect.arrayContaining([expect.objectContaining(good)]),
      });
    await eventually(client, BackupSchedules, AT, wanted, patience);
    const { items } = await client.resource(Pods).list({ namespace: 'default' });
    const times = items.map(({ metadata }) => metadata.annotations?.[TIME_ANNOTATION]);
    expect(new Set(times).size).toBe(times.length);
    expect(await program.stop(), program.log()).toBe(0);
  });
});

const LONG = process.env['PINNACE_LONG'] === '1';

it(
  'keeps its word whatever is late, lost or dies',
  async () => {
    const running = (pod: Pod) => runOf(pod).phase === 'running';
    const backups = scenario({
      name: 'cron backup',
      programs: {
        operator: { controllers: () => [cronBackup], replicas: 2, leaderElection: true },
      },
      setUp: ({ client }) => installKinds(client, [BackupSchedules]),
      async story({ client, sleep }) {
        const retention = { keep: 2, keepFailed: 1 };
        const spec = { schedule: '* * * * *', startingDeadlineSeconds: 40, retention };
        await client.resource(BackupSchedules).create(aSchedule(spec));
        for (let time = 1; time <= 5; time++) {
          await sleep(MINUTE);
          const { items } = await client.resource(Pods).list({ namespace: 'default' });
          for (const pod of items.filter(running)) {
            const where = { namespace: 'default', name: pod.metadata.name ?? '' };
            const body = { status: { phase: time % 3 === 0 ? 'Failed' : 'Succeeded' } };
            await client
              .resource(Pods)
              .patch(where, { type: 'merge', body }, { subresource: 'status' });
          }
        }
      },
      faults: { most: 4, clocks: false },
      always: {
        'under Forbid no two backups run at once': (state) =>
          state.list(Pods).filter(running).length <= 1,
        'the newest good backup is never deleted': ({ writes }) => {
          const last = writes.at(-1);
          if (last?.type !== 'deleted' || last.object.kind !== 'Pod') return true;
          const run = runOf(last.object as Pod);
          if (run.phase !== 'good') return true;
          const newer = writes.some(
            ({ object }) =>
              object.kind === 'Pod' &&
              runOf(object as Pod).phase === 'good' &&
              runOf(object as Pod).timeMs > run.timeMs,
          );
          return newer || `${run.name} was the newest good one`;
        },
        'no time runs twice': ({ writes }) => {
          const names = writes
            .filter(({ type, object }) => type === 'created' && object.kind === 'Pod')
            .map(({ object }) => object.metadata.name);
          return new Set(names).size === names.length || names.join(', ');
        },
      },
      eventually: {
        'every time has run or is told as missed': (state) => {
          const status = state.get(BackupSchedules, AT)?.status;
          const begun = new Set(
            state.writes
              .filter(({ type, object }) => type === 'created' && object.kind === 'Pod')
              .map(({ object }) => object.metadata.name),
          );
          const seen = begun.size + (status?.missed ?? 0);
          return seen >= 5 || `${begun.size} begun, ${status?.missed} missed`;
        },
        'no more backups are kept than asked for': (state) =>
          state.list(Pods).filter((pod) => runOf(pod).phase === 'good').length <= 2,
      },
      within: 3 * MINUTE,
      // It takes the present as a default for the moment that it is always given.
      harmless: ['croner'],
    });
    const report = await simulate(backups, { runs: LONG ? 1000 : 25, seed: 1 });
    console.log(`${report.runs} runs in ${Math.round(report.elapsedMs)} ms`);
  },
  LONG ? 1_200_000 : 600_000,
);
